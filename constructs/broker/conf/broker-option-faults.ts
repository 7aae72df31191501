import { Fault } from "../../faults";
import { isInteger } from "../../integers";
import { booleanFault, choiceFaults, integerFault, optionsFault, tokenFault } from "../../value-faults";
import { Listener } from "../listener";
import { MosquittoLine } from "../mosquitto-image";
import { minimumHeap } from "../sizing";
import { BrokerOptions } from "./broker-options";
import { extraConfigFaults, extraConfigWarnings } from "./extra-config";

const MAXIMUM_PACKET_SIZE = 268_435_460;
const MAXIMUM_BYTES = Number.MAX_SAFE_INTEGER;
const LOG_TYPES: readonly string[] = [
  "error",
  "warning",
  "notice",
  "information",
  "debug",
  "subscribe",
  "unsubscribe",
  "websockets",
];

/** What is wrong with the broker's options. */
export function brokerOptionFaults(
  options: BrokerOptions & { readonly liveChanges?: boolean },
  listeners: readonly Listener[],
  line: MosquittoLine | undefined,
): Fault[] {
  const groups = (["limits", "persistence", "logging"] as const).map((name) => optionsFault(name, options[name]));
  if (groups.some(Boolean)) return groups.filter((fault) => fault !== undefined);
  const { limits = {}, persistence = {}, logging = {}, sysInterval, extraConfig } = options;
  const { maxPacketSize = 2_000_000 } = limits;
  const integer = (what: string, value: unknown, minimum: number, maximum: number): Fault | undefined =>
    integerFault(what, value, minimum, maximum, "leave it out for the default");
  const faults = [
    integer("limits.maxPacketSize", limits.maxPacketSize, 20, MAXIMUM_PACKET_SIZE),
    integer(
      "limits.messageSizeLimit",
      limits.messageSizeLimit,
      1,
      isInteger(maxPacketSize, 20, MAXIMUM_PACKET_SIZE) ? maxPacketSize : MAXIMUM_PACKET_SIZE,
    ),
    integer("limits.maxInflightMessages", limits.maxInflightMessages, 1, 65_534),
    integer("limits.maxInflightBytes", limits.maxInflightBytes, 1, MAXIMUM_BYTES),
    integer("limits.maxQueuedMessages", limits.maxQueuedMessages, 1, 1_000_000),
    integer("limits.maxQueuedBytes", limits.maxQueuedBytes, 1, MAXIMUM_BYTES),
    booleanFault("limits.queueQos0Messages", limits.queueQos0Messages),
    integer("limits.persistentClientExpirationDays", limits.persistentClientExpirationDays, 1, 3650),
    line === "2.0" && options.liveChanges !== false && limits.persistentClientExpirationDays !== undefined
      ? {
          what: "limits.persistentClientExpirationDays",
          value: limits.persistentClientExpirationDays,
          allowed:
            "it from Mosquitto 2.1 on: with it, 2.0 can crash at any change that it reads while a client is away",
          remedy: "use an image of Mosquitto 2.1, say liveChanges: false, or leave it out",
        }
      : undefined,
    integer("limits.maxKeepalive", limits.maxKeepalive, 10, 65_535),
    integer("limits.memoryLimit", limits.memoryLimit, leastMemory(listeners), MAXIMUM_BYTES),
    booleanFault("limits.retainAvailable", limits.retainAvailable),
    booleanFault("persistence.enabled", persistence.enabled),
    integer("persistence.autosaveInterval", persistence.autosaveInterval, 1, 86_400),
    persistence.enabled === false && persistence.autosaveInterval !== undefined
      ? {
          what: "persistence.autosaveInterval",
          value: persistence.autosaveInterval,
          allowed: "none where persistence.enabled is false, because nothing is saved",
          remedy: "leave one of them out",
        }
      : undefined,
    booleanFault("logging.connectionMessages", logging.connectionMessages),
    ...logTypeFaults(logging.types),
    tokenFault("logging.timestampFormat", logging.timestampFormat) ?? timestampFault(logging.timestampFormat),
    integer("sysInterval", sysInterval, 0, 65_535),
    ...(extraConfig === undefined ? [] : extraConfigFaults("extraConfig", extraConfig, "broker", line)),
  ];
  return faults.filter((fault) => fault !== undefined);
}

/** Where a listener is wrong already, nothing follows from it. */
function leastMemory(listeners: readonly Listener[]): number {
  const areRight = listeners.every(({ maxConnections }) => isInteger(maxConnections, 1, Number.MAX_SAFE_INTEGER));
  return areRight ? minimumHeap(listeners) : 1;
}

/** What is allowed and should be known. */
export function brokerOptionWarnings({ extraConfig = [] }: BrokerOptions): string[] {
  return extraConfigWarnings("extraConfig", extraConfig, "broker");
}

function logTypeFaults(types: unknown): Fault[] {
  const what = "logging.types";
  const faults = choiceFaults(what, types, LOG_TYPES, "leave it out for errors, warnings, notices and information");
  if (faults.length > 0 || !Array.isArray(types)) return faults;
  if (types.includes("error") && types.includes("warning")) return [];
  return [
    {
      what,
      value: types,
      allowed: 'a list with "error" and "warning" in it: without them nobody would learn why a deploy failed',
      remedy: "add them",
    },
  ];
}

function timestampFault(format: unknown): Fault | undefined {
  if (format === undefined) return undefined;
  if (typeof format === "string" && /^[\x21-\x7e](?:[\x20-\x7e]{0,98}[\x21-\x7e])?$/.test(format)) return undefined;
  return {
    what: "logging.timestampFormat",
    value: format,
    allowed: "1 to 100 printable ASCII characters without blanks at either end, as strftime(3) reads them",
    remedy: "take %Y-%m-%dT%H:%M:%S, or leave it out",
  };
}
