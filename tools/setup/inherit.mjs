// @ts-check
import { run } from "./command.mjs";
import { checkout } from "./paths.mjs";

/**
 * Runs a program that talks to the person itself, and must succeed. Ctrl-C reaches it from the terminal: it ends in its
 * own time, and this process after it.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {Record<string, string>} env
 */
export async function inherit(program, args, env) {
  const { code } = await run(program, args, { cwd: checkout, env, output: "inherit" });
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with exit code ${code}`);
}
