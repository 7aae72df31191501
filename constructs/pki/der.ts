import forge from "node-forge";

/**
 * Writes DER (X.690) as plain buffers. The path that issues thousands of certificates puts ready-made parts together,
 * which forge's object trees would slow down several times; what is read goes through `forge.asn1`.
 */
function element(tag: number, contents: readonly Buffer[]): Buffer {
  const length = contents.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([tag, ...lengthOctets(length)]), ...contents]);
}

function lengthOctets(length: number): number[] {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 0x100)) octets.unshift(rest % 0x100);
  return [0x80 | octets.length, ...octets];
}

/** A non-negative INTEGER from its big-endian octets: shortest form, and a zero octet first where the high bit is set. */
function unsigned(octets: Buffer): Buffer {
  let start = 0;
  while (start < octets.length - 1 && octets[start] === 0) start++;
  const significant = octets.subarray(start);
  const needsZero = ((significant[0] ?? 0) & 0x80) !== 0 || significant.length === 0;
  return element(0x02, needsZero ? [Buffer.of(0), significant] : [significant]);
}

/** A non-negative safe integer as INTEGER. */
function integer(value: number): Buffer {
  const hex = value.toString(16);
  return unsigned(Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex"));
}

export const der = {
  element,
  unsigned,
  integer,
  sequence: (parts: readonly Buffer[]): Buffer => element(0x30, parts),
  set: (parts: readonly Buffer[]): Buffer => element(0x31, parts),
  true: element(0x01, [Buffer.of(0xff)]),
  null: element(0x05, []),
  objectIdentifier: (dotted: string): Buffer =>
    element(0x06, [Buffer.from(forge.asn1.oidToDer(dotted).getBytes(), "latin1")]),
  octetString: (octets: Buffer): Buffer => element(0x04, [octets]),
  bitString: (octets: Buffer, unusedBits = 0): Buffer => element(0x03, [Buffer.of(unusedBits), octets]),
  utf8String: (text: string): Buffer => element(0x0c, [Buffer.from(text, "utf8")]),
  /** `[number] EXPLICIT` */
  explicit: (number: number, parts: readonly Buffer[]): Buffer => element(0xa0 | number, parts),
  /** `[number] IMPLICIT` of a primitive type */
  implicit: (number: number, octets: Buffer): Buffer => element(0x80 | number, [octets]),
};
