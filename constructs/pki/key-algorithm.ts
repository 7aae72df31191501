import { describeFault } from "../faults";

const RSA_BITS: readonly number[] = [2048, 3072, 4096];

const ALLOWED = "ECDSA-P256, ECDSA-P384, RSA-2048, RSA-3072 or RSA-4096";

/** How a key is generated, in the terms of `node:crypto`. */
export type KeyParameters =
  | { readonly type: "ec"; readonly namedCurve: "P-256" | "P-384" }
  | { readonly type: "rsa"; readonly modulusLength: number };

/** The algorithm of a key: what `KeyAlgorithm.parse` reads and `id` says, such as `ECDSA-P256`. */
export class KeyAlgorithm {
  private constructor(
    /** `ECDSA-P256`, `ECDSA-P384`, `RSA-2048`, `RSA-3072` or `RSA-4096`. */
    readonly id: string,
    readonly parameters: KeyParameters,
  ) {}

  /** Elliptic curve P-256 with SHA-256: the smallest and fastest, known to every TLS library. */
  static ecdsaP256(): KeyAlgorithm {
    return new KeyAlgorithm("ECDSA-P256", { type: "ec", namedCurve: "P-256" });
  }

  /** Elliptic curve P-384 with SHA-384. */
  static ecdsaP384(): KeyAlgorithm {
    return new KeyAlgorithm("ECDSA-P384", { type: "ec", namedCurve: "P-384" });
  }

  /**
   * RSA with SHA-256 and public exponent 65537, for devices without elliptic curves.
   *
   * @param bits length of the modulus: 2048, 3072 or 4096. OpenSSL's usual security level 2 refuses fewer than 2048.
   * @throws {Error} for any other length
   */
  static rsa(bits: number): KeyAlgorithm {
    if (!RSA_BITS.includes(bits)) {
      throw new Error(
        describeFault({
          what: "the RSA key length in bits",
          value: bits,
          allowed: "2048, 3072 or 4096",
          remedy: "take 3072, or 2048 for small devices",
        }),
      );
    }
    return new KeyAlgorithm(`RSA-${bits}`, { type: "rsa", modulusLength: bits });
  }

  /** @throws {Error} if `id` is not the `id` of a key algorithm */
  static parse(id: string): KeyAlgorithm {
    if (id === "ECDSA-P256") return KeyAlgorithm.ecdsaP256();
    if (id === "ECDSA-P384") return KeyAlgorithm.ecdsaP384();
    const bits = /^RSA-([1-9]\d*)$/.exec(id)?.[1];
    if (bits !== undefined) return KeyAlgorithm.rsa(Number(bits));
    const remedy = `write one of these, upper case with the dash`;
    throw new Error(describeFault({ what: "the key algorithm", value: id, allowed: ALLOWED, remedy }));
  }
}
