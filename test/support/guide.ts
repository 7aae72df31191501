import * as fs from "node:fs";
import * as path from "node:path";
import { run } from "./command";
import { checkout } from "./workspace";

/** As the guides name it. */
const IMAGE = "eclipse-mosquitto:2.1.2";

/** The commands of a guide's section, one each. */
function commandsOf(guide: string, section: string): string[] {
  const text = fs.readFileSync(path.join(checkout, "docs", `${guide}.md`), "utf8");
  const [, body] = new RegExp(`^#+ ${section}$([^]*?)(?=^#|(?![^]))`, "m").exec(text) ?? [];
  const [, block] = /^```sh\n([^]*?)^```/m.exec(body ?? "") ?? [];
  if (block === undefined) throw new Error(`docs/${guide}.md has no commands in "${section}"`);
  return block.trim().split("\n");
}

/**
 * Runs the commands of a guide's section, for a broker of another name and image than the guide's.
 *
 * @throws {Error} when one fails for another reason than that what it takes away is not there
 */
export async function follow(guide: string, section: string, names: { broker: string; image?: string }): Promise<void> {
  for (const command of commandsOf(guide, section)) {
    const own = command.replaceAll("plant-broker", names.broker).replaceAll(IMAGE, names.image ?? IMAGE);
    const { code, stderr } = await run("sh", ["-c", own]);
    const isFault = stderr.split("\n").some((line) => line !== "" && !/No such (container|network)/i.test(line));
    if (code !== 0 && isFault) throw new Error(`${own}: ${stderr}`);
  }
}
