import { createPrivateKey, createPublicKey } from "node:crypto";
import { generateKeyPair, KeyAlgorithm } from "../../constructs/pki";

const ALL = ["ECDSA-P256", "ECDSA-P384", "RSA-2048", "RSA-3072", "RSA-4096"];

describe("a key algorithm", () => {
  test.each(ALL)("is read from %s and says the same", (id) => {
    expect(KeyAlgorithm.parse(id).id).toBe(id);
  });

  test("is the same however it was made", () => {
    expect(KeyAlgorithm.parse("ECDSA-P256")).toEqual(KeyAlgorithm.ecdsaP256());
    expect(KeyAlgorithm.parse("ECDSA-P384")).toEqual(KeyAlgorithm.ecdsaP384());
    expect(KeyAlgorithm.parse("RSA-3072")).toEqual(KeyAlgorithm.rsa(3072));
  });

  test.each([
    [""],
    ["ecdsa-p256"],
    ["ECDSA-P521"],
    ["P-256"],
    ["Ed25519"],
    ["RSA"],
    ["RSA-"],
    ["RSA-02048"],
    [" RSA-2048"],
  ])("is not read from %j: the error lists what there is", (id) => {
    expect(() => KeyAlgorithm.parse(id)).toThrow(
      `the key algorithm, got ${JSON.stringify(id)}; allowed: ECDSA-P256, ECDSA-P384, RSA-2048, RSA-3072 or RSA-4096; ` +
        "remedy: write one of these, upper case with the dash",
    );
  });

  test.each([[1024], [2047], [8192], [0], [-2048], [2048.5], [NaN], [Infinity]])(
    "of RSA is refused with %d bits",
    (bits) => {
      expect(() => KeyAlgorithm.rsa(bits)).toThrow(
        `the RSA key length in bits, got ${bits}; allowed: 2048, 3072 or 4096; remedy: take 3072, or 2048 for small devices`,
      );
    },
  );

  test("of RSA with too few bits is refused when it is read, too", () => {
    expect(() => KeyAlgorithm.parse("RSA-1024")).toThrow("allowed: 2048, 3072 or 4096");
  });
});

describe("a generated key", () => {
  test.each([
    ["ECDSA-P256", { namedCurve: "prime256v1" }],
    ["ECDSA-P384", { namedCurve: "secp384r1" }],
    ["RSA-2048", { modulusLength: 2048, publicExponent: 65537n }],
  ])("of %s is of that kind, is unencrypted PKCS#8, and fits its public half", (id, details) => {
    const { privateKeyPem, privateKey, publicKeyDer } = generateKeyPair(KeyAlgorithm.parse(id));
    expect(privateKeyPem).toMatch(/^-----BEGIN PRIVATE KEY-----\n[^-]+-----END PRIVATE KEY-----\n$/);
    expect(privateKey.asymmetricKeyDetails).toEqual(details);
    const publicHalf = createPublicKey(createPrivateKey(privateKeyPem)).export({ type: "spki", format: "der" });
    expect(publicKeyDer).toEqual(publicHalf);
  });

  test("is another one each time", () => {
    const one = generateKeyPair(KeyAlgorithm.ecdsaP256());
    expect(generateKeyPair(KeyAlgorithm.ecdsaP256()).publicKeyDer).not.toEqual(one.publicKeyDer);
  });
});
