import { createHash } from "node:crypto";
import { generatePassword, hashPassword, parsePasswordHash, verifyPassword } from "../access";
import { Issuing, Reason } from "./issuing";
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
  /** Those that were revoked, by client. */
  private readonly revoked = new Map<string, PasswordRecord[]>();

  constructor(
    private readonly issuing: Issuing,
    private readonly revocations: Revocations,
  ) {
    for (const record of issuing.folder.all("password")) {
      if (revocations.of(record) === undefined) continue;
      const own = this.revoked.get(record.name);
      if (own === undefined) this.revoked.set(record.name, [record]);
      else own.push(record);
    }
  }

  /** @param latest of the client, of any version */
  get(wanted: WantedPassword, latest: PasswordRecord | undefined): Password | undefined {
    const last = latest?.version === wanted.credentialVersion ? latest : undefined;
    const given = givenOf(wanted);
    if (this.isRevoked(wanted.name, given)) return undefined;
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
    return isPasswordOf(given.value, last.hash) ? last : undefined;
  }

  /**
   * Whether a given password was revoked. The client is left without one, so that everybody else's deploy goes on.
   *
   * @throws {Error} when the same declaration has ended the password and gives it again
   */
  private isRevoked(name: string, given: Given): boolean {
    if (given === undefined) return false;
    const isSame = ({ hash }: PasswordRecord): boolean =>
      "hash" in given ? hash === given.hash : isPasswordOf(given.value, hash);
    const causes = (this.revoked.get(name) ?? []).filter(isSame).map((record) => this.revocations.of(record)?.cause);
    if (causes.length === 0) return false;
    const text =
      `the password that client ${name} is declared with was revoked (${causes[0]}); allowed: another password; remedy: give ` +
      "one that nobody has had";
    if (causes.includes("superseded")) throw new Error(text);
    this.issuing.warnings.push(`${text}; until then it has no password`);
    return true;
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

/** Answers that were worked out before: a hash takes long by design, and is asked for several times in a synth. */
const answers = new Map<string, boolean>();

function isPasswordOf(value: string, hash: string): boolean {
  const question = `${createHash("sha256").update(value).digest("hex")} ${hash}`;
  const known = answers.get(question) ?? verifyPassword(value, hash);
  answers.set(question, known);
  return known;
}

function givenOf({ value, hash }: WantedPassword): Given {
  if (hash !== undefined) return { hash };
  if (value !== undefined) return { value: typeof value === "string" ? value : value() };
  return undefined;
}
