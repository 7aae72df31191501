import * as fs from "node:fs";
import * as path from "node:path";
import {
  Authority,
  CertificateAuthority,
  Credentials,
  CredentialStore,
  fulfil,
  Fulfilment,
  RecordFolder,
  WantedAuthority,
  WantedCertificate,
  WantedCredentials,
  WantedPassword,
} from "../../constructs/credentials";
import { KeyAlgorithm, lifetime, LifetimeOptions, parseHost } from "../../constructs/pki";

export const DAY = 24 * 60 * 60 * 1000;
export const NOW = new Date("2030-06-01T12:00:00Z");
const algorithm = KeyAlgorithm.ecdsaP256();

export const authority = (
  role: WantedAuthority["role"],
  declared = CertificateAuthority.managed(),
  changed: Partial<WantedAuthority> = {},
): WantedAuthority => ({
  role,
  rootRole: role === "control" ? "server-root" : `${role}-root`,
  authority: declared,
  commonName: `plant ${role}`,
  algorithm,
  ...changed,
});

export const certificate = (
  name: string,
  { validityDays, renewBeforeDays, ...changed }: Partial<WantedCertificate> & LifetimeOptions = {},
): WantedCertificate => ({
  name,
  commonName: name,
  credentialVersion: 1,
  algorithm,
  lifetime: lifetime(
    { ...(validityDays && { validityDays }), ...(renewBeforeDays !== undefined && { renewBeforeDays }) },
    825,
  ),
  ...changed,
});

export const password = (name: string, changed: Partial<WantedPassword> = {}): WantedPassword => ({
  name,
  credentialVersion: 1,
  iterations: 10,
  ...changed,
});

export function wanted(changed: Partial<WantedCredentials> = {}): WantedCredentials {
  return {
    serverAuthority: authority("server"),
    clientAuthority: authority("clients"),
    controlAuthority: authority("control"),
    server: { ...server("broker.example"), algorithm },
    controlName: "cdktf-mosquitto-control",
    certificates: [certificate("sensor-1")],
    passwords: [password("operator")],
    ...changed,
  };
}

export function server(...hosts: string[]): WantedCredentials["server"] {
  return {
    hosts: hosts.map(parseHost),
    generationHosts: ["generation-0.test", "generation-1.test"],
    credentialVersion: 1,
    algorithm,
    lifetime: lifetime({}, 397),
  };
}

export function open(folder: string): RecordFolder {
  return CredentialStore.folder(folder).open(NOW);
}

/** One synth's work on a folder. */
export function issue(
  folder: string,
  declared = wanted(),
  options: { now?: Date; mayIssue?: boolean } = {},
): Fulfilment {
  const now = options.now ?? NOW;
  return fulfil(open(folder), declared, options.mayIssue ?? true, now);
}

/** Credentials as far as they say the same at every synth. */
export function plain(credentials: Credentials | undefined): unknown {
  if (credentials === undefined) return undefined;
  const { serverAuthorities, clientAuthorities, controlAuthority, ...rest } = credentials;
  const records = (authorities: readonly Authority[]): unknown => authorities.map(({ record }) => record);
  return {
    ...rest,
    serverAuthorities: records(serverAuthorities),
    clientAuthorities: records(clientAuthorities),
    controlAuthority: controlAuthority.record,
    nextAction: undefined,
  };
}

/** The folder's content, by file name. */
export function contents(folder: string): Record<string, string> {
  if (!fs.existsSync(folder)) return {};
  return Object.fromEntries(
    fs
      .readdirSync(folder)
      .filter((name) => !name.endsWith(".claim"))
      .sort()
      .map((name) => [name, fs.readFileSync(path.join(folder, name), "utf8")]),
  );
}
