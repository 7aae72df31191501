import { createHash } from "node:crypto";
import { isIPv6 } from "node:net";
import { describeFault } from "../faults";

/** What a client shows at an endpoint. */
export type EndpointAuthentication = "certificate" | "password" | "certificateAndPassword";

/** Where a client connects to: plain values, taken from the listener that accepts it. */
export interface ConnectionEndpoint {
  readonly host: string;
  readonly port: number;
  readonly protocol: "mqtts" | "wss" | "mqtt" | "ws";
  readonly authentication: EndpointAuthentication;
}

/** What a client is declared to be, as far as its bundle tells. */
export interface ConnectionIdentity {
  readonly name: string;
  readonly serverName: string;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  readonly deny: readonly string[];
}

/** The client's secrets and certificates, as far as its listener counts them. */
export interface ConnectionMaterial {
  readonly caPem?: string;
  readonly certificate?: {
    readonly certificatePem: string;
    readonly privateKeyPem?: string;
    readonly notAfter: string;
  };
  /** Whether it has a password, which only the client may know. */
  readonly hasPassword: boolean;
  readonly password?: string;
}

/**
 * Everything that one client needs to connect, and nothing that does not count: no password where the certificate is
 * the identity, no certificate where a password is.
 */
export interface ConnectionBundle {
  readonly host: string;
  readonly port: number;
  /** `mqtts` or `wss` over TLS, `mqtt` or `ws` in clear text. */
  readonly protocol: ConnectionEndpoint["protocol"];
  /** `protocol://host:port`, without credentials; over WebSockets with the path `/mqtt`. */
  readonly url: string;
  /** The name or address that the server's certificate is checked against, `host` in most cases. */
  readonly server_name?: string;
  readonly client_id: string;
  readonly username?: string;
  /** Absent where only its hash was given: the client knows it. */
  readonly password?: string;
  /** The roots that the server's certificate is checked against: two while one replaces the other. */
  readonly ca_pem?: string;
  /** The client's certificate, and what stands between it and its root. */
  readonly cert_pem?: string;
  /** Absent where the client keeps its key to itself. */
  readonly key_pem?: string;
  /** End of the client certificate's validity, ISO 8601. */
  readonly expires_at?: string;
  /** Every endpoint that accepts this client and what it shows there, where there are several; the first is the one above. */
  readonly endpoints?: readonly BundleEndpoint[];
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** Topic filters that are closed although others open them. */
  readonly deny?: readonly string[];
}

export interface BundleEndpoint extends ConnectionEndpoint {
  readonly url: string;
}

/** The fields of a bundle that are secret. */
export const SECRET_FIELDS: readonly (keyof ConnectionBundle)[] = ["password", "key_pem"];

export function connectionBundle(
  endpoints: readonly ConnectionEndpoint[],
  identity: ConnectionIdentity,
  material: ConnectionMaterial,
): ConnectionBundle {
  const { caPem, certificate, hasPassword, password } = material;
  const { name, serverName, publish, subscribe, deny } = identity;
  const [endpoint] = endpoints;
  if (endpoint === undefined) throw new Error(`client ${name} has no endpoint`);
  const { host, port, protocol } = endpoint;
  return {
    host,
    port,
    protocol,
    url: endpointUrl(endpoint),
    ...(endpoints.some(usesTls) && { server_name: serverName }),
    client_id: name,
    ...(hasPassword && { username: name }),
    ...(password !== undefined && { password }),
    ...(caPem !== undefined && { ca_pem: caPem }),
    ...(certificate && {
      cert_pem: certificate.certificatePem,
      ...(certificate.privateKeyPem !== undefined && { key_pem: certificate.privateKeyPem }),
      expires_at: certificate.notAfter,
    }),
    ...(endpoints.length > 1 && { endpoints: endpoints.map((one) => ({ ...one, url: endpointUrl(one) })) }),
    publish,
    subscribe,
    ...(deny.length > 0 && { deny }),
  };
}

/**
 * A bundle that leads to one of its endpoints, with what counts there alone.
 *
 * @param port the endpoint's. @default - the first endpoint's
 * @throws {Error} when the bundle has no such endpoint
 */
export function bundleAt(bundle: ConnectionBundle, port: number = bundle.port): ConnectionBundle {
  const { endpoints, ...rest } = bundle;
  const endpoint = endpoints?.find((one) => one.port === port);
  if (endpoints === undefined && port === bundle.port) return bundle;
  if (endpoint === undefined) {
    const known = (endpoints ?? [bundle]).map((one) => one.port);
    throw new Error(
      describeFault({
        what: `port of an endpoint of ${bundle.client_id}`,
        value: port,
        allowed: known.join(", "),
        remedy: "take one of them, or leave it out for the first",
      }),
    );
  }
  const { host, protocol, url, authentication } = endpoint;
  const uncounted: readonly (keyof ConnectionBundle)[] = [
    ...(usesTls(endpoint) ? [] : (["server_name", "ca_pem"] as const)),
    ...(authentication === "password" ? (["cert_pem", "key_pem", "expires_at"] as const) : []),
    ...(authentication === "certificate" ? (["username", "password"] as const) : []),
  ];
  const counted = Object.entries(rest).filter(([field]) => !uncounted.includes(field as keyof ConnectionBundle));
  return { ...(Object.fromEntries(counted) as unknown as typeof rest), host, port, protocol, url };
}

/**
 * A bundle that leads to another host, at every endpoint.
 *
 * @param serverName what the server's certificate is checked against. @default - what it was
 */
export function bundleTo(bundle: ConnectionBundle, host: string, serverName = bundle.server_name): ConnectionBundle {
  const { port, protocol, endpoints } = bundle;
  return {
    ...bundle,
    host,
    url: endpointUrl({ host, port, protocol }),
    ...(bundle.server_name !== undefined && serverName !== undefined && { server_name: serverName }),
    ...(endpoints && { endpoints: endpoints.map((one) => ({ ...one, host, url: endpointUrl({ ...one, host }) })) }),
  };
}

/** SHA-256 of all that a bundle says, whatever the order of its fields. */
export function bundleFingerprint(bundle: ConnectionBundle): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(bundle)))
    .digest("hex");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([field, content]) => [field, sorted(content)]),
  );
}

export function usesTls({ protocol }: Pick<ConnectionEndpoint, "protocol">): boolean {
  return protocol === "mqtts" || protocol === "wss";
}

export function usesWebSockets({ protocol }: Pick<ConnectionEndpoint, "protocol">): boolean {
  return protocol === "wss" || protocol === "ws";
}

/** The URL of an endpoint; an IPv6 address is in brackets (RFC 3986 section 3.2.2). */
export function endpointUrl({ host, port, protocol }: Omit<ConnectionEndpoint, "authentication">): string {
  const path = usesWebSockets({ protocol }) ? "/mqtt" : "";
  return `${protocol}://${isIPv6(host) ? `[${host}]` : host}:${port}${path}`;
}
