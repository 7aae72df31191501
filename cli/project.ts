import * as fs from "node:fs";
import * as path from "node:path";

/** What the cdktf CLI takes from cdktf.json, and from its environment before that. */
export interface Project {
  /** The command that synthesises. */
  readonly app: string;
  readonly context: unknown;
  /** Folder of the synthesized stacks. */
  readonly output: string;
}

/** @throws {Error} when the folder has no readable cdktf.json */
export function readProject(folder = process.cwd()): Project {
  const file = path.join(folder, "cdktf.json");
  let settings: { app?: unknown; context?: unknown; output?: unknown };
  try {
    settings = JSON.parse(fs.readFileSync(file, "utf8")) as typeof settings;
  } catch (error) {
    throw new Error(`${file} cannot be read; remedy: run this in the folder of cdktf.json`, { cause: error });
  }
  const app = process.env.CDKTF_APP ?? settings.app;
  if (typeof app !== "string") throw new Error(`${file} has no "app", the command that synthesises`);
  const output = process.env.CDKTF_OUTPUT ?? (typeof settings.output === "string" ? settings.output : "cdktf.out");
  return { app, context: settings.context ?? {}, output: path.resolve(folder, output) };
}

/**
 * Folder of a synthesized stack, where Terraform runs.
 *
 * @throws {Error} when there is no such stack
 */
export function stackFolder(stack: string): string {
  const { output } = readProject();
  const stacks = path.join(output, "stacks");
  const known = fs.existsSync(stacks)
    ? fs.readdirSync(stacks).filter((name) => fs.existsSync(path.join(stacks, name, "cdk.tf.json")))
    : [];
  if (known.includes(stack)) return path.join(stacks, stack);
  throw new Error(
    `stack ${JSON.stringify(stack)} is not synthesized in ${output}; allowed: ${known.join(", ") || "none yet"}; ` +
      "remedy: npx cdktf synth, if the app has such a stack",
  );
}
