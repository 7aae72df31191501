import { Listener } from "./listener";
import type { MosquittoLine } from "./mosquitto-image";

/** What mosquitto_sub(1) calls the versions of MQTT, by how `accept_protocol_versions` does; the first that is accepted counts. */
const VERSIONS: readonly (readonly [accepted: string, name: string])[] = [
  ["4", "mqttv311"],
  ["5", "mqttv5"],
  ["3", "mqttv31"],
];

/** The listeners at which the image's own clients can knock, in the words of probe.sh. */
export function probedListeners(listeners: readonly Listener[], line: MosquittoLine): string {
  return listeners
    .filter((listener) => toolsSpeak(listener, line))
    .map((listener) => `${listener.port}:${listener.kind}:${versionAt(listener)}:${listener.protocol}`)
    .join(" ");
}

/** The clients of 2.0 know no WebSockets, none says an origin, and none has the suite with CCM. */
function toolsSpeak({ webSockets, options }: Listener, line: MosquittoLine): boolean {
  const { ciphersTls13, extraConfig = [] } = options;
  if (webSockets && (line === "2.0" || extraConfig.some((one) => one.startsWith("websockets_origin ")))) return false;
  return ciphersTls13?.some((name) => !name.includes("CCM")) ?? true;
}

function versionAt({ options: { extraConfig = [] } }: Listener): string {
  const accepted = extraConfig.map((one) => /^accept_protocol_versions (.*)$/.exec(one)?.[1]).find(Boolean) ?? "4";
  return VERSIONS.find(([version]) => accepted.split(",").includes(version))?.[1] ?? "mqttv311";
}
