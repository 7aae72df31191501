import { createPrivateKey } from "node:crypto";
import {
  DAY,
  Host,
  issueAuthority,
  issueCrossCertificate,
  Issuer,
  issueSubordinateAuthority,
  KeyAlgorithm,
  orderChain,
  ParsedCertificate,
} from "../pki";
import { AuthoritySigner, LocalSigner, RemoteSigner } from "./authority-signer";
import { AuthorityGeneration, AuthoritySource } from "./certificate-authority";
import { certificateFields, Issuing, Make } from "./issuing";
import { AuthorityRecord, AuthorityRole, CrossRecord } from "./record";
import { TextSource } from "./text-source";
import { WantedAuthority } from "./wanted";

type Imported = Extract<AuthoritySource, { kind: "imported" | "external" }>;
type Intermediate = Extract<AuthoritySource, { kind: "intermediate" }>;

/** What each authority signs for. */
const PURPOSES_OF: Readonly<Record<WantedAuthority["role"], readonly ("server" | "client")[]>> = {
  server: ["server"],
  clients: ["client"],
  shared: ["server", "client"],
  control: ["client"],
};

/** One trusted authority, as it is in the store. */
export class Authority {
  private ready: AuthoritySigner | undefined;

  constructor(
    readonly record: AuthorityRecord,
    readonly source: AuthoritySource,
    private readonly now: Date,
  ) {}

  /** What who relies on it trusts: the root. */
  get rootPem(): string {
    const { certificatePem, chainPem } = this.record;
    return ParsedCertificate.allFromPem(chainPem).at(-1)?.pem ?? certificatePem;
  }

  /** It and all above it. */
  get wholePem(): string {
    return this.record.certificatePem + this.record.chainPem;
  }

  /** What a leaf of it is sent together with: all between leaf and root. */
  get sentPem(): string {
    return ParsedCertificate.allFromPem(this.wholePem)
      .slice(0, -1)
      .map(({ pem }) => pem)
      .join("");
  }

  /** @throws {Error} when an authority above forbids a certificate for one of these hosts */
  refuseForbidden(hosts: readonly Host[]): void {
    const fault = ParsedCertificate.allFromPem(this.wholePem)
      .map((one) => one.hostFault(hosts))
      .find(Boolean);
    if (fault === undefined) return;
    throw new Error(
      `${this.record.role} authority ${this.record.generation} cannot sign this server's certificate: ${fault}; allowed: an ` +
        "authority without name constraints, or with ones that allow every host, localhost, 127.0.0.1, ::1 and " +
        "mosquitto.internal, by which the broker's health is checked; remedy: declare another serverAuthority",
    );
  }

  get end(): number {
    return Date.parse(this.record.notAfter);
  }

  /** @throws {Error} when its key cannot be had, or does not belong to it */
  get signer(): AuthoritySigner {
    this.ready ??= this.makeSigner();
    return this.ready;
  }

  private makeSigner(): AuthoritySigner {
    const { certificatePem, privateKeyPem } = this.record;
    if (privateKeyPem !== undefined) return new LocalSigner(Issuer.fromPem(certificatePem, privateKeyPem));
    const { source } = this;
    if (source.kind === "imported") return new LocalSigner(importedIssuer(certificatePem, source));
    if (source.kind === "external") {
      return new RemoteSigner(ParsedCertificate.fromPem(certificatePem), source.signer, this.now);
    }
    throw new Error(
      `authority ${this.record.generation} was put into the store as another kind, and its key is not there; ` +
        "allowed: the kind that it was first declared as; remedy: declare another one as the next generation",
    );
  }
}

/** The authorities of one role that are trusted now. */
export interface TrustedAuthorities {
  readonly all: readonly Authority[];
  /** The one that signs. */
  readonly issuing: Authority;
}

/**
 * Finds the authorities of a role in the store, and makes those that are missing.
 *
 * @returns nothing where one is missing and may not be made
 * @throws {Error} when the declaration contradicts what is in the store
 */
export function trustedAuthorities(issuing: Issuing, wanted: WantedAuthority): TrustedAuthorities | undefined {
  const found = wanted.authority.generations.map((generation) =>
    new AuthorityKeeper(issuing, wanted, generation).get(),
  );
  const all = found.filter((authority) => authority !== undefined);
  const signing = all.find(({ record }) => record.generation === wanted.authority.issuing);
  if (all.length < found.length || signing === undefined) return undefined;
  for (const [index, authority] of all.entries()) {
    watchEnd(issuing, wanted, authority, wanted.authority.generations[index] as AuthorityGeneration, signing);
  }
  return { all, issuing: signing };
}

/** The record of an authority; where two branches each made one, the same on every machine. */
export function authorityRecord(
  { folder }: Issuing,
  role: AuthorityRole,
  generation: number,
): AuthorityRecord | undefined {
  return folder
    .all("authority")
    .filter((record) => record.role === role && record.generation === generation)
    .sort((one, other) => (order(one) < order(other) ? -1 : 1))[0];
}

const order = ({ issuedAt, fingerprint256 }: AuthorityRecord): string => `${issuedAt} ${fingerprint256}`;

/**
 * The issuing authority's certificate as another trusted one has signed it, so that who trusts only that one gets to
 * what the issuing one signs. Needed while the issuing one is the newer of two.
 */
export function crossCertificate(
  issuing: Issuing,
  role: AuthorityRole,
  trusted: TrustedAuthorities,
): { readonly record: CrossRecord; readonly by: Authority } | undefined {
  const { record: subject } = trusted.issuing;
  const by = trusted.all.find(({ record }) => record.generation < subject.generation);
  if (by === undefined) return undefined;
  const last = issuing.folder
    .all("cross")
    .find(
      (record) =>
        record.role === role && record.generation === subject.generation && record.by === by.record.generation,
    );
  if (last !== undefined) return { record: last, by };
  const what = `cross certificate for ${role} authority ${subject.generation} by ${by.record.generation}`;
  const obstacle = obstacleToCross(by);
  if (obstacle !== undefined) {
    issuing.warnings.push(
      `${role} authority ${by.record.generation} cannot sign generation ${subject.generation} across: ${obstacle}; ` +
        "devices that have no bundle with both authorities yet cannot connect until they get their new one",
    );
    return undefined;
  }
  const record = issuing.issue<CrossRecord>(what, { text: "rotation" }, undefined, (stamp) => {
    const { issuer } = by.signer as LocalSigner;
    const certificate = issueCrossCertificate(issuer, subject.certificatePem, {
      notBefore: new Date(subject.notBefore),
      notAfter: new Date(subject.notAfter),
    });
    return {
      kind: "cross",
      role,
      generation: subject.generation,
      by: by.record.generation,
      ...certificateFields(certificate, subject.algorithm),
      ...stamp,
    };
  });
  return record && { record, by };
}

function obstacleToCross({ record, source }: Authority): string | undefined {
  if (source.kind === "external") return "its key is elsewhere";
  if (ParsedCertificate.fromPem(record.certificatePem).pathLength < 1) return "its path length is 0";
  return undefined;
}

/**
 * Each step of a rotation must have been taken before the next one. What was deployed is checked once more by Terraform,
 * which knows it; this is what the store can tell before that.
 *
 * @param signsNow generation that signed what is in use now, as far as the store tells
 * @throws {Error} naming the step that comes first
 */
export function refuseSkippedStep(
  issuing: Issuing,
  { role, authority }: WantedAuthority,
  signsNow: number | undefined,
): void {
  const alive = new Set(
    issuing.folder
      .all("authority")
      .filter((record) => record.role === role && Date.parse(record.notAfter) > issuing.now.getTime())
      .map(({ generation }) => generation),
  );
  const next = authority.issuing as number;
  const refuse = (why: string, remedy: string): never => {
    throw new Error(
      `the ${role} authority cannot go to generation ${next} yet: ${why}; allowed: the steps of a rotation, one deploy ` +
        `each; remedy: ${remedy}`,
    );
  };
  if (alive.size > 0 && !alive.has(next)) {
    const old = Math.max(...alive);
    refuse(
      `nobody has been told to trust it`,
      `declare { trusted: [${old}, ${next}], issuing: ${old} } first, deploy, and hand every client its new bundle`,
    );
  }
  const isTrusted = authority.generations.some(({ generation }) => generation === signsNow);
  if (signsNow !== undefined && alive.has(signsNow) && !isTrusted) {
    refuse(
      `what is in use was signed by generation ${signsNow}, which would not be trusted any longer`,
      `declare { trusted: [${[signsNow, next].sort((one, other) => one - other).join(", ")}], issuing: ${next} } first, and deploy`,
    );
  }
}

/** Says when an authority ends, in time to replace it. */
function watchEnd(
  issuing: Issuing,
  { role, authority }: WantedAuthority,
  { record, end }: Authority,
  { renewBeforeDays }: AuthorityGeneration,
  signing: Authority,
): void {
  const what = `${role} authority ${record.generation}`;
  if (end <= issuing.now.getTime()) {
    if (record !== signing.record) {
      issuing.warnings.push(`${what} ended ${record.notAfter}; drop it from \`trusted\``);
      return;
    }
    throw new Error(
      `the ${what} in ${issuing.folder.directory} ended ${record.notAfter}, and with it every certificate that it ` +
        "signed; allowed: an authority that is valid; remedy: declare the next generation, " +
        `{ trusted: [${record.generation + 1}], issuing: ${record.generation + 1} }, and hand every client its new bundle`,
    );
  }
  if (record !== signing.record) return;
  const window = (renewBeforeDays ?? (end - Date.parse(record.notBefore)) / DAY / 10) * DAY;
  issuing.schedule(new Date(end - window), `${what}: replace it`);
  if (issuing.now.getTime() < end - window || authority.generations.length > 1) return;
  const next = record.generation + 1;
  issuing.warnings.push(
    `${what} ends ${record.notAfter}: begin to replace it with { trusted: [${record.generation}, ${next}], ` +
      `issuing: ${record.generation} }`,
  );
}

/** Gets one authority into the store, whatever kind it is. */
class AuthorityKeeper {
  private readonly what: string;

  constructor(
    private readonly issuing: Issuing,
    private readonly wanted: WantedAuthority,
    private readonly declared: AuthorityGeneration,
  ) {
    this.what = `${wanted.role} authority${declared.generation === 1 ? "" : ` ${declared.generation}`}`;
  }

  get(): Authority | undefined {
    const { source, generation } = this.declared;
    const { role } = this.wanted;
    const known = authorityRecord(this.issuing, role, generation);
    if (known !== undefined) {
      if (source.kind === "managed" || source.kind === "intermediate") this.refuseOtherAlgorithm(known, source);
      else this.refuseOtherCertificate(known, source);
    }
    const record = known ?? this.make(source);
    return record && new Authority(record, source, this.issuing.now);
  }

  private make(source: AuthoritySource): AuthorityRecord | undefined {
    switch (source.kind) {
      case "managed":
        return this.makeRoot(
          this.wanted.role,
          this.declared.generation,
          source,
          this.wanted.role === "control" ? 0 : 1,
        );
      case "intermediate":
        return this.makeIntermediate(source);
      case "imported":
      case "external":
      case "trusted":
        return this.take(this.wanted.role, this.declared.generation, source);
    }
  }

  private makeRoot(
    role: AuthorityRole,
    generation: number,
    { validityDays, keyAlgorithm }: Extract<AuthoritySource, { kind: "managed" }>,
    pathLength: number,
  ): AuthorityRecord | undefined {
    const algorithm = keyAlgorithm ?? this.wanted.algorithm;
    const isRootOfIntermediate = role !== this.wanted.role;
    return this.issue(isRootOfIntermediate ? `root of the ${this.what}` : this.what, algorithm, (stamp) => {
      const certificate = issueAuthority({
        commonName: this.commonName(isRootOfIntermediate ? "root" : "authority", generation),
        algorithm,
        keyPair: this.issuing.key(algorithm),
        pathLength,
        ...this.issuing.validity(validityDays),
      });
      const { privateKeyPem } = certificate;
      return {
        kind: "authority",
        role,
        generation,
        chainPem: "",
        ...certificateFields(certificate, algorithm.id),
        privateKeyPem,
        ...stamp,
      };
    });
  }

  private makeIntermediate(source: Intermediate): AuthorityRecord | undefined {
    const root = this.root(source);
    const algorithm = source.keyAlgorithm ?? this.wanted.algorithm;
    return this.issue(this.what, algorithm, (stamp) => {
      const { issuer } = (root as Authority).signer as LocalSigner;
      if (issuer.pathLength < 1) {
        throw new Error(
          `the ${this.what} cannot stand below its root, whose path length is 0; allowed: a root with path length 1 or ` +
            "more, or without one; remedy: import the root itself as the authority, or give another root",
        );
      }
      const certificate = issueSubordinateAuthority(issuer, {
        commonName: this.commonName("authority", this.declared.generation),
        algorithm,
        keyPair: this.issuing.key(algorithm),
        // Room to sign the next generation across, where the root leaves it.
        pathLength: Math.min(1, issuer.pathLength - 1),
        ...this.issuing.validity(source.validityDays),
      });
      const { privateKeyPem } = certificate;
      return {
        kind: "authority",
        role: this.wanted.role,
        generation: this.declared.generation,
        chainPem: (root as Authority).wholePem,
        ...certificateFields(certificate, algorithm.id),
        privateKeyPem,
        ...stamp,
      };
    });
  }

  /** Each generation of an intermediate has a root of its own, so that a rotation replaces both. */
  private root({ root }: Intermediate): Authority | undefined {
    const { source } = root.issuer;
    const { rootRole } = this.wanted;
    const { generation } = this.declared;
    const known = authorityRecord(this.issuing, rootRole, generation);
    const record =
      known ??
      (source.kind === "managed"
        ? this.makeRoot(rootRole, generation, source, 2)
        : this.take(rootRole, generation, source as Imported));
    return record && new Authority(record, source, this.issuing.now);
  }

  /** Puts certificates that exist into the store, once they are judged. Their key stays where it is. */
  private take(
    role: AuthorityRole,
    generation: number,
    source: Exclude<AuthoritySource, { kind: "managed" | "intermediate" }>,
  ): AuthorityRecord | undefined {
    const from = source.kind === "trusted" ? source.certificates : source.certificate;
    return this.issue(this.what, undefined, (stamp) => {
      try {
        const { certificate, chain } = readImported(source, this.issuing.now);
        const signsLists = role === "clients" || role === "shared";
        if (signsLists && !certificate.signsRevocationLists) throw new Error("its keyUsage has no cRLSign");
        if (source.kind === "imported") importedIssuer(certificate.pem, source);
        for (const purpose of PURPOSES_OF[this.wanted.role]) {
          const fault = [certificate, ...chain].map((one) => one.purposeFault(purpose)).find(Boolean);
          if (fault !== undefined) throw new Error(fault);
        }
        return {
          kind: "authority",
          role,
          generation,
          chainPem: chain.map(({ pem }) => pem).join(""),
          ...certificateFields(
            {
              certificatePem: certificate.pem,
              serial: certificate.x509.serialNumber,
              fingerprint256: certificate.x509.fingerprint256,
              notBefore: certificate.notBefore,
              notAfter: certificate.notAfter,
            },
            keyDescription(certificate),
          ),
          ...stamp,
        };
      } catch (error) {
        throw new Error(
          `the ${this.what} cannot be taken from ${from.description}: ${(error as Error).message}; allowed: the ` +
            "certificate of an authority that strict verifiers accept, its key where it signs here, and all above it up " +
            "to the root; remedy: give those, or have the authority made anew with critical basicConstraints, keyUsage " +
            "keyCertSign and cRLSign, and a subjectKeyIdentifier",
          { cause: error },
        );
      }
    });
  }

  private issue(
    what: string,
    algorithm: KeyAlgorithm | undefined,
    make: Make<AuthorityRecord>,
  ): AuthorityRecord | undefined {
    const isFirst = !this.issuing.folder.all("authority").some(({ role }) => role === this.wanted.role);
    const text = isFirst ? "first issue" : `rotation: generation ${this.declared.generation} is to be trusted`;
    return this.issuing.issue<AuthorityRecord>(what, { text }, algorithm, make);
  }

  private commonName(kind: "authority" | "root", generation: number): string {
    const ending = ` ${kind} ${generation}`;
    return `${this.wanted.commonName.slice(0, 64 - ending.length)}${ending}`;
  }

  private refuseOtherAlgorithm(known: AuthorityRecord, { keyAlgorithm }: { keyAlgorithm?: KeyAlgorithm }): void {
    if (keyAlgorithm === undefined || known.algorithm === keyAlgorithm.id) return;
    throw new Error(
      `the ${this.what} is declared with ${keyAlgorithm.id}, but the one in ${this.issuing.folder.directory} was made ` +
        `with ${known.algorithm} and clients trust that one; allowed: ${known.algorithm}; remedy: declare that ` +
        "algorithm, or the other one for the next generation of a rotation",
    );
  }

  private refuseOtherCertificate(
    known: AuthorityRecord,
    source: Exclude<AuthoritySource, { kind: "managed" | "intermediate" }>,
  ): void {
    if (!this.issuing.mayIssue) return;
    let given: ParsedCertificate;
    try {
      given = lowest(source.kind === "trusted" ? source.certificates : source.certificate, source.kind);
    } catch {
      // It is in the store already.
      return;
    }
    if (given.x509.fingerprint256 === known.fingerprint256) return;
    throw new Error(
      `the ${this.what} is declared with another certificate than the one in ${this.issuing.folder.directory}, which is ` +
        `deployed; allowed: ${known.fingerprint256}; remedy: declare the new one with \`generation: ` +
        `${known.generation + 1}\` and replace the old one by CertificateAuthority.rotation()`,
    );
  }
}

function readImported(
  source: Exclude<AuthoritySource, { kind: "managed" | "intermediate" }>,
  now: Date,
): { certificate: ParsedCertificate; chain: ParsedCertificate[] } {
  const from = source.kind === "trusted" ? source.certificates : source.certificate;
  const text = from.read("the certificate");
  const above = source.kind !== "trusted" && source.chain ? source.chain.read("the chain") : "";
  const certificate = lowest(from, source.kind);
  const [, ...chain] = orderChain(certificate, text + above, now);
  return { certificate, chain };
}

/** The authority itself: of certificates in any order the one that signed none of the others. */
function lowest(from: TextSource, kind: AuthoritySource["kind"]): ParsedCertificate {
  const all = ParsedCertificate.allFromPem(from.read("the certificate"));
  if (all.length === 0) throw new Error('there is no "BEGIN CERTIFICATE" block in it');
  if (kind !== "trusted") return all[0] as ParsedCertificate;
  const candidates = all.filter((one) => !all.some((other) => other !== one && other.wasSignedBy(one)));
  if (candidates.length === 1) return candidates[0] as ParsedCertificate;
  throw new Error("it has more than one authority that is not above another; give one authority and those above it");
}

function importedIssuer(certificatePem: string, source: Extract<AuthoritySource, { kind: "imported" }>): Issuer {
  const key = source.privateKey.read("the authority's private key");
  if (source.passphrase === undefined) return Issuer.fromPem(certificatePem, key);
  const passphrase = source.passphrase.read("the passphrase of the authority's private key").replace(/\r?\n$/, "");
  let plain: string;
  try {
    plain = createPrivateKey({ key, passphrase }).export({ type: "pkcs8", format: "pem" }).toString();
  } catch (cause) {
    throw new Error("the authority's private key cannot be opened with its passphrase; give the right one", { cause });
  }
  return Issuer.fromPem(certificatePem, plain);
}

function keyDescription({ x509 }: ParsedCertificate): string {
  const { asymmetricKeyType: type = "", asymmetricKeyDetails: { namedCurve, modulusLength } = {} } = x509.publicKey;
  if (type === "rsa") return `RSA-${modulusLength}`;
  const curves: Readonly<Record<string, string>> = { prime256v1: "ECDSA-P256", secp384r1: "ECDSA-P384" };
  return curves[namedCurve ?? ""] ?? `${type} ${namedCurve ?? ""}`.trim();
}
