import { createPrivateKey, createPublicKey } from "node:crypto";
import { generateKeyPair, KeyAlgorithm } from "../../constructs/pki";

describe("a generated key pair", () => {
  test.each([
    ["ECDSA-P256", "ec", { namedCurve: "prime256v1" }],
    ["ECDSA-P384", "ec", { namedCurve: "secp384r1" }],
    ["RSA-2048", "rsa", { modulusLength: 2048, publicExponent: 65537n }],
    ["RSA-3072", "rsa", { modulusLength: 3072, publicExponent: 65537n }],
    ["RSA-4096", "rsa", { modulusLength: 4096, publicExponent: 65537n }],
  ])("of %s is what its algorithm says, as PKCS#8 and SubjectPublicKeyInfo", (id, type, details) => {
    const pair = generateKeyPair(KeyAlgorithm.parse(id));
    expect(pair.privateKeyPem).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    const publicKey = createPublicKey({ key: pair.publicKeyDer, type: "spki", format: "der" });
    expect(publicKey.asymmetricKeyType).toBe(type);
    expect(publicKey.asymmetricKeyDetails).toEqual(details);
    expect(createPublicKey(createPrivateKey(pair.privateKeyPem)).equals(publicKey)).toBe(true);
    expect(createPublicKey(pair.privateKey).equals(publicKey)).toBe(true);
  });

  test.each(["ECDSA-P256", "ECDSA-P384"])("of %s is octet for octet what Node exports", (id) => {
    for (let round = 0; round < 300; round += 1) {
      const { privateKey, privateKeyPem, publicKeyDer } = generateKeyPair(KeyAlgorithm.parse(id));
      expect(privateKeyPem).toBe(privateKey.export({ type: "pkcs8", format: "pem" }));
      expect(publicKeyDer).toEqual(createPublicKey(privateKey).export({ type: "spki", format: "der" }));
    }
  });

  test("is another one each time", () => {
    const one = generateKeyPair(KeyAlgorithm.ecdsaP256());
    const other = generateKeyPair(KeyAlgorithm.ecdsaP256());
    expect(one.publicKeyDer.equals(other.publicKeyDer)).toBe(false);
  });
});
