import { X509Certificate } from "node:crypto";
import { clientNameFault } from "../../constructs/access";
import { CertificateAuthority, KeyAlgorithm, MosquittoBroker, TextSource } from "../../constructs";
import {
  hostFault,
  issueAuthority,
  Issuer,
  issueRevocationList,
  issueSubordinateAuthority,
  parseRevocationList,
} from "../../constructs/pki";
import { der } from "../../constructs/pki/der";
import {
  authorityConstraints,
  SIGNS_CERTIFICATES_AND_LISTS,
  subjectKeyIdentifier,
} from "../../constructs/pki/extensions";
import { generateKeyPair } from "../../constructs/pki/key-pair";
import { toPem } from "../../constructs/pki/pem";
import { Signer } from "../../constructs/pki/signer";
import { encodeTime } from "../../constructs/pki/time";
import { certificatePart, hexOf, openssl, P256, Scratch, SPAN } from "../pki/support";
import { blocks, Synthesis } from "./synthesis";

const DAY = 24 * 60 * 60 * 1000;

const scratch = new Scratch();
afterAll(() => {
  scratch.remove();
  Synthesis.removeAll();
});

const sensor = (broker: MosquittoBroker): void => {
  broker.addClient("sensor-1", { publish: ["plant/sensor-1/#"] });
};

/** An authority of a company, with its key at hand. */
function imported(commonName: string): CertificateAuthority {
  const { certificatePem, privateKeyPem } = issueAuthority({ commonName, algorithm: P256, pathLength: 1, ...SPAN });
  return CertificateAuthority.imported({
    certificate: TextSource.text(certificatePem),
    privateKey: TextSource.text(privateKeyPem),
  });
}

function importedIntermediate(): CertificateAuthority {
  const root = issueAuthority({ commonName: "Company Root", algorithm: P256, pathLength: 2, ...SPAN });
  const issuer = Issuer.fromPem(root.certificatePem, root.privateKeyPem);
  const issuing = issueSubordinateAuthority(issuer, {
    commonName: "Company Issuing",
    algorithm: P256,
    pathLength: 1,
    ...SPAN,
  });
  return CertificateAuthority.imported({
    certificate: TextSource.text(issuing.certificatePem),
    privateKey: TextSource.text(issuing.privateKeyPem),
    chain: TextSource.text(root.certificatePem),
  });
}

/** Everybody who may sign here, each for server and clients. */
const AUTHORITIES: readonly (readonly [string, () => CertificateAuthority])[] = [
  ["a managed root", () => CertificateAuthority.managed()],
  ["a generated intermediate", () => CertificateAuthority.intermediate({ root: CertificateAuthority.managed() })],
  ["an imported root", () => imported("Company Root")],
  ["an imported intermediate", importedIntermediate],
];

const first = (pem: string): X509Certificate => new X509Certificate(blocks(pem)[0] as string);

describe.each(AUTHORITIES)("with %s", (_, authority) => {
  const hosts = ["broker.plant.example", "192.0.2.10", "2001:db8::10"];
  let synthesis: Synthesis;
  let server: X509Certificate;
  beforeAll(() => {
    synthesis = new Synthesis({ hosts, serverAuthority: authority(), clientAuthority: authority() }, sensor);
    server = first(synthesis.file("server.crt"));
  });

  test("the server's certificate has every host under the type that it is of, loopback too, and names of no other type", () => {
    const names = (server.subjectAltName ?? "").split(", ");
    const addresses = ["192.0.2.10", "2001:DB8:0:0:0:0:0:10", "127.0.0.1", "0:0:0:0:0:0:0:1"];
    for (const address of addresses) expect(names).toContain(`IP Address:${address}`);
    for (const name of ["broker.plant.example", "localhost"]) expect(names).toContain(`DNS:${name}`);
    expect(names.filter((name) => !/^(DNS|IP Address):/.test(name))).toEqual([]);
  });

  test("the server's certificate is what strict platforms ask for: at most 825 days, serverAuth, and not the common name alone", () => {
    const days = (Date.parse(server.validTo) - Date.parse(server.validFrom)) / DAY;
    expect(days).toBeLessThanOrEqual(825);
    expect((server as unknown as { keyUsage: string[] }).keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    for (const host of ["broker.plant.example", "localhost"]) {
      expect(server.checkHost(host, { subject: "never" })).toBe(host);
    }
  });

  test("bundles end in a root that is signed by itself, and server and client send what leads there", () => {
    const bundle = synthesis.bundle("sensor-1");
    const chains: [string, string][] = [
      [synthesis.file("server.crt"), bundle.ca_pem ?? ""],
      [bundle.cert_pem ?? "", synthesis.file("client-ca.crt")],
    ];
    for (const [sent, trusted] of chains) {
      const [leaf, ...between] = blocks(sent) as [string, ...string[]];
      const roots = blocks(trusted).filter((pem) => first(pem).verify(first(pem).publicKey));
      expect(roots).toHaveLength(1);
      const { text } = openssl(
        ...["verify", "-x509_strict", "-auth_level", "2", "-no-CAfile", "-no-CApath"],
        ...["-CAfile", scratch.write("root.pem", roots.join(""))],
        ...["-untrusted", scratch.write("between.pem", between.join("") || leaf)],
        scratch.write("leaf.pem", leaf),
      );
      expect(text).toMatch(/: OK$/m);
    }
    for (const pem of blocks(bundle.ca_pem ?? "")) expect(first(pem).verify(first(pem).publicKey)).toBe(true);
  });
});

test("authorities, certificates and lists that are made begin a day before, for clocks that run behind", () => {
  const synthesis = new Synthesis({}, sensor);
  const { cert_pem: client = "", ca_pem: authority = "" } = synthesis.bundle("sensor-1");
  const parts = [client, authority, ...["server.crt", "client-ca.crt", "control.crt"].map((n) => synthesis.file(n))];
  const starts = parts.flatMap((pem) => blocks(pem).map((each) => Date.parse(new X509Certificate(each).validFrom)));
  for (const list of blocks(synthesis.file("crl.pem"))) starts.push(parseRevocationList(list).thisUpdate.getTime());
  expect(starts.length).toBeGreaterThanOrEqual(7);
  for (const start of starts) {
    expect(Date.now() - start).toBeGreaterThanOrEqual(DAY);
    expect(Date.now() - start).toBeLessThan(DAY + 5 * 60 * 1000);
  }
});

test.each(["ECDSA-P256", "ECDSA-P384", "RSA-2048"])(
  "OpenSSL takes everything that is issued with keys of %s at its security level 2",
  (id) => {
    const synthesis = new Synthesis({ keyAlgorithm: KeyAlgorithm.parse(id) }, sensor);
    const { cert_pem: client = "", ca_pem: authority = "" } = synthesis.bundle("sensor-1");
    const pairs = [
      [synthesis.file("server.crt"), authority],
      [client, synthesis.file("client-ca.crt")],
      [synthesis.file("control.crt"), synthesis.file("control-ca.crt")],
    ] as const;
    for (const [leaf, trusted] of pairs) {
      const file = scratch.write("leaf.pem", leaf);
      const ca = scratch.write("ca.pem", trusted);
      expect(openssl("verify", "-auth_level", "2", "-CAfile", ca, file).text).toMatch(/: OK$/m);
    }
  },
);

describe("names that would make a certificate look as if it had signed itself", () => {
  test("do not come up where authorities are made here: theirs fit no client and no host", () => {
    for (const make of [
      () => CertificateAuthority.managed(),
      () => CertificateAuthority.intermediate({ root: CertificateAuthority.managed() }),
    ]) {
      const synthesis = new Synthesis({ serverAuthority: make(), clientAuthority: make() }, sensor);
      for (const file of ["server-ca.crt", "client-ca.crt", "control-ca.crt"]) {
        for (const pem of blocks(synthesis.file(file))) {
          const name = first(pem).subject.replace(/^CN=/, "");
          expect(clientNameFault("name", name)).toBeDefined();
          expect(hostFault("host", name)).toBeDefined();
        }
      }
    }
  });

  test.each([
    ["a client", "Sensor-1", { clientAuthority: imported("Sensor-1") }],
    ["a client in other case", "SENSOR-1", { clientAuthority: imported("SENSOR-1") }],
  ])("are refused where the authority of %s is imported", (_, name, authorities) => {
    const declare = (): unknown => new Synthesis(authorities, sensor);
    expect(declare).toThrow(/must differ from the issuing authority's, got "[^"]+" for both; rename one of them/);
    expect(declare).toThrow(new RegExp(name, "i"));
  });

  test("leave the server another common name, which no client looks at, where its authority has that of its host", () => {
    const synthesis = new Synthesis({ serverAuthority: imported("broker.plant.example") }, sensor);
    expect(first(synthesis.file("server.crt")).subject).toBe("CN=mosquitto");
    expect(first(synthesis.file("server.crt")).subjectAltName).toContain("DNS:broker.plant.example");
  });
});

describe("an authority whose name is in an old kind of string", () => {
  const keyPair = generateKeyPair(P256);
  const signer = new Signer(keyPair.privateKey);

  test.each([
    ["PrintableString", 0x13, Buffer.from("Test")],
    ["T61String", 0x14, Buffer.from("Tést", "latin1")],
    ["IA5String", 0x16, Buffer.from("Test")],
    ["BMPString", 0x1e, Buffer.from("Tést", "utf16le").swap16()],
    ["UTF8String", 0x0c, Buffer.from("Tést 🚀")],
  ])("is named octet for octet by its revocation lists: %s", (_, tag, text) => {
    const attribute = der.sequence([der.objectIdentifier("2.5.4.3"), der.element(tag, [text])]);
    const subject = der.sequence([der.set([attribute])]);
    const certificate = toPem(
      "CERTIFICATE",
      signer.sign(
        der.sequence([
          der.explicit(0, [der.integer(2)]),
          der.integer(1),
          signer.identifier,
          subject,
          der.sequence([encodeTime(SPAN.notBefore), encodeTime(SPAN.notAfter)]),
          subject,
          keyPair.publicKeyDer,
          der.explicit(3, [
            der.sequence([authorityConstraints(0), SIGNS_CERTIFICATES_AND_LISTS, subjectKeyIdentifier(Buffer.of(1))]),
          ]),
        ]),
      ),
    );
    const issuer = Issuer.fromPem(certificate, keyPair.privateKeyPem);
    const dates = { thisUpdate: SPAN.notBefore, nextUpdate: SPAN.notAfter };
    const list = issueRevocationList(issuer, { number: 1, revoked: [], ...dates });
    expect(hexOf(certificatePart(list, 2))).toBe(subject.toString("hex"));
    const verdict = openssl(
      ...["crl", "-noout", "-in", scratch.write("list.pem", list)],
      ...["-CAfile", scratch.write("ca.pem", certificate)],
    );
    expect(verdict.text).toMatch(/verify OK/);
  });
});
