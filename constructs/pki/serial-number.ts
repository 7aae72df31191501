import { randomBytes } from "node:crypto";

const OCTETS = 16;

/**
 * A new serial number as its big-endian octets: 126 random bits. The two highest bits are fixed at 01, so that it is
 * positive, never zero, and always 16 octets long (RFC 5280 section 4.1.2.2 allows up to 20).
 */
export function newSerialNumber(): Buffer {
  const octets = randomBytes(OCTETS);
  octets.writeUInt8((octets.readUInt8(0) & 0x3f) | 0x40, 0);
  return octets;
}

/** Upper-case hex of even length without needless leading zeros, as `X509Certificate.serialNumber` of Node prints it. */
export function formatSerialNumber(octets: Buffer): string {
  return octets
    .toString("hex")
    .toUpperCase()
    .replace(/^(?:00)+(?=..)/, "");
}

/** @throws {Error} if the text is not the hex form of a serial number */
export function parseSerialNumber(hex: string): Buffer {
  if (!/^[0-9a-f]+$/i.test(hex)) {
    throw new Error(
      `a serial number must be hex digits only, got ${JSON.stringify(hex)}; give it as X509Certificate.serialNumber prints it`,
    );
  }
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
}
