import forge from "node-forge";

/** Textual encoding of DER, 64 characters a line (RFC 7468). */
export function toPem(label: string, octets: Buffer): string {
  return `-----BEGIN ${label}-----\n${octets.toString("base64").replace(/.{1,64}/g, "$&\n")}-----END ${label}-----\n`;
}

/** The DER of every block with this label, in the text's order; none where the text has no block at all. */
export function pemBlocks(label: string, text: string): Buffer[] {
  if (!text.includes(`-----BEGIN ${label}-----`)) return [];
  return forge.pem
    .decode(text)
    .filter(({ type }) => type === label)
    .map(({ body }) => Buffer.from(body, "latin1"));
}

/** @throws {Error} if the text has no block with this label */
export function fromPem(label: string, text: string): Buffer {
  const [block] = pemBlocks(label, text);
  if (block === undefined) throw new Error(`there is no "BEGIN ${label}" block in it`);
  return block;
}
