import {
  certifyClient,
  createCertificationRequest,
  generateKeyPair,
  issueAuthority,
  issueClient,
  issueCrossCertificate,
  issueRevocationList,
  issueServer,
  issueSubordinateAuthority,
  Issuer,
  KeyAlgorithm,
  parseCertificationRequest,
  parseHost,
  type IssuedCertificate,
  type KeyPair,
  type Revocation,
  type SignedCertificate,
} from "../../constructs/pki";

const DAY = 86_400_000;
// From yesterday on: zlint passes over rules that are younger than the certificate.
const NOW = Math.floor(Date.now() / 1000) * 1000;
export const SPAN = { notBefore: new Date(NOW - DAY), notAfter: new Date(NOW + 365 * DAY) };
export const PAST = { notBefore: new Date(NOW - DAY), notAfter: new Date(NOW - DAY / 2) };
export const BEFORE = new Date(SPAN.notBefore.getTime() - 1000);
export const AFTER = new Date(SPAN.notAfter.getTime() + 1000);

export const DNS_HOST = "broker.plant.example";
export const HOSTS = [DNS_HOST, "192.168.1.13", "2001:db8::13"];
export const OTHER_HOSTS = ["other.plant.example", "192.168.1.14", "2001:db8::14"];
/** Letters of one to four octets in UTF-8. */
export const CLIENT = "dévice-№7-датчик-🌡";

export function issuerOf({ certificatePem, privateKeyPem }: IssuedCertificate): Issuer {
  return Issuer.fromPem(certificatePem, privateKeyPem);
}

/** An authority, with what it issued, as those see it who trust the root. */
export interface Line {
  readonly authority: IssuedCertificate;
  readonly root: IssuedCertificate;
  /** What its servers and clients send along. */
  readonly intermediates: readonly string[];
  /** The root's list where there is an intermediate. */
  readonly listsAbove: readonly string[];
  readonly server: IssuedCertificate;
  readonly client: IssuedCertificate;
  readonly revoked: IssuedCertificate;
  readonly expiredServer: IssuedCertificate;
  readonly expiredClient: IssuedCertificate;
  /** Its list, on which is who is revoked. */
  readonly list: string;
  /** The same from an authority of the same name with another key. */
  readonly foreign: { readonly server: IssuedCertificate; readonly client: IssuedCertificate; readonly list: string };
}

/** One of everything that is issued, with keys of one algorithm. */
export class Issued {
  readonly algorithm: KeyAlgorithm;
  readonly belowRoot: Line;
  readonly belowIntermediate: Line;
  /** A root of another name. */
  readonly otherRoot: IssuedCertificate;
  /** The intermediate's name and key, signed by that one. */
  readonly crossCertificate: SignedCertificate;
  readonly request: string;
  /** A client whose key was made elsewhere. */
  readonly certified: SignedCertificate;
  readonly emptyList: string;
  /** A list with every reason, and with serial numbers of all lengths. */
  readonly longList: string;

  constructor(id: string) {
    const algorithm = KeyAlgorithm.parse(id);
    this.algorithm = algorithm;
    // Few keys with many certificates each: making RSA keys takes nearly all of the time.
    const newKey = (): KeyPair => generateKeyPair(algorithm);
    const keys = { root: newKey(), issuing: newKey(), server: newKey(), client: newKey() };
    const { server, client } = keys;

    const atTop = { commonName: "Root CA", algorithm, pathLength: 1, ...SPAN };
    const root = issueAuthority({ ...atTop, keyPair: keys.root });
    const foreignRoot = issueAuthority({ ...atTop, keyPair: keys.issuing });
    const common = { root, algorithm, keys: { server, client } };
    this.belowRoot = lineOf({ ...common, authority: root, foreign: foreignRoot, intermediates: [], listsAbove: [] });

    const below = { commonName: "Issuing CA", algorithm, ...SPAN };
    const issuing = issueSubordinateAuthority(issuerOf(root), { ...below, keyPair: keys.issuing });
    const foreignIssuing = issueSubordinateAuthority(issuerOf(foreignRoot), { ...below, keyPair: client });
    this.emptyList = listOf(root, []);
    this.belowIntermediate = lineOf({
      ...common,
      authority: issuing,
      foreign: foreignIssuing,
      intermediates: [issuing.certificatePem],
      listsAbove: [this.emptyList],
    });

    this.otherRoot = issueAuthority({ ...atTop, commonName: "Other Root CA", keyPair: server });
    this.crossCertificate = issueCrossCertificate(issuerOf(this.otherRoot), issuing.certificatePem, SPAN);
    this.request = createCertificationRequest("who asks", client, []);
    const { publicKeyDer } = parseCertificationRequest(this.request);
    this.certified = certifyClient(issuerOf(issuing), { commonName: CLIENT, publicKeyDer, ...SPAN });
    this.longList = listOf(root, REVOCATIONS);
  }

  get lines(): readonly (readonly [string, Line])[] {
    return [
      ["below the root", this.belowRoot],
      ["below an intermediate", this.belowIntermediate],
    ];
  }
}

interface LineParts extends Pick<Line, "authority" | "root" | "intermediates" | "listsAbove"> {
  readonly foreign: IssuedCertificate;
  readonly algorithm: KeyAlgorithm;
  readonly keys: { readonly server: KeyPair; readonly client: KeyPair };
}

function lineOf({ foreign, algorithm, keys, ...line }: LineParts): Line {
  const serverOf = (authority: IssuedCertificate, span = SPAN): IssuedCertificate => {
    const hosts = HOSTS.map(parseHost);
    const request = { commonName: DNS_HOST, hosts, algorithm, keyPair: keys.server, ...span };
    return issueServer(issuerOf(authority), request);
  };
  const clientOf = (authority: IssuedCertificate, span = SPAN): IssuedCertificate =>
    issueClient(issuerOf(authority), { commonName: CLIENT, algorithm, keyPair: keys.client, ...span });
  const { authority } = line;
  const revoked = clientOf(authority);
  return {
    ...line,
    server: serverOf(authority),
    client: clientOf(authority),
    revoked,
    expiredServer: serverOf(authority, PAST),
    expiredClient: clientOf(authority, PAST),
    list: listOf(authority, [{ serial: revoked.serial, revokedAt: SPAN.notBefore }]),
    foreign: { server: serverOf(foreign), client: clientOf(foreign), list: listOf(foreign, []) },
  };
}

const revokedAt = SPAN.notBefore;
/** In the order of their numbers, as lists have them. */
export const REVOCATIONS: readonly Revocation[] = [
  { serial: "01", revokedAt },
  { serial: "7F", revokedAt, reason: "keyCompromise" },
  { serial: "80", revokedAt, reason: "affiliationChanged" },
  { serial: "0100", revokedAt, reason: "superseded" },
  { serial: "8000", revokedAt, reason: "cessationOfOperation" },
  { serial: "4000000000000000000000000000000F", revokedAt, reason: "certificateHold" },
  { serial: `7F${"FF".repeat(19)}`, revokedAt, reason: "privilegeWithdrawn" },
];

export function listOf(authority: IssuedCertificate, revoked: readonly Revocation[], span = SPAN): string {
  const { notBefore: thisUpdate, notAfter: nextUpdate } = span;
  return issueRevocationList(issuerOf(authority), { number: 5, thisUpdate, nextUpdate, revoked });
}

/** The same PEM with the lowest bit of its last octet turned round: of the signature, which stays DER. */
export function withOtherSignature(pem: string): string {
  return edited(pem, (octets) => octets.writeUInt8(octets.readUInt8(octets.length - 1) ^ 1, octets.length - 1));
}

/** The same PEM with one text in the place of another, as long. */
export function withOtherText(pem: string, from: string, to: string): string {
  return edited(pem, (octets) => {
    const at = octets.lastIndexOf(from);
    if (at < 0) throw new Error(`${from} is not in it`);
    octets.write(to, at);
  });
}

function edited(pem: string, edit: (octets: Buffer) => void): string {
  const [, label = "", body = ""] = /^-----BEGIN (.*)-----\n([^-]*)/.exec(pem) ?? [];
  const octets = Buffer.from(body, "base64");
  edit(octets);
  const lines = octets.toString("base64").replace(/.{1,64}/g, "$&\n");
  return `-----BEGIN ${label}-----\n${lines}-----END ${label}-----\n`;
}
