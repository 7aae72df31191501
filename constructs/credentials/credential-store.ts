import * as path from "node:path";
import { RecordFolder } from "./record-folder";
import { PLAIN } from "./record-codec";
import { convertStore, openSealed, SealedOptions } from "./sealed-store";
import { StoreFiles } from "./store-files";
import { TextSource } from "../text-source";

/** Whether a synth may issue what is missing. */
export type IssuePolicy = "whenMissing" | "never";

export interface FolderStoreOptions {
  /**
   * `whenMissing`: a synth issues what the declaration needs and the store lacks, which suits development.
   * `never`: a synth only reads; issuing is left to `cdktf-mosquitto issue STACK`, so that a CI job or a colleague's
   * plan never mints credentials that nobody keeps.
   *
   * @default "whenMissing"
   */
  readonly issue?: IssuePolicy;

  /**
   * What a store was sealed with, while `cdktf-mosquitto convert STACK` unseals it.
   *
   * @default - none
   */
  readonly previousPassphrase?: TextSource;
}

export interface SealedStoreOptions {
  /** What the records are sealed with: 12 characters or more. */
  readonly passphrase: TextSource;

  /**
   * The passphrase before, while `cdktf-mosquitto convert STACK` seals all records anew with the present one.
   *
   * @default - none
   */
  readonly previousPassphrase?: TextSource;

  /**
   * As of a folder.
   *
   * @default "never"
   */
  readonly issue?: IssuePolicy;
}

/** Nothing of a plain store may be committed; of a sealed one, all but what a process leaves while it writes. */
const PLAIN_GIT_IGNORE = "*\n";
const SEALED_GIT_IGNORE = ".*\n!.gitignore\n";

/** Where a broker's certificates, keys and passwords are kept between deploys. One store serves one broker. */
export class CredentialStore {
  /**
   * Plain records, one file each: the folder is made with mode 0700 and a .gitignore for all of it, files with 0600.
   * Keep it out of version control and in your backups: who loses it must hand every client a new bundle. Who commits it
   * all the same adds only `*.json`.
   *
   * @param folder relative to the folder of cdktf.json, where an app runs, or absolute
   */
  static folder(folder: string, options: FolderStoreOptions = {}): CredentialStore {
    const { previousPassphrase: previous } = options;
    return new CredentialStore(folder, options.issue ?? "whenMissing", undefined, previous && passphraseOf(previous));
  }

  /**
   * Records that are sealed one by one with a passphrase (scrypt, AES-256-GCM): made to be committed and shared by a team
   * and its CI. Only the names of clients can be read without it. Who ever had the passphrase can open what was committed
   * then; sealing anew protects what is issued later.
   *
   * @param folder relative to the folder of cdktf.json, where an app runs, or absolute
   */
  static sealed(folder: string, options: SealedStoreOptions): CredentialStore {
    const { issue = "never", passphrase, previousPassphrase } = options;
    return new CredentialStore(folder, issue, {
      ...passphraseOf(passphrase),
      ...(previousPassphrase && { previous: passphraseOf(previousPassphrase).passphrase }),
    });
  }

  private constructor(
    /** The folder as it was given. */
    readonly location: string,
    readonly issue: IssuePolicy,
    private readonly sealedWith?: SealedOptions,
    private readonly unsealedWith?: SealedOptions,
  ) {}

  /** The folder's absolute path. */
  get directory(): string {
    return path.resolve(this.location);
  }

  get isSealed(): boolean {
    return this.sealedWith !== undefined;
  }

  /** @throws {Error} when the folder cannot be read, a record is damaged, or the passphrase is wrong */
  open(now: Date): RecordFolder {
    const files = this.files();
    return this.sealedWith === undefined ? new RecordFolder(files, PLAIN) : openSealed(files, this.sealedWith, now);
  }

  /**
   * Brings every record into the form that is declared: sealed with the present passphrase, or plain. What it says stays
   * the same. Interrupted, it can be run again.
   *
   * @returns how many records were converted
   * @throws {Error} when a record is damaged or a passphrase is wrong
   */
  convert(now: Date): number {
    return convertStore(this.files(), this.sealedWith, this.unsealedWith, now);
  }

  /**
   * Paths of its files, and of nothing else in its folder.
   *
   * @throws {Error} when it cannot be opened: then nobody can tell what is its own
   */
  ownFiles(now: Date): string[] {
    this.open(now);
    return this.files().ownFiles();
  }

  private files(): StoreFiles {
    return new StoreFiles(this.directory, this.isSealed ? SEALED_GIT_IGNORE : PLAIN_GIT_IGNORE, this.isSealed);
  }
}

/** A text of one line: what ends the line in a file or a command's output is no part of it. */
function passphraseOf(source: TextSource): SealedOptions {
  return { passphrase: () => source.read("the passphrase").replace(/\r?\n$/, "") };
}
