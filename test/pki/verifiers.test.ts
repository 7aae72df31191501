import { X509Certificate } from "node:crypto";
import { checkServerIdentity, PeerCertificate } from "node:tls";
import {
  issueAuthority,
  issueClient,
  issueRevocationList,
  issueServer,
  Issuer,
  KeyAlgorithm,
  parseHost,
} from "../../constructs/pki";
import { openssl, python, Scratch, SPAN } from "./support";

// Independent verifiers judge what is issued: OpenSSL, Python's ssl module in its strictest mode, and Node's own checks.

const HOSTS = ["broker.example", "192.168.1.13", "2001:db8::13"];

/** Handshakes in memory; each case yields the client's name as the server sees it, or what refused it. */
const HANDSHAKES = `
import json, ssl, sys

def context(protocol, certificate, key, authorities, revocations):
    made = ssl.SSLContext(protocol)
    made.verify_mode = ssl.CERT_REQUIRED
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    made.load_cert_chain(certificate, key)
    made.load_verify_locations(authorities)
    if revocations:
        made.load_verify_locations(revocations)
        made.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return made

def handshake(case):
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context(ssl.PROTOCOL_TLS_SERVER, case["server"], case["serverKey"], case["clientCa"], case.get("crl"))
    client = context(ssl.PROTOCOL_TLS_CLIENT, case["client"], case["clientKey"], case["serverCa"], None)
    server.maximum_version = client.maximum_version = getattr(ssl.TLSVersion, case["version"])
    sides = [client.wrap_bio(to_client, to_server, server_hostname=case["host"]), server.wrap_bio(to_server, to_client, server_side=True)]
    pending = list(sides)
    for _ in range(20):
        for side in list(pending):
            try:
                side.do_handshake()
                pending.remove(side)
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError as error:
                return ("client: " if side is sides[0] else "server: ") + error.verify_message
            except ssl.SSLError as error:
                return "error: " + str(error)
        if not pending:
            return dict(part[0] for part in sides[1].getpeercert()["subject"])["commonName"]
    return "error: stuck"

print(json.dumps([handshake(case) for case in json.load(sys.stdin)]))
`;

describe.each(["ECDSA-P256", "ECDSA-P384", "RSA-2048"])("with keys of %s", (id) => {
  const scratch = new Scratch();
  afterAll(() => scratch.remove());

  const algorithm = KeyAlgorithm.parse(id);
  const authority = issueAuthority({ commonName: "Test CA", algorithm, ...SPAN });
  const issuer = Issuer.fromPem(authority.certificatePem, authority.privateKeyPem);
  const server = issueServer(issuer, { commonName: "broker.example", hosts: HOSTS.map(parseHost), algorithm, ...SPAN });
  const client = issueClient(issuer, { commonName: "dévice-🌡", algorithm, ...SPAN });
  const revoked = issueClient(issuer, { commonName: "stolen", algorithm, ...SPAN });
  const list = issueRevocationList(issuer, {
    number: 1,
    thisUpdate: SPAN.notBefore,
    nextUpdate: SPAN.notAfter,
    revoked: [{ serial: revoked.serial, revokedAt: new Date("2025-01-01T00:00:00Z") }],
  });
  // Same name, other key: what a second, unknown authority would issue.
  const stranger = issueAuthority({ commonName: "Test CA", algorithm, ...SPAN });
  const strange = issueClient(Issuer.fromPem(stranger.certificatePem, stranger.privateKeyPem), {
    commonName: "stranger",
    algorithm,
    ...SPAN,
  });

  const files = {
    ca: scratch.write("ca.pem", authority.certificatePem),
    crl: scratch.write("crl.pem", list),
    server: scratch.write("server.pem", server.certificatePem),
    serverKey: scratch.write("server.key", server.privateKeyPem),
    client: scratch.write("client.pem", client.certificatePem),
    clientKey: scratch.write("client.key", client.privateKeyPem),
    revoked: scratch.write("revoked.pem", revoked.certificatePem),
    revokedKey: scratch.write("revoked.key", revoked.privateKeyPem),
    strange: scratch.write("strange.pem", strange.certificatePem),
    strangeKey: scratch.write("strange.key", strange.privateKeyPem),
  };
  const verify = (...args: string[]): { ok: boolean; text: string } =>
    openssl("verify", "-x509_strict", "-CAfile", files.ca, ...args);

  test("OpenSSL's strict mode accepts the authority, the server for each host, and the client", () => {
    expect(verify(files.ca)).toMatchObject({ ok: true });
    expect(verify("-purpose", "sslserver", "-verify_hostname", "broker.example", files.server)).toMatchObject({
      ok: true,
    });
    for (const ip of HOSTS.slice(1)) {
      expect(verify("-purpose", "sslserver", "-verify_ip", ip, files.server)).toMatchObject({ ok: true });
    }
    expect(verify("-purpose", "sslclient", files.client)).toMatchObject({ ok: true });
  });

  test("OpenSSL refuses another host, another purpose and another authority", () => {
    expect(verify("-verify_hostname", "other.example", files.server).text).toContain("hostname mismatch");
    expect(verify("-verify_ip", "192.168.1.14", files.server).text).toContain("IP address mismatch");
    expect(verify("-purpose", "sslclient", files.server).text).toMatch(
      /unsuitable certificate purpose|unsupported certificate purpose/,
    );
    expect(verify("-purpose", "sslserver", files.client).text).toMatch(
      /unsuitable certificate purpose|unsupported certificate purpose/,
    );
    expect(verify(files.strange)).toMatchObject({ ok: false });
  });

  test("OpenSSL refuses who is revoked, and only them", () => {
    expect(verify("-crl_check", "-CRLfile", files.crl, files.client)).toMatchObject({ ok: true });
    expect(verify("-crl_check", "-CRLfile", files.crl, files.revoked).text).toContain("certificate revoked");
  });

  test("OpenSSL prints each certificate, and writes the same octets again", () => {
    for (const [name, pem] of Object.entries({ ca: authority, server, client })) {
      const { ok, text } = openssl("x509", "-in", scratch.path(`${name}.pem`), "-text");
      expect(ok).toBe(true);
      expect(text).toContain(pem.certificatePem);
      expect(text).not.toMatch(/error|<unsupported>|DER:/i);
    }
    expect(openssl("crl", "-in", files.crl, "-noout", "-CAfile", files.ca).text).toContain("verify OK");
    expect(openssl("pkey", "-in", files.clientKey, "-noout", "-check").text).toContain("valid");
  });

  test.each(["TLSv1_2", "TLSv1_3"])("Python's strict mode completes mutual handshakes over %s", (version) => {
    const { server, serverKey, ca, crl } = files;
    const base = { version, server, serverKey, serverCa: ca, clientCa: ca, crl, host: "broker.example" };
    const good = { ...base, client: files.client, clientKey: files.clientKey };
    const results = python(HANDSHAKES, [
      ...HOSTS.map((host) => ({ ...good, host })),
      { ...good, host: "other.example" },
      { ...good, host: "192.168.1.14" },
      { ...base, client: files.revoked, clientKey: files.revokedKey },
      { ...base, client: files.strange, clientKey: files.strangeKey },
      { ...base, client: files.server, clientKey: files.serverKey },
      { ...good, server: files.client, serverKey: files.clientKey },
    ]);
    expect(results).toEqual([
      ...HOSTS.map(() => "dévice-🌡"),
      expect.stringContaining("client: Hostname mismatch"),
      expect.stringContaining("client: IP address mismatch"),
      "server: certificate revoked",
      expect.stringMatching(/^server: (?:certificate signature failure|unable to get local issuer certificate)/),
      expect.stringMatching(/^server: uns\w+ certificate purpose/),
      expect.stringMatching(/^client: uns\w+ certificate purpose/),
    ]);
  });

  test("Node accepts the server for each host and for no other", () => {
    // What Node goes by: the common name counts only where there are no alternative names.
    const { subjectAltName } = new X509Certificate(server.certificatePem);
    const peer = { subjectaltname: subjectAltName, subject: { CN: "other.example" } } as PeerCertificate;
    for (const host of HOSTS) expect(checkServerIdentity(host, peer)).toBeUndefined();
    for (const host of ["other.example", "192.168.1.14"])
      expect(checkServerIdentity(host, peer)).toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  });
});

describe("around the year 2050", () => {
  const scratch = new Scratch();
  afterAll(() => scratch.remove());

  test("OpenSSL sees certificates end when they say, to the second", () => {
    const algorithm = KeyAlgorithm.ecdsaP256();
    const authority = issueAuthority({ commonName: "Test CA", algorithm, ...SPAN });
    const issuer = Issuer.fromPem(authority.certificatePem, authority.privateKeyPem);
    const ca = scratch.write("ca.pem", authority.certificatePem);
    for (const end of ["2049-12-31T23:59:59Z", "2050-01-01T00:00:00Z", "2099-06-07T08:09:10Z"]) {
      const notAfter = new Date(end);
      const leaf = issueClient(issuer, { commonName: "sensor-1", algorithm, ...SPAN, notAfter });
      const file = scratch.write("leaf.pem", leaf.certificatePem);
      const at = (offset: number): string =>
        openssl("verify", "-x509_strict", "-CAfile", ca, "-attime", `${notAfter.getTime() / 1000 + offset}`, file).text;
      // OpenSSL takes the very second of the end for expired already.
      expect(at(-1)).toContain(": OK");
      expect(at(1)).toContain("certificate has expired");
    }
  });
});
