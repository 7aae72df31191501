import { createPrivateKey, X509Certificate } from "node:crypto";
import { generateKeyPair, issueClient, issueRevocationList, Issuer, parseRevocationList } from "../../constructs/pki";
import { der } from "../../constructs/pki/der";
import { encodeName } from "../../constructs/pki/distinguished-name";
import {
  authorityConstraints,
  authorityKeyIdentifier,
  NOT_AN_AUTHORITY,
  SIGNS_CERTIFICATES_AND_LISTS,
  subjectKeyIdentifier,
} from "../../constructs/pki/extensions";
import { toPem } from "../../constructs/pki/pem";
import { Signer } from "../../constructs/pki/signer";
import { encodeTime } from "../../constructs/pki/time";
import { certificatePart, extensionOf, hexOf, newAuthority, openssl, P256, Scratch, SPAN } from "./support";

// Authorities and lists as other tools make them, also those that the openssl command would not make.

const CONSTRAINTS = authorityConstraints(0);
const USAGE = SIGNS_CERTIFICATES_AND_LISTS;
const KEY_IDENTIFIER = subjectKeyIdentifier(Buffer.from("any octets will do"));

const keyPair = generateKeyPair(P256);
const signer = new Signer(keyPair.privateKey);

const scratch = new Scratch();
afterAll(() => scratch.remove());

/** A certificate that the foreign authority signs, well or badly made. */
function foreignCertificate(extensions: Buffer[], issuer: Buffer, subject: Buffer): string {
  const certificate = signer.sign(
    der.sequence([
      der.explicit(0, [der.integer(2)]),
      der.integer(1),
      signer.identifier,
      issuer,
      der.sequence([encodeTime(SPAN.notBefore), encodeTime(SPAN.notAfter)]),
      subject,
      keyPair.publicKeyDer,
      der.explicit(3, [der.sequence(extensions)]),
    ]),
  );
  return toPem("CERTIFICATE", certificate);
}

function foreignAuthority(
  extensions = [CONSTRAINTS, USAGE, KEY_IDENTIFIER],
  subject = encodeName("Foreign CA"),
): string {
  return foreignCertificate(extensions, subject, subject);
}

/** A fit certificate of a client of an authority of this name. */
function foreignLeaf(issuer: Buffer): string {
  const authority = authorityKeyIdentifier(Buffer.from("any octets will do"));
  const own = subjectKeyIdentifier(Buffer.from("others"));
  return foreignCertificate([NOT_AN_AUTHORITY, own, authority], issuer, encodeName("sensor-1"));
}

function extension(identifier: string, critical: Buffer[], value: Buffer): Buffer {
  return der.sequence([der.objectIdentifier(identifier), ...critical, der.octetString(value)]);
}

function attribute(identifier: string, tag: number, value: Buffer): Buffer {
  return der.set([der.sequence([der.objectIdentifier(identifier), der.element(tag, [value])])]);
}

function issuerOf(certificate: string): Issuer {
  return Issuer.fromPem(certificate, keyPair.privateKeyPem);
}

function clientOf(issuer: Issuer, commonName = "sensor-1"): string {
  return issueClient(issuer, { commonName, algorithm: P256, ...SPAN }).certificatePem;
}

function strictVerdict(ca: string, leaf: string): string {
  const file = scratch.write("leaf.pem", leaf);
  return openssl("verify", "-x509_strict", "-CAfile", scratch.write("ca.pem", ca), file).text;
}

describe("an authority that strict verifiers refuse is refused at once", () => {
  const FALSE = der.element(0x01, [Buffer.of(0)]);

  test.each([
    ["left out", []],
    ["FALSE", [FALSE]],
  ])("because its basicConstraints are not critical: %s", (_, critical) => {
    const constraints = extension("2.5.29.19", critical, der.sequence([der.true]));
    const certificate = foreignAuthority([constraints, USAGE, KEY_IDENTIFIER]);
    expect(strictVerdict(certificate, foreignLeaf(encodeName("Foreign CA")))).toMatch(/CA cert not marked critical/i);
    expect(() => issuerOf(certificate)).toThrow(
      "the authority's certificate cannot issue certificates: its basicConstraints are not critical; " +
        "give the certificate of a CA",
    );
  });

  test("because its subject is empty", () => {
    const certificate = foreignAuthority(undefined, der.sequence([]));
    expect(strictVerdict(certificate, foreignLeaf(der.sequence([])))).toMatch(/(?:issuer|subject) name empty/i);
    expect(() => issuerOf(certificate)).toThrow("its subject is empty");
  });

  test("because the private key is encrypted, in words that say so", () => {
    const { ca } = newAuthority();
    const encrypted = createPrivateKey(ca.privateKeyPem)
      .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" })
      .toString();
    expect(() => Issuer.fromPem(ca.certificatePem, encrypted)).toThrow(
      "the authority's private key cannot be read; give it as PEM that is not encrypted",
    );
  });

  test("because it is given with a public key", () => {
    const { ca } = newAuthority();
    const publicKey = new X509Certificate(ca.certificatePem).publicKey.export({ type: "spki", format: "pem" });
    expect(() => Issuer.fromPem(ca.certificatePem, publicKey.toString())).toThrow("private key cannot be read");
  });
});

describe("an authority of another tool", () => {
  test("is fit where nothing is missing", () => {
    expect(strictVerdict(foreignAuthority(), foreignLeaf(encodeName("Foreign CA")))).toContain(": OK");
    expect(issuerOf(foreignAuthority()).signsRevocationLists).toBe(true);
  });

  test("lends its key identifier as it is, of whatever length, to what it signs", () => {
    const octets = Buffer.from("any octets will do").toString("hex");
    const leaf = clientOf(issuerOf(foreignAuthority()));
    expect(extensionOf(leaf, "2.5.29.35")?.value.toString("hex")).toBe(`30148012${octets}`);
    expect(strictVerdict(foreignAuthority(), leaf)).toContain(": OK");
  });

  test.each([
    ["PrintableString", 0x13, Buffer.from("Test")],
    ["T61String", 0x14, Buffer.from("Tést", "latin1")],
    ["IA5String", 0x16, Buffer.from("Test")],
    ["BMPString", 0x1e, Buffer.from("Tést", "utf16le").swap16()],
    ["UTF8String", 0x0c, Buffer.from("Tést 🚀")],
  ])("is named octet for octet by what it signs, in a %s too", (_, tag, text) => {
    const subject = der.sequence([attribute("2.5.4.10", tag, text), attribute("2.5.4.3", tag, text)]);
    const certificate = foreignAuthority(undefined, subject);
    const leaf = clientOf(issuerOf(certificate));
    expect(hexOf(certificatePart(leaf, 3))).toBe(subject.toString("hex"));
    expect(strictVerdict(certificate, leaf)).toContain(": OK");
  });

  test.each([
    ["PrintableString", 0x13, Buffer.from("Test CA"), "test ca"],
    ["T61String", 0x14, Buffer.from("Tést", "latin1"), "tést"],
    ["BMPString", 0x1e, Buffer.from("Tést", "utf16le").swap16(), "TÉST"],
  ])("signs no subject of its own name, though its own is a %s", (_, tag, text, commonName) => {
    const issuer = issuerOf(foreignAuthority(undefined, der.sequence([attribute("2.5.4.3", tag, text)])));
    expect(() => clientOf(issuer, commonName)).toThrow("must differ from the issuing authority's");
  });

  test("may have an extension whose value is no DER", () => {
    const odd = extension("1.3.6.1.4.1.99999.1", [], Buffer.from("just text"));
    const issuer = issuerOf(foreignAuthority([CONSTRAINTS, USAGE, KEY_IDENTIFIER, odd]));
    expect(issuer.signsRevocationLists).toBe(true);
  });

  test.each([
    ["all nine", Buffer.of(0xff, 0x80), 7],
    ["the first eight", Buffer.of(0xff), 0],
  ])("may have every key usage: %s", (_, bits, unused) => {
    const usage = extension("2.5.29.15", [der.true], der.bitString(bits, unused));
    expect(issuerOf(foreignAuthority([CONSTRAINTS, usage, KEY_IDENTIFIER])).signsRevocationLists).toBe(true);
  });

  test("may be valid until the end of the year 9999, which means for ever (RFC 5280 section 4.1.2.5)", () => {
    const notAfter = new Date("9999-12-31T23:59:59Z");
    const issuer = issuerOf(foreignAuthority());
    const leaf = issueClient(issuer, { commonName: "sensor-1", algorithm: P256, ...SPAN, notAfter });
    expect(leaf.notAfter).toEqual(SPAN.notAfter);
  });
});

describe("a revocation list of another tool", () => {
  const { issuer } = newAuthority();
  const names = [issuer.signer.identifier, issuer.subject];
  const time = encodeTime(new Date("2030-01-01T00:00:00Z"));

  /** CertificateList with these parts of TBSCertList (RFC 5280 section 5.1). */
  function foreignList(...parts: Buffer[]): string {
    return toPem("X509 CRL", issuer.signer.sign(der.sequence(parts)));
  }

  function numbered(octets: Buffer): Buffer {
    return der.explicit(0, [der.sequence([extension("2.5.29.20", [], der.unsigned(octets))])]);
  }

  const one = numbered(Buffer.of(1));
  const huge = numbered(Buffer.alloc(19, 0x7f));

  test.each([
    ["of version 1", [...names, time, time]],
    ["without an end", [der.integer(1), ...names, time, one]],
    ["without a number", [der.integer(1), ...names, time, time]],
    ["numbered beyond what JavaScript counts to", [der.integer(1), ...names, time, time, huge]],
    ["that is empty", []],
  ])("is not read %s", (_, parts) => {
    expect(() => parseRevocationList(foreignList(...parts))).toThrow(
      /^the revocation list cannot be read: .+; give a PEM list of version 2 with nextUpdate$/,
    );
  });

  test("is not read with octets behind its end", () => {
    const list = issuer.signer.sign(der.sequence([der.integer(1), ...names, time, time, one]));
    expect(() => parseRevocationList(toPem("X509 CRL", Buffer.concat([list, Buffer.of(0)])))).toThrow("cannot be read");
  });

  test("is read with reasons at its entries, and with other text before it", () => {
    const reason = der.sequence([extension("2.5.29.21", [], der.element(0x0a, [Buffer.of(1)]))]);
    const entries = der.sequence([der.sequence([der.integer(300), time, reason])]);
    const list = foreignList(der.integer(1), ...names, time, time, entries, one);
    const date = new Date("2030-01-01T00:00:00Z");
    const expected = { number: 1, thisUpdate: date, nextUpdate: date, serials: ["012C"] };
    expect(parseRevocationList(`${issuer.certificatePem}${list}`)).toEqual(expected);
  });

  test("of our own is refused if it would start and end in the same second", () => {
    const thisUpdate = new Date("2030-01-01T00:00:00.100Z");
    const nextUpdate = new Date("2030-01-01T00:00:00.900Z");
    expect(() => issueRevocationList(issuer, { number: 1, thisUpdate, nextUpdate, revoked: [] })).toThrow(
      "a revocation list must end after it starts, got 2030-01-01T00:00:00.000Z to 2030-01-01T00:00:00.000Z; " +
        "give a later nextUpdate",
    );
  });
});
