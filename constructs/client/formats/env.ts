import { ConnectionBundle } from "../connection-bundle";
import { BundleFormat } from "./format";

// Read by dotenv, python-dotenv, `node --env-file`, `set -a; . ./connection.env` and systemd's EnvironmentFile. Not by
// `docker run --env-file`, which takes quotes for a part of the value.
export const env: BundleFormat = {
  name: "env",
  readBy: "dotenv in its languages, a shell, and systemd",
  abilities: { webSockets: true, otherServerName: true, withoutKey: true },
  faults: ({ password }) =>
    password === undefined || !/['\\]/.test(password)
      ? []
      : [
          {
            what: "format env, for a password with ' or \\",
            allowed: "passwords without them, because its readers differ in what these mean",
            remedy: "choose another format, such as json, or a generated password",
          },
        ],
  render: (bundle) => {
    const lines = environmentOf(bundle).map(([name, value]) => `MQTT_${name}='${value}'\n`);
    return new Map([["connection.env", lines.join("")]]);
  },
};

/** The variables of a bundle, without a prefix. Certificates are whole, over several lines. */
function environmentOf(bundle: ConnectionBundle): [name: string, value: string][] {
  const variables: [string, string | number | undefined][] = [
    ["HOST", bundle.host],
    ["PORT", bundle.port],
    ["PROTOCOL", bundle.protocol],
    ["URL", bundle.url],
    ["SERVER_NAME", bundle.server_name],
    ["CLIENT_ID", bundle.client_id],
    ["USERNAME", bundle.username],
    ["PASSWORD", bundle.password],
    ["CA_PEM", bundle.ca_pem],
    ["CERT_PEM", bundle.cert_pem],
    ["KEY_PEM", bundle.key_pem],
  ];
  return variables.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
}
