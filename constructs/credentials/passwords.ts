import { generatePassword, hashPassword, parsePasswordHash, verifyPassword } from "../access";
import { Issuing, Reason } from "./issuing";
import { refuseLowerVersion } from "./latest";
import { PasswordRecord } from "./record";
import { Revocations } from "./revocations";
import { WantedPassword } from "./wanted";

/** A client's password, and what the broker keeps of it. */
export interface Password {
  /** Absent where only the hash was given. */
  readonly value?: string;
  readonly hash: string;
}

/** What was given of a password: itself, its hash, or nothing. */
type Given = { readonly value: string } | { readonly hash: string } | undefined;

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
    const given = givenOf(wanted);
    this.refuseRevoked(wanted.name, given);
    const record =
      this.kept(wanted, given, last) ??
      this.issuing.issue<PasswordRecord>(
        `password ${wanted.name}`,
        this.reason(wanted, given, latest, last),
        undefined,
        (stamp) => ({
          kind: "password",
          name: wanted.name,
          version: wanted.credentialVersion,
          sequence: (last?.sequence ?? 0) + 1,
          ...this.made(wanted, given, last),
          ...stamp,
        }),
      );
    if (record === undefined) return undefined;
    const value = given === undefined ? record.password : "value" in given ? given.value : undefined;
    return { ...(value !== undefined && { value }), hash: record.hash };
  }

  private made(
    { iterations }: WantedPassword,
    given: Given,
    last: PasswordRecord | undefined,
  ): Pick<PasswordRecord, "hash" | "password"> {
    if (given !== undefined) return { hash: "hash" in given ? given.hash : hashPassword(given.value, { iterations }) };
    const isRevoked = last !== undefined && this.revocations.of(last) !== undefined;
    const password = (isRevoked ? undefined : last?.password) ?? generatePassword();
    return { hash: hashPassword(password, { iterations }), password };
  }

  /** The hash is kept while the password is the same: another salt would be a change to deploy. */
  private kept(wanted: WantedPassword, given: Given, last: PasswordRecord | undefined): PasswordRecord | undefined {
    if (last === undefined || this.revocations.of(last) !== undefined) return undefined;
    if (given !== undefined && "hash" in given) return given.hash === last.hash ? last : undefined;
    if (parsePasswordHash(last.hash).iterations !== wanted.iterations) return undefined;
    if (given === undefined) return last.password === undefined ? undefined : last;
    return verifyPassword(given.value, last.hash) ? last : undefined;
  }

  private refuseRevoked(name: string, given: Given): void {
    if (given === undefined) return;
    const isSame = ({ hash }: PasswordRecord): boolean =>
      "hash" in given ? hash === given.hash : verifyPassword(given.value, hash);
    const revoked = this.issuing.folder
      .all("password")
      .find((record) => record.name === name && this.revocations.of(record) && isSame(record));
    if (revoked === undefined) return;
    throw new Error(
      `the password that client ${name} is declared with was revoked (${this.revocations.of(revoked)?.cause}); ` +
        "allowed: another password; remedy: give one that nobody has had",
    );
  }

  private reason(
    wanted: WantedPassword,
    given: Given,
    latest: PasswordRecord | undefined,
    last: PasswordRecord | undefined,
  ): Reason {
    if (latest === undefined) return { text: "first issue" };
    if (last === undefined) return { text: `credentialVersion raised to ${wanted.credentialVersion}` };
    const revocation = this.revocations.of(last);
    if (revocation !== undefined) return { text: `the one before was revoked: ${revocation.cause}` };
    if (given !== undefined) return { text: "hash" in given ? "hash changed" : "password or iterations changed" };
    return { text: last.password === undefined ? "password no longer given" : "iterations changed" };
  }
}

function givenOf({ value, hash }: WantedPassword): Given {
  if (hash !== undefined) return { hash };
  if (value !== undefined) return { value: typeof value === "string" ? value : value() };
  return undefined;
}
