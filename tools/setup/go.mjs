// @ts-check
import { describeFailure, run } from "./command.mjs";

/**
 * Builds a program of this repository from its Go modules.
 *
 * @param {string} what Of errors.
 * @param {string} sources
 * @param {string} program The file.
 */
export async function buildGo(what, sources, program) {
  // -mod=readonly: what is built is exactly what go.sum vouches for, or nothing.
  const args = ["build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o", program, "."];
  const result = await run("go", args, { cwd: sources, env: { CGO_ENABLED: "0" } });
  if (result.missing) {
    throw new Error(`Go, which builds ${what} from its modules, is not on PATH. Install Go 1.25 or later.`);
  }
  if (result.code !== 0) throw new Error(`Could not build ${what}: ${describeFailure(["go", ...args], result)}`);
}
