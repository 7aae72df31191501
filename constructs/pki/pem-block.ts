import { toPem } from "./pem";

/** The DER of a text that is one whole block as `toPem` writes it, and nothing else. */
export function onlyPemBlock(label: string, text: string): Buffer | undefined {
  const head = `-----BEGIN ${label}-----\n`;
  const tail = `-----END ${label}-----\n`;
  if (!text.startsWith(head) || !text.endsWith(tail) || text.length <= head.length + tail.length) return undefined;
  const octets = Buffer.from(text.slice(head.length, -tail.length), "base64");
  // Node reads base64 leniently: written again it must be the same.
  return toPem(label, octets) === text ? octets : undefined;
}

/** The first block of a text, and all that follows it. */
export function firstPemBlock(label: string, text: string): [first: string, rest: string] {
  const tail = `-----END ${label}-----\n`;
  const end = text.indexOf(tail);
  return end < 0 ? [text, ""] : [text.slice(0, end + tail.length), text.slice(end + tail.length)];
}
