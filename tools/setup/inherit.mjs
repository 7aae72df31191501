// @ts-check
import { run } from "./command.mjs";
import { checkout } from "./paths.mjs";

/**
 * Runs a program that talks to the person itself, and must succeed.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {Record<string, string>} env
 */
export async function inherit(program, args, env) {
  // Ctrl-C reaches the program from the terminal. It ends in its own time, and this process after it.
  const wait = () => undefined;
  process.on("SIGINT", wait);
  try {
    const { code } = await run(program, args, { cwd: checkout, env, output: "inherit" });
    if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with exit code ${code}`);
  } finally {
    process.removeListener("SIGINT", wait);
  }
}
