// @ts-check
import { existsSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "./command.mjs";
import { checkout } from "./paths.mjs";
import { step, whileWaiting } from "./progress.mjs";
import { hashOf, replaceFile } from "./stamp.mjs";
import { readFile } from "node:fs/promises";

/** The npm packages of the lock file, exactly. */
export function npmPackages() {
  return step("npm packages", async (say) => {
    // Beside the packages, not in the cache: another checkout has packages of its own.
    const stamp = join(checkout, "node_modules", ".lock-file.sha256");
    const wanted = await hashOf([join(checkout, "package-lock.json")]);
    if (existsSync(stamp) && (await readFile(stamp, "utf8")) === wanted) {
      return { result: undefined, summary: "present, skipped" };
    }
    // The compiler and cdktf are development packages, which a person's NODE_ENV may leave out.
    const args = ["ci", "--include=dev", "--no-fund", "--no-audit"];
    const install = mustRun("install the npm packages of package-lock.json", "npm", args, { cwd: checkout });
    await whileWaiting(say, "installing what package-lock.json names", install);
    await replaceFile(stamp, wanted);
    return { result: undefined, summary: "installed" };
  });
}
