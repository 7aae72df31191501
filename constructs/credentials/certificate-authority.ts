import { Fault } from "../faults";
import { KeyAlgorithm, lifetimeFaults, LifetimeOptions } from "../pki";
import { CertificateSigner } from "./certificate-signer";
import { TextSource } from "../text-source";

export interface ManagedAuthorityOptions {
  /**
   * How long the authority is valid, in days, from when it is made; changed later it counts for the next one only. No
   * certificate that it signs outlives it.
   *
   * @default 3650
   */
  readonly validityDays?: number;

  /**
   * How many days before its end a synth begins to ask for a rotation. Certificates whose own end lies beyond the
   * authority's are cut to it.
   *
   * @default - a tenth of its validity
   */
  readonly renewBeforeDays?: number;

  /**
   * Algorithm of the authority's key.
   *
   * @default - the broker's `keyAlgorithm` when the authority is made
   */
  readonly keyAlgorithm?: KeyAlgorithm;

  /**
   * Generations that are trusted now: one, or while it is replaced the old and the new one. See `rotation`.
   *
   * @default [1]
   */
  readonly trusted?: readonly number[];

  /**
   * The generation that signs now; one of `trusted`.
   *
   * @default - the only one that is trusted
   */
  readonly issuing?: number;
}

export interface IntermediateAuthorityOptions {
  /**
   * Who signs this authority: `CertificateAuthority.managed()`, whose key is kept in the store, or
   * `CertificateAuthority.imported()`, whose key is only read when the intermediate is made, and may be offline after.
   */
  readonly root: CertificateAuthority;

  /**
   * In days; cut to the root's end.
   *
   * @default 1825
   */
  readonly validityDays?: number;

  /**
   * As of a managed authority.
   *
   * @default - a tenth of its validity
   */
  readonly renewBeforeDays?: number;

  /**
   * Algorithm of the intermediate's key.
   *
   * @default - the broker's `keyAlgorithm` when the authority is made
   */
  readonly keyAlgorithm?: KeyAlgorithm;

  /**
   * Its number among the generations of a rotation.
   *
   * @default 1
   */
  readonly generation?: number;
}

export interface ImportedAuthorityOptions {
  /** The authority's own certificate as PEM. Certificates after it count as its chain. */
  readonly certificate: TextSource;

  /** Its private key as PEM. Read only when something is signed, and never copied into the store. */
  readonly privateKey: TextSource;

  /**
   * What the private key is encrypted with.
   *
   * @default - it is not encrypted
   */
  readonly passphrase?: TextSource;

  /**
   * The authorities above it up to the root, as PEM, in any order.
   *
   * @default - none: it is a root, or they come after the certificate
   */
  readonly chain?: TextSource;

  /**
   * As of a managed authority.
   *
   * @default - a tenth of its validity
   */
  readonly renewBeforeDays?: number;

  /**
   * Its number among the generations of a rotation.
   *
   * @default 1
   */
  readonly generation?: number;
}

export interface ExternalAuthorityOptions extends Omit<ImportedAuthorityOptions, "privateKey" | "passphrase"> {
  /** Signs with the key, wherever that is. */
  readonly signer: CertificateSigner;
}

export interface TrustedAuthorityOptions {
  /** The certificates of the authority and of those above it up to the root, as PEM, in any order. */
  readonly certificates: TextSource;

  /**
   * The authority's current revocation list as PEM, read at every synth that may issue.
   *
   * Without one the broker checks no revocation: a client is shut out by removing it from the declaration, which takes its
   * rules, and every other authority below the same root may issue certificates with a declared client's name. And another certificate of the authority is a change that replaces the broker's container.
   *
   * @default - none
   */
  readonly revocationList?: TextSource;

  /**
   * Its number among the generations of a rotation.
   *
   * @default 1
   */
  readonly generation?: number;
}

/** One authority that is trusted, with its number. */
export interface AuthorityGeneration {
  readonly generation: number;
  readonly source: AuthoritySource;
  readonly renewBeforeDays?: number;
}

/** Where an authority's certificate and key come from. */
export type AuthoritySource =
  | { readonly kind: "managed"; readonly validityDays: number; readonly keyAlgorithm?: KeyAlgorithm }
  | {
      readonly kind: "intermediate";
      readonly root: CertificateAuthority;
      readonly validityDays: number;
      readonly keyAlgorithm?: KeyAlgorithm;
    }
  | {
      readonly kind: "imported";
      readonly certificate: TextSource;
      readonly chain?: TextSource;
      readonly privateKey: TextSource;
      readonly passphrase?: TextSource;
    }
  | {
      readonly kind: "external";
      readonly certificate: TextSource;
      readonly chain?: TextSource;
      readonly signer: CertificateSigner;
    }
  | { readonly kind: "trusted"; readonly certificates: TextSource; readonly revocationList?: TextSource };

const MANAGED_DAYS = 3650;
const INTERMEDIATE_DAYS = 1825;
/** Devices that know only the old authority follow the new one over one more certificate: of two, not of three. */
const MAXIMUM_GENERATIONS = 2;

/** Who signs certificates. A broker has two: one for the server, one for its clients. */
export class CertificateAuthority {
  /** An authority whose key this library generates and keeps in the credential store, and nowhere else. */
  static managed(options: ManagedAuthorityOptions = {}): CertificateAuthority {
    const { validityDays = MANAGED_DAYS, renewBeforeDays, keyAlgorithm, trusted = [1], issuing = trusted[0] } = options;
    return new CertificateAuthority(
      trusted.map((generation) => ({
        generation,
        source: { kind: "managed", validityDays, ...(keyAlgorithm && { keyAlgorithm }) },
        ...(renewBeforeDays !== undefined && { renewBeforeDays }),
      })),
      trusted.length > 1 ? options.issuing : issuing,
    );
  }

  /** An authority whose key this library generates, below a root (path length 1 below 2, with room for a rotation). */
  static intermediate(options: IntermediateAuthorityOptions): CertificateAuthority {
    const { root, validityDays = INTERMEDIATE_DAYS, keyAlgorithm } = options;
    return CertificateAuthority.single(options, {
      kind: "intermediate",
      root,
      validityDays,
      ...(keyAlgorithm && { keyAlgorithm }),
    });
  }

  /** A root or intermediate that exists, with its key: the company's, for example. */
  static imported(options: ImportedAuthorityOptions): CertificateAuthority {
    const { certificate, privateKey, passphrase, chain } = options;
    return CertificateAuthority.single(options, {
      kind: "imported",
      certificate,
      privateKey,
      ...(passphrase && { passphrase }),
      ...(chain && { chain }),
    });
  }

  /** A root or intermediate that exists and whose key cannot be had: a signer signs with it. */
  static external(options: ExternalAuthorityOptions): CertificateAuthority {
    const { certificate, chain, signer } = options;
    return CertificateAuthority.single(options, { kind: "external", certificate, signer, ...(chain && { chain }) });
  }

  /** For clients whose certificates are issued elsewhere: nothing is issued here, and their bundles have no certificate. */
  static trusted(options: TrustedAuthorityOptions): CertificateAuthority {
    const { certificates, revocationList } = options;
    return CertificateAuthority.single(options, {
      kind: "trusted",
      certificates,
      ...(revocationList && { revocationList }),
    });
  }

  /**
   * Two authorities of different generations, while one replaces the other. Managed ones have it as `trusted` and
   * `issuing`. Each step is deployed before the next one is declared:
   *
   * 1. both trusted, the old one issues: every bundle lets its client trust both;
   * 2. both trusted, the new one issues: hand every client its new bundle;
   * 3. only the new one trusted.
   */
  static rotation(options: {
    readonly trusted: readonly CertificateAuthority[];
    readonly issuing: CertificateAuthority;
  }): CertificateAuthority {
    const generations = options.trusted.flatMap((authority) => authority.generations);
    return new CertificateAuthority(generations, options.issuing.issuing);
  }

  private static single(
    { generation = 1, renewBeforeDays }: { readonly generation?: number; readonly renewBeforeDays?: number },
    source: AuthoritySource,
  ): CertificateAuthority {
    const only = { generation, source, ...(renewBeforeDays !== undefined && { renewBeforeDays }) };
    return new CertificateAuthority([only], generation);
  }

  private constructor(
    /** All that are trusted now. */
    readonly generations: readonly AuthorityGeneration[],
    /** The generation that signs now. */
    readonly issuing: number | undefined,
  ) {}

  /** The generation that signs. */
  get issuer(): AuthorityGeneration {
    return this.generations.find(({ generation }) => generation === this.issuing) as AuthorityGeneration;
  }

  /** Whether clients' certificates are issued here at all. */
  get issues(): boolean {
    return this.issuer.source.kind !== "trusted";
  }

  /** Whether the key that signs is at hand, rather than with somebody who has rules of their own. */
  get signsHere(): boolean {
    return this.issues && this.issuer.source.kind !== "external";
  }

  /** Whether nobody but this store can sign below anything that the broker trusts by it. */
  get signsAlone(): boolean {
    return this.generations.every(
      ({ source }) => source.kind === "managed" || (source.kind === "intermediate" && source.root.signsAlone),
    );
  }

  /** Whether the broker can refuse single certificates of every authority that it trusts. */
  get hasRevocationLists(): boolean {
    return this.generations.every(({ source }) => source.kind !== "trusted" || source.revocationList !== undefined);
  }

  faults(what: string): Fault[] {
    const numbers = this.generations.map(({ generation }) => generation);
    const faults = this.generations.flatMap((generation) => generationFaults(what, generation));
    if (numbers.length < 1 || numbers.length > MAXIMUM_GENERATIONS || new Set(numbers).size !== numbers.length) {
      faults.push({
        what: `${what}.trusted`,
        value: numbers,
        allowed: "one generation, or two different ones while one replaces the other",
        remedy: "finish the rotation that is under way, by dropping the older one, before the next begins",
      });
    }
    if (this.issuing === undefined || !numbers.includes(this.issuing)) {
      faults.push({
        what: `${what}.issuing`,
        value: this.issuing,
        allowed: `one of the generations that are trusted: ${numbers.join(", ")}`,
        remedy: "name the old one in the first step of a rotation, the new one in the second",
      });
    }
    return faults;
  }
}

function generationFaults(what: string, { generation, source, renewBeforeDays }: AuthorityGeneration): Fault[] {
  const faults: Fault[] = [];
  if (!Number.isInteger(generation) || generation < 1 || generation > 9999) {
    faults.push({
      what: `${what}.generation`,
      value: generation,
      allowed: "a whole number from 1 to 9999",
      remedy: "count the authorities that have had this part: 1, then 2",
    });
  }
  const lifetime: LifetimeOptions = { ...("validityDays" in source && { validityDays: source.validityDays }) };
  faults.push(...lifetimeFaults(what, { ...lifetime, ...(renewBeforeDays !== undefined && { renewBeforeDays }) }));
  if (source.kind === "intermediate") {
    const { root } = source;
    faults.push(...root.faults(`${what}.root`));
    const kind = root.generations[0]?.source.kind;
    if (root.generations.length !== 1 || (kind !== "managed" && kind !== "imported")) {
      faults.push({
        what: `${what}.root`,
        value: root.generations.map((one) => `${one.source.kind} ${one.generation}`).join(", "),
        allowed: "one managed or imported authority",
        remedy: "rotate the intermediate together with its root: CertificateAuthority.rotation() of two intermediates",
      });
    }
  }
  return faults;
}
