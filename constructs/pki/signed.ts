import { verify, type KeyObject } from "node:crypto";
import forge from "node-forge";
import { childrenOf, encodeDer, isUniversal, octetsOf, parseDer, type Asn1 } from "./asn1";

/** Signature algorithms by object identifier (RFC 4055 section 5, RFC 5758 section 3.2); SHA-1 and MD5 are none. */
const HASHES: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
};

/** What somebody signed: a certificate, a revocation list or a request, which are all built alike. */
export class Signed {
  private constructor(
    readonly content: Asn1,
    private readonly algorithm: Asn1,
    private readonly signature: Buffer,
  ) {}

  /** @throws {Error} if the octets are no such thing */
  static parse(octets: Buffer): Signed {
    const whole = parseDer(octets);
    const [content, algorithm, signature, ...others] = childrenOf(whole);
    if (content === undefined || algorithm === undefined) throw new Error("the signed part is missing");
    const { SEQUENCE, BITSTRING } = forge.asn1.Type;
    const isRight = [whole, content, algorithm].every((part) => isUniversal(part, SEQUENCE));
    if (!isRight || !isUniversal(signature, BITSTRING) || others.length > 0 || !encodeDer(whole).equals(octets)) {
      throw new Error("it is not something signed, in DER");
    }
    return new Signed(content, algorithm, bitStringOf(signature));
  }

  /** The algorithm that a signature claims, as a certificate and a list also say inside of what is signed. */
  isOfAlgorithm(inner: Asn1 | undefined): boolean {
    return inner !== undefined && encodeDer(inner).equals(encodeDer(this.algorithm));
  }

  /** What is wrong with the signature by this key, if anything. */
  fault(key: KeyObject): string | undefined {
    const identifier = forge.asn1.derToOid(octetsOf(childrenOf(this.algorithm)[0]).toString("latin1"));
    const hash = HASHES[identifier];
    if (hash === undefined) {
      return `its signature is of a kind that is not taken (${identifier}); use SHA-256, as -sha256 does`;
    }
    return verify(hash, encodeDer(this.content), key, this.signature)
      ? undefined
      : "its signature does not match its key";
  }
}

function bitStringOf(node: Asn1 | undefined): Buffer {
  const { bitStringContents, value } = (node ?? {}) as { bitStringContents?: string; value?: unknown };
  const content = bitStringContents ?? value;
  // The first octet counts the bits of the last one that do not belong to it: a signature has none.
  if (typeof content !== "string" || content[0] !== "\0") throw new Error("the signature is missing");
  return Buffer.from(content, "latin1").subarray(1);
}
