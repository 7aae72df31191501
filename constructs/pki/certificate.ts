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
import { toPem } from "./pem";
import { formatSerialNumber, newSerialNumber } from "./serial-number";
import { Signer } from "./signer";
import { encodeTime, toWholeSecond } from "./time";

/** What every certificate is issued from. */
export interface CertificateRequest {
  /** The subject, which has no other part: 1 to 64 characters without control characters. */
  readonly commonName: string;
  readonly algorithm: KeyAlgorithm;
  /** First moment of validity, cut to the second. */
  readonly notBefore: Date;
  /** Last moment of validity, cut to the second, and to the issuer's own. */
  readonly notAfter: Date;
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

/** A certificate with the key that was made for it. */
export interface IssuedCertificate {
  readonly certificatePem: string;
  /** PKCS#8, not encrypted. A secret. */
  readonly privateKeyPem: string;
  /** Upper-case hex, as Node's `X509Certificate.serialNumber`. */
  readonly serial: string;
  /** SHA-256 of the certificate, as Node's `X509Certificate.fingerprint256`. */
  readonly fingerprint256: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * A new self-signed root authority (RFC 5280 section 4.2.1).
 *
 * @throws {Error} if the common name, the dates or the path length are not fit
 */
export function issueAuthority(request: AuthorityRequest): IssuedCertificate {
  const { pathLength = 0 } = request;
  if (!Number.isSafeInteger(pathLength) || pathLength < 0) {
    throw new Error(
      `the path length of an authority must be a whole number from 0 on, got ${pathLength}; leave it out`,
    );
  }
  const subject = encodeName(request.commonName);
  const keyPair = generateKeyPair(request.algorithm);
  return issue(request, keyPair, {
    signer: new Signer(keyPair.privateKey),
    issuer: subject,
    subject,
    notAfter: request.notAfter,
    authorityKeyIdentifier: authorityKeyIdentifier(keyIdentifierOf(keyPair.publicKeyDer)),
    extensions: [authorityConstraints(pathLength), SIGNS_CERTIFICATES_AND_LISTS],
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
  const usage = request.algorithm.parameters.type === "rsa" ? SIGNS_AND_DECRYPTS : SIGNS_HANDSHAKES;
  const names = subjectAlternativeName(request.hosts);
  return issueLeaf(issuer, request, [NOT_AN_AUTHORITY, usage, SERVER_AUTHENTICATION, names]);
}

/**
 * A new certificate for a TLS client, good for no server. Mosquitto takes the common name as the user name.
 *
 * @throws {Error} if the common name or the dates are not fit, or if it would be named like its issuer
 */
export function issueClient(issuer: Issuer, request: CertificateRequest): IssuedCertificate {
  return issueLeaf(issuer, request, [NOT_AN_AUTHORITY, SIGNS_HANDSHAKES, CLIENT_AUTHENTICATION]);
}

function issueLeaf(issuer: Issuer, request: CertificateRequest, extensions: readonly Buffer[]): IssuedCertificate {
  const subject = encodeName(request.commonName);
  // Verifiers that match by name take such a certificate for self-signed.
  if (issuer.isNamed(request.commonName)) {
    throw new Error(
      `the common name must differ from the issuing authority's, got ${JSON.stringify(request.commonName)} for both; ` +
        "rename one of them",
    );
  }
  return issue(request, generateKeyPair(request.algorithm), {
    signer: issuer.signer,
    issuer: issuer.subject,
    subject,
    // This way round, an invalid date is kept, and refused later.
    notAfter: issuer.notAfter < request.notAfter ? issuer.notAfter : request.notAfter,
    authorityKeyIdentifier: issuer.authorityKeyIdentifier,
    extensions,
  });
}

interface Content {
  readonly signer: Signer;
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly notAfter: Date;
  readonly authorityKeyIdentifier: Buffer;
  /** All extensions but the key identifiers. */
  readonly extensions: readonly Buffer[];
}

const VERSION_3 = der.explicit(0, [der.integer(2)]);

/** TBSCertificate and its signature (RFC 5280 section 4.1). */
function issue(request: CertificateRequest, keyPair: KeyPair, content: Content): IssuedCertificate {
  const notBefore = toWholeSecond(request.notBefore);
  const notAfter = toWholeSecond(content.notAfter);
  const validity = der.sequence([encodeTime(notBefore), encodeTime(notAfter)]);
  if (notAfter <= notBefore) {
    throw new Error(
      `a certificate must end after it starts, got ${notBefore.toISOString()} to ${notAfter.toISOString()}; ` +
        "give a later end, or an authority that is valid longer",
    );
  }
  const serial = newSerialNumber();
  const extensions = [
    ...content.extensions,
    subjectKeyIdentifier(keyIdentifierOf(keyPair.publicKeyDer)),
    content.authorityKeyIdentifier,
  ];
  const certificate = content.signer.sign(
    der.sequence([
      VERSION_3,
      der.unsigned(serial),
      content.signer.identifier,
      content.issuer,
      validity,
      content.subject,
      keyPair.publicKeyDer,
      der.explicit(3, [der.sequence(extensions)]),
    ]),
  );
  return {
    certificatePem: toPem("CERTIFICATE", certificate),
    privateKeyPem: keyPair.privateKeyPem,
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
