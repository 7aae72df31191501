// @ts-check
import { spawn } from "node:child_process";
import { onInterruption, refuseAfterInterruption } from "./interruption.mjs";

/**
 * @typedef {object} CommandOptions
 * @property {string} [cwd]
 * @property {Record<string, string>} [env] Added to the environment of this process.
 * @property {number} [timeoutSeconds] After this long the command and its children are ended.
 * @property {"capture" | "inherit" | "stderr"} [output] "capture" keeps it for the caller; "inherit" and "stderr" let a
 *   person see it, the latter keeping standard output free. Default "capture".
 * @property {AbortSignal} [signal] Ends the command.
 */

/**
 * @typedef {object} CommandResult
 * @property {number} code The exit code; -1 when the command could not be started or was ended.
 * @property {string} stdout
 * @property {string} stderr
 * @property {boolean} timedOut
 * @property {boolean} missing There is no such command.
 */

/** @typedef {(command: string, args: readonly string[], options?: CommandOptions) => Promise<CommandResult>} Runner */

/** How long a command that was asked to end may take before it is killed. */
const graceMilliseconds = 5000;

/**
 * Runs a command to its end, and the result says how it went. Throws only once this process was asked to end.
 *
 * @type {Runner}
 */
export async function run(command, args, options = {}) {
  refuseAfterInterruption();
  const result = await runToEnd(command, args, options);
  refuseAfterInterruption();
  return result;
}

/** @type {Runner} */
function runToEnd(command, args, options = {}) {
  const output = options.output ?? "capture";
  return new Promise((resolve) => {
    // From before it starts. A group of its own does not hear Ctrl-C; and what a terminal did not send, no child hears.
    const stopListening = onInterruption((name) => {
      if (output === "capture" || name !== "SIGINT") kill("SIGTERM");
    });
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: output === "capture" ? ["ignore", "pipe", "pipe"] : ["inherit", output === "stderr" ? 2 : "inherit", 2],
      // A group of its own, so that a timeout ends grandchildren too. Not where a person watches: Ctrl-C must reach it.
      detached: output === "capture",
    });
    let stdout = "";
    let stderr = "";
    let timedOut = false;
    child.stdout?.setEncoding("utf8").on("data", (text) => (stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text) => (stderr += text));

    /** @param {NodeJS.Signals} name */
    const kill = (name) => {
      try {
        if (child.pid !== undefined) process.kill(output === "capture" ? -child.pid : child.pid, name);
      } catch {
        // It has ended already.
      }
    };
    /** @type {NodeJS.Timeout[]} */
    const timers = [];
    const end = () => {
      kill("SIGTERM");
      timers.push(setTimeout(() => kill("SIGKILL"), graceMilliseconds));
    };
    if (options.timeoutSeconds !== undefined) {
      timers.push(
        setTimeout(() => {
          timedOut = true;
          end();
        }, options.timeoutSeconds * 1000),
      );
    }
    options.signal?.addEventListener("abort", end, { once: true });
    if (options.signal?.aborted) end();

    /** @param {Omit<CommandResult, "stdout" | "stderr" | "timedOut">} how */
    const settle = (how) => {
      timers.forEach(clearTimeout);
      stopListening();
      options.signal?.removeEventListener("abort", end);
      resolve({ stdout, stderr, timedOut, ...how });
    };
    child.once("error", (error) => {
      stderr += error.message;
      settle({ code: -1, missing: /** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT" });
    });
    child.once("close", (code) => settle({ code: code ?? -1, missing: false }));
  });
}

/**
 * Runs a command that must succeed, and gives its standard output.
 *
 * @param {string} purpose What it is for, for the error: "install docker.io".
 * @param {string} command
 * @param {readonly string[]} args
 * @param {CommandOptions} [options]
 * @returns {Promise<string>}
 */
export async function mustRun(purpose, command, args, options = {}) {
  const result = await run(command, args, options);
  if (result.code !== 0) throw new Error(`Could not ${purpose}: ${describeFailure([command, ...args], result)}`);
  return result.stdout;
}

/**
 * Says in words how a command failed, with the last lines that it printed.
 *
 * @param {readonly string[]} commandLine
 * @param {CommandResult} result
 * @returns {string}
 */
export function describeFailure(commandLine, result) {
  const how = result.missing
    ? "there is no such command on PATH"
    : result.timedOut
      ? "it took too long and was ended"
      : `exit code ${result.code}`;
  const said = lastLines(`${result.stdout}\n${result.stderr}`, 12);
  return `"${commandLine.join(" ")}": ${how}.${said === "" ? "" : ` It said last:\n${said}`}`;
}

/**
 * @param {string} text
 * @param {number} count
 * @returns {string} The last lines that are not empty, indented.
 */
export function lastLines(text, count) {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-count)
    .map((line) => `    ${line.trimEnd()}`)
    .join("\n");
}
