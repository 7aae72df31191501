import forge from "node-forge";
import { childrenOf, extensionsOf, isTagged, isUniversal, octetsOf, parseDer } from "./asn1";
import { der } from "./der";
import { CRL_NUMBER, crlNumber, reasonCode } from "./extensions";
import type { Issuer } from "./issuer";
import { fromPem, toPem } from "./pem";
import { formatSerialNumber, parseSerialNumber } from "./serial-number";
import { encodeTime, parseTime, toWholeSecond } from "./time";

const LABEL = "X509 CRL";

/** Why a certificate is refused, with its code (CRLReason, RFC 5280 section 5.3.1). */
export const REVOCATION_REASONS = {
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  /** For now: the one that may be taken back. */
  certificateHold: 6,
  privilegeWithdrawn: 9,
} as const;

export type RevocationReason = keyof typeof REVOCATION_REASONS;

export interface Revocation {
  /** The certificate's serial number in hex, as Node's `X509Certificate.serialNumber`. */
  readonly serial: string;
  readonly revokedAt: Date;
  readonly reason?: RevocationReason;
}

export interface RevocationListRequest {
  /** A whole number from 0 on, higher than that of every earlier list of this issuer (RFC 5280 section 5.2.3). */
  readonly number: number;
  /** From when the list is valid, cut to the second. */
  readonly thisUpdate: Date;
  /** Until when it is valid, cut to the second. Mosquitto lets nobody in with an expired list. */
  readonly nextUpdate: Date;
  /** In any order; of a serial given twice, the earliest revocation counts. */
  readonly revoked: readonly Revocation[];
}

export interface ParsedRevocationList {
  readonly number: number;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** Upper-case hex, sorted by value if this library made the list. */
  readonly serials: string[];
}

const VERSION_2 = der.integer(1);

/**
 * A signed certificate revocation list, version 2, as PEM (RFC 5280 section 5).
 *
 * @throws {Error} if the issuer may not sign lists, or if the number, a date or a serial is not fit
 */
export function issueRevocationList(issuer: Issuer, request: RevocationListRequest): string {
  const { number } = request;
  const [thisUpdate, nextUpdate] = [toWholeSecond(request.thisUpdate), toWholeSecond(request.nextUpdate)];
  if (!issuer.signsRevocationLists) {
    throw new Error("the authority cannot sign revocation lists: its keyUsage has no cRLSign; give another authority");
  }
  if (!Number.isSafeInteger(number) || number < 0) {
    throw new Error(`the number of a revocation list must be a whole number from 0 on, got ${number}; count the lists`);
  }
  const updates = [encodeTime(thisUpdate), encodeTime(nextUpdate)];
  if (nextUpdate <= thisUpdate) {
    throw new Error(
      `a revocation list must end after it starts, got ${thisUpdate.toISOString()} to ${nextUpdate.toISOString()}; ` +
        "give a later nextUpdate",
    );
  }
  const entries = entriesOf(request.revoked);
  const list = issuer.signer.sign(
    der.sequence([
      VERSION_2,
      issuer.signer.identifier,
      issuer.subject,
      ...updates,
      // An empty list must be left out (RFC 5280 section 5.1.2.6).
      ...(entries.length === 0 ? [] : [der.sequence(entries)]),
      der.explicit(0, [der.sequence([issuer.authorityKeyIdentifier, crlNumber(number)])]),
    ]),
  );
  return toPem(LABEL, list);
}

/** `revokedCertificates`, each serial once and sorted by value, so that the same set always makes the same list. */
function entriesOf(revoked: readonly Revocation[]): Buffer[] {
  const earliest = new Map<string, Revocation>();
  for (const revocation of revoked) {
    const { serial, revokedAt } = revocation;
    const canonical = formatSerialNumber(parseSerialNumber(serial));
    const known = earliest.get(canonical);
    if (known === undefined || revokedAt < known.revokedAt)
      earliest.set(canonical, { ...revocation, serial: canonical });
  }
  return [...earliest.values()]
    .sort((one, other) => compareSerials(one.serial, other.serial))
    .map(({ serial, revokedAt, reason }) =>
      der.sequence([
        der.unsigned(parseSerialNumber(serial)),
        encodeTime(revokedAt),
        ...(reason === undefined ? [] : [der.sequence([reasonCode(REVOCATION_REASONS[reason])])]),
      ]),
    );
}

function compareSerials(one: string, other: string): number {
  return one.length - other.length || (one < other ? -1 : 1);
}

/**
 * Reads a list without checking its signature.
 *
 * @throws {Error} if the text is not a version 2 list with an end and a number that JavaScript can count to
 */
export function parseRevocationList(pem: string): ParsedRevocationList {
  try {
    return parse(fromPem(LABEL, pem));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the revocation list cannot be read: ${reason}; give a PEM list of version 2 with nextUpdate`, {
      cause,
    });
  }
}

function parse(list: Buffer): ParsedRevocationList {
  // CertificateList and TBSCertList of RFC 5280 section 5.1: version, signature, issuer, thisUpdate, nextUpdate, …
  const [, , , thisUpdate, nextUpdate, ...rest] = childrenOf(childrenOf(parseDer(list))[0]);
  const revoked = rest.find((part) => isUniversal(part, forge.asn1.Type.SEQUENCE));
  const extensions = extensionsOf(childrenOf(rest.find((part) => isTagged(part, 0)))[0]);
  const numbered = extensions.get(CRL_NUMBER);
  if (numbered === undefined) throw new Error("it has no number");
  const number = Number(`0x${octetsOf(parseDer(numbered.value)).toString("hex")}`);
  if (!Number.isSafeInteger(number)) throw new Error("its number is too large");
  return {
    number,
    thisUpdate: parseTime(thisUpdate),
    nextUpdate: parseTime(nextUpdate),
    serials: (revoked === undefined ? [] : childrenOf(revoked)).map((entry) =>
      formatSerialNumber(octetsOf(childrenOf(entry)[0])),
    ),
  };
}
