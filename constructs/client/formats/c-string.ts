/**
 * A text as a C string literal of its UTF-8 octets (C17 section 6.4.5). Octal escapes end after three digits, so the next
 * character is never taken for one of theirs; `\?` keeps trigraphs out.
 */
export function cString(text: string): string {
  const octets = Array.from(Buffer.from(text), (octet) => {
    const character = String.fromCharCode(octet);
    if (character === "\n") return "\\n";
    if (/["\\?]/.test(character)) return `\\${character}`;
    return octet >= 0x20 && octet < 0x7f ? character : `\\${octet.toString(8).padStart(3, "0")}`;
  });
  return `"${octets.join("")}"`;
}
