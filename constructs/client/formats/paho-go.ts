import { BundleFormat } from "./format";
import { pemFiles, pemPaths } from "./pem-files";

// Read by Go programs with github.com/eclipse/paho.mqtt.golang: `broker` is for ClientOptions.AddBroker, `serverName` and
// the files for the tls.Config.
export const pahoGo: BundleFormat = {
  name: "paho-go",
  readBy: "Paho for Go",
  abilities: { webSockets: true, otherServerName: true, withoutKey: true },
  options: ["installedIn"],
  render: (bundle, { installedIn }) => {
    const { ca, certificate, key } = pemPaths(bundle, installedIn);
    const options = {
      // Its own words for MQTT over TLS and over TCP; those of WebSockets are the same.
      broker: bundle.url.replace(/^mqtts:/, "ssl:").replace(/^mqtt:/, "tcp:"),
      clientId: bundle.client_id,
      username: bundle.username,
      password: bundle.password,
      serverName: bundle.server_name,
      caFile: ca,
      certFile: certificate,
      keyFile: key,
    };
    return new Map([["paho-go.json", `${JSON.stringify(options, null, 2)}\n`], ...pemFiles(bundle)]);
  },
};
