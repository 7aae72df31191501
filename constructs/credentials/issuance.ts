import { generatePassword, hashPassword, parsePasswordHash, verifyPassword } from "../access";
import {
  IssuedCertificate,
  issueAuthority,
  issueClient,
  issueRevocationList,
  Issuer,
  issueServer,
  KeyAlgorithm,
  parseHost,
} from "../pki";
import { RecordFolder } from "./record-folder";
import {
  AuthorityRecord,
  AuthorityRole,
  CertificateFields,
  ClientRecord,
  ControlRecord,
  CredentialRecord,
  PasswordRecord,
  RevocationListRecord,
  ServerRecord,
} from "./record";
import { WantedAuthority, WantedCertificate, WantedCredentials, WantedPassword, WantedServer } from "./wanted";

const DAY = 24 * 60 * 60 * 1000;
/** Devices whose clock runs behind must not see a certificate of the future (field reports 53, A1). */
const BACKDATED = DAY;
/** A certificate is renewed in the last third of its life, spread over a tenth of that third. */
const RENEWAL_FRACTION = 1 / 3;
const JITTER_FRACTION = 1 / 10;

/** Every server certificate is also for the machine itself (field reports 04, 17). */
const LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "::1"].map(parseHost);

/** One thing that was issued, or that is missing where nothing may be issued. */
export interface IssuanceNote {
  readonly what: string;
  readonly reason: string;
}

export interface ClientCredentials {
  readonly certificate?: ClientRecord;
  readonly password?: { readonly value: string; readonly hash: string };
}

/** Everything that one broker and its clients need, complete. */
export interface Credentials {
  readonly serverAuthority: AuthorityRecord;
  readonly clientAuthority?: AuthorityRecord;
  readonly controlAuthority: AuthorityRecord;
  readonly server: ServerRecord;
  readonly control: ControlRecord;
  /** One list per authority that the broker checks clients against, concatenated. */
  readonly revocationListsPem: string;
  /** Every client's credential that has not expired and is not declared now: its open sessions are to be closed. */
  readonly ended: readonly { readonly name: string; readonly version: number }[];
  readonly clients: ReadonlyMap<string, ClientCredentials>;
}

export interface Fulfilment {
  /** Absent when something is missing and may not be issued. */
  readonly credentials?: Credentials;
  readonly issued: readonly IssuanceNote[];
  readonly missing: readonly IssuanceNote[];
}

/**
 * Finds in the store what the declaration needs, and issues the rest where that is allowed. With an unchanged
 * declaration it changes nothing: everything that is random when made is made once and kept.
 *
 * @param now the time to judge validity by
 * @throws {Error} when the declaration contradicts what was issued for good, such as an authority's algorithm
 */
export function fulfil(folder: RecordFolder, wanted: WantedCredentials, mayIssue: boolean, now: Date): Fulfilment {
  const issued: IssuanceNote[] = [];
  for (;;) {
    const issuance = new Issuance(folder, wanted, mayIssue, now);
    const result = issuance.run();
    issued.push(...result.issued);
    // What another process wrote first was made for its declaration, which may shut out others than this one.
    if (!issuance.overtaken) return { ...result, issued };
  }
}

/** Why a record is not enough. `soon`: it still works, so where nothing may be issued it is used on. */
interface Reason {
  readonly text: string;
  readonly soon?: boolean;
}

class Issuance {
  /** Whether another process wrote a record first, so that what was taken over has to be judged again. */
  overtaken = false;

  private readonly issued: IssuanceNote[] = [];
  private readonly missing: IssuanceNote[] = [];
  private readonly issuers = new Map<AuthorityRecord, Issuer>();

  constructor(
    private readonly folder: RecordFolder,
    private readonly wanted: WantedCredentials,
    private readonly mayIssue: boolean,
    private readonly now: Date,
  ) {}

  run(): Fulfilment {
    const { wanted } = this;
    const serverAuthority = this.authority("server", wanted.serverAuthority);
    const clientAuthority = wanted.clientAuthority && this.authority("clients", wanted.clientAuthority);
    const controlAuthority = this.authority("control", wanted.controlAuthority);
    const server = this.server(serverAuthority, wanted.server);
    const control = this.control(controlAuthority);

    const clients = new Map<string, ClientCredentials>();
    const latestClient = newestByName(this.folder.all("client"));
    for (const certificate of wanted.certificates) {
      const record = this.client(clientAuthority, certificate, latestClient.get(certificate.name));
      if (record !== undefined) clients.set(certificate.name, { certificate: record });
    }
    const latestPassword = newestByName(this.folder.all("password"));
    for (const password of wanted.passwords) {
      const found = this.password(password, latestPassword.get(password.name));
      if (found !== undefined) clients.set(password.name, { ...clients.get(password.name), password: found });
    }

    const ended = clientAuthority === undefined ? [] : this.endedCertificates(clientAuthority);
    const lists = [
      clientAuthority && this.revocationList(clientAuthority, ended),
      this.revocationList(controlAuthority, []),
    ];
    const notes = { issued: this.issued, missing: this.missing };
    if (!serverAuthority || !controlAuthority || !server || !control || this.missing.length > 0) return notes;
    return {
      ...notes,
      credentials: {
        serverAuthority,
        ...(clientAuthority && { clientAuthority }),
        controlAuthority,
        server,
        control,
        revocationListsPem: lists.map((list) => list?.pem ?? "").join(""),
        ended: ended.map(({ name, version }) => ({ name, version })),
        clients,
      },
    };
  }

  private authority(role: AuthorityRole, wanted: WantedAuthority): AuthorityRecord | undefined {
    const records = this.folder.all("authority").filter((record) => record.role === role);
    const record = records.find((candidate) => candidate.generation === wanted.generation);
    if (record !== undefined) {
      if (wanted.algorithmDeclared && record.algorithm !== wanted.algorithm.id) {
        throw new Error(
          `the ${role} authority is declared with ${wanted.algorithm.id}, but the one in ${this.folder.directory} ` +
            `was made with ${record.algorithm} and clients trust that one; allowed: ${record.algorithm}; ` +
            "remedy: declare that algorithm, or use another store to start afresh",
        );
      }
      if (Date.parse(record.notAfter) <= this.now.getTime()) {
        throw new Error(
          `the ${role} authority in ${this.folder.directory} ended ${record.notAfter}, and with it every certificate ` +
            "that it signed; allowed: an authority that is valid; remedy: use another store to start afresh, and hand " +
            "every client its new bundle",
        );
      }
      return record;
    }
    return this.issue<AuthorityRecord>(`${role} authority`, { text: "first issue" }, (stamp) => {
      const certificate = issueAuthority({
        commonName: wanted.commonName,
        algorithm: wanted.algorithm,
        ...this.validity(wanted.validityDays),
      });
      return {
        kind: "authority",
        role,
        generation: wanted.generation,
        ...fields(certificate, wanted.algorithm),
        ...stamp,
      };
    });
  }

  private server(authority: AuthorityRecord | undefined, wanted: WantedServer): ServerRecord | undefined {
    const last = newest(this.folder.all("server"));
    const hosts = wanted.hosts.map((host) => host.value);
    const added = last && hosts.filter((host) => !last.hosts.includes(host));
    // A renewal can wait where nothing may be issued; a host that no certificate has cannot, so it is asked first.
    const reason =
      added && added.length > 0
        ? { text: `host added: ${added.join(", ")}` }
        : this.reasonToIssue(last, authority, wanted.algorithm, wanted.validityDays);
    if (reason === undefined) return last;
    return this.issue<ServerRecord>(
      "server certificate",
      reason,
      (stamp) => {
        const issuer = this.issuer(authority);
        const sequence = (last?.sequence ?? 0) + 1;
        const generationHost = wanted.generationHosts[sequence % wanted.generationHosts.length] as string;
        const certificate = issueServer(issuer.signs, {
          // Clients go by the alternative names; a common name has room for 64 characters (RFC 5280, ub-common-name).
          commonName: hosts.find((host) => host.length <= 64) ?? "mosquitto",
          hosts: [...wanted.hosts, ...LOOPBACK_HOSTS, parseHost(generationHost)],
          algorithm: wanted.algorithm,
          ...this.validity(wanted.validityDays),
        });

        return {
          kind: "server",
          sequence,
          hosts,
          generationHost,
          issuer256: issuer.fingerprint256,
          ...fields(certificate, wanted.algorithm),
          ...stamp,
        };
      },
      last,
    );
  }

  private control(authority: AuthorityRecord | undefined): ControlRecord | undefined {
    const { controlAuthority, controlName } = this.wanted;
    const last = newest(this.folder.all("control"));
    const reason = this.reasonToIssue(last, authority, controlAuthority.algorithm, controlAuthority.validityDays);
    if (reason === undefined) return last;
    return this.issue<ControlRecord>(
      "control certificate",
      reason,
      (stamp) => {
        const issuer = this.issuer(authority);
        const certificate = issueClient(issuer.signs, {
          commonName: controlName,
          algorithm: controlAuthority.algorithm,
          ...this.validity(controlAuthority.validityDays),
        });
        const sequence = (last?.sequence ?? 0) + 1;
        return {
          kind: "control",
          sequence,
          issuer256: issuer.fingerprint256,
          ...fields(certificate, controlAuthority.algorithm),
          ...stamp,
        };
      },
      last,
    );
  }

  private client(
    authority: AuthorityRecord | undefined,
    wanted: WantedCertificate,
    latest: ClientRecord | undefined,
  ): ClientRecord | undefined {
    this.refuseLowerVersion(wanted, latest);
    const last = latest?.version === wanted.credentialVersion ? latest : undefined;
    const reason =
      latest !== undefined && last === undefined
        ? { text: `credentialVersion raised to ${wanted.credentialVersion}` }
        : this.reasonToIssue(last, authority, wanted.algorithm, wanted.validityDays);
    if (reason === undefined) return last;
    return this.issue<ClientRecord>(
      `client certificate ${wanted.name}`,
      reason,
      (stamp) => {
        const issuer = this.issuer(authority);
        const certificate = issueClient(issuer.signs, {
          commonName: wanted.name,
          algorithm: wanted.algorithm,
          ...this.validity(wanted.validityDays),
        });
        return {
          kind: "client",
          name: wanted.name,
          version: wanted.credentialVersion,
          sequence: (last?.sequence ?? 0) + 1,
          issuer256: issuer.fingerprint256,
          ...fields(certificate, wanted.algorithm),
          ...stamp,
        };
      },
      last,
    );
  }

  private password(wanted: WantedPassword, latest: PasswordRecord | undefined): ClientCredentials["password"] {
    this.refuseLowerVersion(wanted, latest);
    const last = latest?.version === wanted.credentialVersion ? latest : undefined;
    const record =
      this.keptPassword(wanted, last) ??
      this.issue<PasswordRecord>(`password ${wanted.name}`, this.reasonForPassword(wanted, latest, last), (stamp) => {
        const value = wanted.value ?? last?.password ?? generatePassword();
        return {
          kind: "password",
          name: wanted.name,
          version: wanted.credentialVersion,
          sequence: (last?.sequence ?? 0) + 1,
          hash: hashPassword(value, { iterations: wanted.iterations }),
          ...(wanted.value === undefined && { password: value }),
          ...stamp,
        };
      });
    if (record === undefined) return undefined;
    return { value: wanted.value ?? (record.password as string), hash: record.hash };
  }

  /** The hash is kept while the password is the same: another salt would be a change to deploy. */
  private keptPassword(wanted: WantedPassword, last: PasswordRecord | undefined): PasswordRecord | undefined {
    if (last === undefined || parsePasswordHash(last.hash).iterations !== wanted.iterations) return undefined;
    if (wanted.value === undefined) return last.password === undefined ? undefined : last;
    return verifyPassword(wanted.value, last.hash) ? last : undefined;
  }

  private reasonForPassword(
    wanted: WantedPassword,
    latest: PasswordRecord | undefined,
    last: PasswordRecord | undefined,
  ): Reason {
    if (latest === undefined) return { text: "first issue" };
    if (last === undefined) return { text: `credentialVersion raised to ${wanted.credentialVersion}` };
    if (wanted.value !== undefined) return { text: "password or iterations changed" };
    return { text: last.password === undefined ? "password no longer given" : "iterations changed" };
  }

  private refuseLowerVersion(
    wanted: { readonly name: string; readonly credentialVersion: number },
    latest: { readonly version: number } | undefined,
  ): void {
    if (latest === undefined || latest.version <= wanted.credentialVersion) return;
    throw new Error(
      `client ${wanted.name} is declared with credentialVersion ${wanted.credentialVersion}, but version ` +
        `${latest.version} was issued and ended it; allowed: ${latest.version} or more; ` +
        "remedy: declare the version that was issued last",
    );
  }

  private reasonToIssue(
    last: (ServerRecord | ControlRecord | ClientRecord) | undefined,
    authority: AuthorityRecord | undefined,
    algorithm: KeyAlgorithm,
    validityDays: number,
  ): Reason | undefined {
    if (last === undefined) return { text: "first issue" };
    if (authority !== undefined && last.issuer256 !== authority.fingerprint256) return { text: "authority changed" };
    if (last.algorithm !== algorithm.id) return { text: `algorithm changed from ${last.algorithm} to ${algorithm.id}` };
    const end = Date.parse(last.notAfter);
    // A leaf that ends with its authority gains nothing from being issued again.
    if (authority !== undefined && end >= Date.parse(authority.notAfter)) return undefined;
    const window = validityDays * DAY * RENEWAL_FRACTION;
    const jitter = (parseInt(last.serial.slice(-4), 16) / 0xffff) * window * JITTER_FRACTION;
    if (this.now.getTime() < end - window + jitter) return undefined;
    return { text: `renewal: it ends ${last.notAfter}`, soon: this.now.getTime() < end };
  }

  /** Every unexpired certificate of a client, or of a version of it, that is not declared now. */
  private endedCertificates(authority: AuthorityRecord): readonly ClientRecord[] {
    const declared = new Map(this.wanted.certificates.map((client) => [client.name, client.credentialVersion]));
    return this.folder
      .all("client")
      .filter((record) => record.issuer256 === authority.fingerprint256)
      .filter((record) => declared.get(record.name) !== record.version)
      .filter((record) => Date.parse(record.notAfter) > this.now.getTime());
  }

  /** Whether a list refuses exactly these, beside certificates that have ended and are refused anyway. */
  private stillRefuses(list: RevocationListRecord, serials: readonly string[]): boolean {
    const ended = new Set(
      this.folder
        .all("client")
        .filter((record) => Date.parse(record.notAfter) <= this.now.getTime())
        .map((record) => record.serial),
    );
    const listed = new Set(list.serials);
    const wanted = new Set(serials);
    return (
      serials.every((serial) => listed.has(serial)) && list.serials.every((one) => wanted.has(one) || ended.has(one))
    );
  }

  private revocationList(
    authority: AuthorityRecord | undefined,
    ended: readonly ClientRecord[],
  ): RevocationListRecord | undefined {
    if (authority === undefined) return undefined;
    const { role, generation } = authority;
    const serials = ended.map((record) => record.serial).sort();
    const last = newest(
      this.folder.all("crl").filter((record) => record.role === role && record.generation === generation),
    );
    if (last !== undefined && this.stillRefuses(last, serials)) return last;
    const sequence = (last?.sequence ?? 0) + 1;
    const reason = last === undefined ? "first issue" : `${serials.length} certificates to refuse`;
    return this.issue<RevocationListRecord>(`revocation list of the ${role} authority`, { text: reason }, (stamp) => ({
      kind: "crl",
      role,
      generation,
      sequence,
      serials,
      // Both dates are the authority's own: a list of the future, or one that expired, locks everybody out.
      pem: issueRevocationList(this.issuer(authority).signs, {
        number: sequence,
        thisUpdate: new Date(authority.notBefore),
        nextUpdate: new Date(authority.notAfter),
        revoked: ended.map((record) => ({ serial: record.serial, revokedAt: new Date(record.notBefore) })),
      }),
      ...stamp,
    }));
  }

  /** Adds what `make` makes to the store, or notes that it is missing. */
  private issue<R extends CredentialRecord>(
    what: string,
    reason: Reason,
    make: (stamp: { issuedAt: string; reason: string }) => R,
    current?: R,
  ): R | undefined {
    if (!this.mayIssue) {
      if (reason.soon === true) return current;
      this.missing.push({ what, reason: reason.text });
      return undefined;
    }
    const made = make({ issuedAt: this.now.toISOString(), reason: reason.text });
    const record = this.folder.add(made);
    if (record === made) this.issued.push({ what, reason: reason.text });
    else this.overtaken = true;
    return record as R;
  }

  private issuer(authority: AuthorityRecord | undefined): { signs: Issuer; fingerprint256: string } {
    if (authority === undefined) throw new Error("a certificate was asked for without an authority to sign it");
    let signs = this.issuers.get(authority);
    if (signs === undefined) {
      signs = Issuer.fromPem(authority.certificatePem, authority.privateKeyPem);
      this.issuers.set(authority, signs);
    }
    return { signs, fingerprint256: authority.fingerprint256 };
  }

  private validity(days: number): { notBefore: Date; notAfter: Date } {
    return {
      notBefore: new Date(this.now.getTime() - BACKDATED),
      notAfter: new Date(this.now.getTime() + days * DAY),
    };
  }
}

function fields(certificate: IssuedCertificate, algorithm: KeyAlgorithm): CertificateFields {
  return {
    algorithm: algorithm.id,
    serial: certificate.serial,
    fingerprint256: certificate.fingerprint256,
    notBefore: certificate.notBefore.toISOString(),
    notAfter: certificate.notAfter.toISOString(),
    certificatePem: certificate.certificatePem,
    privateKeyPem: certificate.privateKeyPem,
  };
}

function newest<R extends { readonly sequence: number }>(records: readonly R[]): R | undefined {
  return records.reduce<R | undefined>(
    (best, record) => (best && best.sequence > record.sequence ? best : record),
    undefined,
  );
}

function newestByName<R extends { readonly name: string; readonly version: number; readonly sequence: number }>(
  records: readonly R[],
): Map<string, R> {
  const result = new Map<string, R>();
  for (const record of records) {
    const best = result.get(record.name);
    const older = best !== undefined && (best.version - record.version || best.sequence - record.sequence) > 0;
    if (!older) result.set(record.name, record);
  }
  return result;
}
