import * as fs from "node:fs";
import * as path from "node:path";

export type Files = ReadonlyMap<string, string | Uint8Array>;

/**
 * Writes files that only this user can read (0600, new folders 0700).
 *
 * @param overwrites whether other files of the same names are replaced
 * @returns their paths
 * @throws {Error} before it writes anything, when other files have these names
 */
export function writePrivateFiles(folder: string, files: Files, overwrites: boolean): string[] {
  const wanted = [...files].map(([name, content]) => ({
    file: path.join(folder, name),
    content: Buffer.from(content),
  }));
  const others = wanted.filter(({ file, content }) => fs.existsSync(file) && !fs.readFileSync(file).equals(content));
  if (others.length > 0 && !overwrites) {
    throw new Error(
      `${others.map(({ file }) => file).join(", ")} would be overwritten; allowed: a folder without them; remedy: ` +
        "name another folder by --out, or allow it by --force",
    );
  }
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const { file, content } of wanted) {
    const unfinished = `${file}.new`;
    fs.rmSync(unfinished, { force: true });
    // "wx": a link that somebody laid there is not followed.
    fs.writeFileSync(unfinished, content, { mode: 0o600, flag: "wx" });
    fs.renameSync(unfinished, file);
  }
  return wanted.map(({ file }) => file);
}
