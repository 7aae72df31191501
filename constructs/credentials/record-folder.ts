import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { CredentialRecord, parseRecord, recordFileName, serializeRecord } from "./record";

type Kind = CredentialRecord["kind"];
type OfKind<K extends Kind> = Extract<CredentialRecord, { kind: K }>;

/** A temporary file this old was left by a process that died, not by one that is writing. */
const STALE_MILLISECONDS = 10 * 60 * 1000;

/** The folder of records on disk: read once when opened, added to, never changed. */
export class RecordFolder {
  private readonly records = new Map<string, CredentialRecord>();
  private readonly byKind = new Map<Kind, CredentialRecord[]>();
  private created = false;

  private constructor(readonly directory: string) {}

  /**
   * Reads every record. A folder that does not exist yet is an empty one; it is made with the first record.
   *
   * @throws {Error} when the folder cannot be read, or a record is damaged or of a newer format; names the file
   */
  static open(directory: string): RecordFolder {
    const folder = new RecordFolder(directory);
    for (const name of folder.list()) {
      if (name.startsWith(".") || !name.endsWith(".json")) continue;
      folder.remember(name, folder.read(name));
    }
    return folder;
  }

  get isEmpty(): boolean {
    return this.records.size === 0;
  }

  all<K extends Kind>(kind: K): readonly OfKind<K>[] {
    return (this.byKind.get(kind) ?? []) as OfKind<K>[];
  }

  /**
   * Adds a record, whole or not at all. When another process has just written the same one, that one counts.
   *
   * @returns the record that is in the folder now
   */
  add(record: CredentialRecord): CredentialRecord {
    this.create();
    const name = recordFileName(record);
    const target = path.join(this.directory, name);
    const temporary = path.join(this.directory, `.${name}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`);
    try {
      fs.writeFileSync(temporary, serializeRecord(record), { mode: 0o600, flag: "wx", flush: true });
      // A hard link is made whole or refused, which a rename, that replaces, is not.
      fs.linkSync(temporary, target);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw this.explain(error, `write ${name}`);
      const winner = this.read(name);
      this.remember(name, winner);
      return winner;
    } finally {
      fs.rmSync(temporary, { force: true });
    }
    this.remember(name, record);
    return record;
  }

  private remember(name: string, record: CredentialRecord): void {
    this.records.set(name, record);
    const sameKind = this.byKind.get(record.kind);
    if (sameKind === undefined) this.byKind.set(record.kind, [record]);
    else sameKind.push(record);
  }

  private list(): string[] {
    try {
      return fs.readdirSync(this.directory).sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw this.explain(error, "be read");
    }
  }

  private read(name: string): CredentialRecord {
    const file = path.join(this.directory, name);
    let text: string;
    try {
      text = fs.readFileSync(file, "utf8");
    } catch (error) {
      throw this.explain(error, `read ${name}`);
    }
    try {
      return parseRecord(name, text);
    } catch (error) {
      throw new Error(
        `the credential record ${file} cannot be used: ${(error as Error).message}; ` +
          "remedy: restore that file from a backup; nothing was changed",
        { cause: error },
      );
    }
  }

  private create(): void {
    if (this.created) return;
    try {
      const isNew = fs.mkdirSync(this.directory, { recursive: true, mode: 0o700 }) !== undefined;
      fs.chmodSync(this.directory, 0o700);
      // Keys of a new store must not be committed by the way; an existing one is its owner's to arrange.
      if (isNew) fs.writeFileSync(path.join(this.directory, ".gitignore"), "*\n", { mode: 0o600 });
    } catch (error) {
      throw this.explain(error, "be made");
    }
    for (const name of this.list().filter((entry) => entry.startsWith(".") && entry.endsWith(".tmp"))) {
      const file = path.join(this.directory, name);
      const age = Date.now() - (fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Infinity);
      if (age > STALE_MILLISECONDS) fs.rmSync(file, { force: true });
    }
    this.created = true;
  }

  private explain(error: unknown, what: string): Error {
    const cause = error as NodeJS.ErrnoException;
    return new Error(
      `the credential store ${this.directory} failed to ${what} (${cause.code ?? cause.message}); ` +
        "allowed: a folder that this user owns, on a disk with room; remedy: mend the folder and run again; " +
        "what was issued before is kept",
      { cause },
    );
  }
}
