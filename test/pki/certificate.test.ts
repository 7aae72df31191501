import { createHash, createPublicKey, X509Certificate } from "node:crypto";
import { issueAuthority, issueServer, KeyAlgorithm, parseHost } from "../../constructs/pki";
import { daysFromNow, derOf, issuerOf, madeAuthority, madeClient, madeServer, partsOf } from "./support";

// Contents of the object identifiers 2.5.29.x and 1.3.6.1.5.5.7.3.x, in hex.
const SUBJECT_KEY_IDENTIFIER = "551d0e";
const KEY_USAGE = "551d0f";
const SUBJECT_ALTERNATIVE_NAME = "551d11";
const BASIC_CONSTRAINTS = "551d13";
const AUTHORITY_KEY_IDENTIFIER = "551d23";
const EXTENDED_KEY_USAGE = "551d25";
const SERVER_AUTHENTICATION = "300a06082b06010505070301";
const CLIENT_AUTHENTICATION = "300a06082b06010505070302";

const authority = madeAuthority();
const issuer = issuerOf(authority);
const server = madeServer(issuer);
const client = madeClient(issuer);
const rsaServer = madeServer(issuer, { algorithm: KeyAlgorithm.rsa(2048), commonName: "rsa-broker" });

const ofAuthority = partsOf(authority.certificatePem);
const ofServer = partsOf(server.certificatePem);
const ofClient = partsOf(client.certificatePem);

describe("an authority", () => {
  test("says in a critical extension that it is one, for no further authority below it", () => {
    expect(ofAuthority.extensions.get(BASIC_CONSTRAINTS)).toEqual({ critical: true, value: "30060101ff020100" });
  });

  test.each([
    [1, "30060101ff020101"],
    [127, "30060101ff02017f"],
    [128, "30070101ff02020080"],
  ])("may stand above %d further authorities if it is told to", (pathLength, value) => {
    const { extensions } = partsOf(madeAuthority({ pathLength }).certificatePem);
    expect(extensions.get(BASIC_CONSTRAINTS)).toEqual({ critical: true, value });
  });

  test.each([[-1], [0.5], [NaN], [Infinity]])("with a path length of %d is refused", (pathLength) => {
    expect(() => madeAuthority({ pathLength })).toThrow(
      `the path length of an authority must be a whole number from 0 on, got ${pathLength}; leave it out`,
    );
  });

  test("signs certificates and revocation lists and nothing else", () => {
    expect(ofAuthority.extensions.get(KEY_USAGE)).toEqual({ critical: true, value: "03020106" });
    expect(ofAuthority.extensions.has(EXTENDED_KEY_USAGE)).toBe(false);
  });

  test("names itself as its issuer, by the same octets and the same key identifier", () => {
    expect(ofAuthority.issuer.octets).toEqual(ofAuthority.subject.octets);
    const identifier = ofAuthority.extensions.get(SUBJECT_KEY_IDENTIFIER)?.value;
    expect(identifier).toMatch(/^0414[0-9a-f]{40}$/);
    expect(ofAuthority.extensions.get(AUTHORITY_KEY_IDENTIFIER)?.value).toBe(`30168014${identifier?.slice(4)}`);
  });
});

describe.each([
  ["server", server, ofServer],
  ["client", client, ofClient],
])("a %s certificate", (_kind, made, parts) => {
  test("names the authority by exactly the octets of the authority's subject", () => {
    expect(parts.issuer.octets).toEqual(ofAuthority.subject.octets);
  });

  test("points to the authority's key, not to its own", () => {
    const identifier = ofAuthority.extensions.get(SUBJECT_KEY_IDENTIFIER)?.value.slice(4);
    expect(parts.extensions.get(AUTHORITY_KEY_IDENTIFIER)).toEqual({ critical: false, value: `30168014${identifier}` });
    expect(parts.extensions.get(SUBJECT_KEY_IDENTIFIER)?.value.slice(4)).not.toBe(identifier);
  });

  test("identifies its key by 160 bits of SHA-256", () => {
    const identifier = createHash("sha256").update(parts.publicKey.octets).digest("hex").slice(0, 40);
    expect(parts.extensions.get(SUBJECT_KEY_IDENTIFIER)).toEqual({ critical: false, value: `0414${identifier}` });
  });

  test("is critically no authority, without a path length", () => {
    expect(parts.extensions.get(BASIC_CONSTRAINTS)).toEqual({ critical: true, value: "3000" });
  });

  test("signs handshakes and no certificates", () => {
    expect(parts.extensions.get(KEY_USAGE)).toEqual({ critical: true, value: "03020780" });
  });

  test("is of version 3, and repeats the signature's algorithm", () => {
    expect(parts.version.octets.toString("hex")).toBe("a003020102");
    expect(parts.signature.octets.toString("hex")).toBe("300a06082a8648ce3d040302");
  });

  test("is signed by the authority and belongs to its key", () => {
    const certificate = new X509Certificate(made.certificatePem);
    expect(certificate.verify(new X509Certificate(authority.certificatePem).publicKey)).toBe(true);
    expect(createPublicKey(made.privateKeyPem).export({ type: "spki", format: "der" })).toEqual(parts.publicKey.octets);
  });

  test("comes with the fingerprint and the serial number that Node prints", () => {
    const { fingerprint256, serialNumber } = new X509Certificate(made.certificatePem);
    expect([made.fingerprint256, made.serial]).toEqual([fingerprint256, serialNumber]);
  });

  test("is PEM with lines of 64 characters, as RFC 7468 wants it", () => {
    const lines = made.certificatePem.split("\n");
    expect([lines.at(0), lines.at(-2), lines.at(-1)]).toEqual([
      "-----BEGIN CERTIFICATE-----",
      "-----END CERTIFICATE-----",
      "",
    ]);
    expect(lines.slice(1, -3).every((line) => line.length === 64)).toBe(true);
    expect(new X509Certificate(made.certificatePem).raw).toEqual(derOf(made.certificatePem));
  });

  test("ends with the authority where it was to last longer", () => {
    const soon = issuerOf(madeAuthority({ notAfter: daysFromNow(30) }));
    const longer = { notAfter: daysFromNow(31) };
    const cut = made === server ? madeServer(soon, longer) : madeClient(soon, longer);
    expect(cut.notAfter).toEqual(daysFromNow(30));
    expect(new Date(new X509Certificate(cut.certificatePem).validTo)).toEqual(soon.notAfter);
  });

  test("keeps its own end where the authority lasts longer", () => {
    expect(new Date(new X509Certificate(made.certificatePem).validTo)).toEqual(made.notAfter);
    expect(made.notAfter.getTime()).toBeLessThan(issuer.notAfter.getTime());
  });

  test.each([["Test Authority"], ["test  AUTHORITY"], [" Test Authority "]])(
    "named %j like its authority is refused, for it would look self-signed",
    (commonName) => {
      const tell =
        `the common name must differ from the issuing authority's, got ${JSON.stringify(commonName)} for both; ` +
        "rename one of them";
      expect(() => (made === server ? madeServer(issuer, { commonName }) : madeClient(issuer, { commonName }))).toThrow(
        tell,
      );
    },
  );
});

describe("what a certificate is good for", () => {
  test("is servers only, for a server", () => {
    expect(ofServer.extensions.get(EXTENDED_KEY_USAGE)).toEqual({ critical: false, value: SERVER_AUTHENTICATION });
  });

  test("is clients only, for a client", () => {
    expect(ofClient.extensions.get(EXTENDED_KEY_USAGE)).toEqual({ critical: false, value: CLIENT_AUTHENTICATION });
  });

  test("includes decrypting for a server with an RSA key, which clients of TLS 1.2 may ask for", () => {
    const { extensions } = partsOf(rsaServer.certificatePem);
    expect(extensions.get(KEY_USAGE)).toEqual({ critical: true, value: "030205a0" });
  });

  test("is in no certificate said twice", () => {
    expect([...ofServer.extensions.keys()].sort()).toEqual(
      [
        SUBJECT_KEY_IDENTIFIER,
        KEY_USAGE,
        SUBJECT_ALTERNATIVE_NAME,
        BASIC_CONSTRAINTS,
        AUTHORITY_KEY_IDENTIFIER,
        EXTENDED_KEY_USAGE,
      ].sort(),
    );
    expect(ofClient.extensions.size).toBe(5);
    expect(ofAuthority.extensions.size).toBe(4);
  });
});

describe("the hosts of a server certificate", () => {
  function namesOf(...hosts: string[]): string | undefined {
    const { certificatePem } = madeServer(issuer, { hosts: hosts.map(parseHost) });
    return partsOf(certificatePem).extensions.get(SUBJECT_ALTERNATIVE_NAME)?.value;
  }

  test("that are IPv4 addresses are four octets of type iPAddress, never text", () => {
    expect(namesOf("192.0.2.33")).toBe("30068704c0000221");
  });

  test("that are IPv6 addresses are sixteen octets of type iPAddress", () => {
    expect(namesOf("2001:db8::1")).toBe("3012871020010db8000000000000000000000001");
    expect(namesOf("::1")).toBe("3012871000000000000000000000000000000001");
    expect(namesOf("64:ff9b::192.0.2.33")).toBe("301287100064ff9b0000000000000000c0000221");
  });

  test("that are DNS names are ASCII of type dNSName", () => {
    expect(namesOf("Broker.example")).toBe(`3010820e${Buffer.from("broker.example").toString("hex")}`);
  });

  test("keep their order, and come once each however they are written", () => {
    expect(namesOf("b.example", "::1", "a.example", "0:0::1", "B.EXAMPLE")).toBe(
      `3028${"8209"}${Buffer.from("b.example").toString("hex")}871000000000000000000000000000000001${"8209"}${Buffer.from("a.example").toString("hex")}`,
    );
  });

  test("may be many", () => {
    const hosts = Array.from({ length: 2000 }, (_, index) => `host-${index}.example`);
    const { certificatePem } = madeServer(issuer, { hosts: hosts.map(parseHost) });
    expect(new X509Certificate(certificatePem).subjectAltName).toBe(hosts.map((host) => `DNS:${host}`).join(", "));
  });

  test("are what Node's checks say yes to, and no others", () => {
    const certificate = new X509Certificate(server.certificatePem);
    expect(certificate.checkHost("broker.example")).toBe("broker.example");
    expect(certificate.checkHost("BROKER.example")).toBe("BROKER.example");
    expect(certificate.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(certificate.checkIP("2001:db8:0::1")).toBe("2001:db8:0::1");
    expect(certificate.checkHost("broker")).toBeUndefined();
    expect(certificate.checkHost("x.broker.example")).toBeUndefined();
    expect(certificate.checkHost("127.0.0.1")).toBeUndefined();
    expect(certificate.checkIP("127.0.0.2")).toBeUndefined();
    expect(certificate.checkIP("::1")).toBeUndefined();
  });

  test("must be at least one", () => {
    expect(() => madeServer(issuer, { hosts: [] })).toThrow(
      "a server certificate must name at least one host, got none; give the hosts that clients dial",
    );
  });
});

describe("keys of different kinds", () => {
  test("go together: an RSA server under an ECDSA authority", () => {
    const certificate = new X509Certificate(rsaServer.certificatePem);
    expect(certificate.publicKey.asymmetricKeyType).toBe("rsa");
    expect(certificate.verify(new X509Certificate(authority.certificatePem).publicKey)).toBe(true);
  });

  test("sign with the hash that belongs to them: SHA-384 for P-384, SHA-256 for RSA", () => {
    const p384 = madeAuthority({ algorithm: KeyAlgorithm.ecdsaP384() });
    const rsa = madeAuthority({ algorithm: KeyAlgorithm.rsa(2048) });
    expect(partsOf(p384.certificatePem).signature.octets.toString("hex")).toBe("300a06082a8648ce3d040303");
    expect(partsOf(rsa.certificatePem).signature.octets.toString("hex")).toBe("300d06092a864886f70d01010b0500");
  });
});

describe("each certificate", () => {
  test("is another one, with another key and serial number, though all else is the same", () => {
    const request = {
      commonName: "broker",
      algorithm: KeyAlgorithm.ecdsaP256(),
      notBefore: daysFromNow(-1),
      notAfter: daysFromNow(1),
    };
    const hosts = [parseHost("a.example")];
    const made = [issueServer(issuer, { ...request, hosts }), issueServer(issuer, { ...request, hosts })];
    made.push(issueAuthority(request), issueAuthority(request));
    for (const key of ["certificatePem", "privateKeyPem", "serial", "fingerprint256"] as const) {
      expect(new Set(made.map((one) => one[key])).size).toBe(4);
    }
  });
});
