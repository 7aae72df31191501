import * as path from "node:path";
import { mustRun } from "../support/command";
import { checkout } from "../support/workspace";

/** What Java found, as `tools/judges/JavaJudge.java` writes it, or why it refused. */
export type JavaAnswer = { readonly accepted: readonly string[] } | { readonly refused: string };

/** What Java is asked to read. */
export type JavaCase =
  | readonly [kind: "store", octets: Buffer, passphrase: string]
  | readonly [kind: "properties", octets: Buffer]
  | readonly [kind: "uri", text: string];

/** Java's own readers answer all cases in one run, which takes a second or two to start. */
export async function askJava(cases: readonly JavaCase[]): Promise<JavaAnswer[]> {
  const input = cases.map(([kind, ...parts]) => [kind, ...parts.map(encoded)].join(" ")).join("\n");
  const program = path.join(checkout, "tools", "judges", "JavaJudge.java");
  // The quick compiler alone: nothing here runs for long.
  const answers = await mustRun("java", ["-XX:TieredStopAtLevel=1", "-Xshare:auto", program], { input });
  return answers
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [verdict, ...found] = line.split(" ");
      return verdict === "accepted" ? { accepted: found } : { refused: found.join(" ") };
    });
}

function encoded(part: Buffer | string): string {
  return Buffer.from(part).toString("base64");
}
