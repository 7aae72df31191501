import fc from "fast-check";
import { parseBundle } from "../../constructs/client/bundle-text";
import {
  bundleAt,
  bundleFingerprint,
  bundleTo,
  connectionBundle,
  endpointUrl,
} from "../../constructs/client/connection-bundle";

const identity = { name: "sensor-1", serverName: "broker.example", publish: ["a"], subscribe: ["b"], deny: [] };
const certificate = { certificatePem: "CERT", privateKeyPem: "KEY", notAfter: "2030-01-01T00:00:00.000Z" };

test("a bundle for mutual TLS has certificate, key and authority, and no password, which would not count", () => {
  const endpoint = { host: "broker.example", port: 8883, protocol: "mqtts", authentication: "certificate" } as const;
  expect(connectionBundle([endpoint], identity, { caPem: "CA", certificate, hasPassword: false })).toEqual({
    host: "broker.example",
    port: 8883,
    protocol: "mqtts",
    url: "mqtts://broker.example:8883",
    server_name: "broker.example",
    client_id: "sensor-1",
    ca_pem: "CA",
    cert_pem: "CERT",
    key_pem: "KEY",
    expires_at: "2030-01-01T00:00:00.000Z",
    publish: ["a"],
    subscribe: ["b"],
  });
});

test("a bundle in clear text has user name and password, and nothing of TLS", () => {
  const endpoint = { host: "localhost", port: 1883, protocol: "mqtt", authentication: "password" } as const;
  expect(Object.keys(connectionBundle([endpoint], identity, { hasPassword: true, password: "secret" })).sort()).toEqual(
    ["client_id", "host", "password", "port", "protocol", "publish", "subscribe", "url", "username"],
  );
});

test("an IPv6 address is in brackets in the URL, and nowhere else", () => {
  expect(endpointUrl({ host: "2001:db8::1", port: 8883, protocol: "mqtts" })).toBe("mqtts://[2001:db8::1]:8883");
});

test("a bundle for several listeners names each, and what to show there", () => {
  const host = "broker.example";
  const endpoints = [
    { host, port: 8443, protocol: "wss", authentication: "certificate" },
    { host, port: 8884, protocol: "mqtts", authentication: "password" },
  ] as const;
  const bundle = connectionBundle(endpoints, { ...identity, deny: ["a/secret"] }, { certificate, hasPassword: true });
  expect(bundle).toMatchObject({
    url: "wss://broker.example:8443/mqtt",
    username: "sensor-1",
    deny: ["a/secret"],
    endpoints: [
      { url: "wss://broker.example:8443/mqtt", authentication: "certificate" },
      { url: "mqtts://broker.example:8884", authentication: "password" },
    ],
  });
});

test("a bundle of a client whose password only itself knows has the user name alone", () => {
  const endpoint = { host: "broker.example", port: 8884, protocol: "mqtts", authentication: "password" } as const;
  const bundle = connectionBundle([endpoint], identity, { hasPassword: true });
  expect(bundle.username).toBe("sensor-1");
  expect(bundle).not.toHaveProperty("password");
});

describe("a bundle that leads to one of its endpoints", () => {
  const host = "broker.example";
  const whole = connectionBundle(
    [
      { host, port: 8443, protocol: "wss", authentication: "certificate" },
      { host, port: 8884, protocol: "mqtts", authentication: "password" },
      { host, port: 1883, protocol: "mqtt", authentication: "password" },
    ],
    identity,
    { caPem: "CA", certificate, hasPassword: true, password: "secret" },
  );
  const rules = { client_id: "sensor-1", publish: ["a"], subscribe: ["b"] };

  test("has what counts there alone", () => {
    expect(bundleAt(whole)).toEqual({
      ...{ host, port: 8443, protocol: "wss", url: "wss://broker.example:8443/mqtt", server_name: host, ...rules },
      ...{ ca_pem: "CA", cert_pem: "CERT", key_pem: "KEY", expires_at: certificate.notAfter },
    });
    expect(bundleAt(whole, 8884)).toEqual({
      ...{ host, port: 8884, protocol: "mqtts", url: "mqtts://broker.example:8884", server_name: host, ...rules },
      ...{ ca_pem: "CA", username: "sensor-1", password: "secret" },
    });
    expect(bundleAt(whole, 1883)).toEqual({
      ...{ host, port: 1883, protocol: "mqtt", url: "mqtt://broker.example:1883", ...rules },
      ...{ username: "sensor-1", password: "secret" },
    });
  });

  test("is the same where it has but one, and none where it has no such port", () => {
    const single = bundleAt(whole, 8884);
    expect(bundleAt(single)).toEqual(single);
    expect(() => bundleAt(single, 8443)).toThrow(/port of an endpoint of sensor-1, got 8443; allowed: 8884/);
    expect(() => bundleAt(whole, 1)).toThrow(/allowed: 8443, 8884, 1883/);
  });

  test("may lead to another host, and checks the server's certificate as before", () => {
    expect(bundleTo(bundleAt(whole), "2001:db8::1")).toMatchObject({
      host: "2001:db8::1",
      url: "wss://[2001:db8::1]:8443/mqtt",
      server_name: host,
    });
    expect(bundleTo(bundleAt(whole), "10.0.0.1", "10.0.0.1").server_name).toBe("10.0.0.1");
    expect(bundleTo(bundleAt(whole, 1883), "10.0.0.1", "10.0.0.1")).not.toHaveProperty("server_name");
  });
});

describe("a bundle as JSON", () => {
  const endpoints = [{ host: "broker.example", port: 8883, protocol: "mqtts", authentication: "certificate" }] as const;
  const pem = (label: string): string => `-----BEGIN ${label}-----\nQQ==\n-----END ${label}-----\n`;
  const [caPem, certificatePem, privateKeyPem] = [pem("CERTIFICATE"), pem("CERTIFICATE"), pem("PRIVATE KEY")];
  const { notAfter } = certificate;
  const bundle = connectionBundle(endpoints, identity, {
    ...{ caPem, certificate: { certificatePem, privateKeyPem, notAfter }, hasPassword: false },
  });

  test("is read as it was written, and has one fingerprint whatever the order of its fields", () => {
    expect(parseBundle(JSON.stringify(bundle), "it")).toEqual(bundle);
    const reversed = Object.fromEntries(Object.entries(bundle).reverse()) as unknown as typeof bundle;
    expect(bundleFingerprint(reversed)).toBe(bundleFingerprint(bundle));
    expect(bundleFingerprint({ ...bundle, port: 1 })).not.toBe(bundleFingerprint(bundle));
  });

  test("is refused with any field missing that it needs, of another kind, or unknown; its content is not shown", () => {
    const others: unknown[] = [undefined, null, 0, -1, 70000, "", {}, [0], ["", null], true, "mqtt+ssl"];
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(bundle), "surprise"), fc.constantFrom(...others), (field, value) => {
        const optional = ["ca_pem", "cert_pem", "key_pem", "expires_at", "server_name"].includes(field);
        fc.pre(!(value === undefined && (optional || field === "surprise")));
        const isText = ["host", "url", "server_name", "client_id", "ca_pem", "cert_pem", "key_pem"].includes(field);
        fc.pre(!(isText && value === "mqtt+ssl"));
        const text = JSON.stringify({ ...bundle, [field]: value });
        expect(() => parseBundle(text, "the file")).toThrow(new RegExp(`^the file is no bundle: it.*[ "]${field}`));
      }),
    );
  });

  test.each<[string, object]>([
    ["its client_id is no client's name", { client_id: "../evil" }],
    ["its username is not its client_id", { username: "another" }],
    ["its password cannot be one", { username: "sensor-1", password: "with\nmore lines" }],
    ["its host is none", { host: "x'; touch it; '" }],
    ["its url does not lead to its host and port", { url: "mqtts://elsewhere.example:8883" }],
    ["its server_name is none", { server_name: "a b" }],
    ["its ca_pem and server_name go with TLS", { ca_pem: undefined }],
    ["it has a certificate that is not whole PEM", { cert_pem: `${certificatePem}allow_anonymous true\n` }],
    ["its key_pem is not whole PEM", { key_pem: `${privateKeyPem})PEM";` }],
    ["it has a key_pem without a cert_pem", { cert_pem: undefined, expires_at: undefined }],
    ["its expires_at goes with a cert_pem", { expires_at: undefined }],
    ["it has a topic filter that is none", { publish: ["a\nb"] }],
  ])("is refused where it could be read as something else: %s", (what, changed) => {
    const read = (): unknown => parseBundle(JSON.stringify({ ...bundle, ...changed }), "the file");
    expect(read).toThrow(`the file is no bundle: ${what}`);
  });

  test("is refused where it is none", () => {
    for (const text of ["", "{", "null", "[]", '"secret"']) {
      expect(() => parseBundle(text, "the file")).toThrow(
        /^the file is no bundle: .*remedy: take it from there again, whole$/,
      );
    }
  });
});
