import * as fs from "node:fs";
import * as path from "node:path";

/** What the cdktf CLI takes from cdktf.json. */
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
  const { app, context = {}, output } = settings;
  if (typeof app !== "string") throw new Error(`${file} has no "app", the command that synthesises`);
  // cdktf's own order; its default is cdktf.out.
  const folderName = process.env.CDKTF_OUTDIR ?? (typeof output === "string" ? output : "cdktf.out");
  return { app, context, output: path.resolve(folder, folderName) };
}

/** Folder of a synthesized stack, where Terraform runs. */
export function stackFolder(stack: string, project = readProject()): string {
  return path.join(project.output, "stacks", stack);
}
