import { KeyAlgorithm } from "../pki";

export interface ManagedAuthorityOptions {
  /**
   * How long the authority is valid, in days, from when it is made; changed later it counts for the next one only. No
   * certificate that it signs outlives it.
   *
   * @default 3650
   */
  readonly validityDays?: number;

  /**
   * Algorithm of the authority's key.
   *
   * @default - the broker's `keyAlgorithm` when the authority is made
   */
  readonly keyAlgorithm?: KeyAlgorithm;
}

const MAXIMUM_DAYS = 36_500;

/** Who signs certificates. A broker has two: one for the server, one for its clients. */
export class CertificateAuthority {
  /** An authority whose key this library generates and keeps in the credential store, and nowhere else. */
  static managed(options: ManagedAuthorityOptions = {}): CertificateAuthority {
    return new CertificateAuthority(options.validityDays ?? 3650, options.keyAlgorithm);
  }

  private constructor(
    readonly validityDays: number,
    readonly keyAlgorithm?: KeyAlgorithm,
  ) {}

  faults(what: string): { what: string; value: unknown; allowed: string; remedy: string }[] {
    if (Number.isInteger(this.validityDays) && this.validityDays >= 1 && this.validityDays <= MAXIMUM_DAYS) return [];
    return [
      {
        what: `${what}.validityDays`,
        value: this.validityDays,
        allowed: `a whole number of days from 1 to ${MAXIMUM_DAYS}`,
        remedy: "3650 days are ten years",
      },
    ];
  }
}
