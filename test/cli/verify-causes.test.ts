import * as net from "node:net";
import * as tls from "node:tls";
import { diagnose } from "../../cli/diagnosis/diagnose";
import { REMEDIES } from "../../cli/diagnosis/causes";
import { KnownClient } from "../../cli/diagnosis/known-client";
import { certificateVerdict } from "../../cli/diagnosis/own-certificate";
import { passwordVerdict } from "../../cli/diagnosis/own-password";
import { speaksTls } from "../../cli/diagnosis/server";
import { DeployedBroker } from "../../cli/outputs";
import { ConnectionBundle } from "../../constructs";
import { issueAuthority, issueClient, Issuer, KeyAlgorithm } from "../../constructs/pki";
import { without } from "../../tools/mqtt-session";

const algorithm = KeyAlgorithm.ecdsaP256();
const HOUR = 60 * 60 * 1000;
const now = new Date();
const at = (hours: number): Date => new Date(now.getTime() + hours * HOUR);
const authority = issueAuthority({ commonName: "Authority", algorithm, notBefore: at(-9), notAfter: at(9) });
const issuer = Issuer.fromPem(authority.certificatePem, authority.privateKeyPem);
const issued = (from: number, to: number): ReturnType<typeof issueClient> =>
  issueClient(issuer, { commonName: "sensor", algorithm, notBefore: at(from), notAfter: at(to) });
const good = issued(-1, 1);

const place = { host: "127.0.0.1", port: 1, protocol: "mqtts", url: "mqtts://127.0.0.1:1" } as const;
const bundle: ConnectionBundle = {
  ...place,
  server_name: "127.0.0.1",
  ca_pem: authority.certificatePem,
  client_id: "sensor",
  cert_pem: good.certificatePem,
  key_pem: good.privateKeyPem,
  publish: ["a"],
  subscribe: [],
};
const nobodyKnows: KnownClient = { name: "sensor", ended: [], gaps: [] };

describe("the same alert of a broker has another cause", () => {
  const cause = (alert: string, shown = good, known: Partial<KnownClient> = {}): string => {
    const held = { ...bundle, cert_pem: shown.certificatePem, key_pem: shown.privateKeyPem };
    const verdict = certificateVerdict(
      held,
      { kind: "alert", alert },
      "certificate",
      { ...nobodyKnows, ...known },
      now,
    );
    return verdict.result === "cause" ? verdict.cause : verdict.result;
  };

  test("of a certificate that has ended, or has not and the broker's clock or list is wrong", () => {
    expect(cause("certificate expired", issued(-2, -1))).toBe("certificate-expired");
    expect(cause("certificate expired")).toBe("broker-clock");
  });

  test("of one that is not valid yet, or is damaged", () => {
    expect(cause("bad certificate", issued(1, 2))).toBe("certificate-not-yet-valid");
    expect(cause("bad certificate")).toBe("certificate-bad");
  });

  test("of one that was revoked, that was replaced, or whose client was removed", () => {
    const revoked = "certificate revoked";
    const certificates = [{ name: "client sensor", serial: "AB", fingerprint_sha256: "", not_after: "" }];
    const deployed = { broker: "b", endpoints: [], caPem: "", nextActionAt: "", bundles: [] };
    const withOther: DeployedBroker = { ...deployed, certificates };
    expect(cause(revoked)).toBe("certificate-revoked");
    expect(cause(revoked, good, { deployed: withOther })).toBe("certificate-replaced");
    expect(cause(revoked, good, { deployed: withOther, isDeclared: false })).toBe("certificate-on-hold");
    expect(cause(revoked, good, { deployed: { ...deployed, certificates: [] } })).toBe("certificate-on-hold");
  });
});

test("a certificate whose key the client keeps is judged by what is known of it", () => {
  const held = without(bundle, "key_pem");
  const verdict = (known: Partial<KnownClient>, shown = good): string => {
    const one = { ...held, cert_pem: shown.certificatePem };
    const result = certificateVerdict(
      one,
      { kind: "alert", alert: "certificate required" },
      "certificate",
      { ...nobodyKnows, ...known },
      now,
    );
    return result.result === "cause" ? result.cause : result.result;
  };
  expect(verdict({})).toBe("not checked");
  expect(verdict({ ended: [good.serial] })).toBe("certificate-replaced");
  expect(verdict({ isDeclared: false })).toBe("certificate-on-hold");
  expect(verdict({}, issued(-2, -1))).toBe("certificate-expired");
  expect(verdict({}, issued(1, 2))).toBe("certificate-not-yet-valid");
});

test("a password that nobody has here to compare with is not called wrong", () => {
  const held = { ...bundle, username: "sensor", password: "any password" };
  expect(passwordVerdict(held, "password", nobodyKnows)).toMatchObject({ result: "not checked" });
  // Given as a hash: only the client knows it.
  const own = without(held, "password");
  expect(passwordVerdict(own, "password", { ...nobodyKnows, stored: own })).toMatchObject({ result: "not checked" });
  const stored = { ...held, password: "another password" };
  expect(passwordVerdict(held, "password", { ...nobodyKnows, stored })).toMatchObject({ cause: "password-other" });
  expect(passwordVerdict(held, "certificate", { ...nobodyKnows, stored })).toMatchObject({ result: "ok" });
});

test("a server whose TLS has nothing in common with this side's is no server without TLS", async () => {
  const server = tls.createServer({
    cert: good.certificatePem,
    key: good.privateKeyPem,
    minVersion: "TLSv1",
    maxVersion: "TLSv1.1",
    ciphers: "DEFAULT@SECLEVEL=0",
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as net.AddressInfo;
    const held = { ...bundle, port, url: `mqtts://127.0.0.1:${port}` };
    expect((await diagnose({ stack: "plant", bundle: held, known: nobodyKnows })).cause).toMatchObject({
      id: "tls-refused",
      remedy: expect.stringContaining("tlsVersion") as string,
    });
  } finally {
    server.close();
  }
  expect(speaksTls({ kind: "silent" }, undefined)).toMatchObject({ cause: "no-way" });
});

test("each cause has a remedy that names what to run, with the client's name", () => {
  for (const [id, remedy] of Object.entries(REMEDIES)) {
    const text = remedy({ stack: "plant", client: "sensor" });
    expect({ id, text }).toEqual({ id, text: expect.not.stringMatching(/undefined|STACK|CLIENT/) as string });
  }
});
