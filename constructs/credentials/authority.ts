import { Host, Issuer, ParsedCertificate } from "../pki";
import { AuthoritySigner, LocalSigner, RemoteSigner } from "./authority-signer";
import { AuthoritySource } from "./certificate-authority";
import { importedIssuer } from "./imported-authority";
import { AuthorityRecord } from "./record";

/** One trusted authority, as it is in the store. */
export class Authority {
  private ready: AuthoritySigner | undefined;
  /** Itself and all above it, read once: every client asks. */
  private readonly chain: readonly ParsedCertificate[];

  constructor(
    readonly record: AuthorityRecord,
    readonly source: AuthoritySource,
    private readonly now: Date,
  ) {
    this.chain = ParsedCertificate.allFromPem(this.wholePem);
  }

  /** What who relies on it trusts: the root. */
  get rootPem(): string {
    return (this.chain.at(-1) as ParsedCertificate).pem;
  }

  /** It and all above it. */
  get wholePem(): string {
    return this.record.certificatePem + this.record.chainPem;
  }

  /** What a leaf of it is sent together with: all between leaf and root. */
  get sentPem(): string {
    return this.chain
      .slice(0, -1)
      .map(({ pem }) => pem)
      .join("");
  }

  /** Whether a subject with only this common name would be the same as its own. */
  isNamed(commonName: string): boolean {
    return (this.chain[0] as ParsedCertificate).isNamed(commonName);
  }

  /** @throws {Error} when an authority above forbids a certificate for one of these hosts */
  refuseForbidden(hosts: readonly Host[]): void {
    const fault = this.chain.map((one) => one.hostFault(hosts)).find(Boolean);
    if (fault === undefined) return;
    throw new Error(
      `${this.record.role} authority ${this.record.generation} cannot sign this server's certificate: ${fault}; allowed: an ` +
        "authority without name constraints, or with ones that allow every host, localhost, 127.0.0.1, ::1 and " +
        "mosquitto.internal, by which the broker's health is checked; remedy: declare another serverAuthority",
    );
  }

  /** When it ends, or the first one above it: from then on nobody follows its chain. */
  get end(): number {
    return Math.min(...this.chain.map(({ notAfter }) => notAfter.getTime()));
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
