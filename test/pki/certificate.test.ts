import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import fc from "fast-check";
import forge from "node-forge";
import { commonNameFault } from "../../constructs/pki/distinguished-name";
import { issueAuthority, issueClient, issueServer, Issuer, KeyAlgorithm, parseHost } from "../../constructs/pki";
import { certificatePart, derOf, extensionOf, newAuthority, P256, SPAN } from "./support";

const BASIC_CONSTRAINTS = "2.5.29.19";
const KEY_USAGE = "2.5.29.15";
const EXTENDED_KEY_USAGE = "2.5.29.37";
const SUBJECT_KEY_IDENTIFIER = "2.5.29.14";
const AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";

const RSA = KeyAlgorithm.rsa(2048);
const HOSTS = ["broker.example", "localhost", "192.168.1.13", "2001:db8::13"].map(parseHost);

const { ca, issuer } = newAuthority();
const server = issueServer(issuer, { commonName: "broker.example", hosts: HOSTS, algorithm: P256, ...SPAN });
const client = issueClient(issuer, { commonName: "sensor-1", algorithm: P256, ...SPAN });

const hex = (pem: string, identifier: string): string | undefined =>
  extensionOf(pem, identifier)?.value.toString("hex");
const isCritical = (pem: string, identifier: string): boolean | undefined => extensionOf(pem, identifier)?.critical;

describe.each([
  ["an authority", ca],
  ["a server", server],
  ["a client", client],
])("the certificate of %s", (_, issued) => {
  const certificate = new X509Certificate(issued.certificatePem);

  test("comes with its own key, serial, fingerprint and dates, as Node prints them", () => {
    expect(certificate.checkPrivateKey(createPrivateKey(issued.privateKeyPem))).toBe(true);
    expect(issued.serial).toBe(certificate.serialNumber);
    expect(issued.fingerprint256).toBe(certificate.fingerprint256);
    expect(issued.notBefore).toEqual(new Date(certificate.validFrom));
    expect(issued.notAfter).toEqual(new Date(certificate.validTo));
  });

  test("is PEM with lines of 64 characters that Node writes the same", () => {
    expect(certificate.toString()).toBe(issued.certificatePem);
  });

  test("is of version 3 and signed by the authority", () => {
    expect(certificatePart(issued.certificatePem, 0, 0).value).toBe("\x02");
    expect(certificate.verify(new X509Certificate(ca.certificatePem).publicKey)).toBe(true);
    expect(certificate.checkIssued(new X509Certificate(ca.certificatePem))).toBe(true);
  });

  test("has a positive serial of 16 octets", () => {
    const serial = Buffer.from(certificatePart(issued.certificatePem, 1).value as string, "latin1");
    expect(serial).toHaveLength(16);
    expect(serial.readInt8(0)).toBeGreaterThan(0);
    expect(serial.toString("hex").toUpperCase()).toBe(issued.serial);
  });

  test("carries the authority's subject key identifier, not its own, as authority key identifier", () => {
    const keyIdentifier = hex(ca.certificatePem, SUBJECT_KEY_IDENTIFIER)?.slice(4);
    expect(hex(issued.certificatePem, AUTHORITY_KEY_IDENTIFIER)).toBe(`30168014${keyIdentifier}`);
    const own = hex(issued.certificatePem, SUBJECT_KEY_IDENTIFIER);
    const publicKey = certificate.publicKey.export({ type: "spki", format: "der" });
    expect(own).toBe(`0414${createHash("sha256").update(publicKey).digest("hex").slice(0, 40)}`);
    expect(own?.slice(4) === keyIdentifier).toBe(issued === ca);
    expect(isCritical(issued.certificatePem, AUTHORITY_KEY_IDENTIFIER)).toBe(false);
    expect(isCritical(issued.certificatePem, SUBJECT_KEY_IDENTIFIER)).toBe(false);
  });

  test("says in critical extensions whether it is an authority and what its key may do", () => {
    expect(isCritical(issued.certificatePem, BASIC_CONSTRAINTS)).toBe(true);
    expect(isCritical(issued.certificatePem, KEY_USAGE)).toBe(true);
    expect(certificate.ca).toBe(issued === ca);
  });

  test("has no octets that are not DER", () => {
    const octets = derOf(issued.certificatePem);
    const parsed = forge.asn1.fromDer(octets.toString("latin1"));
    expect(forge.asn1.toDer(parsed).getBytes()).toBe(octets.toString("latin1"));
  });
});

describe("an authority", () => {
  test("signs certificates and revocation lists, and no other authorities unless asked to", () => {
    expect(hex(ca.certificatePem, BASIC_CONSTRAINTS)).toBe("30060101ff020100");
    expect(hex(ca.certificatePem, KEY_USAGE)).toBe("03020106");
    expect(extensionOf(ca.certificatePem, EXTENDED_KEY_USAGE)).toBeUndefined();
    const higher = issueAuthority({ commonName: "Root", algorithm: P256, ...SPAN, pathLength: 2 });
    expect(hex(higher.certificatePem, BASIC_CONSTRAINTS)).toBe("30060101ff020102");
  });

  test.each([-1, 0.5, NaN])("refuses the path length %p", (pathLength) => {
    expect(() => issueAuthority({ commonName: "Root", algorithm: P256, ...SPAN, pathLength })).toThrow(
      `whole number from 0 on, got ${pathLength}`,
    );
  });
});

describe("a server certificate", () => {
  const certificate = new X509Certificate(server.certificatePem);

  test("is for servers only", () => {
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(hex(server.certificatePem, BASIC_CONSTRAINTS)).toBe("3000");
  });

  test("may sign, and with RSA also decrypt, as TLS 1.2 allows", () => {
    expect(hex(server.certificatePem, KEY_USAGE)).toBe("03020780");
    const rsa = issueServer(issuer, { commonName: "broker", hosts: HOSTS, algorithm: RSA, ...SPAN });
    expect(hex(rsa.certificatePem, KEY_USAGE)).toBe("030205a0");
  });

  test("is good for each of its hosts and for no other", () => {
    expect(certificate.checkHost("broker.example")).toBe("broker.example");
    expect(certificate.checkHost("localhost")).toBe("localhost");
    expect(certificate.checkHost("other.example")).toBeUndefined();
    expect(certificate.checkIP("192.168.1.13")).toBe("192.168.1.13");
    expect(certificate.checkIP("2001:db8:0::13")).toBe("2001:db8:0::13");
    expect(certificate.checkIP("192.168.1.14")).toBeUndefined();
    expect(certificate.checkIP("2001:db8::14")).toBeUndefined();
  });

  test("has DNS names as text, IPv4 addresses as 4 octets and IPv6 addresses as 16", () => {
    const text = (name: string): string => Buffer.from(name).toString("hex");
    const names = `820e${text("broker.example")}8209${text("localhost")}8704c0a8010d871020010db8${"00".repeat(11)}13`;
    expect(hex(server.certificatePem, SUBJECT_ALTERNATIVE_NAME)).toBe(`30${(names.length / 2).toString(16)}${names}`);
  });

  test("names each host once", () => {
    const hosts = [...HOSTS, ...HOSTS, parseHost("BROKER.example"), parseHost("2001:db8:0:0::13")];
    const issued = issueServer(issuer, { commonName: "broker", hosts, algorithm: P256, ...SPAN });
    expect(hex(issued.certificatePem, SUBJECT_ALTERNATIVE_NAME)).toBe(
      hex(server.certificatePem, SUBJECT_ALTERNATIVE_NAME),
    );
  });

  test("can name very many hosts", () => {
    const hosts = Array.from({ length: 3000 }, (_, index) => parseHost(`broker-${index}.plant.example`));
    const issued = new X509Certificate(
      issueServer(issuer, { commonName: "b", hosts, algorithm: P256, ...SPAN }).certificatePem,
    );
    expect(issued.checkHost("broker-2999.plant.example")).toBeDefined();
  });

  test("is refused without a host", () => {
    expect(() => issueServer(issuer, { commonName: "broker", hosts: [], algorithm: P256, ...SPAN })).toThrow(
      "must name at least one host",
    );
  });
});

describe("a client certificate", () => {
  test("is for clients only", () => {
    expect(new X509Certificate(client.certificatePem).keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
    expect(hex(client.certificatePem, BASIC_CONSTRAINTS)).toBe("3000");
    expect(hex(client.certificatePem, KEY_USAGE)).toBe("03020780");
    expect(extensionOf(client.certificatePem, SUBJECT_ALTERNATIVE_NAME)).toBeUndefined();
  });

  test.each(["sensor-1", "dévice", "温度計-🌡", "a, b / c + d = #e"])(
    "has the name %j as UTF-8 octets",
    (commonName) => {
      const issued = issueClient(issuer, { commonName, algorithm: P256, ...SPAN });
      const value = certificatePart(issued.certificatePem, 5, 0, 0, 1);
      expect(value.type).toBe(forge.asn1.Type.UTF8);
      expect(Buffer.from(value.value as string, "latin1").toString("utf8")).toBe(commonName);
      expect(certificatePart(issued.certificatePem, 5).value).toHaveLength(1);
    },
  );

  test("is refused with a name that is empty, too long or has control characters", () => {
    for (const commonName of ["", "a".repeat(65), "a\nb"]) {
      expect(() => issueClient(issuer, { commonName, algorithm: P256, ...SPAN })).toThrow("the common name, got ");
    }
  });

  test("can be read whatever its name is", () => {
    // A grapheme may be a line separator or a non-character, and many characters long.
    const names = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
      .filter((name) => commonNameFault("the name", name) === undefined);
    fc.assert(
      fc.property(names, (commonName) => {
        fc.pre(!issuer.isNamed(commonName));
        const { certificatePem } = issueClient(issuer, { commonName, algorithm: P256, ...SPAN });
        // Node escapes what RFC 4514 section 2.4 has to be escaped.
        const { subject } = new X509Certificate(certificatePem);
        expect(subject.replace(/\\(.)/gs, "$1")).toBe(`CN=${commonName}`);
      }),
      { numRuns: 50 },
    );
  });
});

describe("the validity of a certificate", () => {
  const issue = (notBefore: string, notAfter: string): ReturnType<typeof issueClient> =>
    issueClient(issuer, {
      commonName: "sensor-1",
      algorithm: P256,
      notBefore: new Date(notBefore),
      notAfter: new Date(notAfter),
    });

  test("is UTCTime before 2050 and GeneralizedTime from then on", () => {
    const { certificatePem } = issue("2024-01-01T00:00:00Z", "2049-12-31T23:59:59Z");
    expect(certificatePart(certificatePem, 4, 0)).toMatchObject({ type: 23, value: "240101000000Z" });
    expect(certificatePart(certificatePem, 4, 1)).toMatchObject({ type: 23, value: "491231235959Z" });
    const later = issue("2024-01-01T00:00:00Z", "2050-01-01T00:00:00Z").certificatePem;
    expect(certificatePart(later, 4, 1)).toMatchObject({ type: 24, value: "20500101000000Z" });
  });

  test("is cut to whole seconds, in the certificate and in what is returned", () => {
    const issued = issue("2024-01-01T00:00:00.999Z", "2030-01-01T00:00:00.999Z");
    expect(issued.notBefore).toEqual(new Date("2024-01-01T00:00:00Z"));
    expect(issued.notAfter).toEqual(new Date("2030-01-01T00:00:00Z"));
    expect(new Date(new X509Certificate(issued.certificatePem).validTo)).toEqual(issued.notAfter);
  });

  test("ends with that of the authority at the latest", () => {
    const issued = issue("2024-01-01T00:00:00Z", "2200-01-01T00:00:00Z");
    expect(issued.notAfter).toEqual(ca.notAfter);
    expect(new Date(new X509Certificate(issued.certificatePem).validTo)).toEqual(ca.notAfter);
  });

  test("is refused where it would end before it starts, also for the authority's sake", () => {
    expect(() => issue("2024-01-02T00:00:00Z", "2024-01-01T00:00:00Z")).toThrow(
      "must end after it starts, got 2024-01-02",
    );
    expect(() => issue("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z")).toThrow("must end after it starts");
    expect(() => issue("2124-01-01T00:00:00Z", "2125-01-01T00:00:00Z")).toThrow("an authority that is valid longer");
  });

  test("is refused where a date is none", () => {
    expect(() => issue("never", "2030-01-01T00:00:00Z")).toThrow("1950 to 9999, got an invalid date");
    expect(() => issue("2024-01-01T00:00:00Z", "never")).toThrow("1950 to 9999, got an invalid date");
  });
});

describe("key algorithms", () => {
  test.each([
    ["ECDSA-P256", "ecdsa-with-SHA256", "1.2.840.10045.4.3.2"],
    ["ECDSA-P384", "ecdsa-with-SHA384", "1.2.840.10045.4.3.3"],
    ["RSA-2048", "sha256WithRSAEncryption", "1.2.840.113549.1.1.11"],
  ])("an authority of %s signs with %s", (id, _, identifier) => {
    const own = newAuthority("CA", KeyAlgorithm.parse(id));
    const issued = issueClient(own.issuer, { commonName: "sensor-1", algorithm: P256, ...SPAN });
    for (const pem of [own.ca.certificatePem, issued.certificatePem]) {
      expect(forge.asn1.derToOid(certificatePart(pem, 2, 0).value as string)).toBe(identifier);
      expect(new X509Certificate(pem).verify(new X509Certificate(own.ca.certificatePem).publicKey)).toBe(true);
    }
  });

  test("an issuer signs ten certificates that all differ", () => {
    const issued = Array.from({ length: 10 }, () =>
      issueClient(Issuer.fromPem(ca.certificatePem, ca.privateKeyPem), { commonName: "s", algorithm: P256, ...SPAN }),
    );
    expect(new Set(issued.map(({ serial }) => serial)).size).toBe(10);
    expect(new Set(issued.map(({ privateKeyPem }) => privateKeyPem)).size).toBe(10);
  });
});
