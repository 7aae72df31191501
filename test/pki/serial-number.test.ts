import fc from "fast-check";
import { der } from "../../constructs/pki/der";
import { formatSerialNumber, newSerialNumber, parseSerialNumber } from "../../constructs/pki/serial-number";

describe("a serial number", () => {
  test("is positive, not zero, 16 octets in shortest DER, and differs from all others", () => {
    const serials = Array.from({ length: 2000 }, newSerialNumber);
    for (const serial of serials) {
      expect(der.unsigned(serial)).toHaveLength(2 + 16);
      expect(serial.readUInt8(0)).toBeGreaterThanOrEqual(0x40);
      expect(serial.readUInt8(0)).toBeLessThan(0x80);
    }
    expect(new Set(serials.map(formatSerialNumber)).size).toBe(serials.length);
  });

  test("has random bits everywhere but in its two highest", () => {
    const seen = Buffer.alloc(16);
    const clear = Buffer.alloc(16, 0xff);
    for (let count = 0; count < 200; count++) {
      newSerialNumber().forEach((octet, index) => {
        seen[index] = (seen[index] ?? 0) | octet;
        clear[index] = (clear[index] ?? 0) & octet;
      });
    }
    expect(seen.toString("hex")).toBe(`7f${"ff".repeat(15)}`);
    expect(clear.toString("hex")).toBe(`40${"00".repeat(15)}`);
  });

  test("is the shortest INTEGER that is not negative, for any value", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (octets) => {
        const value = BigInt(`0x${Buffer.from(octets).toString("hex")}`);
        const content = der.unsigned(Buffer.from(octets)).subarray(2);
        expect(BigInt(`0x${content.toString("hex")}`)).toBe(value);
        expect(content.readUInt8(0) & 0x80).toBe(0);
        if (content.length > 1) expect(content.readUInt16BE(0)).toBeGreaterThanOrEqual(0x80);
      }),
    );
  });

  test("is upper-case hex of even length, and read back from it", () => {
    expect(formatSerialNumber(Buffer.from("00ab01", "hex"))).toBe("AB01");
    expect(formatSerialNumber(Buffer.from("0a", "hex"))).toBe("0A");
    expect(formatSerialNumber(Buffer.from("00", "hex"))).toBe("00");
    expect(parseSerialNumber("abc")).toEqual(Buffer.from("0abc", "hex"));
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), (octets) => {
        const text = formatSerialNumber(Buffer.from(octets));
        expect(formatSerialNumber(parseSerialNumber(text))).toBe(text);
        expect(BigInt(`0x${text}`)).toBe(BigInt(`0x${Buffer.from(octets).toString("hex")}`));
      }),
    );
  });

  test.each(["", "0x1F", "1F:2A", "-1", "1F "])("is not read from %j", (text) => {
    expect(() => parseSerialNumber(text)).toThrow("a serial number must be hex digits only");
  });

  test("is a fine INTEGER for every whole number", () => {
    expect(der.integer(0).toString("hex")).toBe("020100");
    expect(der.integer(127).toString("hex")).toBe("02017f");
    expect(der.integer(128).toString("hex")).toBe("02020080");
    expect(der.integer(Number.MAX_SAFE_INTEGER).toString("hex")).toBe("02071fffffffffffff");
  });
});
