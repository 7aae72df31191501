import { createPublicKey, type KeyObject } from "node:crypto";
import type { Fault } from "../faults";
import { childrenOf, encodeDer } from "./asn1";
import { der } from "./der";
import { encodeName } from "./distinguished-name";
import { CLIENT_AUTHENTICATION, SERVER_AUTHENTICATION, subjectAlternativeName } from "./extensions";
import type { Host } from "./host";
import type { KeyPair } from "./key-pair";
import { pemBlocks, toPem } from "./pem";
import { canonicalPublicKey, publicKeyFault } from "./public-key";
import { Signed } from "./signed";
import { Signer } from "./signer";

const LABEL = "CERTIFICATE REQUEST";
/** Some tools write another one (RFC 7468 section 7). */
const OLD_LABEL = /(-----(?:BEGIN|END)) NEW (?=CERTIFICATE REQUEST-----)/g;

const CURVES: Readonly<Record<string, string>> = {
  prime256v1: "ECDSA-P256",
  secp384r1: "ECDSA-P384",
  secp521r1: "ECDSA-P521",
};

/** The one thing that counts of somebody's request: a public key, whose private key that somebody proved to have. */
export interface CertificationRequest {
  /** SubjectPublicKeyInfo. */
  readonly publicKeyDer: Buffer;
  /** Such as `ECDSA-P256` or `RSA-3072`. */
  readonly algorithm: string;
}

/** What is wrong with a PKCS#10 request as PEM (RFC 2986), if anything. `what` names the property in the message. */
export function certificationRequestFault(what: string, pem: unknown): Fault | undefined {
  const allowed = "a PKCS#10 request as PEM, with a key of RSA 2048 bits or more or ECDSA P-256, P-384 or P-521";
  try {
    parseCertificationRequest(pem as string);
    return undefined;
  } catch (error) {
    const remedy =
      "make one on the device, such as: openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    return { what: `${what}: ${(error as Error).message}`, allowed, remedy };
  }
}

/**
 * Reads a PKCS#10 request and checks that it was signed with the key that it asks a certificate for. Its subject and the
 * extensions that it asks for are not looked at.
 *
 * @throws {Error} if it cannot be read, its signature is wrong, or its key is of another kind or too short
 */
export function parseCertificationRequest(pem: string): CertificationRequest {
  const [octets, ...others] = typeof pem === "string" ? pemBlocks(LABEL, pem.replace(OLD_LABEL, "$1 ")) : [];
  if (octets === undefined) throw new Error('there is no "BEGIN CERTIFICATE REQUEST" block in it');
  if (others.length > 0) throw new Error("there is more than one request in it");
  let signed: Signed;
  let publicKey: KeyObject;
  try {
    signed = Signed.parse(octets);
    // CertificationRequestInfo of RFC 2986 section 4.1: version, subject, subjectPKInfo, attributes.
    const [, , key] = childrenOf(signed.content);
    if (key === undefined) throw new Error("its key is missing");
    publicKey = createPublicKey({ key: encodeDer(key), type: "spki", format: "der" });
  } catch (cause) {
    throw new Error("it is damaged, so it cannot be read", { cause });
  }
  const algorithm = algorithmOf(publicKey);
  const keyFault = publicKeyFault(publicKey);
  if (keyFault !== undefined) throw new Error(keyFault);
  const fault = signed.fault(publicKey);
  if (fault !== undefined) throw new Error(fault);
  return { publicKeyDer: canonicalPublicKey(publicKey), algorithm };
}

/**
 * A new PKCS#10 request, for an authority whose key is elsewhere.
 *
 * @param hosts the subject alternative names of a server; none for a client
 * @throws {Error} if the common name is not fit
 */
export function createCertificationRequest(commonName: string, keyPair: KeyPair, hosts: readonly Host[]): string {
  const extensions =
    hosts.length === 0 ? [CLIENT_AUTHENTICATION] : [SERVER_AUTHENTICATION, subjectAlternativeName(hosts)];
  // extensionRequest (RFC 2985 section 5.4.2).
  const attribute = der.sequence([der.objectIdentifier("1.2.840.113549.1.9.14"), der.set([der.sequence(extensions)])]);
  const info = der.sequence([
    der.integer(0),
    encodeName(commonName),
    keyPair.publicKeyDer,
    der.explicit(0, [attribute]),
  ]);
  return toPem(LABEL, new Signer(keyPair.privateKey).sign(info));
}

function algorithmOf(key: KeyObject): string {
  const { asymmetricKeyType: type, asymmetricKeyDetails: { namedCurve = "", modulusLength = 0 } = {} } = key;
  if (type === "ec" && CURVES[namedCurve] !== undefined) return CURVES[namedCurve];
  if (type === "rsa" && modulusLength >= 2048) return `RSA-${modulusLength}`;
  const detail = type === "rsa" ? `${modulusLength} bits` : namedCurve;
  throw new Error(`its key is ${`${type ?? "unknown"} ${detail}`.trim()}`);
}
