import { BundleFormat } from "./format";
import { urlWithUser } from "./url-with-user";

// Read by whatever takes user and password in a URL, such as `mosquitto_sub -L`, MQTTX and MQTT.js.
export const url: BundleFormat = {
  name: "url",
  readBy: "programs that take everything from one URL",
  abilities: { webSockets: true, otherServerName: false, withoutKey: true },
  render: (bundle) => new Map([["connection.url", `${urlWithUser(bundle)}\n`]]),
};
