import { connectionBundle, endpointUrl } from "../../constructs/client/connection-bundle";

const identity = { name: "sensor-1", publish: ["a"], subscribe: ["b"], deny: [] };
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
