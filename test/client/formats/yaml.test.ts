import { load } from "js-yaml"; // the reader that Zigbee2MQTT has
import type { ConnectionBundle } from "../../../constructs/client/connection-bundle";
import { formatFaults } from "../../../constructs/client/formats/format";
import { zigbee2mqtt } from "../../../constructs/client/formats/zigbee2mqtt";
import { bundlesFor, CERTIFICATE, fileOf, plainBundle } from "./any-bundle";

const defined = (values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

test("Zigbee2MQTT's YAML reader finds exactly what is in the bundle", () => {
  for (const bundle of bundlesFor("zigbee2mqtt", 150)) {
    const keepsTls = bundle.cert_pem !== undefined;
    expect(load(fileOf("zigbee2mqtt", bundle, "configuration.yaml"))).toEqual({
      mqtt: defined({
        server: bundle.url,
        server_name: bundle.server_name === bundle.host ? undefined : bundle.server_name,
        client_id: bundle.client_id,
        user: bundle.username,
        password: bundle.password,
        ca: bundle.ca_pem && "/app/data/mqtt/ca.crt",
        cert: keepsTls ? "/app/data/mqtt/client.crt" : undefined,
        key: keepsTls ? "/app/data/mqtt/client.key" : undefined,
      }),
    });
  }
});

test("YAML is in ASCII, because readers differ in what else they take for a line end or refuse", () => {
  for (const bundle of bundlesFor("zigbee2mqtt", 150)) {
    expect(fileOf("zigbee2mqtt", bundle, "configuration.yaml")).toMatch(/^[\n\x20-\x7e]*$/);
    expect(fileOf("kubernetes", bundle, "secret.yaml")).toMatch(/^[\n\x20-\x7e]*$/);
  }
});

test("Zigbee2MQTT's files are looked for where they will be installed", () => {
  const text = fileOf("zigbee2mqtt", plainBundle(), "configuration.yaml", { installedIn: "/srv/z2m" });
  expect(text).toContain('ca: "/srv/z2m/ca.crt"');
});

test.each(["!secret password", "a long! one with blanks"])(
  "a password that Zigbee2MQTT reads as a reference, %s",
  (password) => {
    expect(formatFaults(zigbee2mqtt, plainBundle({ password }))).toMatchObject([{ what: /with a ! and a blank/ }]);
  },
);

interface Secret {
  readonly metadata: { readonly name: string };
  readonly stringData: Record<string, string>;
}

const secretOf = (bundle: ConnectionBundle): Secret => load(fileOf("kubernetes", bundle, "secret.yaml")) as Secret;

test("a Secret has exactly what is in the bundle, each value a string", () => {
  for (const bundle of bundlesFor("kubernetes", 150)) {
    const secret = secretOf(bundle);
    expect(secret).toEqual({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: expect.any(String) as string },
      type: "servicebinding.io/mqtt",
      stringData: defined({
        type: "mqtt",
        provider: "mosquitto",
        host: bundle.host,
        port: String(bundle.port),
        uri: bundle.url,
        protocol: bundle.protocol,
        "server-name": bundle.server_name,
        "client-id": bundle.client_id,
        username: bundle.username,
        password: bundle.password,
        "ca.crt": bundle.ca_pem,
        certificates: bundle.cert_pem,
        "private-key": bundle.key_pem,
      }),
    });
    expect(secret.metadata.name).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/);
    expect(secret.metadata.name.length).toBeLessThanOrEqual(253);
  }
});

test("a Secret has the client's name where Kubernetes allows it", () => {
  expect(secretOf(plainBundle({ client_id: "plant.sensor-1" })).metadata.name).toBe("mqtt-plant.sensor-1");
});

test("each client has a Secret of another name", () => {
  const looksHashed = secretOf(plainBundle({ client_id: "Sensor_1" })).metadata.name.replace(/^mqtt-/, "");
  const names = ["sensor-1", "sensor_1", "sensor.1", "SENSOR-1", "Sensor_1", "sensor-1-", "sensor-1.", looksHashed];
  const secrets = new Set(names.map((name) => secretOf(plainBundle({ client_id: name })).metadata.name));
  expect(secrets.size).toBe(names.length);
});

test("a Secret shows PEM over its lines", () => {
  expect(fileOf("kubernetes", plainBundle(CERTIFICATE), "secret.yaml")).toMatch(
    /\n {2}certificates: \|\n {4}-----BEGIN CERTIFICATE-----\n/,
  );
});
