import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import {
  certificationRequestFault,
  certifyClient,
  createCertificationRequest,
  generateKeyPair,
  KeyAlgorithm,
  parseCertificationRequest,
} from "../../constructs/pki";
import { newAuthority, openssl, Scratch, SPAN } from "./support";

const scratch = new Scratch();
afterAll(() => scratch.remove());

/** A request made by openssl, as a device's owner would make it. */
function request(keyOptions: string[], ...options: string[]): string {
  const key = scratch.path("device.key");
  const made = openssl("genpkey", ...keyOptions, "-out", key);
  if (!made.ok) throw new Error(made.text);
  const { ok, text } = openssl("req", "-new", "-key", key, "-subj", "/O=Somebody/CN=whatever", ...options);
  if (!ok) throw new Error(text);
  return text.slice(text.indexOf("-----BEGIN"));
}

const curve = (name: string): string[] => ["-algorithm", "EC", "-pkeyopt", `ec_paramgen_curve:${name}`];
const rsa = (bits: number): string[] => ["-algorithm", "RSA", "-pkeyopt", `rsa_keygen_bits:${bits}`];

test.each([
  ["ECDSA-P256", curve("P-256"), []],
  ["ECDSA-P384", curve("P-384"), ["-sha384"]],
  ["ECDSA-P521", curve("P-521"), ["-sha512"]],
  ["RSA-2048", rsa(2048), []],
  ["RSA-3072", rsa(3072), ["-sha512"]],
])("a request for a key of %s is read, and certified with nothing of its own but the key", (id, key, options) => {
  const pem = request(
    key,
    ...options,
    "-addext",
    "basicConstraints=critical,CA:TRUE",
    "-addext",
    "subjectAltName=DNS:evil",
  );
  const { algorithm, publicKeyDer } = parseCertificationRequest(pem);
  expect(algorithm).toBe(id);
  const { issuer } = newAuthority();
  const { certificatePem } = certifyClient(issuer, { commonName: "sensor-1", publicKeyDer, ...SPAN });
  const certificate = new X509Certificate(certificatePem);
  expect(certificate.subject).toBe("CN=sensor-1");
  expect(certificate.ca).toBe(false);
  expect(certificate.subjectAltName).toBeUndefined();
  expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
  expect(certificate.publicKey.export({ type: "spki", format: "der" })).toEqual(publicKeyDer);
});

const good = request(curve("P-256"));

test.each([
  ["no text at all", "", 'no "BEGIN CERTIFICATE REQUEST" block'],
  ["a number", 7 as unknown as string, 'no "BEGIN CERTIFICATE REQUEST" block'],
  ["two requests", good + good, "more than one request"],
  ["an RSA key of 1024 bits", request(rsa(1024)), "its key is rsa 1024 bits"],
  ["an Ed25519 key", request(["-algorithm", "ED25519"]), "its key is ed25519"],
  ["a curve that TLS libraries do not have", request(curve("secp256k1")), "its key is ec secp256k1"],
  ["a signature with SHA-1", request(rsa(2048), "-sha1"), "its signature is of a kind that is not taken"],
])("a request with %s is refused", (_, pem, message) => {
  expect(() => parseCertificationRequest(pem)).toThrow(message);
  expect(certificationRequestFault("request", pem)?.what).toMatch(message);
});

test("a request with any bit changed is refused, or says the same key", () => {
  const octets = Buffer.from(good.replace(/-----[^-]+-----|\s/g, ""), "base64");
  fc.assert(
    fc.property(fc.nat({ max: octets.length * 8 - 1 }), (bit) => {
      const changed = Buffer.from(octets);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${changed.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
      let read;
      try {
        read = parseCertificationRequest(pem);
      } catch {
        return;
      }
      expect(read).toEqual(parseCertificationRequest(good));
    }),
    { numRuns: 300 },
  );
});

test("a request of this library is one that OpenSSL verifies and this library reads", () => {
  for (const id of ["ECDSA-P256", "ECDSA-P384", "RSA-2048"]) {
    const keyPair = generateKeyPair(KeyAlgorithm.parse(id));
    const pem = createCertificationRequest("sensor-1", keyPair, []);
    const { ok, text } = openssl("req", "-verify", "-noout", "-subject", "-in", scratch.write("request", pem));
    expect({ ok, text }).toEqual({
      ok: true,
      text: expect.stringMatching(/^(?=[^]*verify OK)[^]*CN = sensor-1/) as string,
    });
    expect(parseCertificationRequest(pem)).toEqual({ algorithm: id, publicKeyDer: keyPair.publicKeyDer });
  }
});
