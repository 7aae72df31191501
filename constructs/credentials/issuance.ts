import { KeyAlgorithm, KeySource } from "../pki";
import { trustedAuthorities } from "./authorities";
import { Authority, TrustedAuthorities } from "./authority";
import { Canaries, canaries } from "./canaries";
import { ClientCertificates } from "./client-certificates";
import { IssuanceNote, Issuing } from "./issuing";
import { newest, newestByName, refuseLowerVersions } from "./latest";
import { ClientRecord, commonNameOf, ControlRecord, ServerRecord } from "./record";
import { RecordFolder } from "./record-folder";
import { Password, Passwords } from "./passwords";
import { Revocations } from "./revocations";
import { crossCertificate, recordStep, refuseSkippedStep } from "./rotation";
import { controlAuthority, controlCertificate, serverCertificate } from "./server-certificates";
import { WantedAuthority, WantedCredentials } from "./wanted";

export interface ClientCredentials {
  readonly certificate?: ClientRecord;
  /** What stands between the certificate and the root. */
  readonly chainPem?: string;
  readonly password?: Password;
}

/** Everything that one broker and its clients need, complete. */
export interface Credentials {
  readonly serverAuthorities: readonly Authority[];
  readonly clientAuthorities: readonly Authority[];
  readonly controlAuthority: Authority;
  readonly server: ServerRecord;
  /** What the server sends after its certificate, so that every client gets from there to a root that it trusts. */
  readonly serverChainPem: string;
  readonly control: ControlRecord;
  /** One list per authority that the broker checks clients against, concatenated. */
  readonly revocationListsPem: string;
  /** Every client's certificate that has not expired and must not work now: its open sessions are to be closed. */
  readonly ended: readonly ClientRecord[];
  readonly clients: ReadonlyMap<string, ClientCredentials>;
  /** Certificates that the broker must refuse. Absent where no authority of clients signs here. */
  readonly canaries?: Canaries;
  readonly nextAction: NextAction;
}

/** What comes next by itself, and when. */
export interface NextAction {
  readonly at: Date;
  readonly what: string;
}

export interface Fulfilment {
  /** Absent when something is missing and may not be issued. */
  readonly credentials?: Credentials;
  readonly issued: readonly IssuanceNote[];
  /** What is needed and not there. */
  readonly missing: readonly IssuanceNote[];
  /** What is there, but is to be issued again. */
  readonly due: readonly IssuanceNote[];
  /** What the owner has to see to. */
  readonly warnings: readonly string[];
}

/**
 * Finds in the store what the declaration needs, and issues the rest where that is allowed. With an unchanged
 * declaration it changes nothing: everything that is random when made is made once and kept.
 *
 * @param now the time to judge validity by
 * @throws {Error} when the declaration contradicts what was issued for good, such as an authority's algorithm
 */
export function fulfil(folder: RecordFolder, wanted: WantedCredentials, mayIssue: boolean, now: Date): Fulfilment {
  const plan = new Issuing(folder, now, mayIssue ? "plan" : undefined);
  const planned = new Issuance(plan, wanted).run();
  const isDone = plan.missing.length + plan.due.length === 0 && !plan.hasNotes;
  if (!mayIssue || isDone) return planned;
  // Known in advance, RSA keys are made on all cores.
  const source = new KeySource(count(plan.keys));
  const issued: IssuanceNote[] = [];
  try {
    for (;;) {
      const issuing = new Issuing(folder, now, source);
      const result = new Issuance(issuing, wanted).run();
      issued.push(...result.issued);
      // What another process wrote first was made for its declaration, which may shut out others than this one.
      if (issuing.overtaken) {
        folder.refresh();
        continue;
      }
      // Once more, only to look: what was just made decides what comes next.
      const { nextAction } = new Issuance(new Issuing(folder, now, undefined), wanted).run().credentials ?? {};
      return {
        ...result,
        issued,
        ...(result.credentials && nextAction && { credentials: { ...result.credentials, nextAction } }),
      };
    }
  } finally {
    source.close();
    // Also what was issued before something failed: a signer, perhaps, has counted it.
    folder.flush();
  }
}

/** What `fulfil` would issue, and why. Nothing is written. */
export function planIssuance(folder: RecordFolder, wanted: WantedCredentials, now: Date): Fulfilment {
  return new Issuance(new Issuing(folder, now, "plan"), wanted).run();
}

function count(algorithms: readonly KeyAlgorithm[]): ReadonlyMap<string, number> {
  const result = new Map<string, number>();
  for (const { id } of algorithms) result.set(id, (result.get(id) ?? 0) + 1);
  return result;
}

class Issuance {
  private readonly revocations: Revocations;

  constructor(
    private readonly issuing: Issuing,
    private readonly wanted: WantedCredentials,
  ) {
    this.revocations = new Revocations(issuing);
  }

  run(): Fulfilment {
    const { issuing, wanted } = this;
    const { serverAuthority, clientAuthority } = wanted;
    const isShared = clientAuthority === serverAuthority;
    const serverAuthorities = this.authorities(serverAuthority, [
      ...this.serverSignsNow(),
      ...(isShared ? this.clientsSignNow(serverAuthority) : []),
    ]);
    const clientAuthorities =
      clientAuthority === undefined || isShared
        ? clientAuthority && serverAuthorities
        : this.authorities(clientAuthority, this.clientsSignNow(clientAuthority));
    const controlAuthorities = trustedAuthorities(issuing, controlAuthority(issuing, wanted.controlAuthority));
    const server = serverCertificate(issuing, serverAuthorities?.issuing, wanted.server);
    const cross = serverAuthorities && crossCertificate(issuing, wanted.serverAuthority.role, serverAuthorities);
    const control = controlCertificate(issuing, controlAuthorities?.issuing, wanted);

    const clientsOfAnyKind = [...wanted.certificates, ...wanted.passwords];
    refuseLowerVersions(issuing.folder, clientsOfAnyKind);
    this.revocations.endEarlierVersions(clientsOfAnyKind);
    const clients = this.clients(clientAuthorities);
    const refused =
      wanted.canaries && clientAuthorities && canaries(issuing, wanted.canaries, clientAuthorities.issuing);
    const ended = this.revocations.endedCertificates(wanted.certificates);
    const lists = [...(clientAuthorities?.all ?? []), ...(controlAuthorities?.all ?? [])].map((authority) =>
      this.revocations.list(authority, ended),
    );
    const { issued, missing, due, warnings, nextAction } = issuing;
    const notes = { issued, missing, due, warnings };
    if (!serverAuthorities || !controlAuthorities || !server || !control || missing.length > 0) return notes;
    return {
      ...notes,
      credentials: {
        serverAuthorities: serverAuthorities.all,
        clientAuthorities: clientAuthorities?.all ?? [],
        controlAuthority: controlAuthorities.issuing,
        server,
        serverChainPem: cross ? cross.record.certificatePem + cross.by.sentPem : serverAuthorities.issuing.sentPem,
        control,
        revocationListsPem: lists.join(""),
        ended,
        clients,
        ...(refused && { canaries: refused }),
        nextAction: nextAction as NextAction,
      },
    };
  }

  private authorities(wanted: WantedAuthority, signNow: readonly number[]): TrustedAuthorities | undefined {
    refuseSkippedStep(this.issuing, wanted, signNow);
    const authorities = trustedAuthorities(this.issuing, wanted);
    recordStep(this.issuing, wanted);
    return authorities;
  }

  private serverSignsNow(): number[] {
    return this.generationsOf([newest(this.issuing.folder.all("server"))], this.wanted.serverAuthority);
  }

  private clientsSignNow(wanted: WantedAuthority): number[] {
    const latest = newestByName(this.issuing.folder.all("client"));
    // One client that has only the old generation's certificate is enough to keep that one trusted.
    return this.generationsOf(
      this.wanted.certificates.map(({ name }) => latest.get(name)),
      wanted,
    );
  }

  private generationsOf(
    records: readonly (ServerRecord | ClientRecord | undefined)[],
    { role }: WantedAuthority,
  ): number[] {
    const issuers = new Set(records.map((record) => record?.issuer256));
    return this.issuing.folder
      .all("authority")
      .filter((one) => one.role === role && issuers.has(one.fingerprint256))
      .map(({ generation }) => generation);
  }

  private clients(authorities: TrustedAuthorities | undefined): ReadonlyMap<string, ClientCredentials> {
    const clients = new Map<string, ClientCredentials>();
    const commonNames = new Map(this.wanted.certificates.map(({ name, commonName }) => [name, commonName]));
    const records = this.issuing.folder.all("client");
    const latestClient = newestByName(records);
    // A client that changes its authentication back has its certificate again, as one that is declared again has.
    const latestOfName = newestByName(records.filter((one) => commonNames.get(one.name) === commonNameOf(one)));
    const certificates = new ClientCertificates(this.issuing, this.revocations);
    for (const wanted of this.wanted.certificates) {
      const { name } = wanted;
      const certificate = certificates.get(
        authorities?.issuing,
        wanted,
        latestClient.get(name),
        latestOfName.get(name),
      );
      if (certificate === undefined) continue;
      const issuer = authorities?.all.find(({ record }) => record.fingerprint256 === certificate.issuer256);
      clients.set(name, { certificate, chainPem: issuer?.sentPem ?? "" });
    }
    const passwords = new Passwords(this.issuing, this.revocations);
    const latestPassword = newestByName(this.issuing.folder.all("password"));
    for (const wanted of this.wanted.passwords) {
      const password = passwords.get(wanted, latestPassword.get(wanted.name));
      if (password !== undefined) clients.set(wanted.name, { ...clients.get(wanted.name), password });
    }
    return clients;
  }
}
