import { BundleFormat } from "./format";
import { pemFiles } from "./pem-files";
import { urlWithUser } from "./url-with-user";

// Read by whatever takes user and password in a URL, such as `mosquitto_sub -L`, MQTTX and MQTT.js, with PEM files beside.
export const url: BundleFormat = {
  name: "url",
  readBy: "programs that take a URL, and PEM files beside",
  abilities: { webSockets: true, otherServerName: false, withoutKey: true },
  render: (bundle) => new Map([["connection.url", `${urlWithUser(bundle)}\n`], ...pemFiles(bundle)]),
};
