import { renderPasswordFile, REVOKED_CANARY_NAME, VERIFY_CLIENT_NAME } from "../access";
import { renderBundleText } from "../client/bundle-text";
import {
  ConnectionBundle,
  connectionBundle,
  ConnectionEndpoint,
  ConnectionIdentity,
  usesTls,
} from "../client/connection-bundle";
import { clientFolder } from "../client/mosquitto-client";
import { Authority, ClientCredentials, Credentials } from "../credentials";
import { clientFiles } from "./client-files";
import { verificationOf } from "./verification";

/** File names of the material, relative to its folder. */
export const AUTHORITIES_FILE = "authorities.json";
export const CERTIFICATES_FILE = "certificates.json";
export const NEXT_ACTION_FILE = "next-action.json";
export const VERIFICATION_FILE = "verification.json";
export function connectionFile(clientName: string): string {
  return `connections/${clientName}.json`;
}

/** What an authority is trusted for. One may serve both. */
export type AuthorityPurpose = "server" | "clients";

/** Names one generation of an authority, in the material and in the state. */
export function authorityKey(purpose: AuthorityPurpose, generation: number): string {
  return `${purpose}-${generation}`;
}

/** A client as far as its bundle needs it. */
export interface MaterialClient extends ConnectionIdentity {
  readonly endpoints: readonly ConnectionEndpoint[];
  /** Whether another container of the stack gets its files. */
  readonly connection?: { readonly isUploaded: boolean };
}

/** What decides which files there are. */
export interface MaterialKinds {
  /** Whether a listener asks for certificates. */
  readonly certificates: boolean;
  /** Whether an authority of clients signs here. */
  readonly canaries: boolean;
  /** Whether a listener asks for passwords. */
  readonly passwords: boolean;
}

/** The files of a set that come from the credential store, by name. Which there are depends on the listeners alone. */
export function brokerFiles(credentials: Credentials): ReadonlyMap<string, string> {
  const { server, control, serverAuthorities, clientAuthorities, controlAuthority, clients, canaries } = credentials;
  const passwords = [...clients].flatMap(([userName, { password }]) =>
    password === undefined ? [] : [{ userName, hash: password.hash }],
  );
  return new Map([
    ["server.crt", server.certificatePem + credentials.serverChainPem],
    ["server.key", server.privateKeyPem],
    ["server-ca.crt", roots(serverAuthorities)],
    ["generation-host", server.generationHost],
    // Up to the roots: a client may send its own certificate alone (measured, A1).
    ...(clientAuthorities.length > 0
      ? ([["client-ca.crt", clientAuthorities.map(({ wholePem }) => wholePem).join("")]] as const)
      : []),
    ["control-ca.crt", controlAuthority.rootPem],
    ["control.crt", control.certificatePem],
    ["control.key", control.privateKeyPem],
    ["crl.pem", credentials.revocationListsPem],
    ["passwd", renderPasswordFile(passwords)],
    ["ended", renderEnded(credentials.ended)],
    ...(canaries
      ? ([
          ["revoked.crt", canaries.revoked.certificatePem],
          ["revoked.key", canaries.revoked.privateKeyPem ?? ""],
        ] as const)
      : []),
  ]);
}

/** What the writer connects with to the broker that it has started itself; none of it comes to the broker that runs. */
export function rehearsalFiles({ clients }: Credentials): ReadonlyMap<string, string> {
  const { certificate, chainPem = "", password } = clients.get(VERIFY_CLIENT_NAME) ?? {};
  return new Map([
    ...(certificate
      ? ([
          ["verify.crt", certificate.certificatePem + chainPem],
          ["verify.key", certificate.privateKeyPem ?? ""],
        ] as const)
      : []),
    ...(password?.value === undefined ? [] : ([[OPTIONS_FILE, renderOptions(password.value)]] as const)),
  ]);
}

/** Where mosquitto_sub(1) looks for options: as arguments everybody on the host could read them. */
const OPTIONS_FILE = "mosquitto_sub";

function renderOptions(password: string): string {
  return `-u ${VERIFY_CLIENT_NAME}\n-P ${password}\n`;
}

/** The names of `rehearsalFiles`, known without any credentials. */
export function rehearsalFileNames({ canaries, passwords }: MaterialKinds): readonly string[] {
  return [...(canaries ? ["verify.crt", "verify.key"] : []), ...(passwords ? [OPTIONS_FILE] : [])];
}

/** The names of `brokerFiles`, known without any credentials. */
export function brokerFileNames({ certificates, canaries }: MaterialKinds): readonly string[] {
  return [
    "server.crt",
    "server.key",
    "server-ca.crt",
    "generation-host",
    ...(certificates ? ["client-ca.crt"] : []),
    "control-ca.crt",
    "control.crt",
    "control.key",
    "crl.pem",
    "passwd",
    "ended",
    ...(canaries ? ["revoked.crt", "revoked.key"] : []),
  ];
}

/** One line `NAME SERIAL` per certificate that ended; a comment first, because Docker refuses to upload an empty file. */
function renderEnded(ended: Credentials["ended"]): string {
  const lines = endedLines(ended).map((line) => `${line}\n`);
  return `# Certificates that ended.\n${lines.sort().join("")}`;
}

/** Under each name that a session may have, which such a certificate has opened. The canary never had one. */
export function endedLines(ended: Credentials["ended"]): string[] {
  return ended
    .filter(({ name }) => name !== REVOKED_CANARY_NAME)
    .flatMap(({ name, commonName = name, serial }) =>
      [...new Set([name, commonName])].map((one) => `${one} ${serial}`),
    );
}

/** Each once: two intermediates may have the same root. */
function roots(authorities: readonly Authority[]): string {
  return [...new Set(authorities.map(({ rootPem }) => rootPem))].join("");
}

/** Everything that one deploy needs beside the synthesized config, by path relative to the material folder. */
export function renderMaterial(
  credentials: Credentials,
  clients: readonly MaterialClient[],
): ReadonlyMap<string, string> {
  const { server, serverAuthorities, clientAuthorities, nextAction } = credentials;
  const files = new Map([...brokerFiles(credentials), ...rehearsalFiles(credentials)]);
  files.set(VERIFICATION_FILE, json(verificationOf(credentials)));
  for (const client of clients) {
    const bundle = clientBundle(client, credentials);
    files.set(connectionFile(client.name), renderBundleText(bundle));
    if (client.connection?.isUploaded !== true) continue;
    const own = clientFiles(bundle, credentials.clients.get(client.name) ?? {});
    for (const [name, content] of own) files.set(`${clientFolder(client.name)}/${name}`, content);
  }
  files.set(
    CERTIFICATES_FILE,
    json([
      ...serverAuthorities.map(({ record }) => certificateSummary(authorityTitle("server", record.generation), record)),
      ...clientAuthorities.map(({ record }) => certificateSummary(authorityTitle("client", record.generation), record)),
      certificateSummary("server", server),
      ...clients.flatMap(({ name }) => {
        const certificate = credentials.clients.get(name)?.certificate;
        return certificate ? [certificateSummary(`client ${name}`, certificate)] : [];
      }),
    ]),
  );
  const fingerprints = (purpose: AuthorityPurpose, authorities: readonly Authority[]): [string, object][] =>
    authorities.map(({ record, end }) => [
      authorityKey(purpose, record.generation),
      { sha256: record.fingerprint256, not_after: new Date(end).toISOString() },
    ]);
  files.set(
    AUTHORITIES_FILE,
    json(
      Object.fromEntries([...fingerprints("server", serverAuthorities), ...fingerprints("clients", clientAuthorities)]),
    ),
  );
  files.set(NEXT_ACTION_FILE, json({ at: nextAction.at.toISOString(), what: nextAction.what }));
  return files;
}

/** What a client is handed. */
function clientBundle(client: MaterialClient, credentials: Credentials): ConnectionBundle {
  const { certificate, chainPem = "", password } = shown(client, credentials);
  return connectionBundle(client.endpoints, client, {
    ...(client.endpoints.some(usesTls) && { caPem: roots(credentials.serverAuthorities) }),
    ...(certificate && {
      certificate: { ...certificate, certificatePem: certificate.certificatePem + chainPem },
    }),
    hasPassword: password !== undefined,
    ...(password?.value !== undefined && { password: password.value }),
  });
}

/** What a client shows at any of its endpoints; it may have more. */
function shown({ name, endpoints }: MaterialClient, { clients }: Credentials): ClientCredentials {
  const { password, ...rest } = clients.get(name) ?? {};
  return {
    ...(endpoints.some(({ authentication }) => authentication !== "password") && rest),
    ...(endpoints.some(({ authentication }) => authentication !== "certificate") && password && { password }),
  };
}

function authorityTitle(whose: string, generation: number): string {
  return `${whose} authority${generation === 1 ? "" : ` ${generation}`}`;
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
