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

/**
 * The DER of every block of a file that holds nothing but blocks with this label, as `toPem` writes them.
 *
 * @throws {Error} when it holds anything else
 */
export function readPemFile(label: string, text: string): Buffer[] {
  const blocks = pemBlocks(label, text);
  if (blocks.length === 0) throw new Error(`there is no "BEGIN ${label}" block in it`);
  // Written again it must be the same: nothing before, between or behind.
  if (blocks.map((block) => toPem(label, block)).join("") === text) return blocks;
  throw new Error(`there is something else in it than "${label}" blocks`);
}
