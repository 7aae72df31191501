import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import forge from "node-forge";
import { encodeDer, parseDer, type Asn1 } from "../../constructs/pki/asn1";
import { issueAuthority, Issuer, KeyAlgorithm, type IssuedCertificate } from "../../constructs/pki";

/** A fixed span around any day on which this test may run. */
export const SPAN = { notBefore: new Date("2024-01-01T00:00:00Z"), notAfter: new Date("2124-01-01T00:00:00Z") };

export const P256 = KeyAlgorithm.ecdsaP256();

export function newAuthority(commonName = "Test CA", algorithm = P256): { ca: IssuedCertificate; issuer: Issuer } {
  const ca = issueAuthority({ commonName, algorithm, ...SPAN });
  return { ca, issuer: Issuer.fromPem(ca.certificatePem, ca.privateKeyPem) };
}

/** A folder in the system's temporary one, and what is done in it. */
export class Scratch {
  private readonly folder = mkdtempSync(join(tmpdir(), "pki-test-"));

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): string {
    writeFileSync(this.path(name), text);
    return this.path(name);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Output and errors of the openssl command, whether it succeeds or not. */
export function openssl(...args: string[]): { ok: boolean; text: string } {
  const { status, stdout, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
  return { ok: status === 0, text: stdout + stderr };
}

export function python(script: string, input: unknown): unknown {
  return JSON.parse(execFileSync("python3", ["-c", script], { encoding: "utf8", input: JSON.stringify(input) }));
}

export function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
}

/** One element by its path of indexes: in a certificate, [0, 5] is the subject. */
export function elementAt(octets: Buffer, path: readonly number[]): Asn1 {
  return path.reduce<Asn1>((node, index) => (node.value as Asn1[])[index] as Asn1, parseDer(octets));
}

export function certificatePart(pem: string, ...path: number[]): Asn1 {
  return elementAt(derOf(pem), [0, ...path]);
}

/** An extension by its dotted object identifier, in the list that is the last part of a certificate's or CRL's body. */
export function extensionOf(pem: string, identifier: string): { critical: boolean; value: Buffer } | undefined {
  const body = elementAt(derOf(pem), [0]).value as Asn1[];
  const list = ((body.at(-1)?.value as Asn1[])[0] as Asn1).value as Asn1[];
  for (const { value } of list) {
    const [type, ...rest] = value as Asn1[];
    if (forge.asn1.derToOid(type?.value as string) !== identifier) continue;
    return { critical: rest.length === 2, value: Buffer.from(rest.at(-1)?.value as string, "latin1") };
  }
  return undefined;
}

export function hexOf(node: Asn1): string {
  return encodeDer(node).toString("hex");
}
