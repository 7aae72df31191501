import { isIP, isIPv6 } from "node:net";
import { ConnectionBundle, usesWebSockets } from "../connection-bundle";
import { BundleFormat } from "./format";

// Read by MQTT.js 5 in Node: `mqtt.connect(url, options)` with what is in the file. Its other options go beside these.
export const mqttjs: BundleFormat = {
  name: "mqttjs",
  readBy: "MQTT.js",
  abilities: { webSockets: true, otherServerName: true, withoutKey: true },
  faults: (bundle) => {
    const serverName = otherServerName(bundle);
    return serverName === undefined || isIP(serverName) === 0
      ? []
      : [
          {
            what: "format mqttjs",
            value: `host ${bundle.host}, server name ${serverName}`,
            allowed: "a server name that is no IP address, or is the host, because Node sends it (RFC 6066 section 3)",
            remedy: "connect to a host that is in the server's certificate",
          },
        ];
  },
  render: (bundle) => {
    const connection = { url: bundle.url, options: optionsOf(bundle) };
    return new Map([["mqttjs.json", `${JSON.stringify(connection, null, 2)}\n`]]);
  },
};

function optionsOf(bundle: ConnectionBundle): object {
  const { host } = bundle;
  const servername = otherServerName(bundle);
  return {
    // MQTT.js takes the brackets from an address in the URL, and over WebSockets builds another URL with what is left.
    ...(usesWebSockets(bundle) && isIPv6(host) && { hostname: `[${host}]` }),
    clientId: bundle.client_id,
    username: bundle.username,
    password: bundle.password,
    ca: bundle.ca_pem,
    cert: bundle.cert_pem,
    key: bundle.key_pem,
    // Over WebSockets it hands `ca`, `cert` and `key` on, but not this.
    ...(servername !== undefined && (usesWebSockets(bundle) ? { wsOptions: { servername } } : { servername })),
  };
}

function otherServerName({ host, server_name: serverName }: ConnectionBundle): string | undefined {
  return serverName === host ? undefined : serverName;
}
