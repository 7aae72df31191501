// @ts-check
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Fills a folder that is there whole or not at all, also when two processes fill it at once.
 *
 * @param {string} folder
 * @param {(unfinished: string) => Promise<unknown>} fill
 */
export async function whole(folder, fill) {
  await mkdir(dirname(folder), { recursive: true });
  const unfinished = await mkdtemp(`${folder}.new-`);
  try {
    await fill(unfinished);
    await rename(unfinished, folder).catch((error) => {
      // The other process was faster, with the same content.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}
