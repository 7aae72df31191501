// @ts-check
import { existsSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { mustRun, run } from "./command.mjs";

/**
 * @param {string} program
 * @returns {Promise<boolean>} Whether a program is not installed. An ordinary user's PATH may lack /usr/sbin.
 */
export async function isMissing(program) {
  return (await run(program, ["--version"])).missing && !existsSync(`/usr/sbin/${program}`);
}

/**
 * Installs packages of the distribution, with root's rights. A person at the terminal is asked first.
 *
 * @param {readonly string[]} packages
 * @param {string} why
 * @param {boolean} interactive Whether a person is there to be asked.
 */
export async function installSystemPackages(packages, why, interactive) {
  const list = packages.join(" ");
  if ((await run("apt-get", ["--version"])).missing) {
    throw new Error(
      `${why}, but this distribution has no apt-get, the only package manager that set-up knows. ` +
        `Install the equivalent of ${list} and run this again.`,
    );
  }
  await agree(`${why}. Install ${list} from your distribution, system-wide?`, interactive, `apt-get install ${list}`);
  const environment = { DEBIAN_FRONTEND: "noninteractive" };
  await asRoot(`update the package lists`, ["apt-get", "update", "-qq"], interactive, environment);
  /** @type {[string, ...string[]]} */
  const install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", ...packages];
  await asRoot(`install ${list}`, install, interactive, environment);
}

/**
 * Runs a command with root's rights: as it is for root, through sudo for others.
 *
 * @param {string} purpose
 * @param {readonly [string, ...string[]]} command
 * @param {boolean} interactive
 * @param {Record<string, string>} [env]
 */
export async function asRoot(purpose, command, interactive, env = {}) {
  const [program, ...args] = rootCommand(command, process.getuid?.() === 0, interactive);
  await mustRun(purpose, program, args, { env, output: interactive ? "stderr" : "capture" });
}

/**
 * @param {readonly [string, ...string[]]} command
 * @param {boolean} isRoot
 * @param {boolean} interactive
 * @returns {readonly [string, ...string[]]}
 */
export function rootCommand(command, isRoot, interactive) {
  if (isRoot) return command;
  // Without a person nobody can type a password, so sudo must not wait for one.
  return interactive ? ["sudo", ...command] : ["sudo", "-n", ...command];
}

/**
 * @param {string} question
 * @param {boolean} interactive Without a person it goes ahead.
 * @param {string} byHand What to do instead.
 */
export async function agree(question, interactive, byHand) {
  if (!interactive) return;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new Error(`Nothing was changed. To do it by hand: ${byHand}`);
  } finally {
    terminal.close();
  }
}
