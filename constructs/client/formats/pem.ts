import { ConnectionBundle } from "../connection-bundle";
import { BundleFormat } from "./format";
import { detailsFile, pemFiles, pemPaths } from "./pem-files";

// Read by whatever takes PEM files, and by mosquitto_pub and mosquitto_sub, whose options are in the files of their names:
// `XDG_CONFIG_HOME=$PWD mosquitto_sub -t TOPIC` in this folder, or `mosquitto_sub -o mosquitto_sub -t TOPIC` from 2.1 on.
export const pem: BundleFormat = {
  name: "pem",
  readBy: "mosquitto_pub, mosquitto_sub, and any program that takes PEM files",
  abilities: { webSockets: true, otherServerName: true, withoutKey: true },
  options: ["installedIn"],
  faults: (bundle) =>
    !isForTools(bundle) || Buffer.byteLength(bundle.password ?? "") <= MAXIMUM_BYTES
      ? []
      : [
          {
            what: "format pem, for the password",
            allowed: `${MAXIMUM_BYTES} bytes of UTF-8 at most, because Mosquitto's tools read no longer line`,
            remedy: "take a shorter one, or choose another format",
          },
        ],
  render: (bundle, { installedIn }) => {
    const files = pemFiles(bundle);
    const options = toolOptions(bundle, installedIn);
    return new Map([
      ...files,
      detailsFile(bundle),
      ...(isForTools(bundle) ? ["mosquitto_pub", "mosquitto_sub"].map((name) => [name, options] as const) : []),
    ]);
  },
};

/** They read 1023 bytes of a line (client/client_shared.c), and three are the option's. */
const MAXIMUM_BYTES = 1019;

/** Theirs to use where they speak MQTT itself, and check the host. */
function isForTools({ protocol, host, server_name: serverName }: ConnectionBundle): boolean {
  return (protocol === "mqtts" || protocol === "mqtt") && (serverName ?? host) === host;
}

/** One option a line (mosquitto_sub(1), "Options File"): what follows the first blank is its value, blanks included. */
function toolOptions(bundle: ConnectionBundle, folder: string | undefined): string {
  const { ca, certificate, key } = pemPaths(bundle, folder);
  const options: [string, string | number | undefined][] = [
    ["-h", bundle.host],
    ["-p", bundle.port],
    ["-i", bundle.client_id],
    ["-u", bundle.username],
    ["-P", bundle.password],
    ["--cafile", ca],
    ["--cert", certificate],
    ["--key", key],
  ];
  return options.flatMap(([option, value]) => (value === undefined ? [] : [`${option} ${value}\n`])).join("");
}
