import { connectionBundle, endpointUrl } from "../../constructs/client/connection-bundle";

const identity = { name: "sensor-1", publish: ["a"], subscribe: ["b"] };
const certificate = { certificatePem: "CERT", privateKeyPem: "KEY", notAfter: "2030-01-01T00:00:00.000Z" };

test("a bundle for mutual TLS has certificate, key and authority, and no password, which would not count", () => {
  const endpoint = { host: "broker.example", port: 8883, protocol: "mqtts" } as const;
  expect(connectionBundle(endpoint, identity, { caPem: "CA", certificate })).toEqual({
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
  const endpoint = { host: "localhost", port: 1883, protocol: "mqtt" } as const;
  expect(Object.keys(connectionBundle(endpoint, identity, { password: "secret" })).sort()).toEqual([
    "client_id",
    "host",
    "password",
    "port",
    "protocol",
    "publish",
    "subscribe",
    "url",
    "username",
  ]);
});

test("an IPv6 address is in brackets in the URL, and nowhere else", () => {
  expect(endpointUrl({ host: "2001:db8::1", port: 8883, protocol: "mqtts" })).toBe("mqtts://[2001:db8::1]:8883");
});
