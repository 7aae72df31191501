import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { issueAuthority, issueClient, issueRevocationList, Issuer, KeyAlgorithm } from "../../constructs/pki";
import { certificatePart, hexOf, newAuthority, openssl, P256, Scratch, SPAN } from "./support";

const scratch = new Scratch();
afterAll(() => scratch.remove());

/** A self-signed certificate that OpenSSL makes, with just these extensions. */
function foreignAuthority(extensions: string[], subject = "CN = Foreign CA", ...options: string[]): [string, string] {
  const config = ["[req]", "prompt = no", "distinguished_name = name", "x509_extensions = extensions"];
  const file = scratch.write(
    "openssl.cnf",
    [...config, "[name]", ...subject.split("; "), "[extensions]", ...extensions].join("\n"),
  );
  const [key, certificate] = [scratch.path("key.pem"), scratch.path("certificate.pem")];
  const newkey = options.length === 0 ? ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"] : options;
  const args = ["-x509", "-nodes", "-days", "3650", "-utf8", "-config", file, "-keyout", key, "-out", certificate];
  const result = openssl("req", ...newkey, ...args);
  if (!result.ok) throw new Error(result.text);
  return [readFileSync(certificate, "utf8"), readFileSync(key, "utf8")];
}

const BASIC = "basicConstraints = critical, CA:TRUE";
const USAGE = "keyUsage = critical, keyCertSign, cRLSign";
const SKI = "subjectKeyIdentifier = hash";

describe("an issuer", () => {
  test("is read from the certificate and key of an authority of this library", () => {
    const { ca, issuer } = newAuthority();
    expect(issuer.certificatePem).toBe(ca.certificatePem);
    expect(issuer.notAfter).toEqual(ca.notAfter);
    expect(issuer.signsRevocationLists).toBe(true);
    expect(issuer.subject.toString("hex")).toBe(hexOf(certificatePart(ca.certificatePem, 5)));
  });

  test.each([
    ["several parts", "C = DE; O = Plant; CN = Foreign CA"],
    ["another order", "CN = Foreign CA; O = Plant; C = DE"],
    ["non-ASCII text", "O = Büro; CN = Prüf-CA"],
  ])("repeats a foreign subject octet for octet: %s", (_, subject) => {
    const [certificate, key] = foreignAuthority([BASIC, USAGE, SKI], subject);
    const issuer = Issuer.fromPem(certificate, key);
    const leaf = issueClient(issuer, { commonName: "sensor-1", algorithm: P256, ...SPAN, notBefore: new Date() });
    expect(hexOf(certificatePart(leaf.certificatePem, 3))).toBe(hexOf(certificatePart(certificate, 5)));
    expect(new X509Certificate(certificate).raw.includes(issuer.subject)).toBe(true);
    expect(new X509Certificate(leaf.certificatePem).checkIssued(new X509Certificate(certificate))).toBe(true);
    const list = issueRevocationList(issuer, {
      number: 0,
      thisUpdate: SPAN.notBefore,
      nextUpdate: SPAN.notAfter,
      revoked: [],
    });
    expect(hexOf(certificatePart(list, 2))).toBe(hexOf(certificatePart(certificate, 5)));
    const ca = scratch.write("ca.pem", certificate);
    const file = scratch.write("leaf.pem", leaf.certificatePem);
    expect(openssl("verify", "-x509_strict", "-CAfile", ca, file).text).toContain(": OK");
  });

  test("takes the first of several certificates", () => {
    const { ca } = newAuthority();
    const other = newAuthority("Other CA").ca;
    const issuer = Issuer.fromPem(ca.certificatePem + other.certificatePem, ca.privateKeyPem);
    expect(issuer.certificatePem).toBe(ca.certificatePem);
  });

  test("is refused if the private key belongs to another certificate", () => {
    expect(() => Issuer.fromPem(newAuthority().ca.certificatePem, newAuthority().ca.privateKeyPem)).toThrow(
      "private key does not belong to its certificate",
    );
  });

  test("is refused if it is the certificate of a client", () => {
    const leaf = issueClient(newAuthority().issuer, { commonName: "sensor-1", algorithm: P256, ...SPAN });
    expect(() => Issuer.fromPem(leaf.certificatePem, leaf.privateKeyPem)).toThrow("no basicConstraints with CA:TRUE");
  });

  test.each([
    ["no basicConstraints", [USAGE, SKI], "no basicConstraints with CA:TRUE"],
    ["CA:FALSE", ["basicConstraints = CA:FALSE", SKI], "no basicConstraints with CA:TRUE"],
    [
      "no keyCertSign",
      [BASIC, "keyUsage = critical, cRLSign, digitalSignature", SKI],
      "a keyUsage without keyCertSign",
    ],
    ["no keyUsage", [BASIC, SKI], "no keyUsage with keyCertSign"],
    ["no subject key identifier", [BASIC, USAGE, "subjectKeyIdentifier = none"], "no subjectKeyIdentifier"],
  ])("is refused with %s", (_, extensions, message) => {
    const [certificate, key] = foreignAuthority(extensions);
    expect(() => Issuer.fromPem(certificate, key)).toThrow(new RegExp(message));
  });

  test.each([
    ["RSA of 1024 bits", ["-newkey", "rsa:1024"], "rsa 1024 bits"],
    ["another curve", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp521r1"], "ec secp521r1"],
    ["Ed25519", ["-newkey", "ed25519"], "ed25519"],
  ])("is refused with a key that this library does not sign with: %s", (_, options, shown) => {
    const [certificate, key] = foreignAuthority([BASIC, USAGE, SKI], "CN = Foreign CA", ...options);
    expect(() => Issuer.fromPem(certificate, key)).toThrow(
      `must be ECDSA P-256, ECDSA P-384 or RSA of 2048 bits or more, got ${shown};`,
    );
  });

  test("without cRLSign issues certificates, but no revocation lists", () => {
    const [certificate, key] = foreignAuthority([BASIC, "keyUsage = critical, keyCertSign", SKI]);
    const issuer = Issuer.fromPem(certificate, key);
    expect(issuer.signsRevocationLists).toBe(false);
    const request = { number: 1, thisUpdate: SPAN.notBefore, nextUpdate: SPAN.notAfter, revoked: [] };
    expect(() => issueRevocationList(issuer, request)).toThrow("keyUsage has no cRLSign");
  });

  test("is refused with text that is no PEM, and the error does not show the key", () => {
    const { ca } = newAuthority();
    expect(() => Issuer.fromPem("nonsense", ca.privateKeyPem)).toThrow("certificate cannot be read");
    expect(() => Issuer.fromPem(ca.certificatePem, "secret nonsense")).toThrow(
      /^(?!.*secret).*private key cannot be read/s,
    );
  });

  test("signs no certificate with its own name, however that is written", () => {
    const { issuer } = newAuthority("Plant CA");
    for (const commonName of ["Plant CA", "plant ca", "Plant  CA "]) {
      expect(() => issueClient(issuer, { commonName, algorithm: P256, ...SPAN })).toThrow(
        "must differ from the issuing authority's",
      );
    }
    const [certificate, key] = foreignAuthority([BASIC, USAGE, SKI], "CN = Foreign CA");
    const foreign = Issuer.fromPem(certificate, key);
    expect(() => issueClient(foreign, { commonName: "Foreign CA", algorithm: P256, ...SPAN })).toThrow("must differ");
    const [other, otherKey] = foreignAuthority([BASIC, USAGE, SKI], "O = Plant; CN = Foreign CA");
    const request = { commonName: "Foreign CA", algorithm: P256, ...SPAN };
    expect(() => issueClient(Issuer.fromPem(other, otherKey), { ...request, notBefore: new Date() })).not.toThrow();
  });

  test("of RSA signs certificates with keys of another algorithm", () => {
    const { ca, issuer } = newAuthority("RSA CA", KeyAlgorithm.rsa(2048));
    const leaf = issueClient(issuer, { commonName: "sensor-1", algorithm: P256, ...SPAN });
    const certificate = new X509Certificate(leaf.certificatePem);
    expect(certificate.verify(new X509Certificate(ca.certificatePem).publicKey)).toBe(true);
    expect(certificate.publicKey.asymmetricKeyType).toBe("ec");
  });

  test("of this library may have the name of another authority, for roots may be renewed under their name", () => {
    expect(() => issueAuthority({ commonName: "Test CA", algorithm: P256, ...SPAN })).not.toThrow();
  });
});
