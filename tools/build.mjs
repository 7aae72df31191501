// @ts-check
/** Builds `lib/`, which is what npm ships: JavaScript, declarations, and the scripts that run in the containers. */
import { chmod, cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { mustRun } from "./setup/command.mjs";
import { checkout } from "./setup/paths.mjs";

try {
  const lib = join(checkout, "lib");
  await rm(lib, { recursive: true, force: true });
  await mustRun("compile the library", "npx", ["tsc", "-p", "tsconfig.build.json"], { cwd: checkout });
  const scripts = join("constructs", "broker", "scripts");
  await cp(join(checkout, scripts), join(lib, scripts), { recursive: true });
  // npm makes the command executable when it links it, once; each build writes it anew.
  await chmod(join(lib, "cli", "main.js"), 0o755);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
