import { X509Certificate } from "node:crypto";
import forge from "node-forge";
import { childrenOf, encodeDer, extensionsOf, isTagged, octetsOf, parseDer, type Asn1, type Extension } from "./asn1";
import { isSameCommonName, onlyCommonName } from "./distinguished-name";
import {
  AUTHORITY_KEY_IDENTIFIER,
  BASIC_CONSTRAINTS,
  EXTENDED_KEY_USAGE,
  KEY_USAGE,
  KeyUsageBit,
  NAME_CONSTRAINTS,
  PURPOSES,
  SUBJECT_ALTERNATIVE_NAME,
  SUBJECT_KEY_IDENTIFIER,
} from "./extensions";
import type { Host } from "./host";
import { forbiddenHost } from "./name-constraints";
import { pemBlocks } from "./pem";
import { canonicalPublicKey, publicKeyFault } from "./public-key";
import { parseTime } from "./time";

const LABEL = "CERTIFICATE";
const ANY_PURPOSE = "2.5.29.37.0";
/** Extensions that verifiers know; a critical one that they do not makes them refuse (RFC 5280 section 4.2). */
const KNOWN_EXTENSIONS: readonly string[] = [
  AUTHORITY_KEY_IDENTIFIER,
  BASIC_CONSTRAINTS,
  EXTENDED_KEY_USAGE,
  KEY_USAGE,
  NAME_CONSTRAINTS,
  SUBJECT_ALTERNATIVE_NAME,
  SUBJECT_KEY_IDENTIFIER,
];
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
      // OpenSSL leaves out what follows it.
      if (!x509.raw.equals(octets)) throw new Error("something follows it");
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

  /** Whether a subject with only this common name would be the same as its own. */
  isNamed(commonName: string): boolean {
    return this.commonName !== undefined && isSameCommonName(this.commonName, commonName);
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
    if (this.hasNegativeSerial) return "its serial number is negative";
    const extensionFault = this.extensionFault();
    if (extensionFault !== undefined) return extensionFault;
    const { publicKey } = this.x509;
    const keyFault = publicKeyFault(publicKey);
    if (keyFault !== undefined) return keyFault;
    if (!canonicalPublicKey(publicKey).equals(this.publicKeyDer)) {
      return "its key is not a point of a named curve, written out in full";
    }
    // Nobody checks the signature of a root, which is trusted for being there.
    return this.isSelfSigned ? undefined : this.signatureFault();
  }

  /** Why verifiers refuse it as a server's or client's, whatever it is for (RFC 5280 sections 4.1.2.2, 4.2 and 4.2.1.3). */
  leafFault(): string | undefined {
    if (this.x509.ca) return "it is one of an authority";
    if (this.hasNegativeSerial || /^0*$/.test(this.x509.serialNumber)) return "its serial number is not positive";
    if (this.extensions.has(KEY_USAGE) && (this.keyUsage & KeyUsageBit.digitalSignature) === 0) {
      return "its keyUsage has no digitalSignature";
    }
    return this.extensionFault() ?? this.signatureFault();
  }

  private extensionFault(): string | undefined {
    const unknown = [...this.extensions].find(([id, { isCritical }]) => isCritical && !KNOWN_EXTENSIONS.includes(id));
    return unknown && `its extension ${unknown[0]} is critical, and TLS libraries do not know it`;
  }

  private signatureFault(): string | undefined {
    const isWeak = WEAK_SIGNATURES.includes(this.signatureAlgorithm);
    return isWeak ? "it is signed with MD5 or SHA-1, which TLS libraries refuse" : undefined;
  }

  /** Why verifiers refuse what it signs for a purpose, if they do: its own extended key usage may shut that out. */
  purposeFault(purpose: keyof typeof PURPOSES): string | undefined {
    const usage = this.extensions.get(EXTENDED_KEY_USAGE);
    if (usage === undefined) return undefined;
    const purposes = childrenOf(parseDer(usage.value)).map((one) =>
      forge.asn1.derToOid(octetsOf(one).toString("latin1")),
    );
    if (purposes.includes(PURPOSES[purpose]) || purposes.includes(ANY_PURPOSE)) return undefined;
    return `its extended key usage has no ${purpose}Auth`;
  }

  /** Why verifiers refuse a server certificate for these hosts below it, if they do: its name constraints. */
  hostFault(hosts: readonly Host[]): string | undefined {
    const constraints = this.extensions.get(NAME_CONSTRAINTS);
    const forbidden = constraints && forbiddenHost(constraints.value, hosts);
    return forbidden && `its name constraints do not allow ${forbidden.value}`;
  }

  private get hasNegativeSerial(): boolean {
    const body = childrenOf(childrenOf(parseDer(this.x509.raw))[0]);
    const serial = octetsOf(isTagged(body[0], 0) ? body[1] : body[0]);
    return ((serial[0] ?? 0) & 0x80) !== 0;
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
