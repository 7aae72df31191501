import { DAY, KeyAlgorithm, KeyPair, KeySource, SignedCertificate } from "../pki";
import { CertificateFields, CredentialRecord } from "./record";
import { RecordFolder } from "./record-folder";

/** Devices whose clock runs behind must not see a certificate of the future (espressif/esp-at#432). */
const BACKDATED = DAY;

/** One thing that was issued, or is to be. */
export interface IssuanceNote {
  readonly what: string;
  readonly reason: string;
}

/** Why a record is not enough. `soon`: nothing fails without another one yet, so where nothing may be issued it can wait. */
export interface Reason {
  readonly text: string;
  readonly soon?: boolean;
}

/** Called with what every record begins with. */
export type Make<R> = (stamp: { readonly issuedAt: string; readonly reason: string }) => R;

/** The one way into the store: issues where that is allowed, and says what it did or what is to be done. */
export class Issuing {
  readonly issued: IssuanceNote[] = [];
  /** What is needed and not there. */
  readonly missing: IssuanceNote[] = [];
  /** What is there, but is to be issued again. */
  readonly due: IssuanceNote[] = [];
  /** What the owner has to see to. */
  readonly warnings: string[] = [];
  /** Algorithms of the keys that issuing all of it takes. */
  readonly keys: KeyAlgorithm[] = [];
  /** What comes next by itself, and when. */
  nextAction: { readonly at: Date; readonly what: string } | undefined;
  /** Whether another process wrote a record first, so that what was taken over has to be judged again. */
  overtaken = false;
  /** Whether there is something to note, beside what is to be issued. */
  hasNotes = false;

  private newestStamp: number | undefined;

  constructor(
    readonly folder: RecordFolder,
    readonly now: Date,
    /** Where new keys come from; `plan` to see only what would be issued; absent where nothing may be. */
    private readonly source: KeySource | "plan" | undefined,
  ) {}

  get mayIssue(): boolean {
    return this.source instanceof KeySource;
  }

  /** Whether what lies outside of the store is looked at: certificates and lists that are given. */
  get readsSources(): boolean {
    return this.source !== undefined;
  }

  key(algorithm: KeyAlgorithm): KeyPair {
    if (!(this.source instanceof KeySource)) throw new Error("a key was asked for where nothing may be issued");
    return this.source.take(algorithm);
  }

  /** Notes that something will have to be done; the earliest counts. */
  schedule(at: Date, what: string): void {
    if (this.nextAction === undefined || at < this.nextAction.at) this.nextAction = { at, what };
  }

  /**
   * Adds what `make` makes to the store, or notes that it is to be done.
   *
   * @param algorithm of the key that `make` takes, where it takes one
   * @param current what is used on where nothing may be issued and the reason can wait
   */
  issue<R extends CredentialRecord>(
    what: string,
    reason: Reason,
    algorithm: KeyAlgorithm | undefined,
    make: Make<R>,
    current?: R,
  ): R | undefined {
    if (!this.mayIssue) {
      if (algorithm !== undefined) this.keys.push(algorithm);
      (reason.soon === true ? this.due : this.missing).push({ what, reason: reason.text });
      return reason.soon === true ? current : undefined;
    }
    const { record, isOurs } = this.write(reason.text, make);
    if (isOurs) this.issued.push({ what, reason: reason.text });
    return record;
  }

  /** Adds a record that is of interest to this library alone, where issuing is allowed; elsewhere it is not missed. */
  note<R extends CredentialRecord>(reason: string, make: Make<R>): void {
    if (this.mayIssue) this.write(reason, make);
    else if (this.readsSources) this.hasNotes = true;
  }

  private write<R extends CredentialRecord>(reason: string, make: Make<R>): { record: R; isOurs: boolean } {
    this.refuseClockSetBack();
    const made = make({ issuedAt: this.now.toISOString(), reason });
    const record = this.folder.add(made) as R;
    const isOurs = record === made;
    if (!isOurs) this.overtaken = true;
    return { record, isOurs };
  }

  /** @param end when the issuer's chain ends, in milliseconds */
  validity(days: number, end = Infinity): { notBefore: Date; notAfter: Date } {
    return {
      notBefore: new Date(this.now.getTime() - BACKDATED),
      notAfter: new Date(Math.min(this.now.getTime() + days * DAY, end)),
    };
  }

  /** What is issued by a clock that runs behind would end early, and be taken for older than what it replaces. */
  private refuseClockSetBack(): void {
    this.newestStamp ??= this.folder.newestStamp;
    if (this.newestStamp - this.now.getTime() <= DAY) return;
    throw new Error(
      `this machine's clock says ${this.now.toISOString()}, but the store ${this.folder.directory} has a record that was ` +
        `issued ${new Date(this.newestStamp).toISOString()}; allowed: a clock that is right to the day; ` +
        "remedy: set the clock and run again; if the clock is right, another one was wrong when that record was made: " +
        "restore the store from before that; nothing was changed",
    );
  }
}

/** The fields of a record that come from its certificate. */
export function certificateFields(certificate: SignedCertificate, algorithm: string): CertificateFields {
  return {
    algorithm,
    serial: certificate.serial,
    fingerprint256: certificate.fingerprint256,
    notBefore: certificate.notBefore.toISOString(),
    notAfter: certificate.notAfter.toISOString(),
    certificatePem: certificate.certificatePem,
  };
}
