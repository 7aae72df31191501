import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

/** What is left of a process that died is this old, milliseconds; one that is writing is younger. */
const STALE = 10 * 60 * 1000;
/** Files that wait for the disk at most, and for how many milliseconds. */
const MAXIMUM_WAITING = 2000;
const MAXIMUM_WAIT = 30_000;
/** From how many files on one call for the whole file system is quicker than one for each. */
const MANY = 16;

/** The files of a store: private, each whole or absent at every moment, and none overwritten by accident. */
export class StoreFiles {
  private prepared = false;
  /** Files that are written, but may not be on the disk yet; they get their names together. */
  private waiting: string[] = [];
  private waitsSince = 0;

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
   * Adds a file, unless another process has just added one about the same subject: then that one counts. It gets its name
   * by `flush`, once it is on the disk for good.
   *
   * @returns the name of the file that counts
   */
  add(subject: string, name: string, text: string): string {
    this.prepare();
    const claim = this.path(`.${subject}.claim`);
    let isOurs = false;
    try {
      fs.writeFileSync(this.pending(name), text, { mode: 0o600, flag: "wx" });
      for (;;) {
        try {
          // A link is made whole or refused. Who makes it has the subject, even if it dies before the next line.
          fs.symlinkSync(name, claim);
          isOurs = true;
          this.wait(name);
          return name;
        } catch (error) {
          if (!isCode(error, "EEXIST")) throw error;
        }
        const winner = readLink(claim);
        if (winner !== undefined && this.publish(winner, true)) return winner;
        // It points to what somebody has removed since.
        fs.rmSync(claim, { force: true });
      }
    } catch (error) {
      throw this.explain(error, `write ${name}`);
    } finally {
      if (!isOurs) fs.rmSync(this.pending(name), { force: true });
    }
  }

  /**
   * Names what was added, once it is on the disk: a machine that loses its power leaves whole files, or none.
   *
   * @throws {Error} when it cannot be written
   */
  flush(): void {
    const names = this.waiting;
    this.waiting = [];
    // One call for all; where there is none, or for a few, each is written out by itself.
    const isWritten =
      names.length >= MANY && spawnSync("sync", ["-f", this.directory], { stdio: "ignore" }).status === 0;
    for (const name of names) {
      try {
        this.publish(name, !isWritten);
        fs.rmSync(this.pending(name), { force: true });
      } catch (error) {
        throw this.explain(error, `write ${name}`);
      }
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

  private wait(name: string): void {
    if (this.waiting.length === 0) this.waitsSince = Date.now();
    this.waiting.push(name);
    if (this.waiting.length >= MAXIMUM_WAITING || Date.now() - this.waitsSince > MAXIMUM_WAIT) this.flush();
  }

  /** Gives a written file its name; says whether it has it, by this or by another process. */
  private publish(name: string, writeOut: boolean): boolean {
    const target = this.path(name);
    try {
      if (writeOut) writeToDisk(this.pending(name));
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

function writeToDisk(file: string): void {
  const handle = fs.openSync(file, "r");
  try {
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
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
