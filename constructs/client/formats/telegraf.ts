import { ConnectionBundle } from "../connection-bundle";
import { isIPv6 } from "node:net";
import { doubleQuoted } from "./double-quoted";
import { BundleFormat } from "./format";
import { pemFiles, pemPaths } from "./pem-files";

// Read by Telegraf, from /etc/telegraf/telegraf.d or by `--config`. One plugin for one client: each would make a connection of
// its own, and of two with the same client id the broker ends one. The reader is `inputs.mqtt_consumer` for a client that may
// subscribe, and `outputs.mqtt` for one that may only publish.
export const telegraf: BundleFormat = {
  name: "telegraf",
  readBy: "Telegraf",
  // Its output makes any endpoint with certificates one of TLS without WebSockets (plugins/common/mqtt/mqtt_v3.go).
  abilities: { webSockets: false, otherServerName: true, withoutKey: true },
  options: ["installedIn"],
  faults: (bundle) => [
    ...(bundle.password?.includes("@{")
      ? [
          {
            what: "format telegraf, for a password with @{",
            allowed: "passwords without, because Telegraf would look for them in a secret store, as for @{STORE:KEY}",
            remedy: "let one be generated, or take another one",
          },
        ]
      : []),
    ...(bundle.subscribe.length === 0 && outputTopic(bundle) === undefined
      ? [
          {
            what: "format telegraf, for a client that may publish to",
            value: bundle.publish,
            allowed: "a client that may subscribe, or publish to a topic without empty levels and without {{",
            remedy: "give the client such a rule",
          },
        ]
      : []),
  ],
  render: (bundle, { installedIn = "/etc/telegraf/mqtt" }) => {
    const consumes = bundle.subscribe.length > 0;
    const plugin = consumes ? consumer(bundle) : output(bundle);
    const lines = [...plugin, ...connection(bundle, installedIn)].map(
      ([name, value]) => `  ${name} = ${toml(value)}\n`,
    );
    const remark = consumes && bundle.publish.length > 0 ? BOTH : "";
    const text = `${remark}[[${consumes ? "inputs.mqtt_consumer" : "outputs.mqtt"}]]\n${lines.join("")}`;
    return new Map([...pemFiles(bundle), ["telegraf.conf", text]]);
  },
};

const BOTH = `# This client may publish, too. For [[outputs.mqtt]] declare a client of its own: the broker keeps one connection of each
# client, so two plugins that connect as the same one would end each other's for ever.
`;

type Setting = [name: string, value: string | number | readonly string[]];

function consumer({ subscribe }: ConnectionBundle): Setting[] {
  return [["topics", subscribe]];
}

function output(bundle: ConnectionBundle): Setting[] {
  return [
    ["topic", outputTopic(bundle) ?? ""],
    // Older ones default to none, which the broker refuses.
    ["keep_alive", 60],
  ];
}

/** The topic as a template, made of the first filter that can be one: it has no empty level, which Telegraf drops or refuses. */
function outputTopic({ publish }: ConnectionBundle): string | undefined {
  const filter = publish.find((one) => !one.split("/").includes("") && !one.includes("{{"));
  const levels = filter?.split("/").map((level) => {
    if (level === "#") return "{{ .PluginName }}";
    return level === "+" ? "{{ .Hostname }}" : level;
  });
  return levels?.join("/");
}

function connection(bundle: ConnectionBundle, folder: string): Setting[] {
  const { host, port, protocol, server_name: serverName } = bundle;
  const { ca, certificate, key } = pemPaths(bundle, folder);
  const server = `${protocol === "mqtts" ? "tls" : "tcp"}://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const settings: [string, string | readonly string[] | undefined][] = [
    ["servers", [server]],
    ["client_id", bundle.client_id],
    ["username", bundle.username],
    ["password", bundle.password],
    ["tls_ca", ca],
    ["tls_cert", certificate],
    ["tls_key", key],
    ["tls_server_name", serverName === host ? undefined : serverName],
  ];
  return settings.filter((setting): setting is [string, string | readonly string[]] => setting[1] !== undefined);
}

function toml(value: string | number | readonly string[]): string {
  if (typeof value === "number") return String(value);
  // Before TOML is read, $NAME becomes the environment's variable NAME: written as an escape it stays.
  if (typeof value === "string") return doubleQuoted(value).replaceAll("$", "\\u0024");
  return `[${value.map(toml).join(", ")}]`;
}
