/**
 * A text in double quotes, in ASCII: the escapes are those that YAML 1.1 (section 5.6), YAML 1.2 (section 5.7) and TOML
 * (section "String") have in common. What a reader takes for a line end or refuses stands in no text like that.
 */
export function doubleQuoted(text: string): string {
  const characters = Array.from(text, (character) => {
    if (character === '"' || character === "\\") return `\\${character}`;
    const codePoint = character.codePointAt(0) as number;
    if (codePoint >= 0x20 && codePoint < 0x7f) return character;
    const digits = codePoint.toString(16);
    return codePoint > 0xffff ? `\\U${digits.padStart(8, "0")}` : `\\u${digits.padStart(4, "0")}`;
  });
  return `"${characters.join("")}"`;
}
