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
const IGNORE_FILE = ".gitignore";

/** A file that is written, and has yet to get its name. */
interface Waiting {
  readonly name: string;
  readonly pending: string;
}

/**
 * The files of a store: private, each whole or absent at every moment, and none overwritten by accident.
 *
 * A file is written under a name of its own (`.NAME.RANDOM.pending`). A link about its subject (`.SUBJECT.claim`), which
 * can be made once only, then says which one counts, and `flush` gives it its name. So a process that dies at any moment
 * leaves whole files, or ones that the next process names.
 */
export class StoreFiles {
  private prepared = false;
  private waiting: Waiting[] = [];
  private waitsSince = 0;

  /**
   * @param gitIgnore content of the .gitignore that a new folder gets
   * @param isCommitted whether its files are made to be committed
   */
  constructor(
    readonly directory: string,
    private readonly gitIgnore: string,
    private readonly isCommitted: boolean,
  ) {}

  /** Names of the files, sorted; none where there is no folder yet. */
  list(): string[] {
    try {
      return fs
        .readdirSync(this.directory)
        .filter((name) => !name.startsWith(".") && name.endsWith(".json"))
        .sort();
    } catch (error) {
      if (isCode(error, "ENOENT")) return [];
      throw this.explain(error, "be read");
    }
  }

  /** Paths of all files that are a store's: its records, and what it needs to write them safely. */
  ownFiles(): string[] {
    if (!fs.existsSync(this.directory)) return [];
    const helpers = fs.readdirSync(this.directory).filter((name) => {
      if (name === IGNORE_FILE) return fs.readFileSync(this.path(name), "utf8") === this.gitIgnore;
      return name.startsWith(".") && /\.(claim|pending)$/.test(name);
    });
    return [...this.list(), ...helpers].map((name) => this.path(name));
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
   * @param isWhole judges what a process left that died, or whose machine lost its power
   * @returns the name of the file that counts
   */
  add(subject: string, name: string, text: string, isWhole: (name: string, text: string) => boolean): string {
    this.prepare();
    const claim = this.path(`.${subject}.claim`);
    const pending = `.${name}.${randomBytes(4).toString("hex")}.pending`;
    let isOurs = false;
    try {
      fs.writeFileSync(this.path(pending), text, { mode: 0o600, flag: "wx" });
      for (;;) {
        try {
          fs.symlinkSync(pending, claim);
          isOurs = true;
          this.wait({ name, pending });
          return name;
        } catch (error) {
          if (!isCode(error, "EEXIST")) throw error;
        }
        const winner = this.adopt(claim, isWhole);
        if (winner !== undefined) return winner;
      }
    } catch (error) {
      throw this.explain(error, `write ${name}`);
    } finally {
      if (!isOurs) fs.rmSync(this.path(pending), { force: true });
    }
  }

  /**
   * Names what was added, once it is on the disk: a machine that loses its power leaves whole files, or none.
   *
   * @throws {Error} when one cannot be written; all others are
   */
  flush(): void {
    const waiting = this.waiting;
    this.waiting = [];
    // One call for all; where there is none, or for a few, each is written out by itself.
    const isWritten =
      waiting.length >= MANY && spawnSync("sync", ["-f", this.directory], { stdio: "ignore" }).status === 0;
    let failure: Error | undefined;
    for (const one of waiting) {
      try {
        this.publish(one, !isWritten);
        fs.rmSync(this.path(one.pending), { force: true });
      } catch (error) {
        failure ??= this.explain(error, `write ${one.name}`);
      }
    }
    if (failure !== undefined) throw failure;
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
    this.replace(IGNORE_FILE, this.gitIgnore);
  }

  /**
   * Takes over what another process has claimed, and names it, if that one has not yet.
   *
   * @returns nothing when there is nothing to take over: the claim is gone then
   */
  private adopt(claim: string, isWhole: (name: string, text: string) => boolean): string | undefined {
    const pending = readLink(claim);
    if (pending === undefined) return undefined;
    const name = pending.replace(/^\.|\.[0-9a-f]+\.pending$/g, "");
    if (fs.existsSync(this.path(name))) return name;
    const text = readIfThere(this.path(pending));
    if (text !== undefined && isWhole(name, text)) {
      this.publish({ name, pending }, true);
      return name;
    }
    // It points to what somebody has removed since, or to what a failing machine left. Another process may have made a
    // new claim meanwhile: only the one that was read may go.
    if (fs.existsSync(this.path(name))) return name;
    const aside = `${claim}.${randomBytes(4).toString("hex")}.new`;
    try {
      fs.renameSync(claim, aside);
    } catch (error) {
      if (isCode(error, "ENOENT")) return undefined;
      throw error;
    }
    const moved = readLink(aside);
    if (moved !== pending && moved !== undefined) {
      try {
        fs.symlinkSync(moved, claim);
      } catch (error) {
        if (!isCode(error, "EEXIST")) throw error;
      }
    }
    fs.rmSync(aside, { force: true });
    return undefined;
  }

  private wait(one: Waiting): void {
    if (this.waiting.length === 0) this.waitsSince = Date.now();
    this.waiting.push(one);
    if (this.waiting.length >= MAXIMUM_WAITING || Date.now() - this.waitsSince > MAXIMUM_WAIT) this.flush();
  }

  /** Gives a written file its name, unless another process has done so. */
  private publish({ name, pending }: Waiting, writeOut: boolean): void {
    try {
      if (writeOut) writeToDisk(this.path(pending));
      fs.linkSync(this.path(pending), this.path(name));
    } catch (error) {
      const isNamed = isCode(error, "EEXIST") || (isCode(error, "ENOENT") && fs.existsSync(this.path(name)));
      if (!isNamed) throw error;
    }
  }

  private prepare(): void {
    if (this.prepared) return;
    try {
      fs.mkdirSync(path.dirname(this.directory), { recursive: true, mode: 0o700 });
      // By itself, for the reason that is given when it fails.
      if (!fs.existsSync(this.directory)) fs.mkdirSync(this.directory, { mode: 0o700 });
      fs.chmodSync(this.directory, 0o700);
      const names = fs.readdirSync(this.directory);
      // Keys of a new store must not be committed by the way; a plain one in use is its owner's to arrange.
      const isNew = !names.some((name) => name.endsWith(".json"));
      if (!names.includes(IGNORE_FILE) && (isNew || this.isCommitted)) {
        fs.writeFileSync(this.path(IGNORE_FILE), this.gitIgnore, { mode: 0o600 });
      }
      for (const name of names) {
        if (!/^\..*\.(claim|new|pending)$/.test(name)) continue;
        const age = Date.now() - (fs.lstatSync(this.path(name), { throwIfNoEntry: false })?.mtimeMs ?? Infinity);
        if (age > STALE) fs.rmSync(this.path(name), { force: true });
      }
    } catch (error) {
      if (isCode(error, "EEXIST") && fs.existsSync(this.directory)) return this.prepare();
      throw this.explain(error, "be made");
    }
    this.prepared = true;
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

function readIfThere(file: string): string | undefined {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function isCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}
