import { createPublicKey, type KeyObject } from "node:crypto";

/** What TLS libraries can count with: Go takes no exponent of more than 31 bits. */
const LARGEST_EXPONENT = 2n ** 31n - 1n;

/**
 * SubjectPublicKeyInfo in the one form that everybody reads: a named curve and an uncompressed point (RFC 5480 sections
 * 2.1.1 and 2.2). Parameters written out and compressed points are refused by some.
 */
export function canonicalPublicKey(key: KeyObject): Buffer {
  const form =
    key.asymmetricKeyType === "ec" ? createPublicKey({ key: key.export({ format: "jwk" }), format: "jwk" }) : key;
  return form.export({ type: "spki", format: "der" });
}

/** Why others cannot use a public key as it is, if they cannot. */
export function publicKeyFault(key: KeyObject): string | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: { modulusLength = 0, publicExponent = 0n } = {} } = key;
  if (type !== "rsa") return undefined;
  if (modulusLength < 2048) return `its RSA key has ${modulusLength} bits, and 2048 are the least`;
  if (publicExponent > LARGEST_EXPONENT) return "the exponent of its RSA key has more than 31 bits";
  return undefined;
}
