import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

export type Files = ReadonlyMap<string, string | Uint8Array>;

/** Files by folder. */
export type Folders = ReadonlyMap<string, Files>;

/**
 * Writes files that only this user can read (0600, new folders 0700): all of them, or none where one is in the way.
 *
 * @param overwrites whether other files of the same names are replaced
 * @returns their paths
 * @throws {Error} before it writes anything, when other files have these names
 */
export function writePrivateFiles(folders: Folders, overwrites: boolean): string[] {
  const wanted = [...folders].flatMap(([folder, files]) =>
    [...files].map(([name, content]) => ({ file: path.join(folder, name), content: Buffer.from(content) })),
  );
  const others = wanted.filter(({ file, content }) => isOther(file, content));
  if (others.length > 0 && !overwrites) {
    throw new Error(
      `${others.map(({ file }) => file).join(", ")} would be overwritten; allowed: a folder without them; remedy: ` +
        "name another folder by --out, or allow it by --force",
    );
  }
  for (const folder of folders.keys()) makeFolder(folder);
  for (const { file, content } of wanted) {
    // A name of its own, made and not opened: nothing of somebody else's is in the way, and no link is followed.
    const unfinished = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString("hex")}`);
    fs.writeFileSync(unfinished, content, { mode: 0o600, flag: "wx" });
    fs.renameSync(unfinished, file);
  }
  return wanted.map(({ file }) => file);
}

/** A link is somebody's, wherever it leads. */
function isOther(file: string, content: Buffer): boolean {
  const found = fs.lstatSync(file, { throwIfNoEntry: false });
  if (found === undefined) return false;
  return !found.isFile() || !fs.readFileSync(file).equals(content);
}

/** A new folder inside of a working copy is kept out of version control, as a credential store is. */
function makeFolder(folder: string): void {
  if (fs.existsSync(folder)) return;
  const made = fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (made !== undefined && isInWorkingCopy(made))
    fs.writeFileSync(path.join(made, ".gitignore"), "*\n", { flag: "wx" });
}

function isInWorkingCopy(folder: string): boolean {
  const above = path.dirname(path.resolve(folder));
  return fs.existsSync(path.join(above, ".git")) || (above !== path.dirname(above) && isInWorkingCopy(above));
}
