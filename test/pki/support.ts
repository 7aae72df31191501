import { X509Certificate } from "node:crypto";
import { issueAuthority, issueClient, issueServer, Issuer, KeyAlgorithm, parseHost } from "../../constructs/pki";
import type { AuthorityRequest, IssuedCertificate, ServerRequest } from "../../constructs/pki";

const DAY = 24 * 60 * 60 * 1000;

/** A moment some days from now, to the second; certificates made with it never go stale. */
export function daysFromNow(days: number): Date {
  return new Date(Math.floor((Date.now() + days * DAY) / 1000) * 1000);
}

export function madeAuthority(change: Partial<AuthorityRequest> = {}): IssuedCertificate {
  return issueAuthority({
    commonName: "Test Authority",
    algorithm: KeyAlgorithm.ecdsaP256(),
    notBefore: daysFromNow(-1),
    notAfter: daysFromNow(3650),
    ...change,
  });
}

export function issuerOf(authority: IssuedCertificate): Issuer {
  return Issuer.fromPem(authority.certificatePem, authority.privateKeyPem);
}

export function madeServer(issuer: Issuer, change: Partial<ServerRequest> = {}): IssuedCertificate {
  return issueServer(issuer, {
    commonName: "broker",
    algorithm: KeyAlgorithm.ecdsaP256(),
    notBefore: daysFromNow(-1),
    notAfter: daysFromNow(365),
    hosts: ["broker.example", "127.0.0.1", "2001:db8::1"].map(parseHost),
    ...change,
  });
}

export function madeClient(issuer: Issuer, change: Partial<AuthorityRequest> = {}): IssuedCertificate {
  return issueClient(issuer, {
    commonName: "sensor-1",
    algorithm: KeyAlgorithm.ecdsaP256(),
    notBefore: daysFromNow(-1),
    notAfter: daysFromNow(365),
    ...change,
  });
}

/** One DER element. Read here with a few lines of its own, so that no library judges its own output. */
export interface Element {
  readonly tag: number;
  /** Tag, length and contents. */
  readonly octets: Buffer;
  readonly contents: Buffer;
}

export function elementsOf(octets: Buffer): Element[] {
  const elements: Element[] = [];
  for (let start = 0; start < octets.length;) {
    const first = octets.readUInt8(start + 1);
    const more = first < 0x80 ? 0 : first & 0x7f;
    const length = more === 0 ? first : octets.readUIntBE(start + 2, more);
    const from = start + 2 + more;
    const end = from + length;
    if (end > octets.length) throw new Error("an element is longer than what holds it");
    elements.push({
      tag: octets.readUInt8(start),
      octets: octets.subarray(start, end),
      contents: octets.subarray(from, end),
    });
    start = end;
  }
  return elements;
}

/** The element at the end of a way of indices, from the outermost one on. */
export function elementAt(octets: Buffer, ...way: number[]): Element {
  let element = elementsOf(octets)[0];
  for (const index of way) element = element && elementsOf(element.contents)[index];
  if (element === undefined) throw new Error(`there is no element at ${way.join(".")}`);
  return element;
}

export interface Extension {
  readonly critical: boolean;
  /** What the OCTET STRING holds, in hex. */
  readonly value: string;
}

/** Extensions by the hex of their identifier's contents: 2.5.29.35 is `551d23`. */
export function extensionsIn(extensions: Buffer): Map<string, Extension> {
  return new Map(
    elementsOf(elementAt(extensions).contents).map(({ contents }) => {
      const parts = elementsOf(contents);
      const value = parts.at(-1)?.contents.toString("hex") ?? "";
      return [parts[0]?.contents.toString("hex") ?? "", { critical: parts.length === 3, value }];
    }),
  );
}

/** The parts of TBSCertificate of version 3 without unique identifiers (RFC 5280 section 4.1). */
export function partsOf(pem: string): {
  version: Element;
  serial: Element;
  signature: Element;
  issuer: Element;
  notBefore: Element;
  notAfter: Element;
  subject: Element;
  publicKey: Element;
  extensions: Map<string, Extension>;
} {
  const { raw } = new X509Certificate(pem);
  const at = (...way: number[]): Element => elementAt(raw, 0, ...way);
  return {
    version: at(0),
    serial: at(1),
    signature: at(2),
    issuer: at(3),
    notBefore: at(4, 0),
    notAfter: at(4, 1),
    subject: at(5),
    publicKey: at(6),
    extensions: extensionsIn(at(7).contents),
  };
}

/** The octets of the first PEM block. */
export function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----/g, ""), "base64");
}
