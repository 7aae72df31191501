import { generateKeyPairSync, type KeyObject } from "node:crypto";
import type { KeyAlgorithm } from "./key-algorithm";

export interface KeyPair {
  /** Unencrypted PKCS#8 (`BEGIN PRIVATE KEY`), what every TLS library reads. */
  readonly privateKeyPem: string;
  readonly privateKey: KeyObject;
  /** SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7). */
  readonly publicKeyDer: Buffer;
}

/** A new key from the system's random source, made synchronously. RSA takes 0.1 to several seconds. */
export function generateKeyPair(algorithm: KeyAlgorithm): KeyPair {
  const { parameters } = algorithm;
  // Two calls, for the overloads of generateKeyPairSync take no union.
  const { privateKey, publicKey } =
    parameters.type === "ec" ? generateKeyPairSync("ec", parameters) : generateKeyPairSync("rsa", parameters);
  return {
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    privateKey,
    publicKeyDer: publicKey.export({ type: "spki", format: "der" }),
  };
}
