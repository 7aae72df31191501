import { isIPv6 } from "node:net";

/** Where a client connects to: plain values, taken from the listener that accepts it. */
export interface ConnectionEndpoint {
  readonly host: string;
  readonly port: number;
  readonly protocol: "mqtts" | "mqtt";
}

/** What a client is declared to be, as far as its bundle tells. */
export interface ConnectionIdentity {
  readonly name: string;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** The client's secrets and certificates, as far as its listener counts them. */
export interface ConnectionMaterial {
  readonly caPem?: string;
  readonly certificate?: {
    readonly certificatePem: string;
    readonly privateKeyPem?: string;
    readonly notAfter: string;
  };
  readonly password?: string;
}

/**
 * Everything that one client needs to connect, and nothing that does not count: no password where the certificate is
 * the identity, no certificate where a password is.
 */
export interface ConnectionBundle {
  readonly host: string;
  readonly port: number;
  /** `mqtts` over TLS, `mqtt` in clear text. */
  readonly protocol: string;
  /** `protocol://host:port`, without credentials. */
  readonly url: string;
  /** The name that the server's certificate is checked against. */
  readonly server_name?: string;
  readonly client_id: string;
  readonly username?: string;
  readonly password?: string;
  /** The roots that the server's certificate is checked against: two while one replaces the other. */
  readonly ca_pem?: string;
  /** The client's certificate, and what stands between it and its root. */
  readonly cert_pem?: string;
  /** Absent where the client keeps its key to itself. */
  readonly key_pem?: string;
  /** End of the client certificate's validity, ISO 8601. */
  readonly expires_at?: string;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** The fields of a bundle that are secret. */
export const SECRET_FIELDS: readonly (keyof ConnectionBundle)[] = ["password", "key_pem"];

export function connectionBundle(
  endpoint: ConnectionEndpoint,
  identity: ConnectionIdentity,
  material: ConnectionMaterial,
): ConnectionBundle {
  const { host, port, protocol } = endpoint;
  const { caPem, certificate, password } = material;
  return {
    host,
    port,
    protocol,
    url: endpointUrl(endpoint),
    ...(protocol === "mqtts" && { server_name: host }),
    client_id: identity.name,
    ...(password !== undefined && { username: identity.name, password }),
    ...(caPem !== undefined && { ca_pem: caPem }),
    ...(certificate && {
      cert_pem: certificate.certificatePem,
      ...(certificate.privateKeyPem !== undefined && { key_pem: certificate.privateKeyPem }),
      expires_at: certificate.notAfter,
    }),
    publish: identity.publish,
    subscribe: identity.subscribe,
  };
}

/** The URL of an endpoint; an IPv6 address is in brackets (RFC 3986 §3.2.2). */
export function endpointUrl({ host, port, protocol }: ConnectionEndpoint): string {
  return `${protocol}://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
