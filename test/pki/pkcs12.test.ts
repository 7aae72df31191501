import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import fc from "fast-check";
import forge from "node-forge";
import { isUniversal, octetsOf, parseDer, type Asn1 } from "../../constructs/pki/asn1";
import {
  certifyClient,
  issueAuthority,
  issueClient,
  Issuer,
  issueSubordinateAuthority,
  KeyAlgorithm,
  passphraseFault,
  pkcs12KeyStore,
  pkcs12TrustStore,
  type Pkcs12ProfileName,
} from "../../constructs/pki";
import { askJava, type JavaAnswer } from "../judges/java";
import { cryptography } from "../judges/judges";
import { run } from "../support/command";
import { elementAt, newAuthority, P256, Scratch, SPAN } from "./support";

jest.setTimeout(60_000);

const scratch = new Scratch();
afterAll(() => scratch.remove());

const PASSPHRASE = ` "Tr0ub4dor" & 3 \\ 'else' `;
const WRONG = `${PASSPHRASE}!`;
const NOT_ASCII = "nicht überall gleich";
const PROFILES: readonly Pkcs12ProfileName[] = ["modern", "legacy"];

const ca = issueAuthority({ commonName: "Root of devices", algorithm: P256, pathLength: 1, ...SPAN });
const issuer = Issuer.fromPem(ca.certificatePem, ca.privateKeyPem);
const between = issueSubordinateAuthority(issuer, { commonName: "Issuing CA", algorithm: P256, ...SPAN });
const otherRoot = newAuthority("Next root", KeyAlgorithm.ecdsaP384()).ca;
const issuing = Issuer.fromPem(between.certificatePem, between.privateKeyPem);

/** A client whose key this library makes, or, of curve P-521, one that was made elsewhere. */
function clientOf(algorithm: string): { certificatePem: string; privateKeyPem: string } {
  const commonName = `sensor-${algorithm.toLowerCase()}`;
  if (algorithm !== "ECDSA-P521") {
    return issueClient(issuing, { commonName, algorithm: KeyAlgorithm.parse(algorithm), ...SPAN });
  }
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "secp521r1" });
  const publicKeyDer = publicKey.export({ type: "spki", format: "der" });
  const { certificatePem } = certifyClient(issuing, { commonName, publicKeyDer, ...SPAN });
  return { certificatePem, privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
}

const clients = ["RSA-2048", "ECDSA-P256", "ECDSA-P384", "ECDSA-P521"].map((algorithm) => ({
  algorithm,
  ...clientOf(algorithm),
}));

const keyStores = PROFILES.flatMap((profile) =>
  clients.map(({ algorithm, certificatePem, privateKeyPem }) => {
    const friendlyName = `sensor-${algorithm.toLowerCase()}`;
    const entry = { friendlyName, privateKeyPem, certificatesPem: certificatePem + between.certificatePem };
    const octets = pkcs12KeyStore(entry, { passphrase: PASSPHRASE, profile });
    return { profile, algorithm, friendlyName, certificatePem, privateKeyPem, octets };
  }),
);
const trustStores = PROFILES.map((profile) => ({
  profile,
  octets: pkcs12TrustStore(ca.certificatePem + otherRoot.certificatePem, { passphrase: PASSPHRASE, profile }),
}));
const stores = [...keyStores, ...trustStores];

const sha256 = (pem: string): string => new X509Certificate(pem).fingerprint256.replace(/:/g, "").toLowerCase();
const blocks = (text: string, label: string): string[] =>
  text.match(new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----\n`, "g")) ?? [];

function file(name: string, octets: Buffer): string {
  writeFileSync(scratch.path(name), octets);
  return scratch.path(name);
}

async function openssl(octets: Buffer, passphrase: string, ...options: string[]): Promise<string> {
  const store = file(`${Math.random()}.p12`, octets);
  const secret = scratch.write(`${Math.random()}.txt`, `${passphrase}\n`);
  const args = ["pkcs12", "-in", store, "-nodes", "-info", "-passin", `file:${secret}`, ...options];
  const { stdout, stderr } = await run("openssl", args);
  return stdout + stderr;
}

test.each(keyStores)(
  "OpenSSL reads the $profile key store of an $algorithm key: its name, key, certificate and chain",
  async ({ profile, friendlyName, privateKeyPem, certificatePem, octets }) => {
    // Triple DES is not among the algorithms that OpenSSL 3 keeps for -legacy.
    const said = await openssl(octets, PASSPHRASE);
    expect(
      blocks(said, "PRIVATE KEY").map((pem) => createPrivateKey(pem).equals(createPrivateKey(privateKeyPem))),
    ).toEqual([true]);
    expect(blocks(said, "CERTIFICATE")).toEqual([certificatePem, between.certificatePem]);
    expect(said.match(new RegExp(`friendlyName: ${friendlyName}$`, "gm"))).toHaveLength(2);
    const identifiers = said.match(/localKeyID: .*/g) ?? [];
    expect([identifiers.length, new Set(identifiers).size]).toEqual([2, 1]);
    const words = {
      modern: [/^MAC: sha256, Iteration 10000$/m, /PBES2, PBKDF2, AES-256-CBC, Iteration 10000, PRF hmacWithSHA256$/gm],
      legacy: [/^MAC: sha1, Iteration 2048$/m, /pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2048$/gm],
    } as const;
    const [mac, encryption] = words[profile];
    expect(said).toMatch(mac);
    // Key and certificates.
    expect(said.match(encryption)).toHaveLength(2);
  },
);

test("OpenSSL reads the legacy stores also in its legacy mode", async () => {
  for (const { octets } of stores.filter(({ profile }) => profile === "legacy")) {
    expect(blocks(await openssl(octets, PASSPHRASE, "-legacy"), "CERTIFICATE")).toHaveLength(2);
  }
});

test.each(trustStores)("OpenSSL reads the certificates of the $profile trust store, and no key", async ({ octets }) => {
  const said = await openssl(octets, PASSPHRASE);
  expect(blocks(said, "CERTIFICATE")).toEqual([ca.certificatePem, otherRoot.certificatePem]);
  expect(said).not.toContain("PRIVATE KEY");
});

test("OpenSSL refuses another passphrase for each store", async () => {
  const said = await Promise.all(stores.map(({ octets }) => openssl(octets, WRONG)));
  expect(said).toEqual(stores.map(() => expect.stringMatching(/invalid password/) as string));
});

/** One start of Java answers for all stores. */
const answersOfJava = askJavaOnce();

async function askJavaOnce(): Promise<JavaAnswer[]> {
  const foreign = scratch.path("foreign.p12");
  const args = ["pkcs12", "-export", "-nokeys", "-in", scratch.write("root.pem", ca.certificatePem), "-out", foreign];
  await run("openssl", [...args, "-passout", `pass:${NOT_ASCII}`]);
  return askJava([
    ...stores.map(({ octets }) => ["store", octets, PASSPHRASE] as const),
    ...stores.map(({ octets }) => ["store", octets, WRONG] as const),
    ["store", readFileSync(foreign), NOT_ASCII],
  ]);
}

test("Java finds each key with its chain under its name, signs with it, and trusts each root of a trust store", async () => {
  const chains = keyStores.map(({ friendlyName, certificatePem }): JavaAnswer => {
    return { accepted: [`${friendlyName}:key:${sha256(certificatePem)}:${sha256(between.certificatePem)}`] };
  });
  const roots = [`ca:trusted:${sha256(ca.certificatePem)}`, `ca-2:trusted:${sha256(otherRoot.certificatePem)}`];
  const trusted = trustStores.map(() => ({ accepted: [...roots].sort() }));
  expect((await answersOfJava).slice(0, stores.length)).toEqual([...chains, ...trusted]);
});

test("Java refuses another passphrase for each store", async () => {
  const refused = stores.map(() => ({ refused: expect.stringMatching(/keystore password was incorrect/) as string }));
  expect((await answersOfJava).slice(stores.length, 2 * stores.length)).toEqual(refused);
});

test("a passphrase that is not ASCII is refused, because Java opens no store that has one", async () => {
  expect((await answersOfJava).at(-1)).toEqual({ refused: expect.stringMatching(/not ASCII/) as string });
  expect(passphraseFault("the passphrase", NOT_ASCII)).toMatchObject({
    allowed: expect.stringMatching(/ASCII/) as string,
  });
});

test("keytool lists the trust stores' certificates as trusted, and the key store's key", async () => {
  const chosen = [...trustStores, ...keyStores.filter(({ algorithm }) => algorithm === "ECDSA-P256")];
  const secret = scratch.write("keytool.txt", PASSPHRASE);
  const listed = await Promise.all(
    chosen.map(async ({ octets }, index) => {
      const args = ["-list", "-v", "-storetype", "PKCS12", "-keystore", file(`keytool-${index}.p12`, octets)];
      const { stdout } = await run("keytool", [...args, "-storepass:file", secret, "-J-XX:TieredStopAtLevel=1"]);
      return [...stdout.matchAll(/^(?:Alias name|Entry type|Certificate chain length): (.*)$/gm)].map(
        ([, said]) => said,
      );
    }),
  );
  const trusted = ["ca", "trustedCertEntry", "ca-2", "trustedCertEntry"];
  const key = ["sensor-ecdsa-p256", "PrivateKeyEntry", "2"];
  expect(listed).toEqual([trusted, trusted, key, key]);
});

test("Python's cryptography reads each store, and refuses another passphrase", async () => {
  const found = await cryptography.ask("keyStore", [
    ...stores.map(({ octets }) => ({ store: octets.toString("base64"), passphrase: PASSPHRASE })),
    ...stores.map(({ octets }) => ({ store: octets.toString("base64"), passphrase: WRONG })),
  ]);
  const chain = [{ name: null, certificate: between.certificatePem }];
  const roots = [
    { name: "ca", certificate: ca.certificatePem },
    { name: "ca-2", certificate: otherRoot.certificatePem },
  ];
  expect(found).toEqual([
    ...keyStores.map(({ friendlyName, certificatePem }) => {
      return { accepted: { own: { name: friendlyName, certificate: certificatePem }, others: chain } };
    }),
    ...trustStores.map(() => ({ accepted: { others: expect.arrayContaining(roots) as object } })),
    ...stores.map(() => ({ refused: expect.stringMatching(/[Ii]nvalid password/) as string })),
  ]);
});

test.each(keyStores)(
  "Node.js takes the $profile key store of an $algorithm key, with its passphrase only",
  ({ octets }) => {
    expect(() => createSecureContext({ pfx: octets, passphrase: PASSPHRASE })).not.toThrow();
    expect(() => createSecureContext({ pfx: octets, passphrase: WRONG })).toThrow(/mac verify failure/);
  },
);

test("any passphrase opens the stores made with it, or is refused without being shown", () => {
  const { certificatePem, privateKeyPem } = clients[1] ?? clientOf("ECDSA-P256");
  const entry = { friendlyName: "a", privateKeyPem, certificatesPem: certificatePem };
  const printable = fc.string({ unit: "grapheme-ascii", minLength: 10, maxLength: 80 });
  const anything = fc.string({ unit: "binary", minLength: 10, maxLength: 20 });
  fc.assert(
    fc.property(fc.oneof(printable, anything), fc.constantFrom(...PROFILES), (passphrase, profile) => {
      const build = (): Buffer => pkcs12KeyStore(entry, { passphrase, profile });
      if (passphraseFault("the passphrase", passphrase) === undefined) {
        expect(() => createSecureContext({ pfx: build(), passphrase })).not.toThrow();
        return;
      }
      let said = "";
      try {
        build();
      } catch (error) {
        said = String(error);
      }
      expect(said).toMatch(/^Error: the passphrase; allowed: 12 to 1023 printable ASCII characters/);
    }),
    {
      numRuns: 15,
      examples: [
        ["eleven char", "modern"],
        ["twelve chars", "legacy"],
        ["nicht überall", "modern"],
      ],
    },
  );
});

test("the longest passphrase that is allowed is the longest that OpenSSL reads from a file", async () => {
  const longest = "x".repeat(1023);
  const made = pkcs12TrustStore(ca.certificatePem, { passphrase: longest, profile: "modern" });
  expect(blocks(await openssl(made, longest), "CERTIFICATE")).toHaveLength(1);
  const longer = `${longest}x`;
  expect(passphraseFault("the passphrase", longer)).toBeDefined();
  const args = ["pkcs12", "-export", "-nokeys", "-in", scratch.write("ca.pem", ca.certificatePem)];
  const theirs = scratch.path("longer.p12");
  await run("openssl", [...args, "-out", theirs, "-passout", `pass:${longer}`]);
  const secret = scratch.write("longer.txt", longer);
  const { stderr } = await run("openssl", ["pkcs12", "-in", theirs, "-noout", "-passin", `file:${secret}`]);
  expect(stderr).toMatch(/invalid password/);
});

test("a key store is refused for a key that is not its certificate's, and a trust store without a certificate", () => {
  const protection = { passphrase: PASSPHRASE, profile: "modern" } as const;
  const { certificatePem } = clients[1] ?? clientOf("ECDSA-P256");
  const entry = { friendlyName: "sensor-1", certificatesPem: certificatePem, privateKeyPem: ca.privateKeyPem };
  expect(() => pkcs12KeyStore(entry, protection)).toThrow(/a key and its certificate, got another's for "sensor-1"/);
  expect(() => pkcs12TrustStore("", protection)).toThrow(/must hold a certificate, got none/);
});

test("every salt and vector is used once: two stores of the same certificate share no octet string", () => {
  for (const profile of PROFILES) {
    const again = (): Buffer => pkcs12TrustStore(ca.certificatePem, { passphrase: PASSPHRASE, profile });
    const strings = [again(), again()].flatMap((store) => {
      // PFX, its authSafe, the content of that.
      const safes = octetsOf(elementAt(store, [1, 1, 0]));
      return [...octetStrings(parseDer(store)), ...octetStrings(parseDer(safes))];
    });
    // Of key derivation and cipher, the content, the digest and its salt; Triple DES derives its vector.
    expect(strings).toHaveLength(2 * (profile === "modern" ? 5 : 4));
    expect(new Set(strings).size).toBe(strings.length);
  }
});

function octetStrings(node: Asn1): string[] {
  if (typeof node.value !== "string") return node.value.flatMap(octetStrings);
  return isUniversal(node, forge.asn1.Type.OCTETSTRING) ? [octetsOf(node).toString("hex")] : [];
}
