import { X509Certificate } from "node:crypto";
import { PURPOSES } from "./extensions";
import { fromPem, pemBlocks } from "./pem";
import type { Host } from "./host";
import { ParsedCertificate } from "./parsed-certificate";
import { parseRevocationList, type ParsedRevocationList } from "./revocation-list";
import { Signed } from "./signed";
import { childrenOf, encodeDer } from "./asn1";

// What others made for this library is judged before it is used: by it devices are let in or locked out.

/** Milliseconds that another machine's clock may be ahead, and that passed since this one's was read. */
export const CLOCK_DIFFERENCE = 5 * 60 * 1000;

/** What a certificate was asked to be. */
export interface ExpectedCertificate {
  readonly authority: ParsedCertificate;
  readonly purpose: keyof typeof PURPOSES;
  readonly commonName: string;
  /** Subject alternative names of a server. */
  readonly hosts: readonly Host[];
  /** Where the certificate was asked for a time. */
  readonly notAfter?: Date;
  /** Where the certificate was asked for a key. */
  readonly publicKeyDer?: Buffer;
}

/** Why a certificate is not what was asked for, if it is not. */
export function certificateFault(
  certificate: ParsedCertificate,
  expected: ExpectedCertificate,
  now: Date,
): string | undefined {
  const { x509 } = certificate;
  if (!certificate.wasSignedBy(expected.authority)) return "it was not signed by the authority";
  if (expected.publicKeyDer !== undefined && !certificate.publicKeyDer.equals(expected.publicKeyDer))
    return "it is for another key";
  // Verifiers that match by name take it for self-signed (aws/aws-iot-device-sdk-embedded-C#1281).
  if (certificate.subject.equals(expected.authority.subject)) return "its subject is the authority's own name";
  const leafFault = certificate.leafFault();
  if (leafFault !== undefined) return leafFault;
  const names = commonNamesOf(x509);
  // Mosquitto takes the first one as the user name.
  if (expected.purpose === "client" && names[0] !== expected.commonName) {
    return `its common name is ${JSON.stringify(names[0] ?? "")} and not ${JSON.stringify(expected.commonName)}`;
  }
  const purposes = (x509 as unknown as { keyUsage?: string[] }).keyUsage ?? [];
  if (!purposes.includes(PURPOSES[expected.purpose])) return `its extended key usage has no ${expected.purpose}Auth`;
  // With a name of the broker in it, its holder could pass for the broker.
  if (expected.purpose === "client" && purposes.includes(PURPOSES.server))
    return "its extended key usage has serverAuth, too";
  const missing = expected.hosts.find(({ kind, value }) =>
    kind === "ip" ? x509.checkIP(value) === undefined : x509.checkHost(value, { subject: "never" }) === undefined,
  );
  if (missing !== undefined) return `its subject alternative names have no ${missing.value}`;
  if (certificate.notBefore.getTime() > now.getTime() + CLOCK_DIFFERENCE)
    return `it is valid only from ${certificate.notBefore.toISOString()}`;
  if (certificate.notAfter > expected.authority.notAfter) return "it outlives its authority";
  if (expected.notAfter !== undefined && certificate.notAfter > expected.notAfter)
    return "it is valid longer than was asked for";
  if (certificate.notAfter <= now) return `it ended ${certificate.notAfter.toISOString()}`;
  return undefined;
}

/**
 * Puts an authority's certificate and those above it in order, the root last.
 *
 * @param pem certificates in any order
 * @throws {Error} saying why the certificates are no chain that strict verifiers follow
 */
export function orderChain(certificate: ParsedCertificate, pem: string, now: Date): ParsedCertificate[] {
  const others = ParsedCertificate.allFromPem(pem);
  const chain = [certificate];
  refuseUnfit(certificate, "");
  for (let last = certificate; !last.isSelfSigned; last = chain.at(-1) as ParsedCertificate) {
    const next = others.find((candidate) => last.wasSignedBy(candidate));
    if (next === undefined || chain.length > others.length + 1) {
      throw new Error(`the certificate of ${issuerOf(last)}, which signed it, is missing in its chain up to the root`);
    }
    refuseUnfit(next, `${subjectOf(next)}: `);
    chain.push(next);
  }
  chain.forEach((authority, below) => {
    const of = chain.length === 1 ? "" : `${subjectOf(authority)}: `;
    if (authority.notAfter <= now) throw new Error(`${of}it ended ${authority.notAfter.toISOString()}`);
    if (authority.notBefore > now) throw new Error(`${of}it is valid only from ${authority.notBefore.toISOString()}`);
    // As many authorities stand between it and a server or client.
    if (authority.pathLength < below) {
      throw new Error(`${of}its path length ${authority.pathLength} does not allow the ${below} authorities below it`);
    }
  });
  return chain;
}

function refuseUnfit(authority: ParsedCertificate, of: string): void {
  const fault = authority.authorityFault();
  if (fault !== undefined) throw new Error(`${of}${fault}`);
}

/** Why a revocation list is not one of the authority that is good now, if it is not. */
export function revocationListFault(pem: string, authority: ParsedCertificate, now: Date): string | undefined {
  let list: ParsedRevocationList;
  let signed: Signed;
  try {
    list = parseRevocationList(pem);
    if (pemBlocks("X509 CRL", pem).length > 1) return "there is more than one list in it";
    signed = Signed.parse(fromPem("X509 CRL", pem));
  } catch (error) {
    return (error as Error).message;
  }
  // TBSCertList (RFC 5280 section 5.1): version, signature, issuer.
  const [, algorithm, issuer] = childrenOf(signed.content);
  if (issuer === undefined || !encodeDer(issuer).equals(authority.subject))
    return "it is the list of another authority";
  // OpenSSL refuses a list whose two algorithms differ (RFC 5280 section 5.1.1.2).
  if (!signed.isOfAlgorithm(algorithm)) return "its signature is of another algorithm than it says";
  const fault = signed.fault(authority.x509.publicKey);
  if (fault !== undefined) return fault;
  if (list.nextUpdate <= now) return `it ended ${list.nextUpdate.toISOString()}`;
  if (list.thisUpdate.getTime() > now.getTime() + CLOCK_DIFFERENCE)
    return `it is valid only from ${list.thisUpdate.toISOString()}`;
  return undefined;
}

function commonNamesOf({ subject }: X509Certificate): string[] {
  // One attribute a line; names of clients have nothing that Node would escape.
  return (subject ?? "")
    .split("\n")
    .filter((line) => line.startsWith("CN="))
    .map((line) => line.slice(3));
}

const subjectOf = ({ x509 }: ParsedCertificate): string => (x509.subject ?? "").replace(/\n/g, ", ");
const issuerOf = ({ x509 }: ParsedCertificate): string => (x509.issuer ?? "").replace(/\n/g, ", ");
