import * as fs from "node:fs";
import * as path from "node:path";
import { checkout } from "./workspace";

/** The commands of a guide's section, one each. */
export function commandsOf(guide: string, section: string): string[] {
  const text = fs.readFileSync(path.join(checkout, "docs", `${guide}.md`), "utf8");
  const [, body] = new RegExp(`^#+ ${section}$([^]*?)(?=^#|(?![^]))`, "m").exec(text) ?? [];
  const [, block] = /^```sh\n([^]*?)^```/m.exec(body ?? "") ?? [];
  if (block === undefined) throw new Error(`docs/${guide}.md has no commands in "${section}"`);
  return block.trim().split("\n");
}
