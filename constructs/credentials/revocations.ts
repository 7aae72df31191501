import { parseRevocationList, ParsedCertificate, Revocation, revocationListFault, RevocationReason } from "../pki";
import { Authority } from "./authority";
import { IssuanceNote, Issuing } from "./issuing";
import { AuthorityRecord, ClientRecord, PasswordRecord, RevocationListRecord, RevocationRecord } from "./record";
import { RecordFolder } from "./record-folder";
import { WantedCertificate } from "./wanted";

type Credential = ClientRecord | PasswordRecord;

/** Which credentials are ended: for good by a record, or for as long as they are not declared. */
export class Revocations {
  private readonly records: ReadonlyMap<string, RevocationRecord>;

  constructor(private readonly issuing: Issuing) {
    this.records = recordsOf(issuing.folder);
  }

  /** The record that ended a credential for good, if there is one. */
  of(credential: Credential): RevocationRecord | undefined {
    return this.records.get(keyOf(credential));
  }

  /**
   * Ends the versions before the declared one for good: a raised `credentialVersion` says that they must never work again,
   * whatever a later declaration says.
   */
  endEarlierVersions(declared: readonly WantedCertificate[]): void {
    const versions = new Map(declared.map(({ name, credentialVersion }) => [name, credentialVersion]));
    for (const record of this.unexpired()) {
      const version = versions.get(record.name);
      if (version === undefined || record.version >= version || this.of(record) !== undefined) continue;
      const text = `credentialVersion raised to ${version}`;
      this.issuing.issue<RevocationRecord>(revokedTitle(record), { text, soon: true }, undefined, (stamp) =>
        revocationOf(record, "superseded", stamp),
      );
    }
  }

  /** Every unexpired certificate that must not work now. */
  endedCertificates(declared: readonly WantedCertificate[]): readonly ClientRecord[] {
    const versions = new Map(declared.map(({ name, credentialVersion }) => [name, credentialVersion]));
    return this.unexpired().filter(
      (record) => versions.get(record.name) !== record.version || this.of(record) !== undefined,
    );
  }

  /**
   * The revocation list of a trusted authority, made anew when it would refuse others than it should.
   *
   * @param ended what must not work, of every authority
   */
  list(authority: Authority, ended: readonly ClientRecord[]): string | undefined {
    const { record, source } = authority;
    if (source.kind === "trusted") return this.foreignList(authority);
    const refused = ended.filter(({ issuer256 }) => issuer256 === record.fingerprint256);
    const serials = refused.map(({ serial }) => serial).sort();
    const { folder } = this.issuing;
    const last = newestList(folder, record);
    const what = `revocation list of ${record.role} authority ${record.generation}`;
    if (last !== undefined && this.refusesExactly(last, serials)) return last.pem;
    const sequence = (last?.sequence ?? 0) + 1;
    const reason = last === undefined ? "first issue" : `certificates to refuse: ${serials.length}`;
    const thisUpdate = later(new Date(record.notBefore), this.issuing.validity(0).notBefore);
    return this.issuing.issue<RevocationListRecord>(what, { text: reason }, undefined, (stamp) => ({
      kind: "crl",
      role: record.role,
      generation: record.generation,
      sequence,
      serials,
      // A list of the future, or one that expired, locks everybody out: so it is backdated, and ends with its authority.
      pem: authority.signer.revocationList({
        number: sequence,
        thisUpdate,
        nextUpdate: new Date(record.notAfter),
        revoked: refused.map((certificate) => this.entry(certificate, thisUpdate)),
      }),
      ...stamp,
    }))?.pem;
  }

  private entry(certificate: ClientRecord, thisUpdate: Date): Revocation {
    const { serial } = certificate;
    const final = this.of(certificate);
    const revokedAt = new Date(final?.issuedAt ?? certificate.notBefore);
    // Nothing on a list is later than the list (RFC 5280 section 5.1.2.4).
    return { serial, revokedAt: earlier(revokedAt, thisUpdate), reason: final?.cause ?? "certificateHold" };
  }

  /** Whether a list refuses exactly these, beside certificates that have ended and are refused anyway. */
  private refusesExactly(list: RevocationListRecord, serials: readonly string[]): boolean {
    const ended = new Set(
      this.issuing.folder
        .all("client")
        .filter((record) => !this.isUnexpired(record))
        .map(({ serial }) => serial),
    );
    const listed = new Set(list.serials);
    const wanted = new Set(serials);
    return (
      serials.every((serial) => listed.has(serial)) && list.serials.every((one) => wanted.has(one) || ended.has(one))
    );
  }

  /** The list that the authority's owner publishes; kept, so that a plan elsewhere has it too. */
  private foreignList({ record, source }: Authority): string | undefined {
    if (source.kind !== "trusted" || source.revocationList === undefined) return "";
    const last = newestList(this.issuing.folder, record);
    const what = `revocation list of ${record.role} authority ${record.generation}`;
    if (!this.issuing.mayIssue) {
      return (
        last?.pem ?? this.issuing.issue<RevocationListRecord>(what, { text: "first issue" }, undefined, never)?.pem
      );
    }
    const pem = source.revocationList.read("the revocation list");
    const fault = revocationListFault(pem, ParsedCertificate.fromPem(record.certificatePem), this.issuing.now);
    if (fault !== undefined) {
      throw new Error(
        `the revocation list from ${source.revocationList.description} cannot be used: ${fault}; allowed: the current list ` +
          `of ${record.role} authority ${record.generation}; remedy: get it from the authority's owner. The broker would ` +
          "let nobody in",
      );
    }
    const { nextUpdate, serials } = parseRevocationList(pem);
    this.issuing.schedule(nextUpdate, `${what}: bring the next one`);
    if (last?.pem === pem) return pem;
    const reason = last === undefined ? "first issue" : "another list was given";
    return this.issuing.issue<RevocationListRecord>(what, { text: reason }, undefined, (stamp) => ({
      kind: "crl",
      role: record.role,
      generation: record.generation,
      sequence: (last?.sequence ?? 0) + 1,
      serials,
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
    throw new Error(
      own.length === 0
        ? `client ${JSON.stringify(name)} has no credential in ${folder.directory}; allowed: ${[...names].sort().join(", ")}`
        : `every credential of client ${name} in ${folder.directory} has ended already; nothing was changed`,
    );
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
    credential: kind,
    name,
    version,
    sequence,
    of: kind === "client" ? credential.serial : credential.hash,
    cause,
    ...stamp,
  };
}

function recordsOf(folder: RecordFolder): ReadonlyMap<string, RevocationRecord> {
  return new Map(folder.all("revocation").map((record) => [`${record.credential} ${record.of}`, record]));
}

function keyOf(credential: Credential): string {
  return credential.kind === "client" ? `client ${credential.serial}` : `password ${credential.hash}`;
}

/** Of two that branches made at once, neither may be right; what it refuses decides whether another one is made. */
function newestList(folder: RecordFolder, { role, generation }: AuthorityRecord): RevocationListRecord | undefined {
  return folder
    .all("crl")
    .filter((record) => record.role === role && record.generation === generation)
    .sort((one, other) => (age(one) < age(other) ? 1 : -1))[0];
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
