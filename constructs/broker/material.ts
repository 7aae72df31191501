import { renderPasswordFile } from "../access";
import { connectionBundle, ConnectionEndpoint, ConnectionIdentity } from "../client/connection-bundle";
import { Credentials } from "../credentials";

/** File names of the material, relative to its folder. */
export const AUTHORITIES_FILE = "authorities.json";
export const CERTIFICATES_FILE = "certificates.json";
export function connectionFile(clientName: string): string {
  return `connections/${clientName}.json`;
}

/** A client as far as its bundle needs it. */
export interface MaterialClient extends ConnectionIdentity {
  readonly endpoint: ConnectionEndpoint;
}

/** The files of a set that come from the credential store, by name. Which there are depends on the listeners alone. */
export function brokerFiles(credentials: Credentials): ReadonlyMap<string, string> {
  const { server, control, serverAuthority, clientAuthority, controlAuthority, clients } = credentials;
  const passwords = [...clients].flatMap(([userName, { password }]) =>
    password === undefined ? [] : [{ userName, hash: password.hash }],
  );
  return new Map([
    ["server.crt", server.certificatePem],
    ["server.key", server.privateKeyPem],
    ["server-ca.crt", serverAuthority.certificatePem],
    ["generation-host", server.generationHost],
    ...(clientAuthority ? ([["client-ca.crt", clientAuthority.certificatePem]] as const) : []),
    ["control-ca.crt", controlAuthority.certificatePem],
    ["control.crt", control.certificatePem],
    ["control.key", control.privateKeyPem],
    ["crl.pem", credentials.revocationListsPem],
    ["passwd", renderPasswordFile(passwords)],
    ["ended", renderEnded(credentials.ended)],
  ]);
}

/** The names of `brokerFiles`, known without any credentials. */
export function brokerFileNames(hasClientAuthority: boolean): readonly string[] {
  return [
    "server.crt",
    "server.key",
    "server-ca.crt",
    "generation-host",
    ...(hasClientAuthority ? ["client-ca.crt"] : []),
    "control-ca.crt",
    "control.crt",
    "control.key",
    "crl.pem",
    "passwd",
    "ended",
  ];
}

/** One line `NAME VERSION` per credential that ended; a comment first, because Docker refuses to upload an empty file. */
function renderEnded(ended: Credentials["ended"]): string {
  const lines = new Set(ended.map(({ name, version }) => `${name} ${version}\n`));
  return `# Credentials that ended.\n${[...lines].sort().join("")}`;
}

/** Everything that one deploy needs beside the synthesized config, by path relative to the material folder. */
export function renderMaterial(
  credentials: Credentials,
  clients: readonly MaterialClient[],
): ReadonlyMap<string, string> {
  const { server, serverAuthority, clientAuthority } = credentials;
  const files = new Map(brokerFiles(credentials));
  for (const client of clients) {
    const { certificate, password } = credentials.clients.get(client.name) ?? {};
    const bundle = connectionBundle(client.endpoint, client, {
      ...(client.endpoint.protocol === "mqtts" && { caPem: serverAuthority.certificatePem }),
      ...(certificate && { certificate }),
      ...(password && { password: password.value }),
    });
    files.set(connectionFile(client.name), json(bundle));
  }
  files.set(
    CERTIFICATES_FILE,
    json([
      certificateSummary("server authority", serverAuthority),
      ...(clientAuthority ? [certificateSummary("client authority", clientAuthority)] : []),
      certificateSummary("server", server),
      ...clients.flatMap(({ name }) => {
        const certificate = credentials.clients.get(name)?.certificate;
        return certificate ? [certificateSummary(`client ${name}`, certificate)] : [];
      }),
    ]),
  );
  files.set(
    AUTHORITIES_FILE,
    json({ server: serverAuthority.fingerprint256, clients: clientAuthority?.fingerprint256 ?? "none" }),
  );
  return files;
}

function certificateSummary(
  name: string,
  certificate: { readonly serial: string; readonly fingerprint256: string; readonly notAfter: string },
): object {
  return {
    name,
    serial: certificate.serial,
    fingerprint_sha256: certificate.fingerprint256,
    not_after: certificate.notAfter,
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
