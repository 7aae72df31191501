import { RecordCodec } from "./record-codec";
import { CredentialRecord, parseRecord, recordFileName, recordSubject, serializeRecord } from "./record";
import { StoreFiles } from "./store-files";

type Kind = CredentialRecord["kind"];
type OfKind<K extends Kind> = Extract<CredentialRecord, { kind: K }>;

/** The records of a store: read once when opened, added to, never changed. */
export class RecordFolder {
  private readonly byKind = new Map<Kind, CredentialRecord[]>();
  private count = 0;

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
    for (const name of names) this.remember(this.read(name));
  }

  get directory(): string {
    return this.files.directory;
  }

  get isEmpty(): boolean {
    return this.count === 0;
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
    const counts = this.files.add(recordSubject(record), name, text);
    const added = counts === name ? record : this.read(counts);
    this.remember(added);
    return added;
  }

  /** Has what was added on the disk, for others to see. */
  flush(): void {
    this.files.flush();
  }

  private remember(record: CredentialRecord): void {
    this.count += 1;
    const sameKind = this.byKind.get(record.kind);
    if (sameKind === undefined) this.byKind.set(record.kind, [record]);
    else sameKind.push(record);
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
