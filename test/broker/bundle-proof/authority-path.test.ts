import { readFileSync } from "node:fs";
import { authorityFault, certificatesOf, pathFault } from "../../../constructs/broker/bundle-proof/authority-path";
import {
  issueAuthority,
  issueCrossCertificate,
  issueServer,
  issueSubordinateAuthority,
  Issuer,
  KeyAlgorithm,
  ParsedCertificate,
  parseHost,
} from "../../../constructs/pki";
import { openssl, Scratch } from "../../pki/support";

const NOW = new Date("2030-06-01T12:00:00Z");
const algorithm = KeyAlgorithm.ecdsaP256();
const span = { notBefore: new Date("2030-01-01T00:00:00Z"), notAfter: new Date("2040-01-01T00:00:00Z") };
const use = { purpose: "server", hosts: [parseHost("broker.example")], now: NOW } as const;
const read = ({ certificatePem }: { certificatePem: string }): ParsedCertificate =>
  ParsedCertificate.fromPem(certificatePem);
const root = (commonName: string, changed = {}): ReturnType<typeof issueAuthority> =>
  issueAuthority({ commonName, algorithm, pathLength: 1, ...span, ...changed });
const issuerOf = ({ certificatePem, privateKeyPem }: ReturnType<typeof issueAuthority>): Issuer =>
  Issuer.fromPem(certificatePem, privateKeyPem);

const [old, next] = [root("Old CA"), root("New CA")];
const middle = issueSubordinateAuthority(issuerOf(old), { commonName: "Middle CA", algorithm, pathLength: 0, ...span });
const cross = issueCrossCertificate(issuerOf(old), next.certificatePem, span);
const leafOf = (issuer: Issuer): ParsedCertificate =>
  read(issueServer(issuer, { commonName: "broker", algorithm, hosts: [parseHost("broker.example")], ...span }));

test("a certificate leads to its root, over what is sent with it and over another authority's signature", () => {
  expect(pathFault(leafOf(issuerOf(old)), [read(old)], [], use)).toBeUndefined();
  expect(pathFault(leafOf(issuerOf(middle)), [read(next), read(old)], [read(middle)], use)).toBeUndefined();
  expect(pathFault(leafOf(issuerOf(next)), [read(old)], [read(cross)], use)).toBeUndefined();
});

test("a single good way is enough", () => {
  const ended = { ...use, now: new Date("2039-01-01T00:00:00Z") };
  const short = root("Short CA", { notAfter: new Date("2031-01-01T00:00:00Z") });
  const signedAcross = issueCrossCertificate(issuerOf(short), next.certificatePem, span);
  const leaf = leafOf(issuerOf(next));
  expect(pathFault(leaf, [read(short), read(next)], [read(signedAcross)], ended)).toBeUndefined();
  expect(pathFault(leaf, [read(short)], [read(signedAcross)], ended)).toMatch(/^authority CN=New CA: it ended/);
});

test("a certificate does not lead to a root where one between is missing", () => {
  expect(pathFault(leafOf(issuerOf(middle)), [read(old)], [], use)).toBe("what signed it is missing");
  expect(pathFault(leafOf(issuerOf(next)), [read(old)], [], use)).toBe("what signed it is missing");
  expect(pathFault(leafOf(issuerOf(middle)), [read(next)], [read(middle)], use)).toBe("what signed it is missing");
});

test.each([
  ["has ended", root("CA", { notAfter: new Date("2030-05-01T00:00:00Z") }), 0, /^authority CN=CA: it ended 2030-05-01/],
  ["begins later", root("CA", { notBefore: new Date("2030-07-01T00:00:00Z") }), 0, /it is valid only from 2030-07-01/],
  ["has no room for as many below it", root("CA", { pathLength: 0 }), 1, /its path length 0 is less than 1/],
] as const)("an authority is not good that %s", (_, authority, below, message) => {
  expect(authorityFault(read(authority), below, use)).toMatch(message);
  expect(authorityFault(read(old), below, use)).toBeUndefined();
});

describe("an authority is not good for a server", () => {
  const scratch = new Scratch();
  afterAll(() => scratch.remove());

  test.each([
    [
      "that may only sign clients' certificates",
      "extendedKeyUsage=clientAuth",
      /its extended key usage has no serverAuth/,
    ],
    [
      "that may not sign for its host",
      "nameConstraints=critical,permitted;DNS:other.example",
      /do not allow broker\.example/,
    ],
  ])("%s", (_, extension, message) => {
    const [key, file] = [scratch.path("key"), scratch.path("crt")];
    const made = openssl(
      ...[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        key,
        "-out",
        file,
      ],
      ...["-subj", "/CN=CA", "-days", "3650", "-addext", extension],
      ...["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
    );
    expect(made.ok).toBe(true);
    const authority = ParsedCertificate.fromPem(readFileSync(file, "utf8"));
    expect(authorityFault(authority, 0, { ...use, now: new Date() })).toMatch(message);
  });
});

test("what is no authority, and a text with something beside certificates, are named", () => {
  expect(authorityFault(leafOf(issuerOf(old)), 0, use)).toMatch(/basicConstraints/);
  expect(() => certificatesOf("its ca_pem", `any\n${old.certificatePem}`)).toThrow(
    /^its ca_pem: there is something else/,
  );
});
