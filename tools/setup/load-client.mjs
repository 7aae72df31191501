// @ts-check
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { buildGo } from "./go.mjs";
import { cache, checkout } from "./paths.mjs";
import { step, whileWaiting } from "./progress.mjs";
import { hashOf } from "./stamp.mjs";
import { whole } from "./whole-folder.mjs";

const sources = join(checkout, "tools", "load");

/** @returns {Promise<string>} The program, whether it is there or not. */
async function programPath() {
  const files = (await readdir(sources)).sort().map((file) => join(sources, file));
  return join(cache, "load", (await hashOf(files)).slice(0, 16), "load");
}

/**
 * The program that holds thousands of connections, for tests and the benchmark.
 *
 * @returns {Promise<string>}
 */
export function loadClient() {
  return step("load client", async (say) => {
    const result = await programPath();
    if (existsSync(result)) return { result, summary: "present, skipped" };
    await whole(dirname(result), (folder) =>
      whileWaiting(say, "building it from its Go modules", buildGo("the load client", sources, join(folder, "load"))),
    );
    return { result, summary: "built" };
  });
}

/**
 * For the tests, which build nothing.
 *
 * @returns {Promise<string>}
 */
export async function presentLoadClient() {
  const program = await programPath();
  if (existsSync(program)) return program;
  throw new Error("The load client is not there, or not that of these sources. Run `npm test`.");
}
