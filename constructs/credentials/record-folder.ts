import { isKeyFileName, RecordCodec } from "./record-codec";
import { CredentialRecord, parseRecord, recordFileName, recordSubject, serializeRecord } from "./record";
import { StoreFiles } from "./store-files";

type Kind = CredentialRecord["kind"];
type OfKind<K extends Kind> = Extract<CredentialRecord, { kind: K }>;

/** The records of a store: read once when opened, added to, never changed. */
export class RecordFolder {
  private readonly byKind = new Map<Kind, CredentialRecord[]>();
  private readonly known = new Set<string>();

  /**
   * Reads every record. A folder that does not exist yet is an empty one; it is made with the first record.
   *
   * @throws {Error} when the folder cannot be read, or a record is damaged or of a newer format; names the file
   */
  constructor(
    private readonly files: StoreFiles,
    private readonly codec: RecordCodec,
    names: readonly string[] = files.list(),
  ) {
    for (const name of names) {
      if (isKeyFileName(name)) throw this.hasKeys(name);
      this.remember(name, this.read(name));
    }
  }

  get directory(): string {
    return this.files.directory;
  }

  get isEmpty(): boolean {
    return this.known.size === 0;
  }

  /** When the newest record was issued, in milliseconds; never for an empty folder. */
  get newestStamp(): number {
    const stamps = [...this.byKind.values()].flat().map(({ issuedAt }) => Date.parse(issuedAt));
    return stamps.reduce((newest, stamp) => Math.max(newest, stamp), -Infinity);
  }

  all<K extends Kind>(kind: K): readonly OfKind<K>[] {
    return (this.byKind.get(kind) ?? []) as OfKind<K>[];
  }

  /**
   * Adds a record, whole or not at all, with the next `flush`. When another process has just written one about the same,
   * that one counts.
   *
   * @returns the record that is in the folder now
   */
  add(record: CredentialRecord): CredentialRecord {
    const name = recordFileName(record);
    const text = this.codec.encode(name, serializeRecord(record));
    const counts = this.files.add(recordSubject(record), name, text, (other, written) => this.isWhole(other, written));
    const added = counts === name ? record : this.read(counts);
    this.remember(counts, added);
    return added;
  }

  /** Has what was added on the disk, for others to see. */
  flush(): void {
    this.files.flush();
  }

  /** A store that was sealed, and whose unsealing was interrupted before its end. */
  private hasKeys(name: string): Error {
    return new Error(
      `the credential store ${this.files.directory} has a key of a sealed store (${name}), and is declared as a plain folder; ` +
        "remedy: declare CredentialStore.sealed(), or, to unseal it, `previousPassphrase`, and run " +
        "`npx cdktf-mosquitto convert STACK`",
    );
  }

  /** Reads what other processes have added since. */
  refresh(): void {
    for (const name of this.files.list()) {
      if (!this.known.has(name) && !isKeyFileName(name)) this.remember(name, this.read(name));
    }
  }

  private remember(name: string, record: CredentialRecord): void {
    if (this.known.has(name)) return;
    this.known.add(name);
    const sameKind = this.byKind.get(record.kind);
    if (sameKind === undefined) this.byKind.set(record.kind, [record]);
    else sameKind.push(record);
  }

  private isWhole(name: string, text: string): boolean {
    try {
      parseRecord(name, this.codec.decode(name, text));
      return true;
    } catch {
      return false;
    }
  }

  private read(name: string): CredentialRecord {
    const text = this.files.read(name);
    try {
      return parseRecord(name, this.codec.decode(name, text));
    } catch (error) {
      throw new Error(
        `the credential record ${this.files.directory}/${name} cannot be used: ${(error as Error).message}; ` +
          "remedy: restore that file from a backup, or follow the hint; nothing was changed",
        { cause: error },
      );
    }
  }
}
