import * as path from "node:path";
import { RecordFolder } from "./record-folder";

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
}

/** Names the one stack whose stores may issue during this synth, whatever they say. Set by `cdktf-mosquitto issue`. */
export const ISSUE_VARIABLE = "CDKTF_MOSQUITTO_ISSUE";

/** Where a broker's certificates, keys and passwords are kept between deploys. One store serves one broker. */
export class CredentialStore {
  /**
   * Plain records, one file each: the folder is made with mode 0700 and a .gitignore for all of it, files with 0600.
   * Keep it out of version control and in your backups: who loses it must hand every client a new bundle.
   *
   * @param folder relative to the folder of cdktf.json, where an app runs, or absolute
   */
  static folder(folder: string, options: FolderStoreOptions = {}): CredentialStore {
    return new CredentialStore(folder, options.issue ?? "whenMissing");
  }

  private constructor(
    /** The folder as it was given. */
    readonly location: string,
    readonly issue: IssuePolicy,
  ) {}

  /** The folder's absolute path. */
  get directory(): string {
    return path.resolve(this.location);
  }

  /** Whether a synth of this stack may issue. */
  mayIssue(stackId: string): boolean {
    const only = process.env[ISSUE_VARIABLE] ?? "";
    return only === "" ? this.issue === "whenMissing" : only === stackId;
  }

  /** @throws {Error} when the folder cannot be read or a record is damaged */
  open(): RecordFolder {
    return RecordFolder.open(this.directory);
  }
}
