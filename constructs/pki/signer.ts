import { sign, type KeyObject } from "node:crypto";
import { der } from "./der";

interface SignatureAlgorithm {
  readonly hash: string;
  /** AlgorithmIdentifier (RFC 5280 section 4.1.1.2). */
  readonly identifier: Buffer;
}

// ECDSA has no parameters (RFC 5758 section 3.2), RSA PKCS #1 v1.5 has NULL (RFC 4055 section 5).
const ECDSA_SHA256 = { hash: "sha256", identifier: der.sequence([der.objectIdentifier("1.2.840.10045.4.3.2")]) };
const ECDSA_SHA384 = { hash: "sha384", identifier: der.sequence([der.objectIdentifier("1.2.840.10045.4.3.3")]) };
const RSA_SHA256 = {
  hash: "sha256",
  identifier: der.sequence([der.objectIdentifier("1.2.840.113549.1.1.11"), der.null]),
};

function algorithmOf(key: KeyObject): SignatureAlgorithm {
  const type = key.asymmetricKeyType ?? "unknown";
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  if (type === "ec" && namedCurve === "prime256v1") return ECDSA_SHA256;
  if (type === "ec" && namedCurve === "secp384r1") return ECDSA_SHA384;
  if (type === "rsa" && (modulusLength ?? 0) >= 2048) return RSA_SHA256;
  const detail = namedCurve ?? (modulusLength === undefined ? "" : `${modulusLength} bits`);
  throw new Error(
    `a key that signs must be ECDSA P-256, ECDSA P-384 or RSA of 2048 bits or more, got ${`${type} ${detail}`.trim()}; ` +
      "make an authority with one of these",
  );
}

/** Signs what X.509 signs: certificates and revocation lists, with SHA-256 (P-384: SHA-384). */
export class Signer {
  private readonly algorithm: SignatureAlgorithm;

  /** @throws {Error} if the private key is of a kind that this library does not sign with */
  constructor(private readonly privateKey: KeyObject) {
    this.algorithm = algorithmOf(privateKey);
  }

  /** The AlgorithmIdentifier that the signed part must repeat. */
  get identifier(): Buffer {
    return this.algorithm.identifier;
  }

  /** SEQUENCE of the signed part, the algorithm and the signature: a Certificate or CertificateList. */
  sign(toBeSigned: Buffer): Buffer {
    const signature = sign(this.algorithm.hash, toBeSigned, { key: this.privateKey, dsaEncoding: "der" });
    return der.sequence([toBeSigned, this.algorithm.identifier, der.bitString(signature)]);
  }
}
