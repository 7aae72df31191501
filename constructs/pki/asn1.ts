import forge from "node-forge";

export type Asn1 = forge.asn1.Asn1;

/** @throws {Error} if the octets are not one complete DER element */
export function parseDer(octets: Buffer): Asn1 {
  return forge.asn1.fromDer(octets.toString("latin1"));
}

export function encodeDer(node: Asn1): Buffer {
  return Buffer.from(forge.asn1.toDer(node).getBytes(), "latin1");
}

/** The elements inside a constructed element. */
export function childrenOf(node: Asn1 | undefined): Asn1[] {
  if (node === undefined || typeof node.value === "string") throw new Error("a constructed ASN.1 element is missing");
  return node.value;
}

/** The content octets of a primitive element. */
export function octetsOf(node: Asn1 | undefined): Buffer {
  if (typeof node?.value !== "string") throw new Error("a primitive ASN.1 element is missing");
  return Buffer.from(node.value, "latin1");
}

export function isUniversal(node: Asn1 | undefined, type: forge.asn1.Type): boolean {
  return node?.tagClass === forge.asn1.Class.UNIVERSAL && node.type === type;
}

/** Whether this is the element tagged `[number]` of a SEQUENCE with optional elements. */
export function isTagged(node: Asn1 | undefined, number: number): boolean {
  return node?.tagClass === forge.asn1.Class.CONTEXT_SPECIFIC && (node.type as number) === number;
}

/** The DER of the values of `Extensions` (RFC 5280 section 4.1), by dotted object identifier. */
export function extensionsOf(extensions: Asn1 | undefined): Map<string, Buffer> {
  return new Map(
    childrenOf(extensions).map((extension) => {
      const parts = childrenOf(extension);
      const identifier = forge.asn1.derToOid(octetsOf(parts[0]).toString("latin1"));
      return [identifier, octetsOf(parts.at(-1))];
    }),
  );
}
