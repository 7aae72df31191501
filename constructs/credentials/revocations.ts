import { parseRevocationList, ParsedCertificate, Revocation, revocationListFault, RevocationReason } from "../pki";
import { Authority } from "./authority";
import { IssuanceNote, Issuing, Reason } from "./issuing";
import {
  AuthorityRecord,
  ClientRecord,
  commonNameOf,
  newId,
  PasswordRecord,
  RevocationListRecord,
  RevocationRecord,
} from "./record";
import { RecordFolder } from "./record-folder";
import { WantedCertificate } from "./wanted";

type Credential = ClientRecord | PasswordRecord;

/** Which credentials are ended: for good by a record, or for as long as they are not declared. */
export class Revocations {
  private readonly records: Map<string, RevocationRecord>;

  constructor(private readonly issuing: Issuing) {
    this.records = recordsOf(issuing.folder);
  }

  /** The record that ended a credential for good, if there is one. */
  of(credential: Credential): RevocationRecord | undefined {
    return this.records.get(keyOf(credential));
  }

  /**
   * Ends the versions before the declared one for good: a raised `credentialVersion` says that they must never work again,
   * whatever a later declaration says, and whatever the client proves itself with now.
   */
  endEarlierVersions(declared: readonly { readonly name: string; readonly credentialVersion: number }[]): void {
    const versions = new Map(declared.map(({ name, credentialVersion }) => [name, credentialVersion]));
    for (const record of [...this.unexpired(), ...this.issuing.folder.all("password")]) {
      const version = versions.get(record.name);
      if (version === undefined || record.version >= version || this.of(record) !== undefined) continue;
      const text = `credentialVersion raised to ${version}`;
      const ended = this.issuing.issue<RevocationRecord>(
        revokedTitle(record),
        { text, soon: true },
        undefined,
        (stamp) => revocationOf(record, "superseded", stamp),
      );
      if (ended !== undefined) this.records.set(keyOf(record), ended);
    }
  }

  /** Every unexpired certificate that must not work now. */
  endedCertificates(declared: readonly WantedCertificate[]): readonly ClientRecord[] {
    const wanted = new Map(declared.map((one) => [one.name, one]));
    return this.unexpired().filter((record) => {
      const one = wanted.get(record.name);
      const isDeclared = one?.credentialVersion === record.version && one.commonName === commonNameOf(record);
      return !isDeclared || this.of(record) !== undefined;
    });
  }

  /**
   * The revocation list of a trusted authority, made anew when it would refuse others than it should, or ends.
   *
   * @param ended what must not work, of every authority
   */
  list(authority: Authority, ended: readonly ClientRecord[]): string | undefined {
    const { record, source } = authority;
    if (source.kind === "trusted") return this.foreignList(authority, source);
    const { issuing } = this;
    // What it signed has ended with it.
    if (Date.parse(record.notAfter) <= issuing.now.getTime()) return "";
    const certificate = ParsedCertificate.fromPem(record.certificatePem);
    const same = sameAuthorities(issuing.folder, record, certificate);
    const fingerprints = new Set(same.map(({ fingerprint256 }) => fingerprint256));
    const refused = ended
      .filter(({ issuer256 }) => fingerprints.has(issuer256))
      .sort((one, other) => (one.serial < other.serial ? -1 : 1));
    const all = listsOf(issuing.folder, record);
    const earlierLists = same.flatMap((one) => listsOf(issuing.folder, one).slice(0, 1));
    // Two branches may each have begun this authority; what the other one's key signed would lock everybody out.
    const last = all.find(({ pem }) => {
      // A clock that is behind is no reason to make another one.
      const { thisUpdate } = parseRevocationList(pem);
      return revocationListFault(pem, certificate, later(issuing.now, thisUpdate)) === undefined;
    });
    const reason = this.reasonForList(authority, last, refused);
    if (reason === undefined) return last?.pem;
    const sequence = (all[0]?.sequence ?? 0) + 1;
    const thisUpdate = later(new Date(record.notBefore), issuing.validity(0).notBefore);
    const entries = refused.map((one) => this.entry(one, thisUpdate));
    return issuing.issue<RevocationListRecord>(
      listTitle(record),
      reason,
      undefined,
      (stamp) => ({
        kind: "crl",
        role: record.role,
        generation: record.generation,
        sequence,
        serials: entries.map(({ serial }) => serial),
        reasons: entries.map(({ reason: why }) => why),
        // A list of the future, or one that expired, locks everybody out: so it is backdated, and ends with its authority.
        pem: authority.signer.revocationList({
          number: Math.max(sequence, ...earlierLists.map(({ pem }) => parseRevocationList(pem).number + 1)),
          thisUpdate,
          nextUpdate: new Date(record.notAfter),
          revoked: entries,
        }),
        ...stamp,
      }),
      last,
    )?.pem;
  }

  private reasonForList(
    authority: Authority,
    last: RevocationListRecord | undefined,
    refused: readonly ClientRecord[],
  ): Reason | undefined {
    if (last === undefined) {
      const isFirst = listsOf(this.issuing.folder, authority.record).length === 0;
      return { text: isFirst ? "first issue" : "the one before has ended" };
    }
    if (!this.refusesExactly(last, refused)) return { text: `certificates to refuse: ${refused.length}` };
    // A signer may have given it a shorter life than was asked for.
    if (authority.source.kind !== "external") return undefined;
    const { thisUpdate, nextUpdate } = parseRevocationList(last.pem);
    if (nextUpdate.getTime() >= authority.end) return undefined;
    const renewal = new Date(nextUpdate.getTime() - (nextUpdate.getTime() - thisUpdate.getTime()) / 3);
    this.issuing.schedule(renewal, `${listTitle(authority.record)}: renewal`);
    return this.issuing.now < renewal
      ? undefined
      : { text: `renewal: it ends ${nextUpdate.toISOString()}`, soon: true };
  }

  private entry(certificate: ClientRecord, thisUpdate: Date): Revocation & { readonly reason: RevocationReason } {
    const { serial } = certificate;
    const final = this.of(certificate);
    const revokedAt = new Date(final?.issuedAt ?? certificate.notBefore);
    // Nothing on a list is later than the list (RFC 5280 section 5.1.2.4).
    return { serial, revokedAt: earlier(revokedAt, thisUpdate), reason: this.reasonOf(certificate) };
  }

  private reasonOf(certificate: ClientRecord): RevocationReason {
    return this.of(certificate)?.cause ?? "certificateHold";
  }

  /** Whether a list refuses exactly these, for their reasons, beside certificates that have ended and are refused anyway. */
  private refusesExactly(list: RevocationListRecord, refused: readonly ClientRecord[]): boolean {
    const listed = new Map(list.serials.map((serial, index) => [serial, list.reasons[index]]));
    const wanted = new Set(refused.map(({ serial }) => serial));
    const ended = new Set(
      this.issuing.folder
        .all("client")
        .filter((record) => !this.isUnexpired(record))
        .map(({ serial }) => serial),
    );
    return (
      refused.every((one) => listed.get(one.serial) === this.reasonOf(one)) &&
      list.serials.every((one) => wanted.has(one) || ended.has(one))
    );
  }

  /** The list that the authority's owner publishes; kept, so that a plan elsewhere has it too. */
  private foreignList(
    { record }: Authority,
    { revocationList }: Extract<Authority["source"], { kind: "trusted" }>,
  ): string | undefined {
    if (revocationList === undefined) return "";
    const { issuing } = this;
    const what = listTitle(record);
    const certificate = ParsedCertificate.fromPem(record.certificatePem);
    const [last] = listsOf(issuing.folder, record);
    const known = last && parseRevocationList(last.pem);
    if (known) issuing.schedule(known.nextUpdate, `${what}: bring the next one`);
    if (!issuing.readsSources) {
      const fault = last && revocationListFault(last.pem, certificate, issuing.now);
      if (last !== undefined && fault === undefined) return last.pem;
      return issuing.issue<RevocationListRecord>(what, { text: fault ?? "first issue" }, undefined, never)?.pem;
    }
    const pem = revocationList.read("the revocation list");
    const fault =
      revocationListFault(pem, certificate, issuing.now) ??
      (known && parseRevocationList(pem).number < known.number
        ? `it is older than the one in the store (number ${known.number})`
        : undefined);
    if (fault !== undefined) {
      throw new Error(
        `the revocation list from ${revocationList.description} cannot be used: ${fault}; allowed: the current list of ` +
          `${record.role} authority ${record.generation}; remedy: get it from the authority's owner. The broker would ` +
          "let nobody in, or let in who is revoked",
      );
    }
    const { nextUpdate, serials } = parseRevocationList(pem);
    issuing.schedule(nextUpdate, `${what}: bring the next one`);
    if (last?.pem === pem) return pem;
    const reason = last === undefined ? "first issue" : "another list was given";
    return issuing.issue<RevocationListRecord>(what, { text: reason }, undefined, (stamp) => ({
      kind: "crl",
      role: record.role,
      generation: record.generation,
      sequence: (last?.sequence ?? 0) + 1,
      serials,
      reasons: [],
      pem,
      ...stamp,
    }))?.pem;
  }

  private unexpired(): ClientRecord[] {
    return this.issuing.folder.all("client").filter((record) => this.isUnexpired(record));
  }

  private isUnexpired({ notAfter }: ClientRecord): boolean {
    return Date.parse(notAfter) > this.issuing.now.getTime();
  }
}

/** A store has no credential of a client, which another broker's may have. */
export class UnknownClientError extends Error {}

/**
 * Ends every credential of a client that works now, for good.
 *
 * @throws {Error} when the client never had one, or all are ended already
 */
export function revokeClient(issuing: Issuing, name: string, cause: RevocationReason): readonly IssuanceNote[] {
  const { folder, now } = issuing;
  const records = recordsOf(folder);
  const own: Credential[] = [...folder.all("client"), ...folder.all("password")].filter((one) => one.name === name);
  const alive = own
    .filter((one) => one.kind === "password" || Date.parse(one.notAfter) > now.getTime())
    .filter((one) => !records.has(keyOf(one)));
  if (alive.length === 0) {
    const names = new Set([...folder.all("client"), ...folder.all("password")].map((one) => one.name));
    if (own.length === 0)
      throw new UnknownClientError(
        `client ${JSON.stringify(name)} has no credential in ${folder.directory}; allowed: ${[...names].sort().join(", ")}`,
      );
    throw new Error(`every credential of client ${name} in ${folder.directory} has ended already; nothing was changed`);
  }
  for (const credential of alive) {
    issuing.issue<RevocationRecord>(revokedTitle(credential), { text: cause }, undefined, (stamp) =>
      revocationOf(credential, cause, stamp),
    );
  }
  folder.flush();
  return issuing.issued;
}

function revokedTitle(credential: Credential): string {
  return credential.kind === "client"
    ? `revocation of client certificate ${credential.name} ${credential.serial}`
    : `revocation of password ${credential.name}`;
}

function revocationOf(
  credential: Credential,
  cause: RevocationReason,
  stamp: { readonly issuedAt: string; readonly reason: string },
): RevocationRecord {
  const { kind, name, version, sequence } = credential;
  return {
    kind: "revocation",
    id: newId(),
    credential: kind,
    name,
    version,
    sequence,
    of: kind === "client" ? credential.serial : credential.hash,
    cause,
    ...stamp,
  };
}

function recordsOf(folder: RecordFolder): Map<string, RevocationRecord> {
  return new Map(folder.all("revocation").map((record) => [`${record.credential} ${record.of}`, record]));
}

function keyOf(credential: Credential): string {
  return credential.kind === "client" ? `client ${credential.serial}` : `password ${credential.hash}`;
}

/** The lists of an authority, the newest first. */
function listsOf(folder: RecordFolder, { role, generation }: AuthorityRecord): RevocationListRecord[] {
  return folder
    .all("crl")
    .filter((record) => record.role === role && record.generation === generation)
    .sort((one, other) => (age(one) < age(other) ? 1 : -1));
}

/**
 * The authority under every certificate that it has had: verifiers know it by name and key. So one whose certificate was
 * renewed refuses what it signed before, too.
 */
function sameAuthorities(
  folder: RecordFolder,
  record: AuthorityRecord,
  certificate: ParsedCertificate,
): AuthorityRecord[] {
  return folder.all("authority").filter((one) => {
    if (one.fingerprint256 === record.fingerprint256) return true;
    if (one.role !== record.role) return false;
    const other = ParsedCertificate.fromPem(one.certificatePem);
    return other.subject.equals(certificate.subject) && other.publicKeyDer.equals(certificate.publicKeyDer);
  });
}

function listTitle({ role, generation }: AuthorityRecord): string {
  return `revocation list of ${role} authority ${generation}`;
}

const age = ({ sequence, issuedAt, pem }: RevocationListRecord): string =>
  `${String(sequence).padStart(9, "0")} ${issuedAt} ${pem}`;

function earlier(one: Date, other: Date): Date {
  return one < other ? one : other;
}

function later(one: Date, other: Date): Date {
  return one < other ? other : one;
}

function never(): never {
  throw new Error("a revocation list was asked for where nothing may be issued");
}
