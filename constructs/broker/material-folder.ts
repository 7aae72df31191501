import * as fs from "node:fs";
import * as path from "node:path";

/**
 * Makes the folder hold exactly these files: private ones, whole at every moment, and nothing else.
 *
 * @param files content by relative path
 * @throws {Error} when the folder cannot be written
 */
export function writeMaterial(directory: string, files: ReadonlyMap<string, string>): void {
  try {
    const wanted = new Set([...files.keys()].map((name) => path.join(directory, name)));
    for (const folder of new Set([directory, ...[...wanted].map((file) => path.dirname(file))])) {
      fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
      fs.chmodSync(folder, 0o700);
    }
    for (const file of filesBelow(directory)) if (!wanted.has(file)) fs.rmSync(file);
    for (const [name, content] of files) replaceFile(path.join(directory, name), content);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(
      `the material for the deploy could not be written to ${directory} (${code ?? message}); ` +
        "allowed: an output folder that this user owns, on a disk with room; remedy: mend that and synth again",
      { cause: error },
    );
  }
}

/** Removes what an earlier synth wrote, where the credentials are no longer complete. */
export function removeMaterial(directory: string): void {
  fs.rmSync(directory, { recursive: true, force: true });
}

function filesBelow(directory: string): string[] {
  return fs
    .readdirSync(directory, { withFileTypes: true })
    .flatMap((entry) =>
      entry.isDirectory() ? filesBelow(path.join(directory, entry.name)) : [path.join(directory, entry.name)],
    );
}

function replaceFile(file: string, content: string): void {
  const present = fs.existsSync(file) && fs.readFileSync(file, "utf8") === content;
  if (present) {
    fs.chmodSync(file, 0o600);
    return;
  }
  fs.writeFileSync(`${file}.new`, content, { mode: 0o600 });
  fs.renameSync(`${file}.new`, file);
}
