// @ts-check
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { buildGo } from "./go.mjs";
import { cache, checkout } from "./paths.mjs";
import { step, whileWaiting } from "./progress.mjs";
import { installModules, providePip, pythonKind } from "./python.mjs";
import { hashOf } from "./stamp.mjs";
import { whole } from "./whole-folder.mjs";

const sources = join(checkout, "tools", "judges");
const requirements = join(sources, "requirements.txt");

/**
 * Where the judges are, by what they are made from: checkouts that share a cache may differ in it.
 *
 * @typedef {object} Judges
 * @property {string} program Go's crypto/x509 and zlint.
 * @property {string} modules Python's cryptography, for PYTHONPATH.
 */

/** @returns {Promise<Judges>} */
async function judgePaths() {
  const files = (await readdir(sources)).filter((file) => /^go\.(mod|sum)$|\.go$/.test(file)).sort();
  const program = (await hashOf(files.map((file) => join(sources, file)))).slice(0, 16);
  const modules = (await hashOf([requirements])).slice(0, 16);
  return {
    program: join(cache, "judges", `go-${program}`, "judges"),
    modules: join(cache, "judges", `python-${modules}-${await pythonKind()}`),
  };
}

/**
 * The judges from outside this project that the tests let judge certificates.
 *
 * @param {boolean} interactive
 * @returns {Promise<Judges>}
 */
export function judges(interactive) {
  return step("outside judges", async (say) => {
    const paths = await judgePaths();
    const done = [];
    if (!existsSync(paths.program)) {
      await whole(dirname(paths.program), (folder) =>
        whileWaiting(
          say,
          "building crypto/x509 and zlint from their Go modules",
          buildGo("the judges of the tests", sources, join(folder, "judges")),
        ),
      );
      done.push("built crypto/x509 and zlint");
    }
    if (!existsSync(paths.modules)) {
      await providePip(interactive);
      await whole(paths.modules, (folder) =>
        whileWaiting(say, "installing Python's cryptography", installModules(requirements, folder)),
      );
      done.push("installed Python's cryptography");
    }
    return { result: paths, summary: done.length === 0 ? "present, skipped" : done.join(", ") };
  });
}

/**
 * For the tests, which install nothing.
 *
 * @returns {Promise<Judges>}
 */
export async function presentJudges() {
  const paths = await judgePaths();
  if (existsSync(paths.program) && existsSync(paths.modules)) return paths;
  throw new Error("The judges of the tests are not there, or not those of these sources. Run `npm test -- unit`.");
}
