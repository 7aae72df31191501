import type { IssuedCertificate } from "../../constructs/pki";
import {
  AFTER,
  BEFORE,
  CLIENT,
  DNS_HOST,
  HOSTS,
  type Issued,
  listOf,
  OTHER_HOSTS,
  PAST,
  SPAN,
  withOtherSignature,
  withOtherText,
  type Line,
} from "./issued";
import { cryptography, judges, type Chain, type Judge, type Verdict } from "./judges";
import { signedByOpenssl } from "./openssl";

// Three verifiers that share no code with this project, nor with each other, follow what it issues up to the root.

function serverOf(line: Line, server: Pick<IssuedCertificate, "certificatePem"> = line.server): Chain {
  const { root, intermediates, list, listsAbove } = line;
  const sees = { roots: [root.certificatePem], intermediates, lists: [list, ...listsAbove] };
  return { leaf: server.certificatePem, ...sees, usage: "serverAuth", host: DNS_HOST };
}

function clientOf(line: Line, client: Pick<IssuedCertificate, "certificatePem"> = line.client): Chain {
  const { root, intermediates, list, listsAbove } = line;
  const sees = { roots: [root.certificatePem], intermediates, lists: [list, ...listsAbove] };
  return { leaf: client.certificatePem, ...sees, usage: "clientAuth", allowMissingNames: true };
}

const JUDGES = judges.map((judge) => [judge.name, judge] as const);

/** What each judge says when it refuses, in the order of `judges`. */
type Words = readonly [go: RegExp, cryptography: RegExp, openssl: RegExp];
type Control = readonly [name: string, chain: Chain, words: Words];

const HOST: Words = [/is valid for .*, not/, /no matching subjectAltName/, /hostname mismatch|IP address mismatch/];
// OpenSSL 3.2 and later say it otherwise.
const OPENSSL_PURPOSE = /uns\w+ certificate purpose/;
const NOT_A_CLIENT: Words = [/incompatible key usage/, /required EKU not found/, OPENSSL_PURPOSE];
// The first two look for the host before they look at the purpose.
const NOT_A_SERVER: Words = [/not valid for any names/, /no subjectAltName/, OPENSSL_PURPOSE];
const OVER: Words = [/has expired/, /not valid at validation time/, /certificate has expired/];
const NOT_YET: Words = [/not yet valid/, /not valid at validation time/, /certificate is not yet valid/];
const UNKNOWN: Words = [/signed by unknown authority$/, /candidates exhausted/, /unable to get local issuer/];
/** Only OpenSSL looks for the key identifier before it tries the key. */
const OTHER_KEY: Words = [/verification (?:failure|error)/, /signature does not match/, /unable to get local issuer/];
const SIGNATURE: Words = [/verification (?:failure|error)/, /signature does not match/, /signature failure/];
const NO_AUTHORITY: Words = [/signed by unknown authority/, /candidates exhausted/, /invalid CA certificate/];
const TOO_LONG: Words = [/too many intermediates/, /path length/, /path length constraint exceeded/];
const REVOKED: Words = [/is revoked/, /is revoked/, /certificate revoked/];
const NO_LIST: Words = [/no revocation list/, /no revocation list/, /unable to get certificate CRL/];
const BAD_LIST: Words = [/no revocation list/, /no revocation list/, /CRL signature failure/];
const OLD_LIST: Words = [/list is not valid/, /list is not valid/, /CRL has expired/];

/** What must be refused, and what that is. */
function controlsOf(line: Line, otherRoot: IssuedCertificate): Control[] {
  const { list, listsAbove, foreign, authority } = line;
  const [server, client] = [serverOf(line), clientOf(line)];
  const timed: Chain = { ...client, lists: [] };
  const withHost = (host: string): Partial<Chain> => ({ leaf: withOtherText(server.leaf, DNS_HOST, host), host });
  return [
    ...OTHER_HOSTS.map((host): Control => [`the server for ${host}`, { ...server, host }, HOST]),
    ["the server as a client", { ...client, leaf: server.leaf }, NOT_A_CLIENT],
    ["the client as a server", { ...server, leaf: client.leaf }, NOT_A_SERVER],
    ["an expired server", serverOf(line, line.expiredServer), OVER],
    ["an expired client", clientOf(line, line.expiredClient), OVER],
    ["a client the second before it is valid", { ...timed, at: BEFORE }, NOT_YET],
    ["a client the second after it was valid", { ...timed, at: AFTER }, OVER],
    ["a client where only another authority is trusted", { ...client, roots: [otherRoot.certificatePem] }, UNKNOWN],
    ["a client of another authority with the same name", clientOf(line, foreign.client), OTHER_KEY],
    ["a server of another authority with the same name", serverOf(line, foreign.server), OTHER_KEY],
    ["a client with another signature", { ...client, leaf: withOtherSignature(client.leaf) }, SIGNATURE],
    ["a server with another signature", { ...server, leaf: withOtherSignature(server.leaf) }, SIGNATURE],
    ["a client with another name", { ...client, leaf: withOtherText(client.leaf, "vice", "v1ce") }, SIGNATURE],
    ["a server with another host", { ...server, ...withHost("broker.plans.example") }, SIGNATURE],
    ["a revoked client", clientOf(line, line.revoked), REVOKED],
    [
      "a client by a list with another signature",
      { ...client, lists: [withOtherSignature(list), ...listsAbove] },
      BAD_LIST,
    ],
    ["a client by a list that is over", { ...client, lists: [listOf(authority, [], PAST), ...listsAbove] }, OLD_LIST],
    [
      "a client by the list of another authority",
      { ...client, lists: [listOf(otherRoot, []), ...listsAbove] },
      NO_LIST,
    ],
    [
      "a client by the list of another authority with the same name",
      { ...client, lists: [foreign.list, ...listsAbove] },
      [NO_LIST[0], NO_LIST[1], /unable to get certificate CRL|CRL signature failure/],
    ],
  ];
}

/** What only an intermediate can have wrong. */
function controlsOfIntermediate(line: Line): Control[] {
  const { root, authority, list } = line;
  const client = clientOf(line);
  const revokedAt = SPAN.notBefore;
  const lists = [list, listOf(root, [{ serial: authority.serial, revokedAt, reason: "keyCompromise" }])];
  const changed = client.intermediates?.map(withOtherSignature) ?? [];
  return [
    ["a client that does not send the intermediate along", { ...client, intermediates: [] }, UNKNOWN],
    ["a client below an intermediate with another signature", { ...client, intermediates: changed }, SIGNATURE],
    ["a client below a revoked intermediate", { ...client, lists }, REVOKED],
    ["a client below an intermediate without the root's list", { ...client, lists: [list] }, NO_LIST],
  ];
}

const OF_A_SERVER = [
  "basicConstraints=critical,CA:FALSE",
  "keyUsage=critical,digitalSignature",
  "extendedKeyUsage=serverAuth",
  `subjectAltName=DNS:${DNS_HOST}`,
  "subjectKeyIdentifier=hash",
  "authorityKeyIdentifier=keyid",
];
const OF_AN_AUTHORITY = [
  "basicConstraints=critical,CA:TRUE",
  "keyUsage=critical,keyCertSign,cRLSign",
  "subjectKeyIdentifier=hash",
  "authorityKeyIdentifier=keyid",
];

/** What somebody makes with a key that was issued for something less. */
async function usurpations(line: Line): Promise<Control[]> {
  const { root, authority, intermediates, server, client } = line;
  const common = { commonName: "usurper", keyPem: client.privateKeyPem };
  const byClient = await signedByOpenssl({ ...common, signer: client, extensions: OF_A_SERVER });
  const below = await signedByOpenssl({
    commonName: "third CA",
    keyPem: server.privateKeyPem,
    signer: authority,
    extensions: OF_AN_AUTHORITY,
  });
  const signer = { certificatePem: below, privateKeyPem: server.privateKeyPem };
  const byThird = await signedByOpenssl({ ...common, signer, extensions: OF_A_SERVER });
  const seen = { roots: [root.certificatePem], usage: "serverAuth", host: DNS_HOST } as const;
  return [
    [
      "a server that a client signed",
      { ...seen, leaf: byClient, intermediates: [client.certificatePem, ...intermediates] },
      NO_AUTHORITY,
    ],
    [
      "a server of an authority below an intermediate for none",
      { ...seen, leaf: byThird, intermediates: [below, ...intermediates] },
      TOO_LONG,
    ],
  ];
}

async function refusals(judge: Judge, controls: readonly Control[]): Promise<void> {
  const verdicts = await judge.chains(controls.map(([, chain]) => chain));
  const index = judges.indexOf(judge);
  const named = <T>(value: (at: number) => T): Record<string, T> =>
    Object.fromEntries(controls.map(([name], at) => [name, value(at)]));
  const wanted = (at: number): object => ({
    refused: expect.stringMatching(controls[at]?.[2][index] as RegExp) as string,
  });
  expect(named((at) => verdicts[at])).toEqual(named(wanted));
}

const accepted = (...names: string[]): Verdict => ({ accepted: names });

/** Lets each judge follow and refuse what was issued. */
export function judgeChains(issued: Issued): void {
  describe.each(issued.lines)("%s", (_, line) => {
    const above = line.intermediates.length === 0 ? ["Root CA"] : ["Issuing CA", "Root CA"];

    describe.each(JUDGES)("%s", (_, judge) => {
      test("accepts the server for each of its hosts, and the client", async () => {
        const server = serverOf(line);
        const verdicts = await judge.chains([...HOSTS.map((host) => ({ ...server, host })), clientOf(line)]);
        expect(verdicts).toEqual([...HOSTS.map(() => accepted(DNS_HOST, ...above)), accepted(CLIENT, ...above)]);
      });

      test("accepts them in the first second of their time and in the last but one", async () => {
        const moments = [SPAN.notBefore, new Date(SPAN.notAfter.getTime() - 1000)];
        const verdicts = await judge.chains(moments.map((at) => ({ ...clientOf(line), at })));
        expect(verdicts).toEqual(moments.map(() => accepted(CLIENT, ...above)));
      });

      test("refuses whatever is wrong with one of them, and says what", async () => {
        const ofIntermediate = line.intermediates.length === 0 ? [] : controlsOfIntermediate(line);
        await refusals(judge, [...controlsOf(line, issued.otherRoot), ...ofIntermediate]);
      });
    });
  });

  test.each(JUDGES)(
    "%s refuses what a client signs, and authorities that the path length leaves no room for",
    async (_, judge) => refusals(judge, await usurpations(issued.belowIntermediate)),
  );

  test.each(JUDGES)("%s follows the intermediate to another root by its cross certificate", async (_, judge) => {
    const { belowIntermediate, otherRoot, crossCertificate } = issued;
    const server: Chain = {
      ...serverOf(belowIntermediate),
      lists: [],
      intermediates: [crossCertificate.certificatePem],
    };
    const verdicts = await judge.chains([{ ...server, roots: [otherRoot.certificatePem] }, server]);
    expect(verdicts).toEqual([
      accepted(DNS_HOST, "Issuing CA", "Other Root CA"),
      { refused: expect.stringMatching(UNKNOWN[judges.indexOf(judge)] as RegExp) as string },
    ]);
  });

  test.each(JUDGES)("%s accepts a client whose key was made elsewhere", async (_, judge) => {
    expect(await judge.chains([clientOf(issued.belowIntermediate, issued.certified)])).toEqual([
      accepted(CLIENT, "Issuing CA", "Root CA"),
    ]);
  });

  test("Python's cryptography would have subject alternative names of clients too, and nothing else besides", async () => {
    const client = clientOf(issued.belowRoot);
    const [asDefault, allowed] = await cryptography.chains([{ ...client, allowMissingNames: false }, client]);
    expect(asDefault).toEqual({
      refused: expect.stringMatching(/invalid extension: 2\.5\.29\.17: .*missing/) as string,
    });
    expect(allowed).toEqual(accepted(CLIENT, "Root CA"));
  });
}
