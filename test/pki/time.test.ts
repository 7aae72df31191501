import * as fc from "fast-check";
import { X509Certificate } from "node:crypto";
import { parseDer } from "../../constructs/pki/asn1";
import { encodeTime, parseTime, toWholeSecond } from "../../constructs/pki/time";
import { daysFromNow, elementAt, issuerOf, madeAuthority, madeClient, partsOf } from "./support";

const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;

function written(date: Date): [number, string] {
  const { tag, contents } = elementAt(encodeTime(date));
  return [tag, contents.toString("latin1")];
}

describe("a time in a certificate (RFC 5280 section 4.1.2.5)", () => {
  test.each([
    ["1950-01-01T00:00:00Z", UTC_TIME, "500101000000Z"],
    ["1999-12-31T23:59:59Z", UTC_TIME, "991231235959Z"],
    ["2000-01-01T00:00:00Z", UTC_TIME, "000101000000Z"],
    ["2038-01-19T03:14:08Z", UTC_TIME, "380119031408Z"],
    ["2049-12-31T23:59:59Z", UTC_TIME, "491231235959Z"],
    ["2049-12-31T23:59:59.999Z", UTC_TIME, "491231235959Z"],
    ["2050-01-01T00:00:00Z", GENERALIZED_TIME, "20500101000000Z"],
    ["9999-12-31T23:59:59Z", GENERALIZED_TIME, "99991231235959Z"],
  ])("%s is written with tag %d as %s: UTCTime before 2050, GeneralizedTime from then on", (date, tag, text) => {
    expect(written(new Date(date))).toEqual([tag, text]);
  });

  test("has no fraction of a second, and is read back to the second", () => {
    const min = new Date("1950-01-01T00:00:00Z");
    const max = new Date("9999-12-31T23:59:59.999Z");
    fc.assert(
      fc.property(fc.date({ min, max, noInvalidDate: true }), (date) => {
        const [tag, text] = written(date);
        expect(tag).toBe(date.getUTCFullYear() < 2050 ? UTC_TIME : GENERALIZED_TIME);
        expect(text).toMatch(tag === UTC_TIME ? /^\d{12}Z$/ : /^\d{14}Z$/);
        expect(parseTime(parseDer(encodeTime(date)))).toEqual(toWholeSecond(date));
      }),
    );
  });

  test.each([
    ["1949-12-31T23:59:59Z", "1949-12-31T23:59:59.000Z"],
    ["+010000-01-01T00:00:00Z", "+010000-01-01T00:00:00.000Z"],
    ["never", "an invalid date"],
  ])("%s is refused", (date, shown) => {
    expect(() => encodeTime(new Date(date))).toThrow(
      `a time in a certificate must be in the years 1950 to 9999, got ${shown}; check the dates`,
    );
  });

  test("before 1970 is cut to the second before it, not after it", () => {
    expect(toWholeSecond(new Date(-1))).toEqual(new Date(-1000));
  });
});

describe("the validity of a certificate", () => {
  const authority = madeAuthority({ notAfter: new Date("9999-12-31T23:59:59Z") });
  const issuer = issuerOf(authority);

  test("ends at exactly the last second of 2049 as UTCTime, and one second later as GeneralizedTime", () => {
    const last = madeClient(issuer, { notAfter: new Date("2049-12-31T23:59:59Z") });
    const first = madeClient(issuer, { notAfter: new Date("2050-01-01T00:00:00Z") });
    expect(partsOf(last.certificatePem).notAfter.octets.toString("latin1")).toBe("\x17\x0d491231235959Z");
    expect(partsOf(first.certificatePem).notAfter.octets.toString("latin1")).toBe("\x18\x0f20500101000000Z");
    expect(new X509Certificate(last.certificatePem).validTo).toBe("Dec 31 23:59:59 2049 GMT");
    expect(new X509Certificate(first.certificatePem).validTo).toBe("Jan  1 00:00:00 2050 GMT");
  });

  test("is reported as the whole seconds that the certificate holds", () => {
    const notBefore = new Date(daysFromNow(-1).getTime() + 999);
    const notAfter = new Date(daysFromNow(1).getTime() + 999);
    const made = madeClient(issuer, { notBefore, notAfter });
    const certificate = new X509Certificate(made.certificatePem);
    expect([made.notBefore, made.notAfter]).toEqual([toWholeSecond(notBefore), toWholeSecond(notAfter)]);
    expect(new Date(certificate.validFrom)).toEqual(made.notBefore);
    expect(new Date(certificate.validTo)).toEqual(made.notAfter);
  });

  test("may last until the end of the year 9999, which means for ever (RFC 5280 section 4.1.2.5)", () => {
    expect(authority.notAfter).toEqual(new Date("9999-12-31T23:59:59Z"));
    expect(issuer.notAfter).toEqual(authority.notAfter);
  });

  test.each([["notBefore"], ["notAfter"]])("is refused with an invalid %s", (end) => {
    expect(() => madeAuthority({ [end]: new Date(NaN) })).toThrow("got an invalid date");
    expect(() => madeClient(issuer, { [end]: new Date(NaN) })).toThrow("got an invalid date");
  });

  test("is refused if it ends before it starts, or within the same second", () => {
    const noon = new Date("2040-01-01T12:00:00Z");
    const tell = "a certificate must end after it starts, got 2040-01-01T12:00:00.000Z to ";
    expect(() => madeClient(issuer, { notBefore: noon, notAfter: new Date("2039-01-01T12:00:00Z") })).toThrow(
      `${tell}2039-01-01T12:00:00.000Z; give a later end, or an authority that is valid longer`,
    );
    expect(() => madeClient(issuer, { notBefore: noon, notAfter: new Date(noon.getTime() + 999) })).toThrow(tell);
    expect(() => madeAuthority({ notBefore: noon, notAfter: noon })).toThrow(tell);
  });
});
