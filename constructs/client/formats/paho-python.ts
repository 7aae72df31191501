import { isIPv6 } from "node:net";
import { ConnectionBundle, usesTls, usesWebSockets } from "../connection-bundle";
import { BundleFormat } from "./format";
import { pemFiles, pemPaths } from "./pem-files";

// Read by Python programs with paho-mqtt 2: each object holds keyword arguments of the call that it is named after,
// `client` those of `Client` itself. `callback_api_version` and `protocol` go beside these.
export const pahoPython: BundleFormat = {
  name: "paho-python",
  readBy: "paho-mqtt for Python",
  abilities: { webSockets: true, otherServerName: false, withoutKey: true },
  options: ["installedIn"],
  render: (bundle, { installedIn }) =>
    new Map([["paho-python.json", `${JSON.stringify(callsOf(bundle, installedIn), null, 2)}\n`], ...pemFiles(bundle)]),
};

function callsOf(bundle: ConnectionBundle, folder: string | undefined): object {
  const { host, port, username, password } = bundle;
  const { ca, certificate, key } = pemPaths(bundle, folder);
  return {
    client: { client_id: bundle.client_id, transport: usesWebSockets(bundle) ? "websockets" : "tcp" },
    ...(username !== undefined && { username_pw_set: { username, password } }),
    ...(usesTls(bundle) && { tls_set: { ca_certs: ca, certfile: certificate, keyfile: key } }),
    // By itself it writes an IPv6 address into the header without brackets.
    ...(usesWebSockets(bundle) && isIPv6(host) && { ws_set_options: { headers: { Host: `[${host}]:${port}` } } }),
    connect: { host, port },
  };
}
