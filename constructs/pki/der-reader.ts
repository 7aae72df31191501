// Reads DER (X.690) as slices of the octets, each with its tag and length: of thousands of certificates a few fields are asked
// for, and an object for each element would take several times as long.

/** @throws {Error} where the octets are not one SEQUENCE */
export function elementsOf(sequence: Buffer): Buffer[] {
  if (sequence[0] !== 0x30) throw new Error("it is no SEQUENCE");
  return elementsIn(contentOf(sequence));
}

/** @throws {Error} where the octets are not elements with definite lengths in their shortest form, up to the end */
export function elementsIn(octets: Buffer): Buffer[] {
  const elements: Buffer[] = [];
  for (let at = 0; at < octets.length;) {
    const end = endOf(octets, at);
    elements.push(octets.subarray(at, end));
    at = end;
  }
  return elements;
}

/** @throws {Error} where the octets are not one element */
export function contentOf(element: Buffer): Buffer {
  if (endOf(element, 0) !== element.length) throw new Error("something follows a DER element");
  return element.subarray(headerOf(element, 0));
}

function endOf(octets: Buffer, at: number): number {
  const start = headerOf(octets, at);
  const first = octets[at + 1] as number;
  const end = start + (first < 0x80 ? first : octets.readUIntBE(at + 2, first & 0x7f));
  if (end > octets.length) throw new Error("a DER element is cut short");
  return end;
}

/** Where an element's content begins. */
function headerOf(octets: Buffer, at: number): number {
  const [tag = 0x1f, first = 0x80] = [octets[at], octets[at + 1]];
  const count = first < 0x80 ? 0 : first & 0x7f;
  const isFit = (tag & 0x1f) !== 0x1f && (first < 0x80 || (count > 0 && count <= 4 && at + 2 + count <= octets.length));
  if (!isFit) throw new Error("it is not DER");
  if (count > 0 && octets.readUIntBE(at + 2, count) < (count === 1 ? 0x80 : 2 ** (8 * (count - 1)))) {
    throw new Error("a length is not in its shortest form");
  }
  return at + 2 + count;
}
