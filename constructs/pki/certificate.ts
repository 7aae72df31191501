import { createHash } from "node:crypto";
import { der } from "./der";
import { encodeName } from "./distinguished-name";
import {
  authorityConstraints,
  authorityKeyIdentifier,
  CLIENT_AUTHENTICATION,
  keyIdentifierOf,
  NOT_AN_AUTHORITY,
  SERVER_AUTHENTICATION,
  SIGNS_AND_DECRYPTS,
  SIGNS_CERTIFICATES_AND_LISTS,
  SIGNS_HANDSHAKES,
  subjectAlternativeName,
  subjectKeyIdentifier,
} from "./extensions";
import type { Host } from "./host";
import type { Issuer } from "./issuer";
import type { KeyAlgorithm } from "./key-algorithm";
import { generateKeyPair, type KeyPair } from "./key-pair";
import { ParsedCertificate } from "./parsed-certificate";
import { toPem } from "./pem";
import { formatSerialNumber, newSerialNumber } from "./serial-number";
import { Signer } from "./signer";
import { encodeTime, toWholeSecond } from "./time";

export interface Validity {
  /** First moment of validity, cut to the second. */
  readonly notBefore: Date;
  /** Last moment of validity, cut to the second, and to the issuer's own. */
  readonly notAfter: Date;
}

/** What every certificate is issued from. */
export interface CertificateRequest extends Validity {
  /** The subject, which has no other part: 1 to 64 characters without control characters. */
  readonly commonName: string;
  readonly algorithm: KeyAlgorithm;
  /**
   * A key of that algorithm, made before.
   *
   * @default - a new one
   */
  readonly keyPair?: KeyPair | undefined;
}

export interface AuthorityRequest extends CertificateRequest {
  /**
   * How many authorities may stand between this one and a server or client.
   *
   * @default 0
   */
  readonly pathLength?: number | undefined;
}

export interface ServerRequest extends CertificateRequest {
  /** What clients may dial, at least one; each becomes a subject alternative name. */
  readonly hosts: readonly Host[];
}

/** A client that keeps its key to itself. */
export interface ClientCertification extends Validity {
  readonly commonName: string;
  /** SubjectPublicKeyInfo of the client's key. */
  readonly publicKeyDer: Buffer;
}

/** A certificate for a key that was made here or elsewhere. */
export interface SignedCertificate {
  readonly certificatePem: string;
  /** Upper-case hex, as Node's `X509Certificate.serialNumber`. */
  readonly serial: string;
  /** SHA-256 of the certificate, as Node's `X509Certificate.fingerprint256`. */
  readonly fingerprint256: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** A certificate with the key that was made for it. */
export interface IssuedCertificate extends SignedCertificate {
  /** PKCS#8, not encrypted. A secret. */
  readonly privateKeyPem: string;
}

/**
 * A new self-signed root authority (RFC 5280 section 4.2.1).
 *
 * @throws {Error} if the common name, the dates or the path length are not fit
 */
export function issueAuthority(request: AuthorityRequest): IssuedCertificate {
  const keyPair = request.keyPair ?? generateKeyPair(request.algorithm);
  const subject = encodeName(request.commonName);
  const certificate = sign(request, {
    signer: new Signer(keyPair.privateKey),
    issuer: subject,
    subject,
    publicKeyDer: keyPair.publicKeyDer,
    notAfter: request.notAfter,
    subjectKeyIdentifier: keyIdentifierOf(keyPair.publicKeyDer),
    authorityKeyIdentifier: authorityKeyIdentifier(keyIdentifierOf(keyPair.publicKeyDer)),
    extensions: [authorityConstraints(checkedPathLength(request)), SIGNS_CERTIFICATES_AND_LISTS],
  });
  return { ...certificate, privateKeyPem: keyPair.privateKeyPem };
}

/**
 * A new authority below another one: an intermediate.
 *
 * @throws {Error} as `issueAuthority`, or if the issuer's path length leaves no room for it
 */
export function issueSubordinateAuthority(issuer: Issuer, request: AuthorityRequest): IssuedCertificate {
  const pathLength = checkedPathLength(request);
  if (issuer.pathLength <= pathLength) {
    throw new Error(
      `an authority with path length ${pathLength} cannot stand below one with ${issuer.pathLength}; ` +
        "give the upper one a path length that is at least one more",
    );
  }
  return issueBelow(issuer, request, [authorityConstraints(pathLength), SIGNS_CERTIFICATES_AND_LISTS]);
}

/**
 * A second certificate for an authority's name and key, signed by another authority: who trusts only that one can
 * follow it to what the first one signs (cross certificate, RFC 5280 section 3.2).
 *
 * @param authorityPem the certificate of the authority that is to be trusted as well
 * @throws {Error} if that is no authority, or if the issuer's path length leaves no room for one
 */
export function issueCrossCertificate(issuer: Issuer, authorityPem: string, validity: Validity): SignedCertificate {
  const authority = ParsedCertificate.fromPem(authorityPem);
  const fault = authority.authorityFault();
  if (fault !== undefined) throw new Error(`there is no authority to sign across: ${fault}`);
  if (issuer.pathLength < 1) {
    throw new Error(
      "an authority with path length 0 cannot sign another authority across; give it a path length of 1 or more",
    );
  }
  const pathLength = Math.min(authority.pathLength, issuer.pathLength - 1);
  const earlier = earliest(validity.notAfter, authority.notAfter);
  return sign(validity, {
    signer: issuer.signer,
    issuer: issuer.subject,
    subject: authority.subject,
    publicKeyDer: authority.publicKeyDer,
    notAfter: earliest(earlier, issuer.notAfter),
    subjectKeyIdentifier: authority.keyIdentifier as Buffer,
    authorityKeyIdentifier: issuer.authorityKeyIdentifier,
    extensions: [
      authorityConstraints(Number.isFinite(pathLength) ? pathLength : undefined),
      SIGNS_CERTIFICATES_AND_LISTS,
    ],
  });
}

/**
 * A new certificate for a TLS server, good for the given hosts and for no client.
 *
 * @throws {Error} if the common name, the hosts or the dates are not fit, or if it would be named like its issuer
 */
export function issueServer(issuer: Issuer, request: ServerRequest): IssuedCertificate {
  if (request.hosts.length === 0) {
    throw new Error("a server certificate must name at least one host, got none; give the hosts that clients dial");
  }
  issuer.refuseUnless("server", request.hosts);
  const usage = request.algorithm.parameters.type === "rsa" ? SIGNS_AND_DECRYPTS : SIGNS_HANDSHAKES;
  const names = subjectAlternativeName(request.hosts);
  return issueBelow(issuer, request, [NOT_AN_AUTHORITY, usage, SERVER_AUTHENTICATION, names]);
}

const OF_CLIENTS = [NOT_AN_AUTHORITY, SIGNS_HANDSHAKES, CLIENT_AUTHENTICATION];

/**
 * A new certificate for a TLS client, good for no server. Mosquitto takes the common name as the user name.
 *
 * @throws {Error} if the common name or the dates are not fit, or if it would be named like its issuer
 */
export function issueClient(issuer: Issuer, request: CertificateRequest): IssuedCertificate {
  issuer.refuseUnless("client", []);
  return issueBelow(issuer, request, OF_CLIENTS);
}

/**
 * The same for a key that was made elsewhere. Only the key comes from there: name, purpose and dates are as given.
 *
 * @throws {Error} as `issueClient`
 */
export function certifyClient(issuer: Issuer, request: ClientCertification): SignedCertificate {
  issuer.refuseUnless("client", []);
  return signBelow(issuer, request, request.publicKeyDer, OF_CLIENTS);
}

function issueBelow(issuer: Issuer, request: CertificateRequest, extensions: readonly Buffer[]): IssuedCertificate {
  const keyPair = request.keyPair ?? generateKeyPair(request.algorithm);
  const certificate = signBelow(issuer, request, keyPair.publicKeyDer, extensions);
  return { ...certificate, privateKeyPem: keyPair.privateKeyPem };
}

function signBelow(
  issuer: Issuer,
  request: Validity & { readonly commonName: string },
  publicKeyDer: Buffer,
  extensions: readonly Buffer[],
): SignedCertificate {
  const subject = encodeName(request.commonName);
  // Verifiers that match by name take such a certificate for self-signed.
  if (issuer.isNamed(request.commonName)) {
    throw new Error(
      `the common name must differ from the issuing authority's, got ${JSON.stringify(request.commonName)} for both; ` +
        "rename one of them",
    );
  }
  return sign(request, {
    signer: issuer.signer,
    issuer: issuer.subject,
    subject,
    publicKeyDer,
    notAfter: earliest(request.notAfter, issuer.notAfter),
    subjectKeyIdentifier: keyIdentifierOf(publicKeyDer),
    authorityKeyIdentifier: issuer.authorityKeyIdentifier,
    extensions,
  });
}

/** An invalid date stays the first one, and is refused later. */
function earliest(one: Date, other: Date): Date {
  return other < one ? other : one;
}

function checkedPathLength({ pathLength = 0 }: AuthorityRequest): number {
  if (Number.isSafeInteger(pathLength) && pathLength >= 0) return pathLength;
  throw new Error(`the path length of an authority must be a whole number from 0 on, got ${pathLength}; leave it out`);
}

interface Content {
  readonly signer: Signer;
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly publicKeyDer: Buffer;
  readonly notAfter: Date;
  readonly subjectKeyIdentifier: Buffer;
  readonly authorityKeyIdentifier: Buffer;
  /** All extensions but the key identifiers. */
  readonly extensions: readonly Buffer[];
}

const VERSION_3 = der.explicit(0, [der.integer(2)]);

/** TBSCertificate and its signature (RFC 5280 section 4.1). */
function sign(validity: Validity, content: Content): SignedCertificate {
  const notBefore = toWholeSecond(validity.notBefore);
  const notAfter = toWholeSecond(content.notAfter);
  const encodedValidity = der.sequence([encodeTime(notBefore), encodeTime(notAfter)]);
  if (notAfter <= notBefore) {
    throw new Error(
      `a certificate must end after it starts, got ${notBefore.toISOString()} to ${notAfter.toISOString()}; ` +
        "give a later end, or an authority that is valid longer",
    );
  }
  const serial = newSerialNumber();
  const extensions = [
    ...content.extensions,
    subjectKeyIdentifier(content.subjectKeyIdentifier),
    content.authorityKeyIdentifier,
  ];
  const certificate = content.signer.sign(
    der.sequence([
      VERSION_3,
      der.unsigned(serial),
      content.signer.identifier,
      content.issuer,
      encodedValidity,
      content.subject,
      content.publicKeyDer,
      der.explicit(3, [der.sequence(extensions)]),
    ]),
  );
  return {
    certificatePem: toPem("CERTIFICATE", certificate),
    serial: formatSerialNumber(serial),
    fingerprint256: fingerprintOf(certificate),
    notBefore,
    notAfter,
  };
}

function fingerprintOf(certificate: Buffer): string {
  return createHash("sha256")
    .update(certificate)
    .digest("hex")
    .toUpperCase()
    .replace(/..(?=.)/g, "$&:");
}
