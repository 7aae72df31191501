import { ConnectionBundle } from "../connection-bundle";
import { doubleQuoted } from "./double-quoted";
import { BundleFormat } from "./format";
import { pemFiles, pemPaths } from "./pem-files";

// Read by Zigbee2MQTT: the part `mqtt` of its configuration.yaml (lib/util/settings.schema.json), beside its own `base_topic`.
// `server_name`, where the server's certificate has another name than the host, needs 2.12.1 or later; older ones check the
// host, and refuse the server.
export const zigbee2mqtt: BundleFormat = {
  name: "zigbee2mqtt",
  readBy: "Zigbee2MQTT",
  abilities: { webSockets: true, otherServerName: true, withoutKey: true },
  options: ["installedIn"],
  faults: ({ password }) =>
    password === undefined || !/!.* /.test(password)
      ? []
      : [
          {
            what: "format zigbee2mqtt, for a password with a ! and a blank behind it",
            allowed: "passwords without, because Zigbee2MQTT would look for them in another file, as for !secret NAME",
            remedy: "let one be generated, or take one without blanks",
          },
        ],
  render: (bundle, { installedIn = "/app/data/mqtt" }) => {
    const lines = mqttSettings(bundle, installedIn).map(([name, value]) => `  ${name}: ${doubleQuoted(value)}\n`);
    return new Map([...pemFiles(bundle), ["configuration.yaml", `mqtt:\n${lines.join("")}`]]);
  },
};

function mqttSettings(bundle: ConnectionBundle, folder: string): [name: string, value: string][] {
  const { host, server_name: serverName } = bundle;
  const { ca, certificate, key } = pemPaths(bundle, folder);
  const settings: [string, string | undefined][] = [
    ["server", bundle.url],
    ["server_name", serverName === host ? undefined : serverName],
    ["client_id", bundle.client_id],
    ["user", bundle.username],
    ["password", bundle.password],
    ["ca", ca],
    ["cert", certificate],
    ["key", key],
  ];
  return settings.filter((setting): setting is [string, string] => setting[1] !== undefined);
}
