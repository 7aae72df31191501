import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ISSUE_VARIABLE } from "../constructs/credentials";

/**
 * Synthesises the app of a folder once, with one stack allowed to issue. What it issues goes into that stack's
 * credential stores; the synthesized output is thrown away.
 *
 * @param folder the folder of cdktf.json
 * @throws {Error} when there is no app, it does not synthesise, or it has no such stack
 */
export function issue(stack: string, folder: string): void {
  const { app, context } = readProject(folder);
  // Private, because the material of the other stacks' brokers is written too.
  const outdir = fs.mkdtempSync(path.join(os.tmpdir(), "cdktf-mosquitto-"));
  try {
    const env = {
      ...process.env,
      CDKTF_OUTDIR: outdir,
      CDKTF_CONTEXT_JSON: JSON.stringify(context),
      [ISSUE_VARIABLE]: stack,
    };
    const { status, error } = spawnSync(app, {
      cwd: folder,
      env,
      shell: true,
      stdio: ["ignore", "inherit", "inherit"],
    });
    if (status !== 0)
      throw new Error(`the app ${JSON.stringify(app)} does not synthesise: ${error?.message ?? `exit code ${status}`}`);
    const stacks = fs.readdirSync(path.join(outdir, "stacks"));
    if (!stacks.includes(stack)) {
      throw new Error(
        `the app has no stack ${JSON.stringify(stack)}; allowed: ${stacks.join(", ")}; nothing was issued`,
      );
    }
  } finally {
    fs.rmSync(outdir, { recursive: true, force: true });
  }
}

/** What the cdktf CLI takes from cdktf.json to run an app. */
function readProject(folder: string): { app: string; context: unknown } {
  const file = path.join(folder, "cdktf.json");
  let app: unknown;
  let context: unknown;
  try {
    ({ app, context = {} } = JSON.parse(fs.readFileSync(file, "utf8")) as { app?: unknown; context?: unknown });
  } catch (error) {
    throw new Error(`${file} cannot be read; remedy: run this in the folder of cdktf.json`, { cause: error });
  }
  if (typeof app !== "string") throw new Error(`${file} has no "app", the command that synthesises`);
  return { app, context };
}
