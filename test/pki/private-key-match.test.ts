import fc from "fast-check";
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { generateKeyPair, KeyAlgorithm, PrivateKeyMatch } from "../../constructs/pki";
import { der } from "../../constructs/pki/der";
import { contentOf, elementsOf } from "../../constructs/pki/der-reader";
import { derOf } from "./support";

const kinds = [KeyAlgorithm.ecdsaP256(), KeyAlgorithm.ecdsaP384(), KeyAlgorithm.rsa(2048)].map((algorithm) => {
  const [pair, other] = [generateKeyPair(algorithm), generateKeyPair(algorithm)];
  return { id: algorithm.id, key: derOf(pair.privateKeyPem), publicKey: pair.publicKeyDer, other: other.publicKeyDer };
});
const match = new PrivateKeyMatch();

describe.each(kinds)("a key of $id", ({ key, publicKey, other }) => {
  test("belongs to its public key, and to no other one", () => {
    expect(match.isPair(key, publicKey)).toBe(true);
    expect(match.isPair(key, other)).toBe(false);
    for (const { publicKey: ofOtherKind } of kinds.filter((one) => one.publicKey !== publicKey)) {
      expect(match.isPair(key, ofOtherKind)).toBe(false);
    }
  });

  test("is none with a single bit that is another one, cut short or with more behind it", () => {
    fc.assert(
      fc.property(fc.nat(key.length - 1), fc.nat(7), (at, bit) => {
        const changed = Buffer.from(key);
        changed[at] = (changed[at] as number) ^ (1 << bit);
        expect(match.isPair(changed, publicKey)).toBe(false);
        expect(match.isPair(key.subarray(0, at), publicKey)).toBe(false);
      }),
      { numRuns: 500 },
    );
    expect(match.isPair(Buffer.concat([key, Buffer.of(5, 0)]), publicKey)).toBe(false);
    expect(match.isPair(key, publicKey)).toBe(true);
  });
});

test("keys that Node exports itself are read alike", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const [key, shown] = [
    privateKey.export({ type: "pkcs8", format: "der" }),
    publicKey.export({ type: "spki", format: "der" }),
  ];
  expect(match.isPair(key, shown)).toBe(true);
});

test("an elliptic key whose own public part is another one is found, although OpenSSL's comparison takes it", () => {
  const [{ key, publicKey, other }] = kinds as [(typeof kinds)[number]];
  const forged = Buffer.from(
    key
      .toString("hex")
      .replace(contentOf(elementsOf(publicKey)[1]!).toString("hex"), contentOf(elementsOf(other)[1]!).toString("hex")),
    "hex",
  );
  expect(
    createPublicKey(createPrivateKey({ key: forged, type: "pkcs8", format: "der" })).export({
      type: "spki",
      format: "der",
    }),
  ).toEqual(other);
  expect(match.isPair(forged, other)).toBe(false);
  expect(match.isPair(forged, publicKey)).toBe(false);
});

test("an RSA key whose parts do not fit each other is found, although OpenSSL still signs with it", () => {
  const { key, publicKey } = kinds[2]!;
  const [version, algorithm, wrapped] = elementsOf(key);
  const parts = elementsOf(contentOf(wrapped!));
  // n, e, d, p, q, dp, dq and the inverse: each with one more.
  for (let at = 1; at < parts.length; at += 1) {
    const value = BigInt(`0x${contentOf(parts[at]!).toString("hex")}`) + 2n;
    const hex = value.toString(16);
    const changed = parts.with(at, der.unsigned(Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex")));
    const whole = der.sequence([version!, algorithm!, der.octetString(der.sequence(changed))]);
    expect({ at, isPair: match.isPair(whole, publicKey) }).toEqual({ at, isPair: false });
  }
});
