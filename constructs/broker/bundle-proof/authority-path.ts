import { CLOCK_DIFFERENCE, Host, ParsedCertificate, readPemFile, toPem } from "../../pki";

/** What an authority must be good for. */
export interface AuthorityUse {
  readonly purpose: "server" | "client";
  /** Of the server's certificate below it. */
  readonly hosts: readonly Host[];
  readonly now: Date;
}

/**
 * Why a certificate does not lead up to one of these roots, as a verifier follows it that is sent some of what stands between
 * (RFC 5280 section 6.1); nothing where a single way leads there.
 */
export function pathFault(
  leaf: ParsedCertificate,
  roots: readonly ParsedCertificate[],
  sent: readonly ParsedCertificate[],
  use: AuthorityUse,
): string | undefined {
  return upFrom([leaf], roots, sent, use);
}

function upFrom(
  path: readonly ParsedCertificate[],
  roots: readonly ParsedCertificate[],
  sent: readonly ParsedCertificate[],
  use: AuthorityUse,
): string | undefined {
  const last = path.at(-1) as ParsedCertificate;
  let fault: string | undefined = "what signed it is missing";
  for (const above of [...roots, ...sent]) {
    if (path.includes(above) || !last.wasSignedBy(above)) continue;
    const ends = roots.includes(above);
    fault =
      authorityFault(above, path.length - 1, use) ?? (ends ? undefined : upFrom([...path, above], roots, sent, use));
    if (fault === undefined) return undefined;
  }
  return fault;
}

/** @param below how many authorities stand between it and the server's or client's certificate */
export function authorityFault(
  authority: ParsedCertificate,
  below: number,
  { purpose, hosts, now }: AuthorityUse,
): string | undefined {
  const { notBefore, notAfter } = authority;
  const of = `authority ${(authority.x509.subject ?? "").replace(/\n/g, ", ")}: `;
  if (notAfter <= now) return `${of}it ended ${notAfter.toISOString()}`;
  if (notBefore.getTime() > now.getTime() + CLOCK_DIFFERENCE) {
    return `${of}it is valid only from ${notBefore.toISOString()}`;
  }
  if (authority.pathLength < below) return `${of}its path length ${authority.pathLength} is less than ${below}`;
  const fault = authority.authorityFault() ?? authority.purposeFault(purpose) ?? authority.hostFault(hosts);
  return fault && `${of}${fault}`;
}

/**
 * The certificates of a text that holds nothing else.
 *
 * @param what names the text in the message
 * @throws {Error} when it holds anything else
 */
export function certificatesOf(what: string, text: string): ParsedCertificate[] {
  try {
    return readPemFile("CERTIFICATE", text).map((octets) => ParsedCertificate.fromPem(toPem("CERTIFICATE", octets)));
  } catch (error) {
    throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
  }
}
