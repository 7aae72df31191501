import * as fs from "node:fs";
import * as path from "node:path";
import { fulfil, Fulfilment, WantedCertificate, WantedCredentials, WantedPassword } from "../../constructs/credentials";
import { RecordFolder } from "../../constructs/credentials/record-folder";
import { KeyAlgorithm, parseHost } from "../../constructs/pki";

export const DAY = 24 * 60 * 60 * 1000;
export const NOW = new Date("2030-06-01T12:00:00Z");
const algorithm = KeyAlgorithm.ecdsaP256();

const authority = (role: string): WantedCredentials["serverAuthority"] => ({
  generation: 1,
  commonName: `plant ${role} authority 1`,
  algorithm,
  algorithmDeclared: false,
  validityDays: 3650,
});

export const certificate = (name: string, changed: Partial<WantedCertificate> = {}): WantedCertificate => ({
  name,
  credentialVersion: 1,
  algorithm,
  validityDays: 825,
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
    clientAuthority: authority("client"),
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
    algorithm,
    validityDays: 397,
  };
}

/** One synth's work on a folder. */
export function issue(
  folder: string,
  declared = wanted(),
  options: { now?: Date; mayIssue?: boolean } = {},
): Fulfilment {
  return fulfil(RecordFolder.open(folder), declared, options.mayIssue ?? true, options.now ?? NOW);
}

/** The folder's content, by file name. */
export function contents(folder: string): Record<string, string> {
  if (!fs.existsSync(folder)) return {};
  return Object.fromEntries(
    fs
      .readdirSync(folder)
      .sort()
      .map((name) => [name, fs.readFileSync(path.join(folder, name), "utf8")]),
  );
}
