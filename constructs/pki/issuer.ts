import { createPrivateKey, type KeyObject } from "node:crypto";
import { authorityKeyIdentifier } from "./extensions";
import type { Host } from "./host";
import { ParsedCertificate } from "./parsed-certificate";
import { Signer } from "./signer";

/** A certificate authority ready to sign: everything that is the same in all it issues is worked out once. */
export class Issuer {
  /** The ready-made AuthorityKeyIdentifier extension. */
  readonly authorityKeyIdentifier: Buffer;
  /** How many authorities may stand between this one and a server or client. */
  readonly pathLength: number;

  private constructor(
    private readonly certificate: ParsedCertificate,
    readonly signer: Signer,
    /** The subject key identifier, which certificates it signs carry as authority key identifier. */
    readonly keyIdentifier: Buffer,
  ) {
    this.authorityKeyIdentifier = authorityKeyIdentifier(keyIdentifier);
    this.pathLength = certificate.pathLength;
  }

  /**
   * @param certificatePem the authority's certificate; where there are several, the first one
   * @param privateKeyPem its private key, not encrypted
   * @throws {Error} if either cannot be read, if they do not belong together, or if the certificate is not one of an
   * authority that strict verifiers accept (RFC 5280 sections 4.1.2.6, 4.2.1.2, 4.2.1.3 and 4.2.1.9)
   */
  static fromPem(certificatePem: string, privateKeyPem: string): Issuer {
    const certificate = readCertificate(certificatePem);
    const privateKey = readPrivateKey(privateKeyPem);
    if (!certificate.x509.checkPrivateKey(privateKey)) {
      throw new Error(
        "the authority's private key does not belong to its certificate; give the pair that was made together",
      );
    }
    const signer = new Signer(privateKey);
    const fault = certificate.authorityFault();
    if (fault !== undefined) {
      throw new Error(`the authority's certificate cannot issue certificates: ${fault}; give the certificate of a CA`);
    }
    return new Issuer(certificate, signer, certificate.keyIdentifier as Buffer);
  }

  get certificatePem(): string {
    return this.certificate.pem;
  }

  /** The subject's DER, octet for octet as in the certificate: verifiers compare it with the issuer of what it signs. */
  get subject(): Buffer {
    return this.certificate.subject;
  }

  /** Until when the authority's own certificate is valid: nothing that it signs may be valid longer. */
  get notAfter(): Date {
    return this.certificate.notAfter;
  }

  /** Whether its key usage allows to sign revocation lists. */
  get signsRevocationLists(): boolean {
    return this.certificate.signsRevocationLists;
  }

  /** @throws {Error} when verifiers would refuse what it signs for this purpose and these hosts */
  refuseUnless(purpose: "server" | "client", hosts: readonly Host[]): void {
    const fault = this.certificate.purposeFault(purpose) ?? this.certificate.hostFault(hosts);
    if (fault === undefined) return;
    throw new Error(
      `the authority cannot issue certificates of a ${purpose} that are good for this: ${fault}; give another authority`,
    );
  }

  /** Whether a subject with only this common name would be the same as the authority's own. */
  isNamed(commonName: string): boolean {
    return this.certificate.isNamed(commonName);
  }
}

function readCertificate(pem: string): ParsedCertificate {
  try {
    return ParsedCertificate.fromPem(pem);
  } catch (cause) {
    throw new Error("the authority's certificate cannot be read; give it as PEM (BEGIN CERTIFICATE)", { cause });
  }
}

function readPrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new Error("the authority's private key cannot be read; give it as PEM that is not encrypted", { cause });
  }
}
