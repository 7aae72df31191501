// @ts-check
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cache } from "./paths.mjs";

/**
 * The hash of some files' contents, to tell whether what was made from them is still right.
 *
 * @param {readonly string[]} files
 * @returns {Promise<string>}
 */
export async function hashOf(files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(await readFile(file));
  return hash.digest("hex");
}

/**
 * @param {string} name
 * @returns {Promise<string | undefined>} What was remembered under this name.
 */
export async function recall(name) {
  return readFile(join(cache, `${name}.stamp`), "utf8").catch(() => undefined);
}

/**
 * @param {string} name
 * @param {string} value
 */
export async function remember(name, value) {
  await replaceFile(join(cache, `${name}.stamp`), value);
}

/**
 * Writes a file whole or not at all.
 *
 * @param {string} file
 * @param {string} content
 */
export async function replaceFile(file, content) {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, content);
  await rename(`${file}.new`, file);
}
