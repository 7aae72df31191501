import { DAY, issueAuthority, issueSubordinateAuthority, KeyAlgorithm, ParsedCertificate } from "../pki";
import { Authority, TrustedAuthorities } from "./authority";
import { LocalSigner } from "./authority-signer";
import { AuthorityGeneration, AuthoritySource } from "./certificate-authority";
import {
  certificateSource,
  ExistingSource,
  importedIssuer,
  keyDescription,
  readCertificate,
  readImported,
} from "./imported-authority";
import { certificateFields, Issuing, Make } from "./issuing";
import { AuthorityRecord, AuthorityRole } from "./record";
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
      this.refuseOtherKind(known, source);
      if (source.kind === "managed" || source.kind === "intermediate") this.refuseOtherAlgorithm(known, source);
      else this.refuseOtherCertificate(known, source);
    }
    if (source.kind === "intermediate") this.refuseOtherRoot(source);
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
  private take(role: AuthorityRole, generation: number, source: ExistingSource): AuthorityRecord | undefined {
    const isRoot = role !== this.wanted.role;
    const what = isRoot ? `root of the ${this.what}` : this.what;
    return this.issue(what, undefined, (stamp) => {
      try {
        const { certificate, chain } = readImported(source, this.issuing.now);
        if (isRoot && certificate.pathLength < 1)
          throw new Error("its path length 0 leaves no room for an intermediate");
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
          `the ${what} cannot be taken from ${certificateSource(source).description}: ${(error as Error).message}; allowed: the ` +
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

  /** What was generated, imported or put below a root stays that: another kind is another authority. */
  private refuseOtherKind(known: AuthorityRecord, source: AuthoritySource): void {
    const kind = kindOf(known);
    const isSame = kind === "existing" ? isExisting(source) : kind === source.kind;
    if (isSame) return;
    throw new Error(
      `the ${this.what} is declared as ${source.kind}, but the one in ${this.issuing.folder.directory} is ` +
        `${kind === "existing" ? "one that was made elsewhere" : kind}; allowed: the kind that was declared first; remedy: ` +
        `declare the other one as generation ${known.generation + 1} and replace the old one by CertificateAuthority.rotation()`,
    );
  }

  private refuseOtherRoot({ root }: Intermediate): void {
    const known = authorityRecord(this.issuing, this.wanted.rootRole, this.declared.generation);
    if (known === undefined) return;
    this.refuseOtherKind(known, root.issuer.source);
    if (isExisting(root.issuer.source)) this.refuseOtherCertificate(known, root.issuer.source);
  }

  private refuseOtherAlgorithm(known: AuthorityRecord, { keyAlgorithm }: { keyAlgorithm?: KeyAlgorithm }): void {
    if (keyAlgorithm === undefined || known.algorithm === keyAlgorithm.id) return;
    throw new Error(
      `the ${this.what} is declared with ${keyAlgorithm.id}, but the one in ${this.issuing.folder.directory} was made ` +
        `with ${known.algorithm} and clients trust that one; allowed: ${known.algorithm}; remedy: declare that ` +
        "algorithm, or the other one for the next generation of a rotation",
    );
  }

  private refuseOtherCertificate(known: AuthorityRecord, source: ExistingSource): void {
    if (!this.issuing.readsSources) return;
    let given: ParsedCertificate;
    try {
      given = readCertificate(source);
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

function isExisting(source: AuthoritySource): source is ExistingSource {
  return source.kind !== "managed" && source.kind !== "intermediate";
}

/** What kind of authority a record is of; those made elsewhere have no key in the store. */
function kindOf({ privateKeyPem, chainPem }: AuthorityRecord): "managed" | "intermediate" | "existing" {
  if (privateKeyPem === undefined) return "existing";
  return chainPem === "" ? "managed" : "intermediate";
}
