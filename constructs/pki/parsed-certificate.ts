import { X509Certificate } from "node:crypto";
import forge from "node-forge";
import { childrenOf, encodeDer, extensionsOf, isTagged, octetsOf, parseDer, type Asn1, type Extension } from "./asn1";
import { onlyCommonName } from "./distinguished-name";
import { BASIC_CONSTRAINTS, KEY_USAGE, KeyUsageBit, SUBJECT_KEY_IDENTIFIER } from "./extensions";
import { pemBlocks } from "./pem";
import { parseTime } from "./time";

const LABEL = "CERTIFICATE";
/** RFC 8017 appendix C and RFC 3279 section 2.2.3: collisions can be made for these hashes. */
const WEAK_SIGNATURES = ["1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1"];

/** A certificate that somebody else may have made, with the parts that issuing below it and checking it need. */
export class ParsedCertificate {
  private constructor(
    readonly x509: X509Certificate,
    /** The subject's DER, octet for octet as in the certificate: verifiers compare it with the issuer of what it signs. */
    readonly subject: Buffer,
    /** The subject's common name, where it is nothing else. */
    readonly commonName: string | undefined,
    readonly notBefore: Date,
    readonly notAfter: Date,
    readonly extensions: ReadonlyMap<string, Extension>,
    private readonly signatureAlgorithm: string,
  ) {}

  /**
   * The first certificate of a PEM text.
   *
   * @throws {Error} if there is none, or if it cannot be read
   */
  static fromPem(pem: string): ParsedCertificate {
    const [first] = ParsedCertificate.allFromPem(pem);
    if (first === undefined) throw unreadable();
    return first;
  }

  /**
   * All certificates of a PEM text, in their order; other blocks are left out.
   *
   * @throws {Error} if one cannot be read
   */
  static allFromPem(pem: string): ParsedCertificate[] {
    return pemBlocks(LABEL, pem).map((octets) => ParsedCertificate.fromDer(octets));
  }

  private static fromDer(octets: Buffer): ParsedCertificate {
    try {
      const x509 = new X509Certificate(octets);
      const [toBeSigned, algorithm] = childrenOf(parseDer(x509.raw));
      const body = childrenOf(toBeSigned);
      // TBSCertificate (RFC 5280 section 4.1); its version is left out where it is 1.
      const [, , , validity, subject] = isTagged(body[0], 0) ? body.slice(1) : body;
      if (subject === undefined) throw new Error("its subject is missing");
      const [notBefore, notAfter] = childrenOf(validity);
      const extensions = body.find((part) => isTagged(part, 3));
      return new ParsedCertificate(
        x509,
        subjectOctets(x509, subject),
        onlyCommonName(subject),
        parseTime(notBefore),
        parseTime(notAfter),
        extensions === undefined ? new Map<string, Extension>() : extensionsOf(childrenOf(extensions)[0]),
        forge.asn1.derToOid(octetsOf(childrenOf(algorithm)[0]).toString("latin1")),
      );
    } catch (cause) {
      throw unreadable(cause);
    }
  }

  get pem(): string {
    return this.x509.toString();
  }

  /** SubjectPublicKeyInfo. */
  get publicKeyDer(): Buffer {
    return this.x509.publicKey.export({ type: "spki", format: "der" });
  }

  get keyIdentifier(): Buffer | undefined {
    return valueOf(this.extensions.get(SUBJECT_KEY_IDENTIFIER));
  }

  /** How many authorities may stand below it before a server or client; without a limit where it names none. */
  get pathLength(): number {
    const constraints = this.extensions.get(BASIC_CONSTRAINTS);
    const parts = constraints === undefined ? [] : childrenOf(parseDer(constraints.value));
    const length = parts.find((part) => part.type === forge.asn1.Type.INTEGER);
    return length === undefined ? Infinity : Number(`0x${octetsOf(length).toString("hex")}`);
  }

  get signsRevocationLists(): boolean {
    return (this.keyUsage & KeyUsageBit.cRLSign) !== 0;
  }

  get isSelfSigned(): boolean {
    return this.x509.checkIssued(this.x509) && this.x509.verify(this.x509.publicKey);
  }

  wasSignedBy(authority: ParsedCertificate): boolean {
    return this.x509.checkIssued(authority.x509) && this.x509.verify(authority.x509.publicKey);
  }

  /**
   * Why strict verifiers would refuse what this certificate signs, if they would (RFC 5280 sections 4.1.2.6, 4.2.1.2,
   * 4.2.1.3 and 4.2.1.9).
   */
  authorityFault(): string | undefined {
    // Node says false for a keyUsage that contradicts CA:TRUE, too.
    if (!this.x509.ca) return "it has no basicConstraints with CA:TRUE, or a keyUsage without keyCertSign";
    if (this.extensions.get(BASIC_CONSTRAINTS)?.isCritical !== true) return "its basicConstraints are not critical";
    if (childrenOf(parseDer(this.subject)).length === 0) return "its subject is empty";
    if ((this.keyUsage & KeyUsageBit.keyCertSign) === 0) return "it has no keyUsage with keyCertSign";
    if (this.keyIdentifier === undefined) return "it has no subjectKeyIdentifier";
    const { asymmetricKeyType, asymmetricKeyDetails } = this.x509.publicKey;
    const bits = asymmetricKeyDetails?.modulusLength ?? 0;
    if (asymmetricKeyType === "rsa" && bits < 2048) return `its RSA key has ${bits} bits, and 2048 are the least`;
    // Nobody checks the signature of a root, which is trusted for being there.
    if (WEAK_SIGNATURES.includes(this.signatureAlgorithm) && !this.isSelfSigned) {
      return "it is signed with MD5 or SHA-1, which TLS libraries refuse";
    }
    return undefined;
  }

  private get keyUsage(): number {
    return valueOf(this.extensions.get(KEY_USAGE))?.[1] ?? 0;
  }
}

function unreadable(cause?: unknown): Error {
  return new Error("the certificate cannot be read; give it as PEM (BEGIN CERTIFICATE)", { cause });
}

/** forge forgets the octets that it parsed; finding its encoding in the certificate proves that they are the same. */
function subjectOctets(certificate: X509Certificate, subject: Asn1): Buffer {
  const octets = encodeDer(subject);
  if (!certificate.raw.includes(octets)) throw new Error("its subject is not DER encoded");
  return octets;
}

function valueOf(extension: Extension | undefined): Buffer | undefined {
  return extension === undefined ? undefined : octetsOf(parseDer(extension.value));
}
