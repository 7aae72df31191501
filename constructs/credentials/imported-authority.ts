import { createPrivateKey } from "node:crypto";
import { Issuer, orderChain, ParsedCertificate } from "../pki";
import { AuthoritySource } from "./certificate-authority";
import { TextSource } from "../text-source";

/** Where the certificate of an authority that exists comes from. */
export type ExistingSource = Exclude<AuthoritySource, { kind: "managed" | "intermediate" }>;

export function certificateSource(source: ExistingSource): TextSource {
  return source.kind === "trusted" ? source.certificates : source.certificate;
}

/**
 * Reads an authority's certificate and those above it, the root last.
 *
 * @throws {Error} when they cannot be read, or are no chain that strict verifiers follow
 */
export function readImported(
  source: ExistingSource,
  now: Date,
): { certificate: ParsedCertificate; chain: ParsedCertificate[] } {
  const text = certificateSource(source).read("the certificate");
  const above = source.kind !== "trusted" && source.chain ? source.chain.read("the chain") : "";
  const certificate = readCertificate(source);
  const [, ...chain] = orderChain(certificate, text + above, now);
  return { certificate, chain };
}

/**
 * The authority itself: of certificates in any order the one that signed none of the others.
 *
 * @throws {Error} when it cannot be read
 */
export function readCertificate(source: ExistingSource): ParsedCertificate {
  const all = ParsedCertificate.allFromPem(certificateSource(source).read("the certificate"));
  if (all.length === 0) throw new Error('there is no "BEGIN CERTIFICATE" block in it');
  if (source.kind !== "trusted") return all[0] as ParsedCertificate;
  const candidates = all.filter((one) => !all.some((other) => other !== one && other.wasSignedBy(one)));
  if (candidates.length === 1) return candidates[0] as ParsedCertificate;
  throw new Error("it has more than one authority that is not above another; give one authority and those above it");
}

/** @throws {Error} when the key cannot be read, or does not belong to the certificate */
export function importedIssuer(certificatePem: string, source: Extract<AuthoritySource, { kind: "imported" }>): Issuer {
  const key = source.privateKey.read("the authority's private key");
  if (source.passphrase === undefined) return Issuer.fromPem(certificatePem, key);
  const passphrase = source.passphrase.read("the passphrase of the authority's private key").replace(/\r?\n$/, "");
  let plain: string;
  try {
    plain = createPrivateKey({ key, passphrase }).export({ type: "pkcs8", format: "pem" }).toString();
  } catch (cause) {
    throw new Error("the authority's private key cannot be opened with its passphrase; give the right one", { cause });
  }
  return Issuer.fromPem(certificatePem, plain);
}

/** The kind of its key, such as `ECDSA-P256`. */
export function keyDescription({ x509 }: ParsedCertificate): string {
  const { asymmetricKeyType: type = "", asymmetricKeyDetails: { namedCurve, modulusLength } = {} } = x509.publicKey;
  if (type === "rsa") return `RSA-${modulusLength}`;
  const curves: Readonly<Record<string, string>> = { prime256v1: "ECDSA-P256", secp384r1: "ECDSA-P384" };
  return curves[namedCurve ?? ""] ?? `${type} ${namedCurve ?? ""}`.trim();
}
