import * as fc from "fast-check";
import { X509Certificate } from "node:crypto";
import { commonNameFault } from "../../constructs/pki";
import { parseDer } from "../../constructs/pki/asn1";
import { der } from "../../constructs/pki/der";
import { encodeName, isSameCommonName, onlyCommonName } from "../../constructs/pki/distinguished-name";
import { elementAt, issuerOf, madeAuthority, madeClient, partsOf } from "./support";

const UTF8_STRING = 0x0c;
const PRINTABLE_STRING = 0x13;
const LATIN_1_STRING = 0x14;
const BMP_STRING = 0x1e;

const COMMON_NAME = "2.5.4.3";
const ORGANIZATION = "2.5.4.10";

describe("the common name of a certificate", () => {
  const issuer = issuerOf(madeAuthority());

  test.each([
    ["sensor-1"],
    ["dévice"],
    ["🚀"],
    ["a,b/c+d=e"],
    ["#1"],
    [" x "],
    ["温度"],
    ["x".repeat(64)],
    ["🚀".repeat(64)],
  ])("%j is a UTF8String with just these characters, which Mosquitto takes as the user name", (commonName) => {
    const { certificatePem } = madeClient(issuer, { commonName });
    const { tag, contents } = elementAt(partsOf(certificatePem).subject.octets, 0, 0, 1);
    expect(tag).toBe(UTF8_STRING);
    expect(contents).toEqual(Buffer.from(commonName, "utf8"));
    expect(new X509Certificate(certificatePem).toLegacyObject().subject.CN).toBe(commonName);
  });

  test("is the only part of the subject", () => {
    const { subject } = partsOf(madeClient(issuer).certificatePem);
    expect(subject.octets).toEqual(encodeName("sensor-1"));
    expect(subject.octets.toString("hex")).toBe(
      `3013${"3111300f0603550403"}0c08${Buffer.from("sensor-1").toString("hex")}`,
    );
  });

  test.each([
    ["", "give a name"],
    ["a\nb", "leave the control characters out"],
    ["a\0b", "leave the control characters out"],
    ["a\x7fb", "leave the control characters out"],
    ["a\u0085b", "leave the control characters out"],
    ["a\u2028b", "leave the control characters out"],
    ["a\ud800b", "leave the control characters out"],
    ["a\ufffeb", "leave the control characters out"],
    ["x".repeat(65), "shorten it: it has 65 characters"],
    ["🚀".repeat(65), "shorten it: it has 65 characters"],
    [7, "give the name as a string"],
    [undefined, "give the name as a string"],
  ])("%j is refused", (value, remedy) => {
    const allowed = "1 to 64 characters of Unicode text without control characters";
    expect(commonNameFault("clientId", value)).toEqual({ what: "clientId", value, allowed, remedy });
  });

  test("that is unfit makes no certificate of any kind", () => {
    expect(() => madeAuthority({ commonName: "a\nb" })).toThrow('the common name, got "a\\nb"; allowed: 1 to 64 ');
    expect(() => madeClient(issuer, { commonName: "" })).toThrow('the common name, got ""; allowed: 1 to 64 ');
  });

  test("is refused, or can be read back from the name character for character", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" })), (text) => {
        if (commonNameFault("name", text) !== undefined) expect(() => encodeName(text)).toThrow("; remedy: ");
        else expect(onlyCommonName(parseDer(encodeName(text)))).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("the common name of somebody else's authority", () => {
  function nameOf(...parts: [identifier: string, tag: number, value: Buffer][]): Buffer {
    return der.sequence(
      parts.map(([identifier, tag, value]) =>
        der.set([der.sequence([der.objectIdentifier(identifier), der.element(tag, [value])])]),
      ),
    );
  }

  test.each([
    ["UTF8String", UTF8_STRING, Buffer.from("dévice 🚀", "utf8"), "dévice 🚀"],
    ["PrintableString", PRINTABLE_STRING, Buffer.from("Device CA"), "Device CA"],
    ["T61String", LATIN_1_STRING, Buffer.from("dévice", "latin1"), "dévice"],
    ["BMPString", BMP_STRING, Buffer.from("dévice", "utf16le").swap16(), "dévice"],
  ])("is read from a %s", (_type, tag, value, text) => {
    expect(onlyCommonName(parseDer(nameOf([COMMON_NAME, tag, value])))).toBe(text);
  });

  test("is none that a subject of ours can be equal to, if the name has other parts", () => {
    const text = Buffer.from("x");
    expect(
      onlyCommonName(parseDer(nameOf([ORGANIZATION, UTF8_STRING, text], [COMMON_NAME, UTF8_STRING, text]))),
    ).toBeUndefined();
    expect(onlyCommonName(parseDer(nameOf([ORGANIZATION, UTF8_STRING, text])))).toBeUndefined();
    expect(onlyCommonName(parseDer(nameOf()))).toBeUndefined();
  });

  test.each([
    ["Test CA", "test ca", true],
    ["Test  CA", " Test CA ", true],
    ["ÄRGER", "ärger", true],
    ["Test CA", "Test CA 2", false],
    ["Test CA", "TestCA", false],
  ])("%j and %j are one to a verifier: RFC 5280 section 7.1 says %s", (one, other, same) => {
    expect(isSameCommonName(one, other)).toBe(same);
    expect(isSameCommonName(other, one)).toBe(same);
  });
});
