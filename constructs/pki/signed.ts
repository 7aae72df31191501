import { verify, type KeyObject } from "node:crypto";
import forge from "node-forge";
import { childrenOf, encodeDer, octetsOf, parseDer, type Asn1 } from "./asn1";

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
    private readonly algorithm: string,
    private readonly signature: Buffer,
  ) {}

  /** @throws {Error} if the octets are no such thing */
  static parse(octets: Buffer): Signed {
    const [content, algorithm, signature] = childrenOf(parseDer(octets));
    if (content === undefined) throw new Error("the signed part is missing");
    const identifier = forge.asn1.derToOid(octetsOf(childrenOf(algorithm)[0]).toString("latin1"));
    return new Signed(content, identifier, bitStringOf(signature));
  }

  /** What is wrong with the signature by this key, if anything. */
  fault(key: KeyObject): string | undefined {
    const hash = HASHES[this.algorithm];
    if (hash === undefined) {
      return `its signature is of a kind that is not taken (${this.algorithm}); use SHA-256, as -sha256 does`;
    }
    return verify(hash, encodeDer(this.content), key, this.signature)
      ? undefined
      : "its signature does not match its key";
  }
}

function bitStringOf(node: Asn1 | undefined): Buffer {
  const { bitStringContents, value } = (node ?? {}) as { bitStringContents?: string; value?: unknown };
  const content = bitStringContents ?? value;
  if (typeof content !== "string") throw new Error("the signature is missing");
  return Buffer.from(content, "latin1").subarray(1);
}
