import { createPrivateKey, createPublicKey } from "node:crypto";
import { KeyAlgorithm, KeySource } from "../../constructs/pki";

const RSA = KeyAlgorithm.rsa(2048);

test("keys made ahead on all cores are whole, each another one, and belong together", () => {
  const source = new KeySource(new Map([[RSA.id, 6]]));
  try {
    const pairs = Array.from({ length: 6 }, () => source.take(RSA));
    expect(new Set(pairs.map(({ privateKeyPem }) => privateKeyPem)).size).toBe(6);
    for (const { privateKeyPem, publicKeyDer } of pairs) {
      const publicKey = createPublicKey({ key: publicKeyDer, type: "spki", format: "der" });
      expect(createPublicKey(createPrivateKey(privateKeyPem)).equals(publicKey)).toBe(true);
      expect(publicKey.asymmetricKeyDetails).toEqual({ modulusLength: 2048, publicExponent: 65537n });
    }
  } finally {
    source.close();
  }
});

test("more keys than were announced, and keys of another algorithm, can be taken", () => {
  const source = new KeySource(new Map([[RSA.id, 2]]));
  try {
    const keys = [RSA, RSA, RSA, KeyAlgorithm.rsa(3072), KeyAlgorithm.ecdsaP384()].map((algorithm) =>
      source.take(algorithm),
    );
    expect(keys.map(({ privateKey }) => privateKey.asymmetricKeyDetails?.modulusLength)).toEqual([
      2048,
      2048,
      2048,
      3072,
      undefined,
    ]);
  } finally {
    source.close();
  }
});

test("a source that is closed early leaves no thread behind", async () => {
  const source = new KeySource(new Map([[KeyAlgorithm.rsa(4096).id, 50]]));
  source.take(KeyAlgorithm.rsa(4096));
  source.close();
  const workers = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === "Worker" || name === "MessagePort").length;
  const end = Date.now() + 20_000;
  while (workers() > 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(workers()).toBe(0);
});
