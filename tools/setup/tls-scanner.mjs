// @ts-check
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cache, checkout } from "./paths.mjs";
import { step, whileWaiting } from "./progress.mjs";
import { buildModule, installModules, providePip, pythonKind } from "./python.mjs";
import { hashOf } from "./stamp.mjs";
import { whole } from "./whole-folder.mjs";

const sources = join(checkout, "tools", "judges", "sslyze");
const dependencies = join(sources, "requirements.txt");
const scanner = join(sources, "sslyze.txt");

/** @returns {Promise<string>} */
async function scannerFolder() {
  const hash = (await hashOf([dependencies, scanner])).slice(0, 16);
  return join(cache, "judges", `sslyze-${hash}-${await pythonKind()}`);
}

/**
 * sslyze, which the tests let judge the broker's TLS from outside.
 *
 * @param {boolean} interactive
 * @returns {Promise<string>} The folder of its modules, for PYTHONPATH.
 */
export function tlsScanner(interactive) {
  return step("TLS scanner", async (say) => {
    const folder = await scannerFolder();
    if (existsSync(folder)) return { result: folder, summary: "present, skipped" };
    await providePip(interactive);
    const fill = async (/** @type {string} */ unfinished) => {
      await installModules(dependencies, unfinished);
      await buildModule(scanner, unfinished);
    };
    await whole(folder, (unfinished) => whileWaiting(say, "installing sslyze", fill(unfinished)));
    return { result: folder, summary: "installed sslyze" };
  });
}

/**
 * For the tests, which install nothing.
 *
 * @returns {Promise<string>}
 */
export async function presentTlsScanner() {
  const folder = await scannerFolder();
  if (existsSync(folder)) return folder;
  throw new Error("sslyze, which judges TLS, is not there, or not the one of these sources. Run `npm test`.");
}
