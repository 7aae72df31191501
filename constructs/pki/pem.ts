import forge from "node-forge";

/** Textual encoding of DER, 64 characters a line (RFC 7468). */
export function toPem(label: string, octets: Buffer): string {
  return `-----BEGIN ${label}-----\n${octets.toString("base64").replace(/.{1,64}/g, "$&\n")}-----END ${label}-----\n`;
}

/** @throws {Error} if the text has no block with this label */
export function fromPem(label: string, text: string): Buffer {
  const block = forge.pem.decode(text).find(({ type }) => type === label);
  if (block === undefined) throw new Error(`there is no "BEGIN ${label}" block in it`);
  return Buffer.from(block.body, "latin1");
}
