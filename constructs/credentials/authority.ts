import { Host, Issuer, ParsedCertificate } from "../pki";
import { AuthoritySigner, LocalSigner, RemoteSigner } from "./authority-signer";
import { AuthoritySource } from "./certificate-authority";
import { importedIssuer } from "./imported-authority";
import { AuthorityRecord } from "./record";

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

  /** When it ends, or the first one above it: from then on nobody follows its chain. */
  get end(): number {
    const ends = ParsedCertificate.allFromPem(this.record.chainPem).map(({ notAfter }) => notAfter.getTime());
    return Math.min(Date.parse(this.record.notAfter), ...ends);
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
