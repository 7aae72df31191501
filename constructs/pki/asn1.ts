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

export interface Extension {
  readonly isCritical: boolean;
  /** The DER of its value; not checked, for what some tools write is none. */
  readonly value: Buffer;
}

/** `Extensions` (RFC 5280 section 4.1), by dotted object identifier. */
export function extensionsOf(extensions: Asn1 | undefined): Map<string, Extension> {
  return new Map(
    childrenOf(extensions).map((extension) => {
      const parts = childrenOf(extension);
      const identifier = forge.asn1.derToOid(octetsOf(parts[0]).toString("latin1"));
      // `critical` is FALSE where it is left out.
      const isCritical = parts.length === 3 && octetsOf(parts[1])[0] !== 0;
      return [identifier, { isCritical, value: octetsOf(parts.at(-1)) }];
    }),
  );
}
