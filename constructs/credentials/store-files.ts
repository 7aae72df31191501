import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

/** What is left of a process that died is this old, milliseconds; one that is writing is younger. */
const STALE = 10 * 60 * 1000;

/** The files of a store: private, each whole or absent at every moment, and none overwritten by accident. */
export class StoreFiles {
  private prepared = false;

  /** @param gitIgnore content of the .gitignore that a new folder gets */
  constructor(
    readonly directory: string,
    private readonly gitIgnore: string,
  ) {}

  /** Names of the files, sorted; none where there is no folder yet. */
  list(): string[] {
    try {
      return fs
        .readdirSync(this.directory)
        .filter((name) => !name.startsWith(".") && name.endsWith(".json"))
        .sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw this.explain(error, "be read");
    }
  }

  read(name: string): string {
    try {
      return fs.readFileSync(this.path(name), "utf8");
    } catch (error) {
      throw this.explain(error, `read ${name}`);
    }
  }

  /**
   * Adds a file, unless another process has just added one about the same subject: then that one counts.
   *
   * @returns the name of the file that counts
   */
  add(subject: string, name: string, text: string): string {
    this.prepare();
    const claim = this.path(`.${subject}.claim`);
    const pending = this.pending(name);
    try {
      fs.writeFileSync(pending, text, { mode: 0o600, flag: "wx", flush: true });
      for (;;) {
        try {
          // A link is made whole or refused. Who makes it has the subject, even if it dies before the next line.
          fs.symlinkSync(name, claim);
          this.publish(name);
          return name;
        } catch (error) {
          if (!isCode(error, "EEXIST")) throw error;
        }
        const winner = readLink(claim);
        if (winner !== undefined && this.publish(winner)) return winner;
        // It points to what somebody has removed since.
        fs.rmSync(claim, { force: true });
      }
    } catch (error) {
      throw this.explain(error, `write ${name}`);
    } finally {
      fs.rmSync(pending, { force: true });
    }
  }

  /** Puts another text into a file, whole or not at all. Only for what says the same in another form. */
  replace(name: string, text: string): void {
    this.prepare();
    const temporary = this.path(`.${name}.${randomBytes(4).toString("hex")}.new`);
    try {
      fs.writeFileSync(temporary, text, { mode: 0o600, flag: "wx", flush: true });
      fs.renameSync(temporary, this.path(name));
    } catch (error) {
      throw this.explain(error, `write ${name}`);
    } finally {
      fs.rmSync(temporary, { force: true });
    }
  }

  remove(name: string): void {
    fs.rmSync(this.path(name), { force: true });
  }

  /** Writes the .gitignore that a folder of this form has, over the one of another form. */
  writeGitIgnore(): void {
    this.prepare();
    try {
      fs.writeFileSync(this.path(".gitignore"), this.gitIgnore, { mode: 0o600 });
    } catch (error) {
      throw this.explain(error, "write .gitignore");
    }
  }

  /** Gives a written file its name; says whether it has it, by this or by another process. */
  private publish(name: string): boolean {
    const target = this.path(name);
    try {
      fs.linkSync(this.pending(name), target);
    } catch (error) {
      if (!isCode(error, "EEXIST") && !isCode(error, "ENOENT")) throw error;
    }
    return fs.existsSync(target);
  }

  private prepare(): void {
    if (this.prepared) return;
    try {
      const isNew = fs.mkdirSync(this.directory, { recursive: true, mode: 0o700 }) !== undefined;
      fs.chmodSync(this.directory, 0o700);
      // Keys of a new store must not be committed by the way; an existing one is its owner's to arrange.
      if (isNew) fs.writeFileSync(this.path(".gitignore"), this.gitIgnore, { mode: 0o600 });
      for (const name of fs.readdirSync(this.directory)) {
        if (!/^\..*\.(claim|new|pending)$/.test(name)) continue;
        const age = Date.now() - (fs.lstatSync(this.path(name), { throwIfNoEntry: false })?.mtimeMs ?? Infinity);
        if (age > STALE) fs.rmSync(this.path(name), { force: true });
      }
    } catch (error) {
      throw this.explain(error, "be made");
    }
    this.prepared = true;
  }

  private pending(name: string): string {
    return this.path(`.${name}.pending`);
  }

  private path(name: string): string {
    return path.join(this.directory, name);
  }

  private explain(error: unknown, what: string): Error {
    const cause = error as NodeJS.ErrnoException;
    return new Error(
      `the credential store ${this.directory} failed to ${what} (${cause.code ?? cause.message}); ` +
        "allowed: a folder that this user may write, on a disk with room; remedy: mend the folder and run again; " +
        "what was issued before is kept",
      { cause },
    );
  }
}

function readLink(file: string): string | undefined {
  try {
    return fs.readlinkSync(file);
  } catch {
    return undefined;
  }
}

function isCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}
