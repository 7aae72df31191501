import { verify, type KeyObject } from "node:crypto";
import type { CertificateParts } from "./certificate-parts";
import { encodeName } from "./distinguished-name";
import { certificateFault, CLOCK_DIFFERENCE } from "./judgement";
import { ParsedCertificate } from "./parsed-certificate";
import { toPem } from "./pem";
import { publicKeyFault } from "./public-key";

/** What a good certificate has taught of those of the same shape. */
interface Shape {
  readonly authority: ParsedCertificate;
  readonly authorityKey: KeyObject;
  readonly hash: string;
}

const HASHES = ["sha256", "sha384", "sha512"];

/**
 * Judges many client certificates of a few authorities as `certificateFault` does. The first of a shape is judged by it;
 * for the others, which are alike in all but serial number, validity, subject, key and signature, those are checked. What
 * does not pass is judged by `certificateFault`, too, so that nothing is refused that it would let pass.
 */
export class ClientCertificateJudge {
  private readonly shapes = new Map<string, Shape>();

  /** @param issuers any of which may have signed them; their own chains have been proved */
  constructor(
    private readonly issuers: readonly ParsedCertificate[],
    private readonly now: Date,
  ) {}

  /** Why TLS libraries or the broker would refuse it as a client's of this name, if they would. */
  fault(parts: CertificateParts, commonName: string): string | undefined {
    const shape = this.shapes.get(parts.shape);
    if (shape !== undefined && this.isGood(parts, commonName, shape)) return undefined;
    const certificate = ParsedCertificate.fromPem(toPem("CERTIFICATE", parts.octets));
    const signers = this.issuers.filter((issuer) => certificate.wasSignedBy(issuer));
    let fault: string | undefined = "it was signed by none of the authorities above it";
    for (const authority of signers) {
      fault =
        certificateFault(certificate, { authority, purpose: "client", commonName, hosts: [] }, this.now) ??
        publicKeyFault(certificate.x509.publicKey);
      if (fault !== undefined) continue;
      this.learn(parts, authority);
      return undefined;
    }
    return fault;
  }

  private learn(parts: CertificateParts, authority: ParsedCertificate): void {
    const authorityKey = authority.x509.publicKey;
    const hash = HASHES.find((one) => isSigned(parts, authorityKey, one));
    if (hash !== undefined) this.shapes.set(parts.shape, { authority, authorityKey, hash });
  }

  private isGood(parts: CertificateParts, commonName: string, { authority, authorityKey, hash }: Shape): boolean {
    const { serial, subject, notAfter } = parts;
    return (
      (serial[0] as number) < 0x80 &&
      serial.some((octet) => octet !== 0) &&
      subject.equals(encodeName(commonName)) &&
      !subject.equals(authority.subject) &&
      isValidAt(parts, this.now) &&
      notAfter <= authority.notAfter.getTime() &&
      isSigned(parts, authorityKey, hash)
    );
  }
}

function isSigned({ toBeSigned, signature }: CertificateParts, key: KeyObject, hash: string): boolean {
  return verify(hash, toBeSigned, key, signature);
}

export function isValidAt(
  { notBefore, notAfter }: Pick<CertificateParts, "notBefore" | "notAfter">,
  now: Date,
): boolean {
  return notBefore <= now.getTime() + CLOCK_DIFFERENCE && notAfter > now.getTime();
}
