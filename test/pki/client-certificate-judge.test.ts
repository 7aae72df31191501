import fc from "fast-check";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import {
  certificateFault,
  certificateParts,
  ClientCertificateJudge,
  generateKeyPair,
  issueAuthority,
  issueClient,
  issueRevocationList,
  Issuer,
  issueServer,
  KeyAlgorithm,
  ParsedCertificate,
  parseHost,
  RevocationEntries,
} from "../../constructs/pki";
import { KeyPair } from "../../constructs/pki/key-pair";
import { Signer } from "../../constructs/pki/signer";
import { derOf, newAuthority, P256, SPAN } from "./support";

const NOW = new Date("2030-06-01T12:00:00Z");
const span = { notBefore: new Date("2030-01-01T00:00:00Z"), notAfter: new Date("2031-01-01T00:00:00Z") };
const authorities = [
  newAuthority("First CA"),
  newAuthority("Second CA", KeyAlgorithm.ecdsaP384()),
  newAuthority("RSA CA", KeyAlgorithm.rsa(2048)),
];
const issuers = authorities.map(({ ca }) => ParsedCertificate.fromPem(ca.certificatePem));
const client = (issuer: Issuer, commonName: string, changed = {}): Buffer =>
  derOf(issueClient(issuer, { commonName, algorithm: P256, ...span, ...changed }).certificatePem);

test.each(authorities.map((one, index) => ({ index, ...one })))(
  "the parts of a certificate are those that the slow reader finds ($index)",
  ({ issuer }) => {
    const octets = client(issuer, "sensor");
    const parts = certificateParts(octets);
    const { x509, subject, notBefore, notAfter, publicKeyDer } = ParsedCertificate.fromPem(issueClientPem(octets));
    expect(parts.subject.equals(subject)).toBe(true);
    expect([parts.notBefore, parts.notAfter]).toEqual([notBefore.getTime(), notAfter.getTime()]);
    expect(parts.publicKeyDer.equals(publicKeyDer)).toBe(true);
    expect(parts.serial.toString("hex").toUpperCase()).toBe(x509.serialNumber);
  },
);

function issueClientPem(octets: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${octets.toString("base64").replace(/.{1,64}/g, "$&\n")}-----END CERTIFICATE-----\n`;
}

test("certificates of one authority are of one shape, and those of another, or for another purpose, are not", () => {
  const [first, second] = authorities.map(({ issuer }) => issuer) as [Issuer, Issuer];
  const shapes = [client(first, "a"), client(first, "b", { notAfter: new Date("2055-01-01T00:00:00Z") })].map(
    (one) => certificateParts(one).shape,
  );
  expect(shapes[0]).toBe(shapes[1]);
  const server = issueServer(first, { commonName: "a", algorithm: P256, ...span, hosts: [parseHost("a.example")] });
  for (const other of [
    client(second, "a"),
    derOf(server.certificatePem),
    client(first, "a", { algorithm: KeyAlgorithm.ecdsaP384() }),
  ]) {
    expect(certificateParts(other).shape).not.toBe(shapes[0]);
  }
});

test("a certificate of a known shape is judged as one of an unknown shape, whatever bit of it is another one", () => {
  const judge = new ClientCertificateJudge(issuers, NOW);
  for (const { issuer } of authorities) {
    expect(judge.fault(certificateParts(client(issuer, "first")), "first")).toBeUndefined();
    const octets = client(issuer, "sensor");
    expect(judge.fault(certificateParts(octets), "sensor")).toBeUndefined();
    fc.assert(
      fc.property(fc.nat(octets.length - 1), fc.nat(7), (at, bit) => {
        const changed = Buffer.from(octets);
        changed[at] = (changed[at] as number) ^ (1 << bit);
        expect(() => {
          const fault = judge.fault(certificateParts(changed), "sensor");
          if (fault !== undefined) throw new Error(fault);
        }).toThrow();
      }),
      { numRuns: 150 },
    );
  }
});

describe("of a known shape and with a good signature, refused is still", () => {
  const [{ issuer }] = authorities as [(typeof authorities)[number]];
  const [authority] = issuers as [ParsedCertificate];
  const judge = new ClientCertificateJudge([authority], NOW);
  judge.fault(certificateParts(client(issuer, "first")), "first");

  test.each([
    ["another name", client(issuer, "other"), /its common name is "other" and not "sensor"/],
    ["a name with another case", client(issuer, "Sensor"), /its common name is "Sensor"/],
    ["one that ended", client(issuer, "sensor", { notAfter: new Date("2030-05-01T00:00:00Z") }), /it ended/],
    ["one of the future", client(issuer, "sensor", { notBefore: new Date("2030-07-01T00:00:00Z") }), /valid only from/],
  ])("%s", (_, octets, message) => {
    expect(judge.fault(certificateParts(octets), "sensor")).toMatch(message);
    const pem = issueClientPem(octets);
    const expected = { authority, purpose: "client", commonName: "sensor", hosts: [] } as const;
    expect(judge.fault(certificateParts(octets), "sensor")).toBe(
      certificateFault(ParsedCertificate.fromPem(pem), expected, NOW),
    );
  });

  test("one that outlives its authority, whose key has an earlier certificate of its own", () => {
    const keyPair = generateKeyPair(P256);
    const [short, long] = [new Date("2030-08-01T00:00:00Z"), SPAN.notAfter].map((notAfter) =>
      issueAuthority({ commonName: "Renewed CA", algorithm: P256, ...SPAN, notAfter, keyPair }),
    );
    const octets = client(Issuer.fromPem(long!.certificatePem, long!.privateKeyPem), "sensor");
    const [early, late] = [short!, long!].map(({ certificatePem }) => ParsedCertificate.fromPem(certificatePem));
    const known = new ClientCertificateJudge([early!], NOW);
    const first = client(Issuer.fromPem(short!.certificatePem, short!.privateKeyPem), "first", {
      notAfter: short!.notAfter,
    });
    expect(known.fault(certificateParts(first), "first")).toBeUndefined();
    expect(known.fault(certificateParts(octets), "sensor")).toBe("it outlives its authority");
    expect(new ClientCertificateJudge([early!], NOW).fault(certificateParts(octets), "sensor")).toBe(
      "it outlives its authority",
    );
    expect(new ClientCertificateJudge([early!, late!], NOW).fault(certificateParts(octets), "sensor")).toBeUndefined();
  });

  /** The authority signs what this library would not make. */
  const resigned = (octets: Buffer, from: string, to: string): Buffer => {
    const { toBeSigned } = certificateParts(octets);
    const changed = Buffer.from(toBeSigned.toString("hex").replace(from, to), "hex");
    const [{ ca }] = authorities as [(typeof authorities)[number]];
    return new Signer(createPrivateKey(ca.privateKeyPem)).sign(changed);
  };
  const hex = (text: string): string => Buffer.from(text).toString("hex");

  test("a serial number that is negative or nothing, and the authority's own name", () => {
    const octets = client(issuer, "sensor");
    const serial = certificateParts(octets).serial.toString("hex");
    for (const other of [`ff${serial.slice(2)}`, "00".repeat(serial.length / 2)]) {
      const changed = resigned(octets, serial, other);
      expect(() => expect(judge.fault(certificateParts(changed), "sensor")).toBeUndefined()).toThrow();
    }
    const named = resigned(client(issuer, "Other CA"), hex("Other CA"), hex("First CA"));
    expect(judge.fault(certificateParts(named), "First CA")).toBe("its subject is the authority's own name");
  });

  test("a date that there is not", () => {
    const octets = client(issuer, "sensor");
    for (const date of ["310230000000Z", "311301000000Z", "310101240000Z", "310101006000Z", "310101000060Z"]) {
      const changed = resigned(octets, hex("310101000000Z"), hex(date));
      expect(() => certificateParts(changed)).toThrow("its validity has a date that there is not");
    }
    expect(() => certificateParts(resigned(octets, hex("310101000000Z"), hex("310101000000z")))).toThrow(/not in UTC/);
  });

  test("an RSA key that is too short for TLS libraries", () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", {
      modulusLength: 1024,
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "der" },
    });
    const short = client(issuer, "sensor", { keyPair: new KeyPair(privateKey, publicKey) });
    expect(judge.fault(certificateParts(short), "sensor")).toMatch(/1024 bits/);
  });

  test("one that nobody here has signed", () => {
    const octets = client(newAuthority("First CA").issuer, "sensor");
    expect(judge.fault(certificateParts(octets), "sensor")).toBe("it was signed by none of the authorities above it");
  });
});

test("revocation lists shut out what is on them, by name of the authority and number", () => {
  const [{ issuer }, { issuer: other }] = authorities as [(typeof authorities)[number], (typeof authorities)[number]];
  const [revoked, free] = [client(issuer, "a"), client(issuer, "b")].map((octets) => certificateParts(octets));
  const list = (by: Issuer, serials: readonly string[]): Buffer =>
    derOf(
      issueRevocationList(by, {
        number: 1,
        thisUpdate: span.notBefore,
        nextUpdate: span.notAfter,
        revoked: serials.map((serial) => ({ serial, revokedAt: span.notBefore, reason: "keyCompromise" })),
      }),
    );
  const serial = revoked!.serial.toString("hex");
  const entries = new RevocationEntries([list(other, []), list(issuer, ["01", serial, "7f"])]);
  expect([revoked, free].map((one) => entries.has(one!))).toEqual([true, false]);
  expect(new RevocationEntries([list(other, [serial])]).has(revoked!)).toBe(false);
  expect(() => new RevocationEntries([Buffer.from("any")])).toThrow();
});
