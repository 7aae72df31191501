import type { CertificateParts } from "./certificate-parts";
import { contentOf, elementsOf } from "./der-reader";

/** What revocation lists shut out, of thousands of certificates as quickly as of one. */
export class RevocationEntries {
  private readonly entries = new Set<string>();

  /**
   * @param lists DER; their signatures are not checked
   * @throws {Error} where one is no list
   */
  constructor(lists: readonly Buffer[]) {
    for (const list of lists) this.add(list);
  }

  has({ issuer, serial }: Pick<CertificateParts, "issuer" | "serial">): boolean {
    return this.entries.has(keyOf(issuer, serial));
  }

  /** TBSCertList (RFC 5280 section 5.1): version, signature, issuer, thisUpdate, nextUpdate, revokedCertificates. */
  private add(list: Buffer): void {
    const [toBeSigned] = elementsOf(list);
    const parts = elementsOf(toBeSigned as Buffer).filter((_, index, [version]) => index > 0 || version?.[0] !== 0x02);
    const [, issuer, ...rest] = parts;
    const revoked = rest.find((part) => part[0] === 0x30);
    for (const entry of revoked === undefined ? [] : elementsOf(revoked)) {
      const [serial] = elementsOf(entry);
      this.entries.add(keyOf(issuer as Buffer, contentOf(serial as Buffer)));
    }
  }
}

/** A name says where it ends, so both are told apart. */
function keyOf(issuer: Buffer, serial: Buffer): string {
  return issuer.toString("latin1") + serial.toString("latin1");
}
