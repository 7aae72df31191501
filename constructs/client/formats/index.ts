import { describeFault, Fault } from "../../faults";
import { ConnectionBundle } from "../connection-bundle";
import { arduino } from "./arduino";
import { env } from "./env";
import { espIdf } from "./esp-idf";
import { BundleFiles, BundleFormat, formatFaults, FormatOptions } from "./format";
import { homeAssistant } from "./home-assistant";
import { java } from "./java";
import { json } from "./json";
import { kubernetes } from "./kubernetes";
import { mosquittoBridge } from "./mosquitto-bridge";
import { mqttjs } from "./mqttjs";
import { nodeRed } from "./node-red";
import { pahoGo } from "./paho-go";
import { pahoPython } from "./paho-python";
import { pem } from "./pem";
import { pkcs12 } from "./pkcs12";
import { pkcs12Legacy } from "./pkcs12-legacy";
import { rumqttc } from "./rumqttc";
import { telegraf } from "./telegraf";
import { url } from "./url";
import { zigbee2mqtt } from "./zigbee2mqtt";

export type { BundleFiles, BundleFormat, FormatOptions } from "./format";

/** Every form that a bundle can take. */
export const BUNDLE_FORMATS: readonly BundleFormat[] = [
  json,
  env,
  url,
  pem,
  mqttjs,
  pahoPython,
  pahoGo,
  rumqttc,
  pkcs12,
  pkcs12Legacy,
  java,
  espIdf,
  arduino,
  homeAssistant,
  zigbee2mqtt,
  nodeRed,
  telegraf,
  kubernetes,
  mosquittoBridge,
];

/**
 * A bundle in the words of the software that reads it.
 *
 * @param bundle one that leads to a single endpoint
 * @throws {Error} naming everything that keeps this bundle from being read in this format
 */
export function renderBundle(bundle: ConnectionBundle, formatName: string, options: FormatOptions = {}): BundleFiles {
  const format = BUNDLE_FORMATS.find(({ name }) => name === formatName);
  const faults =
    format === undefined
      ? [
          {
            what: "the format",
            value: formatName,
            allowed: BUNDLE_FORMATS.map(({ name }) => name).join(", "),
            remedy: "name one of them; json has everything",
          },
        ]
      : [...formatFaults(format, bundle, options), ...folderFaults(options.installedIn)];
  if (format === undefined || faults.length > 0) throw new Error(faults.map(describeFault).join("\n"));
  return format.render(bundle, options);
}

/** A folder stands in files of many kinds, in some of which a line end would end it. */
function folderFaults(folder: string | undefined): Fault[] {
  if (folder === undefined || (folder !== "" && folder.trim() === folder && !/\p{Cc}/u.test(folder))) return [];
  return [
    {
      what: "the folder that the files are installed in",
      value: folder,
      allowed: "a path without control characters, and without blanks at its ends",
      remedy: "install them in another folder, or leave it out for the format's own",
    },
  ];
}
