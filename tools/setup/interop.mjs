// @ts-check
import { existsSync } from "node:fs";
import { cp, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { mustRun } from "./command.mjs";
import { buildGo } from "./go.mjs";
import { cache, checkout } from "./paths.mjs";
import { step, whileWaiting } from "./progress.mjs";
import { installModules, providePip } from "./python.mjs";
import { hashOf } from "./stamp.mjs";
import { whole } from "./whole-folder.mjs";

const sources = join(checkout, "test", "interop", "clients");

/**
 * A program that uses another client library, and how to make it from its sources. Those in a language that Node or a
 * shell runs as it is are not here.
 *
 * @typedef {object} Program
 * @property {string} language Also the name of the folder of its sources.
 * @property {(folder: string, interactive: boolean) => Promise<unknown>} build
 */

/** @type {readonly Program[]} */
const programs = [
  // The one that takes longest first.
  { language: "rust", build: buildRust },
  { language: "go", build: (folder) => buildGo("the client in Go", join(sources, "go"), join(folder, "client")) },
  { language: "java", build: buildJava },
  {
    language: "python",
    build: async (folder, interactive) => {
      await providePip(interactive);
      await installModules(join(sources, "python", "requirements.txt"), folder);
    },
  },
];

/**
 * Where the programs are, by language.
 *
 * @typedef {Record<string, string>} InteropFolders
 */

/** @returns {Promise<InteropFolders>} */
async function interopFolders() {
  const entries = programs.map(async ({ language }) => {
    const files = await readdir(join(sources, language), { recursive: true, withFileTypes: true });
    const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
    const hash = (await hashOf(paths.sort())).slice(0, 16);
    return [language, join(cache, "interop", `${language}-${hash}`)];
  });
  return Object.fromEntries(await Promise.all(entries));
}

/**
 * The programs that the tests let connect to a broker: each by the client library of another language.
 *
 * @param {boolean} interactive
 * @returns {Promise<InteropFolders>}
 */
export function interopClients(interactive) {
  return step("clients in other languages", async (say) => {
    const folders = await interopFolders();
    const missing = programs.filter(({ language }) => !existsSync(folders[language] ?? ""));
    if (missing.length === 0) return { result: folders, summary: "present, skipped" };
    const built = missing.map(({ language, build }) =>
      whole(/** @type {string} */ (folders[language]), (folder) => build(folder, interactive)),
    );
    const names = missing.map(({ language }) => language).join(", ");
    await whileWaiting(say, `building ${names}`, Promise.all(built));
    return { result: folders, summary: `built ${names}` };
  });
}

/**
 * For the tests, which build nothing.
 *
 * @returns {Promise<InteropFolders>}
 */
export async function presentInteropClients() {
  const folders = await interopFolders();
  if (Object.values(folders).every((folder) => existsSync(folder))) return folders;
  throw new Error("The clients in other languages are not there, or not those of these sources. Run `npm test`.");
}

/** @param {string} folder */
async function buildRust(folder) {
  const version = await mustRun("ask Cargo for its version", "cargo", ["--version"]);
  const minor = Number(/^cargo 1\.(\d+)/.exec(version)?.[1] ?? 0);
  if (minor < 85) {
    throw new Error(`The client in Rust needs Rust 1.85 or later, not ${version.trim()}. Install it with rustup.`);
  }
  // Not for release: that takes three times as long.
  const target = join(folder, "target");
  const args = ["build", "--quiet", "--locked", "--target-dir", target];
  await mustRun("build the client in Rust", "cargo", args, { cwd: join(sources, "rust") });
  await rename(join(target, "debug", "client"), join(folder, "client"));
  await rm(target, { recursive: true });
}

/** @param {string} folder */
async function buildJava(folder) {
  await cp(join(sources, "java"), folder, { recursive: true });
  // The library is then at a known place, and no other version of anything is.
  const options = ["--quiet", "--batch-mode", "--strict-checksums", `-Dmaven.repo.local=${join(folder, "repository")}`];
  await mustRun("build the client in Java", "mvn", [...options, "compiler:compile"], { cwd: folder });
}
