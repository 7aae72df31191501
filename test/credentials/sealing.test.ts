import fc from "fast-check";
import { SealedCodec } from "../../constructs/credentials/record-codec";
import {
  KeyFile,
  parseKeyFile,
  parseSealedRecord,
  SealedRecord,
  SealingKey,
} from "../../constructs/credentials/sealing";

// Each derivation takes 128 MiB and up to half a second, on purpose.
jest.setTimeout(120_000);

const NOW = new Date("2030-06-01T12:00:00Z");
const PASSPHRASE = "correct horse battery staple";
const NAME = "client.sensor-1.v1.1-0123abcd.json";
const TEXT = `${JSON.stringify({
  hosts: ["broker.plant.example"],
  privateKeyPem: "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n-----END PRIVATE KEY-----\n",
  password: "tr0ub4dor-and-3",
})}\n`;

const { key, file } = SealingKey.generate(PASSPHRASE, NOW);
const other = SealingKey.generate(PASSPHRASE, NOW);
const codec = new SealedCodec([key]);
const sealed = codec.encode(NAME, TEXT);
const envelope = (changed: Partial<SealedRecord> = {}): SealedRecord => ({
  ...(parseSealedRecord(sealed) as SealedRecord),
  ...changed,
});

/** The text with one bit the other way round. */
function flipped(text: string, bit: number): string {
  const octets = Buffer.from(text, "utf8");
  octets[bit >> 3] = (octets[bit >> 3] as number) ^ (1 << (bit & 7));
  return octets.toString("utf8");
}

/** What an attempt comes to: its value, or that it was refused. */
function outcome<T>(attempt: () => T): T | "refused" {
  try {
    return attempt();
  } catch {
    return "refused";
  }
}

/** How often scrypt is called meanwhile; it is the one call that takes memory. */
function derivations(work: () => unknown): number {
  const scrypt = jest.spyOn(jest.requireActual<typeof import("node:crypto")>("node:crypto"), "scryptSync");
  try {
    work();
    return scrypt.mock.calls.length;
  } finally {
    scrypt.mockRestore();
  }
}

describe("a sealed text", () => {
  test("opens with its key, and says what was sealed", () => {
    expect(key.unseal(envelope())).toBe(TEXT);
    expect(codec.decode(NAME, sealed)).toBe(TEXT);
  });

  test("comes back whatever characters are in it", () => {
    const texts = fc.string({ unit: "binary" });
    fc.assert(fc.property(texts, (text) => expect(codec.decode(NAME, codec.encode(NAME, text))).toBe(text)));
  });

  test("shows nothing of the hosts, keys and passwords in it", () => {
    const secrets = [
      "broker.plant.example",
      "PRIVATE KEY",
      "MIGHAgEAMBMG",
      "tr0ub4dor-and-3",
      "privateKeyPem",
      "hosts",
    ];
    for (const secret of secrets) {
      expect(sealed).not.toContain(secret);
      expect(sealed).not.toContain(Buffer.from(secret).toString("base64").replace(/=+$/, "").slice(0, -1));
    }
    expect(Object.keys(JSON.parse(sealed) as object)).toEqual(["format", "name", "sealedWith", "record"]);
  });

  test("looks different each time that it is sealed, and no nonce comes twice", () => {
    const nonces = Array.from({ length: 1000 }, () => parseSealedRecord(key.seal(NAME, TEXT))?.record.nonce);
    expect(new Set(nonces).size).toBe(1000);
  });

  test("does not open with another key of the same passphrase, even under that one's name", () => {
    expect(() => other.key.unseal(envelope())).toThrow(/changed since it was sealed/);
    expect(() => other.key.unseal(envelope({ sealedWith: other.key.id }))).toThrow(/changed since it was sealed/);
    expect(() => new SealedCodec([other.key]).decode(NAME, sealed)).toThrow(
      `the key file that it was sealed with is missing: key.${key.id}.json`,
    );
  });

  test("does not open under another name, whether the file was renamed or its content too", () => {
    const stolen = "client.attacker.v1.1-0123abcd.json";
    expect(() => codec.decode(stolen, sealed)).toThrow(`it was renamed: by its content it is ${NAME}`);
    const rewritten = JSON.stringify(envelope({ name: stolen }));
    expect(() => codec.decode(stolen, rewritten)).toThrow(/changed since it was sealed/);
  });

  test("with any one bit of the file flipped is refused, or says exactly the same", () => {
    const bits = Buffer.byteLength(sealed) * 8;
    for (let bit = 0; bit < bits; bit += 1) {
      expect([TEXT, "refused"]).toContain(outcome(() => codec.decode(NAME, flipped(sealed, bit))));
    }
  });

  test("with any octets of the file replaced, cut out or put in is refused, or says exactly the same", () => {
    const octets = Buffer.from(sealed, "utf8");
    const change = fc.tuple(fc.nat(octets.length), fc.nat(64), fc.uint8Array({ maxLength: 64 }));
    fc.assert(
      fc.property(change, ([at, length, put]) => {
        const changed = Buffer.concat([octets.subarray(0, at), put, octets.subarray(at + length)]).toString("utf8");
        expect([TEXT, "refused"]).toContain(outcome(() => codec.decode(NAME, changed)));
      }),
      { numRuns: 5000 },
    );
  });

  test("with a shorter tag is refused, so that nobody can guess one", () => {
    const { record } = envelope();
    for (const octets of [0, 1, 4, 8, 12, 15]) {
      const tag = Buffer.from(record.tag, "base64").subarray(0, octets).toString("base64");
      expect(() => key.unseal(envelope({ record: { ...record, tag } }))).toThrow(/changed since it was sealed/);
    }
  });

  test("of a newer format is refused with that reason", () => {
    const newer = JSON.stringify({ ...envelope(), format: 2 });
    expect(() => codec.decode(NAME, newer)).toThrow(/its format is 2 and this version reads up to 1; use the newer/);
  });
});

describe("a key file", () => {
  const written = JSON.stringify(file, null, 2);

  test("opens with its passphrase to the key that sealed", () => {
    const opened = SealingKey.open(parseKeyFile(written), PASSPHRASE);
    expect(opened?.unseal(envelope())).toBe(TEXT);
  });

  test.each(["correct horse battery stapl", "Correct horse battery staple", `${PASSPHRASE} `, ""])(
    "does not open with %j",
    (wrong) => expect(SealingKey.open(file, wrong)).toBeUndefined(),
  );

  test("opens with the same characters in another normal form, as another system types them", () => {
    const composed = "gebäudeschlüssel für café".normalize("NFC");
    const decomposed = composed.normalize("NFD");
    expect(decomposed).not.toBe(composed);
    expect(SealingKey.open(SealingKey.generate(composed, NOW).file, decomposed)).toBeDefined();
    expect(SealingKey.open(SealingKey.generate(decomposed, NOW).file, composed)).toBeDefined();
  });

  test("shows neither the passphrase nor the key, and another salt each time", () => {
    expect(written).not.toContain(PASSPHRASE);
    expect(file.kdf).toMatchObject({ name: "scrypt", N: 2 ** 17, r: 8, p: 1 });
    expect(Buffer.from(file.kdf.salt, "base64")).toHaveLength(16);
    expect(other.file.kdf.salt).not.toBe(file.kdf.salt);
    expect(other.file.key.ciphertext).not.toBe(file.key.ciphertext);
  });

  test("of a passphrase that is too short is not made, and the message does not show the passphrase", () => {
    const tooShort = "elf zeichen";
    const attempt = (): unknown => SealingKey.generate(tooShort, NOW);
    expect(attempt).toThrow(/has 11 characters; allowed: 12 or more; remedy: /);
    expect(attempt).not.toThrow(tooShort);
    expect(derivations(() => outcome(attempt))).toBe(0);
  });

  test("counts the characters of a passphrase, not their octets or halves", () => {
    expect(() => SealingKey.generate("🔑".repeat(11), NOW)).toThrow(/has 11 characters/);
    expect(SealingKey.generate("🔑".repeat(12), NOW).key.id).toMatch(/^[0-9a-f]{12}$/);
  });

  test("with any one bit flipped is refused, or opens to exactly the same key", () => {
    const attempt = (bit: number): unknown => {
      const opened = SealingKey.open(parseKeyFile(flipped(written, bit)), PASSPHRASE);
      return opened === undefined ? "refused" : { text: opened.unseal(envelope()), createdAt: opened.createdAt };
    };
    const same = { text: TEXT, createdAt: key.createdAt };
    const bits = fc.nat(Buffer.byteLength(written) * 8 - 1);
    fc.assert(
      fc.property(bits, (bit) => expect([same, "refused"]).toContainEqual(outcome(() => attempt(bit)))),
      { numRuns: 60 },
    );
  });

  test("does not open with its name or its time changed", () => {
    expect(SealingKey.open({ ...file, id: other.file.id }, PASSPHRASE)).toBeUndefined();
    expect(SealingKey.open({ ...file, createdAt: "2031-01-01T00:00:00.000Z" }, PASSPHRASE)).toBeUndefined();
  });

  const hostile: readonly [string, Record<string, unknown>][] = [
    ["N of 2^30", { N: 2 ** 30 }],
    ["N of 2^21", { N: 2 ** 21 }],
    ["N of 10^300", { N: 1e300 }],
    ["N that is no power of two", { N: 131_071 }],
    ["N of 1", { N: 1 }],
    ["N of 0", { N: 0 }],
    ["a negative N", { N: -131_072 }],
    ["N of half an octet", { N: 2 ** -1 }],
    ["N that is not a number", { N: Number.NaN }],
    ["N as a word", { N: "many" }],
    ["N as text", { N: "131072" }],
    ["N as a list", { N: [131_072] }],
    ["no N", { N: undefined }],
    ["a huge r", { r: 2 ** 30 }],
    ["r of 17", { r: 17 }],
    ["r of 0", { r: 0 }],
    ["a negative r", { r: -8 }],
    ["r that is not whole", { r: 8.5 }],
    ["r that is not a number", { r: Number.NaN }],
    ["r as text", { r: "8" }],
    ["r as true", { r: true }],
    ["a huge p", { p: 2 ** 30 }],
    ["p of 0", { p: 0 }],
    ["a negative p", { p: -1 }],
    ["p that is not whole", { p: 1.5 }],
    ["p as text", { p: "1" }],
    ["the largest N and r at once", { N: 2 ** 20, r: 16 }],
    ["another derivation", { name: "pbkdf2" }],
    ["a salt that is no text", { salt: 7 }],
  ];
  test.each(hostile)("that asks for %s is refused before any memory is taken", (_, changed) => {
    const text = JSON.stringify({ ...file, kdf: { ...file.kdf, ...changed } });
    const read = (): unknown => parseKeyFile(text);
    expect(read).toThrow("it is not a key of a sealed store");
    expect(derivations(() => outcome(read))).toBe(0);
  });

  test.each(["", "null", "7", "[]", "{}", '"key"', "{", '{ "format": 1, "kdf": null }'])(
    "with the content %j is refused",
    (text) => expect(() => parseKeyFile(text)).toThrow("it is not a key of a sealed store"),
  );

  test.each(["id", "createdAt", "kdf", "key"] as const)("without its %s is refused", (part: keyof KeyFile) => {
    expect(() => parseKeyFile(JSON.stringify({ ...file, [part]: undefined }))).toThrow("it is not a key");
  });

  test("of a newer format is refused with that reason, whatever else is in it", () => {
    expect(() => parseKeyFile('{ "format": 2, "kdf": { "name": "argon2id" } }')).toThrow(
      /its format is 2 and this version reads up to 1; use the newer version/,
    );
  });
});

test("a text that is no sealed record is taken for none, and one that is not whole is refused", () => {
  for (const text of ["", "null", "7", "{}", "{", TEXT]) expect(parseSealedRecord(text)).toBeUndefined();
  const { nonce, ciphertext } = envelope().record;
  for (const changed of [{ name: undefined }, { record: undefined }, { record: { nonce, ciphertext } }]) {
    expect(() => parseSealedRecord(JSON.stringify({ ...envelope(), ...changed }))).toThrow("it is not whole");
  }
});
