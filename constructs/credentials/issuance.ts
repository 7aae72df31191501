import { createHash, randomInt } from "node:crypto";
import {
  DAY,
  KeyAlgorithm,
  KeySource,
  Lifetime,
  LOOPBACK_HOSTS,
  parseCertificationRequest,
  parseHost,
  renewalTime,
} from "../pki";
import { trustedAuthorities } from "./authorities";
import { Authority, TrustedAuthorities } from "./authority";
import { Canaries, canaries } from "./canaries";
import { CertificateAuthority } from "./certificate-authority";
import { certificateFields, IssuanceNote, Issuing, Reason } from "./issuing";
import { newest, newestByName, refuseLowerVersion, refuseLowerVersions } from "./latest";
import { ClientRecord, commonNameOf, ControlRecord, ServerRecord } from "./record";
import { RecordFolder } from "./record-folder";
import { Password, Passwords } from "./passwords";
import { Revocations } from "./revocations";
import { crossCertificate, recordStep, refuseSkippedStep } from "./rotation";
import { WantedAuthority, WantedCertificate, WantedCredentials, WantedServer } from "./wanted";

/** The broker's own authority and its certificate, in days. All that trusts it is deployed together with it. */
const CONTROL_LIFETIME: Lifetime = { validityDays: 3650, renewBeforeDays: 365 };

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
    const controlAuthorities = trustedAuthorities(issuing, this.controlAuthority());
    const server = this.server(serverAuthorities?.issuing, wanted.server);
    const cross = serverAuthorities && crossCertificate(issuing, wanted.serverAuthority.role, serverAuthorities);
    const control = this.control(controlAuthorities?.issuing);

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

  /** It is replaced by itself in time: whatever trusts it is deployed together with it. */
  private controlAuthority(): WantedAuthority {
    const wanted = this.wanted.controlAuthority;
    const { validityDays, renewBeforeDays } = CONTROL_LIFETIME;
    const own = this.issuing.folder.all("authority").filter(({ role }) => role === "control");
    const last = own.reduce<(typeof own)[number] | undefined>(
      (best, one) => (best && best.generation > one.generation ? best : one),
      undefined,
    );
    const isLate = last && Date.parse(last.notAfter) - renewBeforeDays * DAY <= this.issuing.now.getTime();
    const generation = last === undefined ? 1 : last.generation + (isLate ? 1 : 0);
    return {
      ...wanted,
      authority: CertificateAuthority.managed({ validityDays, renewBeforeDays, trusted: [generation] }),
    };
  }

  private server(authority: Authority | undefined, wanted: WantedServer): ServerRecord | undefined {
    const { issuing } = this;
    const last = newest(issuing.folder.all("server"));
    const hosts = wanted.hosts.map((host) => host.value);
    const added = last?.version === wanted.credentialVersion ? hosts.filter((host) => !last.hosts.includes(host)) : [];
    refuseLowerVersion("serverCertificate", wanted.credentialVersion, last?.version);
    // A renewal can wait where nothing may be issued; a host that no certificate has cannot, so it is asked first.
    const reason =
      added.length > 0
        ? { text: `host added: ${added.join(", ")}` }
        : this.reasonToIssue("server certificate", last, authority, wanted, last?.version);
    if (reason === undefined) return last;
    return issuing.issue<ServerRecord>(
      "server certificate",
      reason,
      wanted.algorithm,
      (stamp) => {
        const sequence = (last?.sequence ?? 0) + 1;
        const generationHost = anyBut(wanted.generationHosts, last?.generationHost);
        const names = [...wanted.hosts, ...LOOPBACK_HOSTS, parseHost(generationHost)];
        signing(authority).refuseForbidden(names);
        const certificate = signing(authority).signer.server({
          // Clients go by the alternative names; a common name has room for 64 characters (RFC 5280, ub-common-name).
          commonName: hosts.find((host) => host.length <= 64 && !signing(authority).isNamed(host)) ?? "mosquitto",
          hosts: names,
          algorithm: wanted.algorithm,
          keyPair: issuing.key(wanted.algorithm),
          ...issuing.validity(wanted.lifetime.validityDays, signing(authority).end),
        });
        return {
          kind: "server",
          version: wanted.credentialVersion,
          sequence,
          hosts,
          generationHost,
          issuer256: signing(authority).record.fingerprint256,
          ...certificateFields(certificate, wanted.algorithm.id),
          privateKeyPem: certificate.privateKeyPem,
          ...stamp,
        };
      },
      last,
    );
  }

  private control(authority: Authority | undefined): ControlRecord | undefined {
    const { issuing } = this;
    const { controlAuthority, controlName } = this.wanted;
    const { algorithm } = controlAuthority;
    const last = newest(issuing.folder.all("control"));
    const wanted = { algorithm, lifetime: CONTROL_LIFETIME, credentialVersion: 1 };
    const reason = this.reasonToIssue("control certificate", last, authority, wanted, 1);
    if (reason === undefined) return last;
    return issuing.issue<ControlRecord>(
      "control certificate",
      reason,
      algorithm,
      (stamp) => {
        const certificate = signing(authority).signer.client({
          commonName: controlName,
          algorithm,
          keyPair: issuing.key(algorithm),
          ...issuing.validity(CONTROL_LIFETIME.validityDays),
        });
        return {
          kind: "control",
          sequence: (last?.sequence ?? 0) + 1,
          issuer256: signing(authority).record.fingerprint256,
          ...certificateFields(certificate, algorithm.id),
          privateKeyPem: certificate.privateKeyPem,
          ...stamp,
        };
      },
      last,
    );
  }

  private clients(authorities: TrustedAuthorities | undefined): ReadonlyMap<string, ClientCredentials> {
    const clients = new Map<string, ClientCredentials>();
    const commonNames = new Map(this.wanted.certificates.map(({ name, commonName }) => [name, commonName]));
    const records = this.issuing.folder.all("client");
    const latestClient = newestByName(records);
    // A client that changes its authentication back has its certificate again, as one that is declared again has.
    const latestOfName = newestByName(records.filter((one) => commonNames.get(one.name) === commonNameOf(one)));
    for (const wanted of this.wanted.certificates) {
      const { name } = wanted;
      const certificate = this.client(authorities?.issuing, wanted, latestClient.get(name), latestOfName.get(name));
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

  private client(
    authority: Authority | undefined,
    wanted: WantedCertificate,
    latest: ClientRecord | undefined,
    latestOfName: ClientRecord | undefined,
  ): ClientRecord | undefined {
    const { issuing } = this;
    const { name, commonName, requestPem } = wanted;
    const what = `client certificate ${name}`;
    const isPresent = (one: ClientRecord | undefined): boolean => one?.version === wanted.credentialVersion;
    const last = isPresent(latestOfName) ? latestOfName : undefined;
    if (requestPem !== undefined && this.isOfRevokedKey(name, requestPem)) return undefined;
    const reason =
      (isPresent(latest) ? reasonForName(last, commonName) : undefined) ??
      this.reasonForRequest(last, requestPem) ??
      this.reasonToIssue(what, last, authority, wanted, latest?.version);
    if (reason === undefined) return last;
    return issuing.issue<ClientRecord>(
      what,
      reason,
      requestPem === undefined ? wanted.algorithm : undefined,
      (stamp) => {
        const { signer, record } = signing(authority);
        const validity = issuing.validity(wanted.lifetime.validityDays, signing(authority).end);
        const common = {
          kind: "client",
          name,
          ...(commonName !== name && { commonName }),
          version: wanted.credentialVersion,
          sequence: (isPresent(latest) ? (latest?.sequence ?? 0) : 0) + 1,
          issuer256: record.fingerprint256,
        } as const;
        if (requestPem !== undefined) {
          const { algorithm, publicKeyDer } = parseCertificationRequest(requestPem);
          const certificate = signer.certify(requestPem, commonName, validity);
          const publicKey256 = sha256(publicKeyDer);
          return { ...common, ...certificateFields(certificate, algorithm), publicKey256, ...stamp };
        }
        const { algorithm } = wanted;
        const certificate = signer.client({
          commonName,
          algorithm,
          keyPair: issuing.key(algorithm),
          ...validity,
        });
        const { privateKeyPem } = certificate;
        return { ...common, ...certificateFields(certificate, algorithm.id), privateKeyPem, ...stamp };
      },
      last,
    );
  }

  /**
   * Whether a request's key was revoked: the thief of a key is not shut out by another certificate for it. The client is
   * left without one, so that everybody else's deploy goes on.
   *
   * @throws {Error} when the same declaration has ended the key and asks for it again
   */
  private isOfRevokedKey(name: string, requestPem: string): boolean {
    const key = sha256(parseCertificationRequest(requestPem).publicKeyDer);
    const causes = this.issuing.folder
      .all("client")
      .filter((record) => record.publicKey256 === key)
      .flatMap((record) => this.revocations.of(record) ?? []);
    if (causes.length === 0) return false;
    const text =
      `client ${name} has a certificate request whose key was revoked (${causes[0]?.cause}); allowed: a request with another ` +
      "key; remedy: make a new key and request on the device";
    if (causes.some(({ cause }) => cause === "superseded")) throw new Error(text);
    this.issuing.warnings.push(`${text}; until then it has no certificate`);
    return true;
  }

  /** A device that has another key can do nothing with the certificate of the one before. */
  private reasonForRequest(last: ClientRecord | undefined, requestPem: string | undefined): Reason | undefined {
    if (last === undefined) return undefined;
    const key = requestPem === undefined ? undefined : sha256(parseCertificationRequest(requestPem).publicKeyDer);
    if (key === last.publicKey256) return undefined;
    return { text: key === undefined ? "the client no longer has a request" : "the client's request has another key" };
  }

  /** @param latestVersion of any certificate that the subject had; `last` is only one of the wanted version */
  private reasonToIssue(
    what: string,
    last: ServerRecord | ControlRecord | ClientRecord | undefined,
    authority: Authority | undefined,
    wanted: { readonly algorithm: KeyAlgorithm; readonly lifetime: Lifetime; readonly credentialVersion: number },
    latestVersion: number | undefined,
  ): Reason | undefined {
    if (latestVersion !== undefined && latestVersion < wanted.credentialVersion) {
      return { text: `credentialVersion raised to ${wanted.credentialVersion}` };
    }
    if (last === undefined) return { text: "first issue" };
    const revocation = last.kind === "client" ? this.revocations.of(last) : undefined;
    if (revocation !== undefined) return { text: `the one before was revoked: ${revocation.cause}` };
    if (authority !== undefined && last.issuer256 !== authority.record.fingerprint256) {
      const { role, generation } = authority.record;
      return { text: `rotation: ${role} authority ${generation} issues now` };
    }
    const isRequest = last.kind === "client" && last.publicKey256 !== undefined;
    if (!isRequest && last.algorithm !== wanted.algorithm.id) {
      return { text: `algorithm changed from ${last.algorithm} to ${wanted.algorithm.id}` };
    }
    const end = Date.parse(last.notAfter);
    // A leaf that ends with its authority gains nothing from being issued again.
    if (authority !== undefined && end >= authority.end) return undefined;
    const renewal = renewalTime(last, wanted.lifetime);
    const { now } = this.issuing;
    if (now < renewal) {
      this.issuing.schedule(renewal, `${what}: renewal`);
      return undefined;
    }
    if (!this.issuing.mayIssue) this.issuing.schedule(renewal, `${what}: renewal`);
    return { text: `renewal: it ends ${last.notAfter}`, soon: now.getTime() < end };
  }
}

/** A certificate alone, or one that needs a password beside it: the broker tells them apart by the common name. */
function reasonForName(last: ClientRecord | undefined, commonName: string): Reason | undefined {
  if (last !== undefined) return undefined;
  return { text: `the client's authentication changed: the common name is ${commonName} now` };
}

/** By chance, so that of two branches that both renew each most likely takes another one. */
function anyBut(names: readonly string[], taken: string | undefined): string {
  const free = names.filter((name) => name !== taken);
  return free[randomInt(free.length)] as string;
}

function signing(authority: Authority | undefined): Authority {
  if (authority === undefined) throw new Error("a certificate was asked for without an authority to sign it");
  return authority;
}

function sha256(octets: Buffer): string {
  return createHash("sha256").update(octets).digest("hex");
}
