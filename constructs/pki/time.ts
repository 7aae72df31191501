import forge from "node-forge";
import { isUniversal, octetsOf, type Asn1 } from "./asn1";
import { der } from "./der";

const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;

/** X.509 times have no fraction of a second: cut to the second at or before. */
export function toWholeSecond(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}

/**
 * `Time` of RFC 5280 section 4.1.2.5: UTCTime before 2050, GeneralizedTime from 2050 on, both in UTC and whole seconds.
 *
 * @throws {Error} if the date is invalid or outside of the years 1950 to 9999
 */
export function encodeTime(date: Date): Buffer {
  const year = date.getUTCFullYear();
  if (!(year >= 1950 && year <= 9999)) {
    const value = Number.isNaN(year) ? "an invalid date" : date.toISOString();
    throw new Error(`a time in a certificate must be in the years 1950 to 9999, got ${value}; check the dates`);
  }
  const digits = date.toISOString().slice(0, 19).replace(/[-T:]/g, "");
  return year < 2050
    ? der.element(UTC_TIME, [Buffer.from(`${digits.slice(2)}Z`)])
    : der.element(GENERALIZED_TIME, [Buffer.from(`${digits}Z`)]);
}

export function parseTime(node: Asn1 | undefined): Date {
  const text = octetsOf(node).toString("latin1");
  if (isUniversal(node, forge.asn1.Type.UTCTIME)) return forge.asn1.utcTimeToDate(text);
  if (isUniversal(node, forge.asn1.Type.GENERALIZEDTIME)) return forge.asn1.generalizedTimeToDate(text);
  throw new Error("a time is missing");
}
