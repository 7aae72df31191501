import type { ConnectionBundle } from "../../../constructs/client/connection-bundle";
import { formatFaults } from "../../../constructs/client/formats/format";
import { telegraf } from "../../../constructs/client/formats/telegraf";
import { python } from "../../pki/support";
import { bundlesFor, CERTIFICATE, fileOf, plainBundle } from "./any-bundle";

interface Read {
  readonly inputs?: { readonly mqtt_consumer: readonly Record<string, unknown>[] };
  readonly outputs?: { readonly mqtt: readonly Record<string, unknown>[] };
}

/** What Python's tomllib reads in each, in one run. */
function readToml(bundles: readonly ConnectionBundle[]): Read[] {
  const texts = bundles.map((bundle) => fileOf("telegraf", bundle, "telegraf.conf"));
  const script = "import json, sys, tomllib; print(json.dumps([tomllib.loads(text) for text in json.load(sys.stdin)]))";
  return python(script, texts) as Read[];
}

function pluginOf({ inputs, outputs }: Read): Record<string, unknown> {
  const plugins = [...(inputs?.mqtt_consumer ?? []), ...(outputs?.mqtt ?? [])];
  // Two would end each other's connection.
  expect(plugins).toHaveLength(1);
  return plugins[0] as Record<string, unknown>;
}

test("a TOML reader finds exactly what is in the bundle, in one plugin", () => {
  const bundles = bundlesFor("telegraf", 150);
  for (const [index, read] of readToml(bundles).entries()) {
    const bundle = bundles[index] as ConnectionBundle;
    const { host, port } = bundle;
    const { topic, keep_alive: keepAlive, ...plugin } = pluginOf(read);
    const certificate = bundle.cert_pem !== undefined;
    expect(plugin).toEqual(
      Object.fromEntries(
        Object.entries({
          topics: bundle.subscribe.length === 0 ? undefined : bundle.subscribe,
          servers: [
            `${bundle.protocol === "mqtts" ? "tls" : "tcp"}://${host.includes(":") ? `[${host}]` : host}:${port}`,
          ],
          client_id: bundle.client_id,
          username: bundle.username,
          password: bundle.password,
          tls_ca: bundle.ca_pem && "/etc/telegraf/mqtt/ca.crt",
          tls_cert: certificate ? "/etc/telegraf/mqtt/client.crt" : undefined,
          tls_key: certificate ? "/etc/telegraf/mqtt/client.key" : undefined,
          tls_server_name: bundle.server_name === host ? undefined : bundle.server_name,
        }).filter(([, value]) => value !== undefined),
      ),
    );
    expect([topic === undefined, keepAlive]).toEqual(bundle.subscribe.length > 0 ? [true, undefined] : [false, 60]);
  }
});

test("Telegraf finds no $ that it would put a variable of its environment for", () => {
  for (const bundle of bundlesFor("telegraf", 150))
    expect(fileOf("telegraf", bundle, "telegraf.conf")).not.toContain("$");
});

test("a client that may subscribe is an input, one that may only publish an output", () => {
  const both = fileOf("telegraf", plainBundle(CERTIFICATE), "telegraf.conf");
  expect(both).toMatch(/^# This client may publish, too\./);
  expect(both.match(/^\[\[.*/gm)).toEqual(["[[inputs.mqtt_consumer]]"]);
  const publisher = fileOf("telegraf", plainBundle({ subscribe: [] }), "telegraf.conf");
  expect(publisher).toMatch(/^\[\[outputs\.mqtt\]\]\n/);
  const subscriber = fileOf("telegraf", plainBundle({ publish: [] }), "telegraf.conf");
  expect(subscriber).toMatch(/^\[\[inputs\.mqtt_consumer\]\]\n/);
});

test.each([
  ["plant/sensor-1", "plant/sensor-1"],
  ["plant/+/telegraf/#", "plant/{{ .Hostname }}/telegraf/{{ .PluginName }}"],
  ["#", "{{ .PluginName }}"],
])("what may be published to %s is published to %s", (filter, topic) => {
  const [read] = readToml([plainBundle({ subscribe: [], publish: ["a//b", "{{/a", filter] })]);
  expect(pluginOf(read as Read)).toMatchObject({ topic });
});

test("a client for whose messages there is no topic is refused", () => {
  const what = "format telegraf, for a client that may publish to";
  for (const publish of [[], ["a//b", "/a", "{{a}}"]]) {
    expect(formatFaults(telegraf, plainBundle({ subscribe: [], publish }))).toMatchObject([{ what, value: publish }]);
  }
});

test("a password that Telegraf reads as a reference to a secret store is refused", () => {
  expect(formatFaults(telegraf, plainBundle({ password: "a long @{store:key}" }))).toMatchObject([
    { what: /with @\{/ },
  ]);
});
