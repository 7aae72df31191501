import { X509Certificate } from "node:crypto";
import * as fc from "fast-check";
import { der } from "../../constructs/pki/der";
import { formatSerialNumber, newSerialNumber, parseSerialNumber } from "../../constructs/pki/serial-number";
import { elementAt, issuerOf, madeAuthority, madeClient, partsOf } from "./support";

describe("a new serial number", () => {
  const serials = Array.from({ length: 10_000 }, () => newSerialNumber());

  test("is positive and at most 20 octets long in the certificate (RFC 5280 section 4.1.2.2)", () => {
    for (const serial of serials) {
      const { contents } = elementAt(der.unsigned(serial));
      expect(contents.length).toBeLessThanOrEqual(20);
      expect(contents.readInt8(0)).toBeGreaterThan(0);
    }
  });

  test("never comes twice", () => {
    expect(new Set(serials.map((serial) => serial.toString("hex"))).size).toBe(serials.length);
  });

  test("is always of the same length, so that a list of hex serials sorts by value", () => {
    expect(new Set(serials.map((serial) => formatSerialNumber(serial).length))).toEqual(new Set([32]));
  });
});

describe("the hex form of a serial number", () => {
  test("is the one that Node prints for the certificate", () => {
    const issuer = issuerOf(madeAuthority());
    for (let count = 0; count < 20; count++) {
      const { certificatePem, serial } = madeClient(issuer);
      expect(serial).toBe(new X509Certificate(certificatePem).serialNumber);
      expect(partsOf(certificatePem).serial.contents.toString("hex").toUpperCase()).toBe(serial);
    }
  });

  test.each([
    ["00ff", "FF"],
    ["0000000a", "0A"],
    ["0100", "0100"],
    ["00", "00"],
  ])("of the octets %s is %s", (octets, hex) => {
    expect(formatSerialNumber(Buffer.from(octets, "hex"))).toBe(hex);
  });

  test.each([
    ["a", "0a"],
    ["FF", "ff"],
    ["0Ab", "00ab"],
  ])("%s is read as the octets %s", (hex, octets) => {
    expect(parseSerialNumber(hex).toString("hex")).toBe(octets);
  });

  test("comes back the same after it was read", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), (octets) => {
        const hex = formatSerialNumber(Buffer.from(octets));
        expect(formatSerialNumber(parseSerialNumber(hex))).toBe(hex);
        expect(BigInt(`0x${hex}`)).toBe(BigInt(`0x${Buffer.from(octets).toString("hex")}`));
      }),
    );
  });

  test.each([[""], ["0x1F"], ["AB:CD"], ["-1"], ["1F "], ["1F\n"], ["G"]])("%j is refused", (text) => {
    expect(() => parseSerialNumber(text)).toThrow(
      `a serial number must be hex digits only, got ${JSON.stringify(text)}; give it as X509Certificate.serialNumber prints it`,
    );
  });
});

describe("a number in DER", () => {
  test("has the shortest form and is never negative (X.690 section 8.3)", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (number) => {
        const { tag, contents } = elementAt(der.integer(number));
        expect(tag).toBe(0x02);
        expect(BigInt(`0x${contents.toString("hex")}`)).toBe(BigInt(number));
        expect(contents.readUInt8(0)).toBeLessThan(0x80);
        if (contents.length > 1 && contents[0] === 0) expect(contents.readUInt8(1)).toBeGreaterThanOrEqual(0x80);
      }),
      { examples: [[0], [127], [128], [255], [256], [32768], [Number.MAX_SAFE_INTEGER]] },
    );
  });

  test.each([[127], [128], [255], [256], [65535], [65536]])(
    "an element of %d octets says its length right",
    (length) => {
      const { tag, contents } = elementAt(der.octetString(Buffer.alloc(length, 7)));
      expect(tag).toBe(0x04);
      expect(contents).toEqual(Buffer.alloc(length, 7));
    },
  );
});
