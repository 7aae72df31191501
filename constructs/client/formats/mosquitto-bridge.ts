import { Fault } from "../../faults";
import { ConnectionBundle } from "../connection-bundle";
import { BundleFormat } from "./format";
import { pemFiles, pemPaths } from "./pem-files";

// Read by another Mosquitto, 2.0 or 2.1, that connects to this one: `include_dir /mosquitto/config/bridge` in its mosquitto.conf
// (mosquitto.conf(5), "Configuring Bridges"). What the client may publish goes out, what it may subscribe to comes in. MQTT
// 3.1.1, because its sessions never end by themselves, so that a bridge that was away gets what it missed.
export const mosquittoBridge: BundleFormat = {
  name: "mosquitto-bridge",
  readBy: "the bridge of another Mosquitto",
  abilities: { webSockets: false, otherServerName: false, withoutKey: true },
  options: ["installedIn"],
  faults: (bundle) => [...passwordFaults(bundle), ...topicFaults(bundle)],
  render: (bundle, { installedIn = "/mosquitto/config/bridge" }) => {
    const lines = [...connectionLines(bundle, installedIn), ...topicLines(bundle)];
    return new Map([...pemFiles(bundle), ["bridge.conf", `${lines.join("\n")}\n`]]);
  },
};

function passwordFaults({ password }: ConnectionBundle): Fault[] {
  if (password === undefined || !/^[ \t]|[ \t]$|\p{Noncharacter_Code_Point}/u.test(password)) return [];
  return [
    {
      what: "format mosquitto-bridge, for a password with blanks at its ends, or with noncharacters of Unicode",
      allowed: "others, because mosquitto.conf drops these blanks and refuses these characters",
      remedy: "let one be generated, or take another one",
    },
  ];
}

function topicFaults({ publish, subscribe }: ConnectionBundle): Fault[] {
  const what = "format mosquitto-bridge, for a client with the topic filter";
  const faults = [...publish, ...subscribe]
    .filter((filter) => /^"| /.test(filter))
    .map((value): Fault => {
      const allowed = 'filters without blanks that do not begin with ", because Mosquitto 2.0 has no quoting for them';
      return { what, value, allowed, remedy: "rename the topics, or choose another format" };
    });
  if (publish.length + subscribe.length > 0) return faults;
  return [
    {
      what: "format mosquitto-bridge, for a client without topic filters",
      allowed: "clients that may publish or subscribe: a bridge without topics does nothing",
      remedy: "give the client a rule",
    },
  ];
}

function connectionLines(bundle: ConnectionBundle, folder: string): string[] {
  const { ca, certificate, key } = pemPaths(bundle, folder);
  const options: [string, string | undefined][] = [
    ["connection", bundle.client_id],
    // The last colon is the port's, so that an IPv6 address has no brackets.
    ["address", `${bundle.host}:${bundle.port}`],
    ["bridge_protocol_version", "mqttv311"],
    ["remote_clientid", bundle.client_id],
    ["remote_username", bundle.username],
    ["remote_password", bundle.password],
    ["bridge_cafile", ca],
    ["bridge_certfile", certificate],
    ["bridge_keyfile", key],
    ["cleansession", "false"],
    // They would be messages to $SYS, which this client may not publish.
    ["notifications", "false"],
  ];
  return options.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]));
}

/** QoS 2 leaves every message its own. */
function topicLines({ publish, subscribe }: ConnectionBundle): string[] {
  return [...new Set([...publish, ...subscribe])].map((filter) => {
    const direction = !subscribe.includes(filter) ? "out" : publish.includes(filter) ? "both" : "in";
    return `topic ${filter} ${direction} 2`;
  });
}
