import { createECDH, createPrivateKey, generateKeyPairSync, type KeyObject, type RSAKeyPairOptions } from "node:crypto";
import { der } from "./der";
import type { KeyAlgorithm, KeyParameters } from "./key-algorithm";
import { toPem } from "./pem";

/** A key with its public half. */
export class KeyPair {
  private parsed: KeyObject | undefined;

  constructor(
    /** Unencrypted PKCS#8 (`BEGIN PRIVATE KEY`), what every TLS library reads. */
    readonly privateKeyPem: string,
    /** SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7). */
    readonly publicKeyDer: Buffer,
  ) {}

  /** Ready to sign. Read when it is asked for: of thousands of clients' keys none is. */
  get privateKey(): KeyObject {
    this.parsed ??= createPrivateKey(this.privateKeyPem);
    return this.parsed;
  }
}

/** A new key from the system's random source, made synchronously. RSA takes 0.1 to several seconds. */
export function generateKeyPair(algorithm: KeyAlgorithm): KeyPair {
  const { parameters } = algorithm;
  if (parameters.type === "ec") return ellipticCurveKeyPair(parameters.namedCurve);
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: parameters.modulusLength,
    ...RSA_ENCODING,
  });
  return new KeyPair(toPem("PRIVATE KEY", privateKey), publicKey);
}

/** How Node hands out an RSA key. */
export const RSA_ENCODING: Omit<RSAKeyPairOptions<"der", "der">, "modulusLength"> = {
  privateKeyEncoding: { type: "pkcs8", format: "der" },
  publicKeyEncoding: { type: "spki", format: "der" },
};

type Curve = Extract<KeyParameters, { type: "ec" }>["namedCurve"];

const EC_PUBLIC_KEY = der.objectIdentifier("1.2.840.10045.2.1");
/** Each with its name in OpenSSL, the octets of a coordinate, and the AlgorithmIdentifier (RFC 5480 section 2.1.1). */
const CURVES: Readonly<Record<Curve, { readonly name: string; readonly octets: number; readonly identifier: Buffer }>> =
  {
    "P-256": {
      name: "prime256v1",
      octets: 32,
      identifier: der.sequence([EC_PUBLIC_KEY, der.objectIdentifier("1.2.840.10045.3.1.7")]),
    },
    "P-384": {
      name: "secp384r1",
      octets: 48,
      identifier: der.sequence([EC_PUBLIC_KEY, der.objectIdentifier("1.3.132.0.34")]),
    },
  };

/**
 * The same octets as Node's `generateKeyPairSync` and `export`, which take several times as long on Node 20, and can wait
 * for themselves for ever: `export` makes objects while it holds the key's lock, and the collector may then free the job
 * that made the key, which takes that lock.
 */
function ellipticCurveKeyPair(curve: Curve): KeyPair {
  const { name, octets, identifier } = CURVES[curve];
  const exchange = createECDH(name);
  const point = exchange.generateKeys();
  const secret = exchange.getPrivateKey();
  const padded = Buffer.concat([Buffer.alloc(octets - secret.length), secret]);
  // ECPrivateKey (RFC 5915 section 3) inside of PrivateKeyInfo (RFC 5208 section 5).
  const inner = der.sequence([der.integer(1), der.octetString(padded), der.explicit(1, [der.bitString(point)])]);
  return new KeyPair(
    toPem("PRIVATE KEY", der.sequence([der.integer(0), identifier, der.octetString(inner)])),
    der.sequence([identifier, der.bitString(point)]),
  );
}
