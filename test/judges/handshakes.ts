import type { IssuedCertificate } from "../../constructs/pki";
import {
  CLIENT,
  DNS_HOST,
  HOSTS,
  type Issued,
  listOf,
  OTHER_HOSTS,
  PAST,
  SPAN,
  withOtherSignature,
  type Line,
} from "./issued";
import { shakeHands, type Handshake, type Side } from "./judges";

// Python's ssl, with VERIFY_X509_STRICT on both sides, connects with what was issued, and with nothing else.

const VERSIONS = ["TLSv1_2", "TLSv1_3"] as const;

type Case = readonly [name: string, handshake: Handshake, outcome: RegExp];

function casesOf(line: Line, otherRoot: IssuedCertificate, version: Handshake["version"]): Case[] {
  const { root, authority, intermediates, list, listsAbove, server, client, revoked, foreign } = line;
  const side = ({ certificatePem, privateKeyPem: key }: IssuedCertificate, sent = intermediates): Side => ({
    chain: [certificatePem, ...sent],
    key,
  });
  const trusted = [root.certificatePem];
  const good: Handshake = {
    version,
    server: side(server),
    client: side(client),
    trustedByServer: trusted,
    trustedByClient: trusted,
    lists: [list, ...listsAbove],
    host: DNS_HOST,
  };
  const changed = (issued: IssuedCertificate): IssuedCertificate => ({
    ...issued,
    certificatePem: withOtherSignature(issued.certificatePem),
  });
  const revokedAt = SPAN.notBefore;
  const purpose = /uns\w+ certificate purpose$/;
  return [
    ...HOSTS.map((host): Case => [`for ${host}`, { ...good, host }, new RegExp(`^accepted: ${CLIENT}$`)]),
    ...OTHER_HOSTS.map((host): Case => [`for ${host}`, { ...good, host }, /^refused by the client: .* mismatch/]),
    ["an expired server", { ...good, server: side(line.expiredServer) }, /^refused by the client: .*has expired$/],
    ["an expired client", { ...good, client: side(line.expiredClient) }, /^refused by the server: .*has expired$/],
    [
      "another root for the client",
      { ...good, trustedByClient: [otherRoot.certificatePem] },
      /^refused by the client: /,
    ],
    [
      "another root for the server",
      { ...good, trustedByServer: [otherRoot.certificatePem] },
      /^refused by the server: /,
    ],
    ["a foreign server", { ...good, server: side(foreign.server) }, /^refused by the client: .*(issuer|signature)/],
    ["a foreign client", { ...good, client: side(foreign.client) }, /^refused by the server: .*(issuer|signature)/],
    ["a changed server", { ...good, server: side(changed(server)) }, /^refused by the client: .*signature failure$/],
    ["a changed client", { ...good, client: side(changed(client)) }, /^refused by the server: .*signature failure$/],
    [
      "the client as server",
      { ...good, server: side(client) },
      new RegExp(`^refused by the client: ${purpose.source}`),
    ],
    [
      "the server as client",
      { ...good, client: side(server) },
      new RegExp(`^refused by the server: ${purpose.source}`),
    ],
    ["a revoked client", { ...good, client: side(revoked) }, /^refused by the server: certificate revoked$/],
    [
      "a list that is over",
      { ...good, lists: [listOf(authority, [], PAST), ...listsAbove] },
      /^refused by the server: CRL has expired$/,
    ],
    ...(intermediates.length === 0
      ? []
      : ([
          ["no intermediate of the server", { ...good, server: side(server, []) }, /^refused by the client: .*issuer/],
          ["no intermediate of the client", { ...good, client: side(client, []) }, /^refused by the server: .*issuer/],
          [
            "a revoked intermediate",
            { ...good, lists: [list, listOf(root, [{ serial: authority.serial, revokedAt }])] },
            /^refused by the server: certificate revoked$/,
          ],
        ] satisfies Case[])),
  ];
}

/** Lets servers and clients connect with what was issued. */
export function judgeHandshakes(issued: Issued): void {
  describe.each(issued.lines)("%s", (_, line) => {
    test.each(VERSIONS)(
      "server and client let each other in over %s, and nobody whom they should not",
      async (version) => {
        const cases = casesOf(line, issued.otherRoot, version);
        const outcomes = await shakeHands(cases.map(([, handshake]) => handshake));
        expect(Object.fromEntries(cases.map(([name], at) => [name, outcomes[at]]))).toEqual(
          Object.fromEntries(cases.map(([name, , outcome]) => [name, expect.stringMatching(outcome) as string])),
        );
      },
    );
  });

  test("the server lets a client in whose key was made elsewhere", async () => {
    const { root, server, client, intermediates } = issued.belowIntermediate;
    const trusted = [root.certificatePem];
    const common = { trustedByServer: trusted, trustedByClient: trusted, host: DNS_HOST };
    const sides = {
      server: { chain: [server.certificatePem, ...intermediates], key: server.privateKeyPem },
      client: { chain: [issued.certified.certificatePem, ...intermediates], key: client.privateKeyPem },
    };
    const outcomes = await shakeHands(VERSIONS.map((version) => ({ version, ...common, ...sides })));
    expect(outcomes).toEqual(VERSIONS.map(() => `accepted: ${CLIENT}`));
  });
}
