import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { childrenOf, encodeDer, extensionsOf, isTagged, octetsOf, parseDer, type Asn1, type Extension } from "./asn1";
import { isSameCommonName, onlyCommonName } from "./distinguished-name";
import {
  authorityKeyIdentifier,
  BASIC_CONSTRAINTS,
  KEY_USAGE,
  KeyUsageBit,
  SUBJECT_KEY_IDENTIFIER,
} from "./extensions";
import { Signer } from "./signer";
import { parseTime } from "./time";

/** A certificate authority ready to sign: everything that is the same in all it issues is worked out once. */
export class Issuer {
  private constructor(
    readonly certificatePem: string,
    /** The subject's DER, octet for octet as in the certificate: verifiers compare it with the issuer of what it signs. */
    readonly subject: Buffer,
    /** The subject key identifier, which certificates it signs carry as authority key identifier. */
    readonly keyIdentifier: Buffer,
    /** Until when the authority's own certificate is valid: nothing that it signs may be valid longer. */
    readonly notAfter: Date,
    /** Whether its key usage allows to sign revocation lists. */
    readonly signsRevocationLists: boolean,
    /** The ready-made AuthorityKeyIdentifier extension. */
    readonly authorityKeyIdentifier: Buffer,
    readonly signer: Signer,
    private readonly commonName: string | undefined,
  ) {}

  /**
   * @param certificatePem the authority's certificate; where there are several, the first one
   * @param privateKeyPem its private key, not encrypted
   * @throws {Error} if either cannot be read, if they do not belong together, or if the certificate is not one of an
   * authority that strict verifiers accept (RFC 5280 sections 4.1.2.6, 4.2.1.2, 4.2.1.3 and 4.2.1.9)
   */
  static fromPem(certificatePem: string, privateKeyPem: string): Issuer {
    const certificate = readCertificate(certificatePem);
    const privateKey = readPrivateKey(privateKeyPem);
    if (!certificate.checkPrivateKey(privateKey)) {
      throw new Error(
        "the authority's private key does not belong to its certificate; give the pair that was made together",
      );
    }
    // Node says false for a keyUsage that contradicts CA:TRUE, too.
    if (!certificate.ca) throw unfit("it has no basicConstraints with CA:TRUE, or a keyUsage without keyCertSign");
    const { subject, validity, extensions } = bodyOf(certificate);
    if (extensions.get(BASIC_CONSTRAINTS)?.isCritical !== true) throw unfit("its basicConstraints are not critical");
    if (childrenOf(subject).length === 0) throw unfit("its subject is empty");
    const usage = valueOf(extensions.get(KEY_USAGE))?.[1] ?? 0;
    if ((usage & KeyUsageBit.keyCertSign) === 0) throw unfit("it has no keyUsage with keyCertSign");
    const keyIdentifier = valueOf(extensions.get(SUBJECT_KEY_IDENTIFIER));
    if (keyIdentifier === undefined) throw unfit("it has no subjectKeyIdentifier");
    return new Issuer(
      certificate.toString(),
      subjectOctets(certificate, subject),
      keyIdentifier,
      parseTime(childrenOf(validity)[1]),
      (usage & KeyUsageBit.cRLSign) !== 0,
      authorityKeyIdentifier(keyIdentifier),
      new Signer(privateKey),
      onlyCommonName(subject),
    );
  }

  /** Whether a subject with only this common name would be the same as the authority's own. */
  isNamed(commonName: string): boolean {
    return this.commonName !== undefined && isSameCommonName(this.commonName, commonName);
  }
}

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
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

function unfit(why: string): Error {
  return new Error(`the authority's certificate cannot issue certificates: ${why}; give the certificate of a CA`);
}

/** The parts of TBSCertificate (RFC 5280 section 4.1) that an issuer needs. */
function bodyOf(certificate: X509Certificate): { subject: Asn1; validity: Asn1; extensions: Map<string, Extension> } {
  // A CA has extensions and so is of version 3, with all optional elements before the subject present.
  const body = childrenOf(childrenOf(parseDer(certificate.raw))[0]);
  const [, , , , validity, subject] = body;
  if (validity === undefined || subject === undefined) throw unfit("its subject is missing");
  const extensions = body.find((part) => isTagged(part, 3));
  return { subject, validity, extensions: extensionsOf(childrenOf(extensions)[0]) };
}

/** forge forgets the octets that it parsed; finding its encoding in the certificate proves that they are the same. */
function subjectOctets(certificate: X509Certificate, subject: Asn1): Buffer {
  const octets = encodeDer(subject);
  if (!certificate.raw.includes(octets)) throw unfit("its subject is not DER encoded");
  return octets;
}

function valueOf(extension: Extension | undefined): Buffer | undefined {
  return extension === undefined ? undefined : octetsOf(parseDer(extension.value));
}
