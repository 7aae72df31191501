import { generatePassword, hashPassword, parsePasswordHash, verifyPassword } from "../access";
import { Issuing, Reason } from "./issuing";
import { refuseLowerVersion } from "./latest";
import { PasswordRecord } from "./record";
import { Revocations } from "./revocations";
import { WantedPassword } from "./wanted";

/** A client's password, and what the broker keeps of it. */
export interface Password {
  readonly value: string;
  readonly hash: string;
}

/** Finds clients' passwords in the store, and makes those that are missing. */
export class Passwords {
  constructor(
    private readonly issuing: Issuing,
    private readonly revocations: Revocations,
  ) {}

  /** @param latest of the client, of any version */
  get(wanted: WantedPassword, latest: PasswordRecord | undefined): Password | undefined {
    refuseLowerVersion(`client ${wanted.name}`, wanted.credentialVersion, latest?.version);
    const last = latest?.version === wanted.credentialVersion ? latest : undefined;
    this.refuseRevokedPassword(wanted);
    const record =
      this.keptPassword(wanted, last) ??
      this.issuing.issue<PasswordRecord>(
        `password ${wanted.name}`,
        this.reasonForPassword(wanted, latest, last),
        undefined,
        (stamp) => {
          const isRevoked = last !== undefined && this.revocations.of(last) !== undefined;
          const value = wanted.value ?? (isRevoked ? undefined : last?.password) ?? generatePassword();
          return {
            kind: "password",
            name: wanted.name,
            version: wanted.credentialVersion,
            sequence: (last?.sequence ?? 0) + 1,
            hash: hashPassword(value, { iterations: wanted.iterations }),
            ...(wanted.value === undefined && { password: value }),
            ...stamp,
          };
        },
      );
    if (record === undefined) return undefined;
    return { value: wanted.value ?? (record.password as string), hash: record.hash };
  }

  /** The hash is kept while the password is the same: another salt would be a change to deploy. */
  private keptPassword(wanted: WantedPassword, last: PasswordRecord | undefined): PasswordRecord | undefined {
    if (last === undefined || parsePasswordHash(last.hash).iterations !== wanted.iterations) return undefined;
    if (this.revocations.of(last) !== undefined) return undefined;
    if (wanted.value === undefined) return last.password === undefined ? undefined : last;
    return verifyPassword(wanted.value, last.hash) ? last : undefined;
  }

  private refuseRevokedPassword({ name, value }: WantedPassword): void {
    if (value === undefined) return;
    const revoked = this.issuing.folder
      .all("password")
      .find((record) => record.name === name && this.revocations.of(record) && verifyPassword(value, record.hash));
    if (revoked === undefined) return;
    throw new Error(
      `the password that client ${name} is declared with was revoked (${this.revocations.of(revoked)?.cause}); ` +
        "allowed: another password; remedy: give one that nobody has had",
    );
  }

  private reasonForPassword(
    wanted: WantedPassword,
    latest: PasswordRecord | undefined,
    last: PasswordRecord | undefined,
  ): Reason {
    if (latest === undefined) return { text: "first issue" };
    if (last === undefined) return { text: `credentialVersion raised to ${wanted.credentialVersion}` };
    const revocation = this.revocations.of(last);
    if (revocation !== undefined) return { text: `the one before was revoked: ${revocation.cause}` };
    if (wanted.value !== undefined) return { text: "password or iterations changed" };
    return { text: last.password === undefined ? "password no longer given" : "iterations changed" };
  }
}
