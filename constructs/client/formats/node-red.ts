import { createHash } from "node:crypto";
import { ConnectionBundle, usesTls, usesWebSockets } from "../connection-bundle";
import { BundleFormat } from "./format";
import { pemFiles, pemPaths } from "./pem-files";

// Read by Node-RED: menu, Import, flows.json; or as the body of `POST /flows` of its admin API. Two configuration nodes, which
// an "mqtt in" or "mqtt out" node then names. The properties are those of its own nodes (10-mqtt.js, 05-tls.js).
export const nodeRed: BundleFormat = {
  name: "node-red",
  readBy: "Node-RED",
  abilities: { webSockets: true, otherServerName: true, withoutKey: true },
  options: ["installedIn"],
  faults: ({ password }) =>
    password === undefined || !/^\$(\{\S+\}|\(\S+\))$/.test(password)
      ? []
      : [
          {
            what: "format node-red, for a password like ${NAME} or $(NAME)",
            allowed: "others, because Node-RED puts the environment's variable NAME in its place",
            remedy: "let one be generated, or take another one",
          },
        ],
  render: (bundle, { installedIn = "/data/mqtt" }) => {
    const nodes = [brokerNode(bundle), ...(usesTls(bundle) ? [tlsNode(bundle, installedIn)] : [])];
    return new Map([...pemFiles(bundle), ["flows.json", `${JSON.stringify(nodes, null, 2)}\n`]]);
  },
};

function brokerNode(bundle: ConnectionBundle): object {
  const { host, port, url, client_id: clientId, username, password } = bundle;
  return {
    id: nodeId("mqtt-broker", bundle),
    type: "mqtt-broker",
    name: clientId,
    broker: usesWebSockets(bundle) ? url : host,
    port: String(port),
    clientid: clientId,
    autoConnect: true,
    usetls: usesTls(bundle),
    ...(usesTls(bundle) && { tls: nodeId("tls-config", bundle) }),
    protocolVersion: "5",
    keepalive: "60",
    cleansession: true,
    ...(username !== undefined && { credentials: { user: username, ...(password !== undefined && { password }) } }),
  };
}

function tlsNode(bundle: ConnectionBundle, folder: string): object {
  const { ca = "", certificate = "", key = "" } = pemPaths(bundle, folder);
  return {
    id: nodeId("tls-config", bundle),
    type: "tls-config",
    name: bundle.client_id,
    certType: "files",
    cert: certificate,
    key,
    ca,
    verifyservercert: true,
    // Left empty it is the host, and for an IP address none, as RFC 6066 section 3 wants it.
    servername: bundle.server_name === bundle.host ? "" : (bundle.server_name ?? ""),
  };
}

/** The same whenever it is rendered, so that importing it again replaces the nodes. */
function nodeId(type: string, { client_id: clientId }: ConnectionBundle): string {
  return createHash("sha256").update(`${type} ${clientId}`).digest("hex").slice(0, 16);
}
