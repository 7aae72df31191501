import { createECDH, createPublicKey, type ECDH } from "node:crypto";
import { withoutUnusedBits } from "./certificate-parts";
import { contentOf, elementsOf } from "./der-reader";

/**
 * Proves that private keys belong to public ones, of the kinds that this library makes. Reading a key into OpenSSL takes 30
 * times as long as the proof itself; and its signature would prove less: where the parts of an RSA key do not fit each
 * other, OpenSSL goes on without them, and other libraries refuse the key.
 */
export class PrivateKeyMatch {
  /** By AlgorithmIdentifier; nothing for RSA. */
  private readonly curves = new Map<string, ECDH | undefined>();

  /**
   * @param privateKeyDer PKCS#8, without attributes
   * @param publicKeyDer SubjectPublicKeyInfo
   */
  isPair(privateKeyDer: Buffer, publicKeyDer: Buffer): boolean {
    try {
      const [algorithm, bits, ...others] = elementsOf(publicKeyDer);
      const [version, sameAlgorithm, wrapped, ...more] = elementsOf(privateKeyDer);
      if (algorithm === undefined || bits === undefined || version === undefined || wrapped === undefined) return false;
      // PrivateKeyInfo (RFC 5208 section 5).
      if (!sameAlgorithm?.equals(algorithm) || others.length + more.length > 0 || !version.equals(ZERO)) return false;
      if (wrapped[0] !== 0x04) return false;
      const exchange = this.exchange(algorithm, publicKeyDer);
      const parts = elementsOf(contentOf(wrapped));
      return exchange === undefined ? isRsaPair(parts, bits) : isCurvePair(exchange, parts, bits);
    } catch {
      return false;
    }
  }

  private exchange(algorithm: Buffer, publicKeyDer: Buffer): ECDH | undefined {
    const name = algorithm.toString("latin1");
    if (!this.curves.has(name)) {
      const { asymmetricKeyType: type, asymmetricKeyDetails: { namedCurve = "" } = {} } = createPublicKey({
        key: publicKeyDer,
        type: "spki",
        format: "der",
      });
      this.curves.set(name, type === "rsa" ? undefined : createECDH(namedCurve));
    }
    return this.curves.get(name);
  }
}

const ZERO = Buffer.of(2, 1, 0);
const ONE = Buffer.of(2, 1, 1);

/** ECPrivateKey (RFC 5915 section 3): the secret times the generator is the point, which stands in both. */
function isCurvePair(exchange: ECDH, parts: readonly Buffer[], point: Buffer): boolean {
  const [version, secret, ownPoint, ...others] = parts;
  if (!version?.equals(ONE) || secret?.[0] !== 0x04 || ownPoint?.[0] !== 0xa1 || others.length > 0) return false;
  const [number, expected] = [contentOf(secret), withoutUnusedBits(point)];
  // An uncompressed point is a 4 and two coordinates (RFC 5480 section 2.2).
  if (number.length * 2 + 1 !== expected.length || !contentOf(ownPoint).equals(point)) return false;
  exchange.setPrivateKey(number);
  return exchange.getPublicKey().equals(expected);
}

/**
 * RSAPrivateKey (RFC 8017 appendix A.1.2): its numbers are the public ones', and fit each other. That p and q are primes is
 * left to who made the modulus, which is the certificate's.
 */
function isRsaPair(parts: readonly Buffer[], bits: Buffer): boolean {
  const [modulus, publicExponent, ...others] = elementsOf(withoutUnusedBits(bits)).map(positive);
  const [version, n, e, d, p, q, dp, dq, inverse, ...more] = parts.map(positive);
  if (p === undefined || q === undefined || d === undefined || e === undefined || inverse === undefined) return false;
  return (
    others.length + more.length === 0 &&
    version === 0n &&
    n === modulus &&
    e === publicExponent &&
    p > 1n &&
    q > 1n &&
    p * q === n &&
    dp === d % (p - 1n) &&
    dq === d % (q - 1n) &&
    (e * d) % (p - 1n) === 1n &&
    (e * d) % (q - 1n) === 1n &&
    inverse < p &&
    (inverse * q) % p === 1n
  );
}

function positive(element: Buffer): bigint {
  const content = contentOf(element);
  const [first = 0x80, second = 0x80] = content;
  const isShortest = first !== 0 || content.length === 1 || second >= 0x80;
  if (element[0] !== 0x02 || first >= 0x80 || !isShortest) throw new Error("it is no positive INTEGER");
  return BigInt(`0x${content.toString("hex")}`);
}
