import {
  generateKeyPair,
  issueAuthority,
  issueClient,
  issueCrossCertificate,
  issueServer,
  issueSubordinateAuthority,
  KeyAlgorithm,
  parseHost,
  type IssuedCertificate,
} from "../../constructs/pki";
import { CLIENT, DNS_HOST, issuerOf, listOf, SPAN } from "./issued";
import { judges, lint, shakeHands, type Chain, type Verdict } from "./judges";

// Authority 2 takes over from authority 1, which signs it across: whoever trusts either or both follows both.

jest.setTimeout(30_000);

const JUDGES = judges.map((judge) => [judge.name, judge] as const);
const VERSIONS = ["TLSv1_2", "TLSv1_3"] as const;
const HANDOVERS = [
  ["ECDSA-P256", "ECDSA-P256", "Plant CA 1", "Plant CA 2"],
  ["ECDSA-P384", "ECDSA-P384", "Plant CA 1", "Plant CA 2"],
  ["RSA-2048", "RSA-2048", "Plant CA 1", "Plant CA 2"],
  ["RSA-3072", "ECDSA-P256", "Plant CA 1", "Plant CA 2"],
  ["ECDSA-P256", "RSA-4096", "Plant CA 1", "Plant CA 2"],
  ["ECDSA-P256", "ECDSA-P384", "Plant CA", "Plant CA"],
] as const;

describe.each(HANDOVERS)("from %s to %s, from %s to %s", (firstId, secondId, firstName, secondName) => {
  const [firstAlgorithm, algorithm] = [KeyAlgorithm.parse(firstId), KeyAlgorithm.parse(secondId)];
  const first = issueAuthority({ commonName: firstName, algorithm: firstAlgorithm, pathLength: 2, ...SPAN });
  const second = issueAuthority({ commonName: secondName, algorithm, pathLength: 1, ...SPAN });
  const crossed = issueCrossCertificate(issuerOf(first), second.certificatePem, SPAN);
  const cross = crossed.certificatePem;
  const keyPair = generateKeyPair(algorithm);
  const intermediate = issueSubordinateAuthority(issuerOf(second), { commonName: "Issuing CA", algorithm, ...SPAN });
  const hosts = [parseHost(DNS_HOST)];
  const serverOf = (authority: IssuedCertificate): IssuedCertificate =>
    issueServer(issuerOf(authority), { commonName: "broker", hosts, algorithm, keyPair, ...SPAN });
  const server = serverOf(second);
  const client = issueClient(issuerOf(second), { commonName: CLIENT, algorithm, keyPair, ...SPAN });
  const old = issueClient(issuerOf(first), { commonName: CLIENT, algorithm, keyPair, ...SPAN });

  const seen = (leaf: IssuedCertificate, trusted: IssuedCertificate[], intermediates: string[]): Chain => ({
    leaf: leaf.certificatePem,
    roots: trusted.map(({ certificatePem }) => certificatePem),
    intermediates,
    ...(leaf === client || leaf === old
      ? { usage: "clientAuth", allowMissingNames: true }
      : { usage: "serverAuth", host: DNS_HOST }),
  });
  const accepted = (...names: string[]): Verdict => ({ accepted: names });

  test.each(JUDGES)("%s follows authority 2's to whichever of the two is trusted", async (_, judge) => {
    const lists = [listOf(first, []), listOf(second, [])];
    const verdicts = await judge.chains([
      seen(server, [first], [cross]),
      { ...seen(server, [first], [cross]), lists },
      seen(client, [first], [cross]),
      seen(server, [second], [cross]),
      { ...seen(server, [second], [cross]), lists: lists.slice(1) },
      seen(client, [first, second], [cross]),
      seen(client, [second, first], [cross]),
      seen(old, [first, second], [cross]),
    ]);
    expect(verdicts).toEqual([
      accepted("broker", secondName, firstName),
      accepted("broker", secondName, firstName),
      accepted(CLIENT, secondName, firstName),
      accepted("broker", secondName),
      accepted("broker", secondName),
      accepted(CLIENT, secondName),
      accepted(CLIENT, secondName),
      accepted(CLIENT, firstName),
    ]);
  });

  test.each(JUDGES)("%s follows what an intermediate below authority 2 signed", async (_, judge) => {
    const sent = [intermediate.certificatePem, cross];
    const leaf = serverOf(intermediate);
    expect(await judge.chains([seen(leaf, [first], sent), seen(leaf, [second], sent)])).toEqual([
      accepted("broker", "Issuing CA", secondName, firstName),
      accepted("broker", "Issuing CA", secondName),
    ]);
  });

  test.each(JUDGES)(
    "%s refuses it without the cross certificate, and authority 1's to who trusts only 2",
    async (_, judge) => {
      const lists = [listOf(first, [{ serial: crossed.serial, revokedAt: SPAN.notBefore }]), listOf(second, [])];
      const verdicts = await judge.chains([
        seen(server, [first], []),
        seen(old, [second], [cross]),
        { ...seen(server, [first], [cross]), lists },
      ]);
      expect(verdicts).toEqual(verdicts.map(() => ({ refused: expect.any(String) as string })));
      expect(verdicts[2]).toEqual({ refused: expect.stringMatching(/revoked/) as string });
    },
  );

  test("Python's ssl connects server and client of authority 2, whichever of the two each side trusts", async () => {
    const side = ({ certificatePem, privateKeyPem }: IssuedCertificate): { chain: string[]; key: string } => ({
      chain: [certificatePem, cross],
      key: privateKeyPem,
    });
    const trust = [[first], [second], [first, second]].map((each) => each.map(({ certificatePem }) => certificatePem));
    const handshakes = VERSIONS.flatMap((version) =>
      trust.flatMap((trustedByClient) =>
        trust.map((trustedByServer) => ({
          version,
          server: side(server),
          client: side(client),
          trustedByClient,
          trustedByServer,
          host: DNS_HOST,
        })),
      ),
    );
    expect(await shakeHands(handshakes)).toEqual(handshakes.map(() => `accepted: ${CLIENT}`));
  });

  test("zlint finds nothing in the cross certificate", async () => {
    expect(await lint([{ certificate: cross }])).toMatchObject([{ errors: [], warnings: [], notices: [] }]);
  });
});
