import { createPublicKey, verify, type KeyObject } from "node:crypto";
import forge from "node-forge";
import type { Fault } from "../faults";
import { childrenOf, encodeDer, octetsOf, parseDer } from "./asn1";
import { der } from "./der";
import { encodeName } from "./distinguished-name";
import type { KeyPair } from "./key-pair";
import { pemBlocks, toPem } from "./pem";
import { Signer } from "./signer";

const LABEL = "CERTIFICATE REQUEST";
/** What some tools write instead (RFC 7468 section 7). */
const OLD_LABEL = "NEW CERTIFICATE REQUEST";

/** Signature algorithms of requests, by object identifier (RFC 4055 section 5, RFC 5758 section 3.2). */
const HASHES: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
};

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
    return { what: `${what}: ${(error as Error).message}`, allowed, remedy: "make one as the README shows" };
  }
}

/**
 * Reads a PKCS#10 request and checks that it was signed with the key that it asks a certificate for. Its subject and the
 * extensions that it asks for are not looked at.
 *
 * @throws {Error} if it cannot be read, its signature is wrong, or its key is of another kind or too short
 */
export function parseCertificationRequest(pem: string): CertificationRequest {
  const [octets, ...others] = typeof pem === "string" ? [...pemBlocks(LABEL, pem), ...pemBlocks(OLD_LABEL, pem)] : [];
  if (octets === undefined) throw new Error('there is no "BEGIN CERTIFICATE REQUEST" block in it');
  if (others.length > 0) throw new Error("there is more than one request in it");
  let parts;
  try {
    // CertificationRequest and CertificationRequestInfo of RFC 2986 section 4.
    const [info, algorithm, signature] = childrenOf(parseDer(octets));
    const [, , key] = childrenOf(info);
    if (info === undefined || key === undefined) throw new Error("a part is missing");
    parts = {
      signed: encodeDer(info),
      publicKey: createPublicKey({ key: encodeDer(key), type: "spki", format: "der" }),
      signatureAlgorithm: forge.asn1.derToOid(octetsOf(childrenOf(algorithm)[0]).toString("latin1")),
      signature: bitStringOf(signature),
    };
  } catch (cause) {
    throw new Error("it is damaged, so it cannot be read", { cause });
  }
  const { signed, publicKey, signatureAlgorithm, signature } = parts;
  const algorithm = algorithmOf(publicKey);
  const hash = HASHES[signatureAlgorithm];
  if (hash === undefined) {
    throw new Error(
      `its signature is of a kind that is not taken (${signatureAlgorithm}); use SHA-256, as -sha256 does`,
    );
  }
  if (!verify(hash, signed, publicKey, signature)) throw new Error("its signature does not match its key");
  return { publicKeyDer: publicKey.export({ type: "spki", format: "der" }), algorithm };
}

/**
 * A new PKCS#10 request, for an authority whose key is elsewhere.
 *
 * @param extensions what is asked for, each an `Extension` of RFC 5280 section 4.1
 * @throws {Error} if the common name is not fit
 */
export function createCertificationRequest(
  commonName: string,
  keyPair: KeyPair,
  extensions: readonly Buffer[],
): string {
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

function bitStringOf(node: Parameters<typeof childrenOf>[0]): Buffer {
  const { bitStringContents, value } = (node ?? {}) as { bitStringContents?: string; value?: unknown };
  const content = bitStringContents ?? value;
  if (typeof content !== "string") throw new Error("the signature is missing");
  return Buffer.from(content, "latin1").subarray(1);
}

function algorithmOf(key: KeyObject): string {
  const { asymmetricKeyType: type, asymmetricKeyDetails: { namedCurve = "", modulusLength = 0 } = {} } = key;
  if (type === "ec" && CURVES[namedCurve] !== undefined) return CURVES[namedCurve];
  if (type === "rsa" && modulusLength >= 2048) return `RSA-${modulusLength}`;
  const detail = type === "rsa" ? `${modulusLength} bits` : namedCurve;
  throw new Error(`its key is ${`${type ?? "unknown"} ${detail}`.trim()}`);
}
