import {
  createCertificationRequest,
  generateKeyPair,
  issueAuthority,
  issueClient,
  KeyAlgorithm,
} from "../../constructs/pki";
import { Scratch } from "../pki/support";
import { mustRun } from "../support/command";
import { issuerOf, listOf, SPAN } from "./issued";
import { readers } from "./judges";

// Keys, lists and requests that are long, many or rare.

jest.setTimeout(30_000);

const scratch = new Scratch();
afterAll(() => scratch.remove());

const root = issueAuthority({ commonName: "Root CA", algorithm: KeyAlgorithm.ecdsaP256(), ...SPAN });

test.each(["ECDSA-P256", "ECDSA-P384"])(
  "each of 1,000 keys of %s is read by every judge, also where a number in it begins with zeros",
  async (id) => {
    const algorithm = KeyAlgorithm.parse(id);
    const issuer = issuerOf(root);
    const pairs = Array.from({ length: 1000 }, (_, index) => {
      const issued = issueClient(issuer, { commonName: `client-${index}`, algorithm, ...SPAN });
      return { certificate: issued.certificatePem, key: issued.privateKeyPem };
    });
    for (const judge of readers) {
      expect((await judge.keys(pairs)).filter((verdict) => "refused" in verdict)).toEqual([]);
    }
  },
);

test("a list of 5,000 entries is read whole by every judge", async () => {
  const revoked = Array.from({ length: 5000 }, (_, index) => ({
    serial: (0x4000_0000 + index).toString(16).toUpperCase(),
    revokedAt: SPAN.notBefore,
  }));
  const list = listOf(root, revoked);
  for (const judge of readers) {
    const [verdict] = await judge.lists([{ list, issuer: root.certificatePem }]);
    expect(verdict).toMatchObject({ accepted: { revoked: revoked.map(({ serial }) => ({ serial })) } });
  }
});

test("a server's request names its hosts, as openssl prints them", async () => {
  const hosts = [
    { kind: "dns", value: "broker.example" },
    { kind: "ip", value: "192.168.1.13" },
    { kind: "ip", value: "2001:db8::13" },
  ] as const;
  const request = createCertificationRequest("broker", generateKeyPair(KeyAlgorithm.ecdsaP256()), hosts);
  const text = await mustRun("openssl", ["req", "-in", scratch.write("server.csr", request), "-noout", "-text"]);
  expect(text).toMatch(/DNS:broker\.example, IP Address:192\.168\.1\.13, IP Address:2001:DB8:0:0:0:0:0:13/);
  expect(text).toMatch(/TLS Web Server Authentication/);
});
