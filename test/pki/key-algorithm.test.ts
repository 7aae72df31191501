import { KeyAlgorithm } from "../../constructs/pki";

describe("a key algorithm", () => {
  test.each([
    [KeyAlgorithm.ecdsaP256(), "ECDSA-P256"],
    [KeyAlgorithm.ecdsaP384(), "ECDSA-P384"],
    [KeyAlgorithm.rsa(2048), "RSA-2048"],
    [KeyAlgorithm.rsa(3072), "RSA-3072"],
    [KeyAlgorithm.rsa(4096), "RSA-4096"],
  ])("is read back from its id: %#", (algorithm, id) => {
    expect(algorithm.id).toBe(id);
    expect(KeyAlgorithm.parse(id)).toEqual(algorithm);
  });

  test.each([512, 1024, 2047, 8192, 0, NaN])("refuses RSA keys of %p bits and says which are allowed", (bits) => {
    expect(() => KeyAlgorithm.rsa(bits)).toThrow(
      `the RSA key length in bits, got ${bits}; allowed: 2048, 3072 or 4096; remedy: `,
    );
  });

  test.each(["", "ecdsa-p256", "ECDSA-P521", "RSA", "RSA-02048", "RSA-2048 ", "Ed25519"])("refuses the id %p", (id) => {
    expect(() => KeyAlgorithm.parse(id)).toThrow(/the key algorithm, got .*; allowed: ECDSA-P256, .*; remedy: /);
  });

  test("refuses a weak RSA id with the lengths that are allowed", () => {
    expect(() => KeyAlgorithm.parse("RSA-1024")).toThrow("got 1024; allowed: 2048, 3072 or 4096");
  });
});
