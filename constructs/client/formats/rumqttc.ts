import { ConnectionBundle, usesWebSockets } from "../connection-bundle";
import { BundleFormat } from "./format";
import { pemFiles, pemPaths } from "./pem-files";

// Read by Rust programs with rumqttc 0.25: `client_id`, `host` and `port` are for MqttOptions::new, `transport` says which
// Transport to choose, and the contents of the files are for TlsConfiguration::Simple.
export const rumqttc: BundleFormat = {
  name: "rumqttc",
  readBy: "rumqttc for Rust",
  abilities: { webSockets: true, otherServerName: false, withoutKey: true },
  options: ["installedIn"],
  render: (bundle, { installedIn }) => {
    const { ca, certificate, key } = pemPaths(bundle, installedIn);
    const options = {
      transport: TRANSPORTS[bundle.protocol],
      host: hostOf(bundle),
      port: bundle.port,
      client_id: bundle.client_id,
      username: bundle.username,
      password: bundle.password,
      ca_file: ca,
      cert_file: certificate,
      key_file: key,
    };
    return new Map([["rumqttc.json", `${JSON.stringify(options, null, 2)}\n`], ...pemFiles(bundle)]);
  },
};

/** The names of the enumeration, in lower case. */
const TRANSPORTS: Readonly<Record<ConnectionBundle["protocol"], string>> = {
  mqtt: "tcp",
  mqtts: "tls",
  ws: "ws",
  wss: "wss",
};

/** Over WebSockets rumqttc takes the whole URL for the host, and does not look at the port. */
function hostOf(bundle: ConnectionBundle): string {
  return usesWebSockets(bundle) ? bundle.url : bundle.host;
}
