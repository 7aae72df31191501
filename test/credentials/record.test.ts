import fc from "fast-check";
import {
  CredentialRecord,
  parseRecord,
  RECORD_FORMAT,
  recordFileName,
  recordSubject,
  serializeRecord,
} from "../../constructs/credentials/record";

const stamp = { issuedAt: "2030-01-01T00:00:00.000Z", reason: 'first issue — ünïcode, "quoted"' };
const fields = {
  algorithm: "ECDSA-P256",
  serial: "4f00",
  fingerprint256: "AA:BB",
  notBefore: "2030-01-01T00:00:00.000Z",
  notAfter: "2031-01-01T00:00:00.000Z",
  certificatePem: "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
  privateKeyPem: "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n",
};
const leaf = { ...fields, issuer256: "CC:DD", ...stamp };

const RECORDS: [string, CredentialRecord][] = [
  ["authority.clients.2", { kind: "authority", role: "clients", generation: 2, chainPem: "", ...fields, ...stamp }],
  [
    "cross.server.2-by-1.2f8ea0f6",
    { kind: "cross", role: "server", generation: 2, by: 1, of256: "AA", by256: "BB", ...fields, ...stamp },
  ],
  ["server.3", { kind: "server", version: 1, sequence: 3, hosts: ["a.example", "::1"], generationHost: "g", ...leaf }],
  ["control.4", { kind: "control", sequence: 4, ...leaf }],
  ["client.sensor-1.v2.5", { kind: "client", name: "sensor-1", version: 2, sequence: 5, ...leaf }],
  [
    "password.operator.v1.2",
    { kind: "password", name: "operator", version: 1, sequence: 2, hash: "$7$1$a$b", password: "geheim", ...stamp },
  ],
  [
    "crl.control.1.7",
    {
      kind: "crl",
      role: "control",
      generation: 1,
      sequence: 7,
      serials: ["01", "02"],
      reasons: ["superseded", "keyCompromise"],
      pem: "PEM\n",
      ...stamp,
    },
  ],
  [
    "revocation.client.sensor-1.v2.5.7163392d",
    {
      kind: "revocation",
      id: "a1",
      credential: "client",
      name: "sensor-1",
      version: 2,
      sequence: 5,
      of: "4f00",
      cause: "keyCompromise",
      ...stamp,
    },
  ],
  [
    "handover.sensor-1.1",
    { kind: "handover", id: "a2", name: "sensor-1", sequence: 1, credential: "4f00", trusts: ["AA:BB"], ...stamp },
  ],
];

describe.each(RECORDS)("the record %s", (subject, record) => {
  const text = serializeRecord(record);
  const name = recordFileName(record);

  test("is named by what it is about and what it says", () => {
    expect(recordSubject(record)).toBe(subject);
    expect(name).toMatch(new RegExp(`^${subject.replace(/\\./g, "\\.")}-[0-9a-f]{8}\\.json$`));
    expect(recordFileName({ ...record, reason: "another" })).not.toBe(name);
    expect(recordSubject({ ...record, reason: "another" })).toBe(subject);
  });

  test("comes back as it was", () => {
    expect(parseRecord(name, text)).toEqual(record);
  });

  test("is refused under every other record's name", () => {
    for (const [, other] of RECORDS.filter(([candidate]) => candidate !== subject)) {
      expect(() => parseRecord(recordFileName(other), text)).toThrow(`it was renamed: by its content it is ${name}`);
    }
  });

  test("is refused when it is cut anywhere before its closing brace", () => {
    for (let length = 0; length < text.trimEnd().length; length += 1) {
      expect(() => parseRecord(name, text.slice(0, length))).toThrow(/cut short/);
    }
  });

  test("with any bit flipped is refused, or still says exactly the same", () => {
    const bytes = Buffer.from(text);
    let refused = 0;
    for (let index = 0; index < bytes.length; index += 1) {
      const flipped = Buffer.from(bytes);
      flipped[index]! ^= 1 << (index % 8);
      try {
        // A blank between two values may become a line break.
        expect(parseRecord(name, flipped.toString())).toEqual(record);
      } catch (error) {
        if ((error as { matcherResult?: unknown }).matcherResult !== undefined) throw error;
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(bytes.length * 0.9);
  });
});

test("two different things never have one subject, whatever the clients are called", () => {
  const name = fc.stringMatching(/^[a-b][.v12a-]{0,8}$/);
  const number = fc.integer({ min: 1, max: 22 });
  const thing = fc.record({ kind: fc.constantFrom("client", "password"), name, version: number, sequence: number });
  fc.assert(
    fc.property(thing, thing, (one, other) => {
      const [first, second] = [one, other].map((it) => recordSubject(it as CredentialRecord));
      expect(first === second).toBe(JSON.stringify(one) === JSON.stringify(other));
    }),
    { numRuns: 5000 },
  );
});

test("a record of a newer format is refused before anything else of it is read", () => {
  const newer = JSON.stringify({ format: RECORD_FORMAT + 1, everything: "else" });
  expect(() => parseRecord("server.1.json", newer)).toThrow(/its format is 2 .*up to 1; use the newer version/);
});

test("a record of a kind that a newer version added is refused, and is not called renamed", () => {
  const text = serializeRecord({ ...RECORDS[1]![1], kind: "invention" } as unknown as CredentialRecord);
  expect(() => parseRecord("invention.1-00000000.json", text)).toThrow(/kind that this version does not know/);
});

test.each(["[]", "7", '"text"', "null", "{}", '{"format":"1"}'])("%s is no record", (text) => {
  expect(() => parseRecord("server.1.json", text)).toThrow(/not a record/);
});
