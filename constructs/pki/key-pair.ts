import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { der } from "./der";
import type { KeyAlgorithm, KeyParameters } from "./key-algorithm";
import { toPem } from "./pem";

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
  return parameters.type === "ec"
    ? ellipticCurveKeyPair(generateKeyPairSync("ec", parameters).privateKey, parameters.namedCurve)
    : rsaKeyPair(generateKeyPairSync("rsa", parameters).privateKey);
}

export function rsaKeyPair(privateKey: KeyObject): KeyPair {
  return {
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    privateKey,
    publicKeyDer: createPublicKey(privateKey).export({ type: "spki", format: "der" }),
  };
}

type Curve = Extract<KeyParameters, { type: "ec" }>["namedCurve"];

const EC_PUBLIC_KEY = der.objectIdentifier("1.2.840.10045.2.1");
/** AlgorithmIdentifier of a key on the curve (RFC 5480 section 2.1.1). */
const CURVES: Readonly<Record<Curve, Buffer>> = {
  "P-256": der.sequence([EC_PUBLIC_KEY, der.objectIdentifier("1.2.840.10045.3.1.7")]),
  "P-384": der.sequence([EC_PUBLIC_KEY, der.objectIdentifier("1.3.132.0.34")]),
};

/** The same octets as Node's `export` in DER, which takes several times as long as making the key (Node 20). */
function ellipticCurveKeyPair(privateKey: KeyObject, curve: Curve): KeyPair {
  const { d = "", x = "", y = "" } = privateKey.export({ format: "jwk" });
  const point = Buffer.concat([Buffer.of(0x04), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
  const algorithm = CURVES[curve];
  // ECPrivateKey (RFC 5915 section 3) inside of PrivateKeyInfo (RFC 5208 section 5).
  const secret = der.sequence([
    der.integer(1),
    der.octetString(Buffer.from(d, "base64url")),
    der.explicit(1, [der.bitString(point)]),
  ]);
  const pkcs8 = der.sequence([der.integer(0), algorithm, der.octetString(secret)]);
  return {
    privateKeyPem: toPem("PRIVATE KEY", pkcs8),
    privateKey,
    publicKeyDer: der.sequence([algorithm, der.bitString(point)]),
  };
}
