import { Fault } from "../../faults";
import { extraConfigFaults, extraConfigWarnings } from "./extra-config";
import { Listener } from "../listener";
import { MosquittoLine } from "../mosquitto-image";
import { minimumHeap } from "../sizing";
import { isInteger } from "../../integers";
import { booleanFault, choiceFaults, integerFault, optionsFault, tokenFault } from "../../value-faults";

/** How much one client, and all together, may ask of the broker. Any of them changed, the container is replaced. */
export interface BrokerLimits {
  /**
   * Bytes of a whole packet, 20 to 268435460 (`max_packet_size`). Whoever sends a larger one is disconnected.
   *
   * @default 2000000
   */
  readonly maxPacketSize?: number;

  /**
   * Bytes of a message's payload, 1 to `maxPacketSize` (`message_size_limit`). A larger message is dropped, its sender
   * stays connected. At its start Mosquitto remarks in the log that `max_packet_size` is preferred.
   *
   * @default - no limit but maxPacketSize
   */
  readonly messageSizeLimit?: number;

  /**
   * Messages of QoS 1 and 2 on their way to one client at once, 1 to 65534 (`max_inflight_messages`). With 1 they keep
   * their order even when they are sent again.
   *
   * @default 20
   */
  readonly maxInflightMessages?: number;

  /**
   * Bytes of these messages, from 1 (`max_inflight_bytes`).
   *
   * @default - no limit
   */
  readonly maxInflightBytes?: number;

  /**
   * Messages of QoS 1 and 2 that wait for one client, connected or not, 1 to 1000000 (`max_queued_messages`). What is
   * more is dropped.
   *
   * @default 1000
   */
  readonly maxQueuedMessages?: number;

  /**
   * Bytes of these messages, from 1 (`max_queued_bytes`).
   *
   * @default - no limit but memoryLimit
   */
  readonly maxQueuedBytes?: number;

  /**
   * Whether messages of QoS 0 wait for a client that is away, too (`queue_qos0_messages`).
   *
   * @default false
   */
  readonly queueQos0Messages?: boolean;

  /**
   * Days after which the session of a client that stays away is dropped, with what waits for it, 1 to 3650
   * (`persistent_client_expiration`). Clients of MQTT 5 say it themselves.
   *
   * @default - never
   */
  readonly persistentClientExpirationDays?: number;

  /**
   * The longest keep-alive in seconds that a client may ask for, 10 to 65535 (`max_keepalive`). One that went silent is
   * noticed after one and a half times that.
   *
   * @default 3600
   */
  readonly maxKeepalive?: number;

  /**
   * Bytes of memory for sessions and messages (`memory_limit`): what is more is refused, before Docker would kill the
   * container. At least 4 MiB, and 16 KiB for each connection of the listeners. The container's memory follows from it.
   *
   * @default - 64 MiB, and 16 KiB for each connection of the listeners
   */
  readonly memoryLimit?: number;

  /**
   * Whether messages may be retained (`retain_available`).
   *
   * @default true
   */
  readonly retainAvailable?: boolean;
}

/** Whether and how often sessions, queued and retained messages are saved. Changed, the container is replaced. */
export interface PersistenceOptions {
  /**
   * Whether they are saved at all (`persistence`). Without, a restart loses them.
   *
   * @default true
   */
  readonly enabled?: boolean;

  /**
   * Seconds between two saves, 1 to 86400 (`autosave_interval`). They are saved at every stop as well; a crash loses what
   * came after the last save.
   *
   * @default 60
   */
  readonly autosaveInterval?: number;
}

/** A kind of line in the broker's log (`log_type`). `debug` shows what the access rules deny. */
export type LogType =
  "error" | "warning" | "notice" | "information" | "debug" | "subscribe" | "unsubscribe" | "websockets";

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

/** What the broker writes to its container's log. Changed, the container is replaced. */
export interface LoggingOptions {
  /**
   * The kinds of lines (`log_type`); errors and warnings must be among them.
   *
   * @default ["error", "warning", "notice", "information"]
   */
  readonly types?: readonly LogType[];

  /**
   * Whether each connection and disconnection is a line (`connection_messages`), also those of the health check.
   *
   * @default true
   */
  readonly connectionMessages?: boolean;

  /**
   * strftime(3) format of the time before each line (`log_timestamp_format`), such as `%Y-%m-%dT%H:%M:%S`.
   *
   * @default - seconds since 1970
   */
  readonly timestampFormat?: string;
}

/** What applies to the broker as a whole. Every default is written out, because Mosquitto's differ between versions. */
export interface BrokerOptions {
  /**
   * Limits on packets, messages and memory.
   *
   * @default - see each
   */
  readonly limits?: BrokerLimits;

  /**
   * Saving of sessions and messages.
   *
   * @default - every 60 seconds and at every stop
   */
  readonly persistence?: PersistenceOptions;

  /**
   * The broker's log, kept by Docker in three files of 10 MB.
   *
   * @default - errors, warnings, notices, information and connections
   */
  readonly logging?: LoggingOptions;

  /**
   * Seconds between two messages of each `$SYS` topic, 0 to 65535 (`sys_interval`); 0 switches them off. Changed, the
   * container is replaced.
   *
   * @default 10
   */
  readonly sysInterval?: number;

  /**
   * Lines of mosquitto.conf(5) for the whole broker that no property renders, each `NAME VALUE`. Lines that would weaken
   * TLS, authentication or access are refused, unknown ones pass with a warning. Changed, the container is replaced.
   *
   * @default - none
   */
  readonly extraConfig?: readonly string[];
}

const MAXIMUM_PACKET_SIZE = 268_435_460;
const MAXIMUM_BYTES = Number.MAX_SAFE_INTEGER;

/** The lines for the whole broker that follow from its options. */
export function renderBrokerOptions(options: BrokerOptions, heap: number): readonly string[] {
  const { limits = {}, persistence = {}, logging = {}, sysInterval = 10, extraConfig = [] } = options;
  const { types = ["error", "warning", "notice", "information"], connectionMessages = true } = logging;
  const optional = (name: string, value: number | boolean | string | undefined, unit = ""): string[] =>
    value === undefined ? [] : [`${name} ${value}${unit}`];
  return [
    `persistence ${persistence.enabled ?? true}`,
    `autosave_interval ${persistence.autosaveInterval ?? 60}`,
    "",
    `max_packet_size ${limits.maxPacketSize ?? 2_000_000}`,
    ...optional("message_size_limit", limits.messageSizeLimit),
    `max_inflight_messages ${limits.maxInflightMessages ?? 20}`,
    ...optional("max_inflight_bytes", limits.maxInflightBytes),
    `max_queued_messages ${limits.maxQueuedMessages ?? 1000}`,
    ...optional("max_queued_bytes", limits.maxQueuedBytes),
    ...optional("queue_qos0_messages", limits.queueQos0Messages),
    ...optional("persistent_client_expiration", limits.persistentClientExpirationDays, "d"),
    `max_keepalive ${limits.maxKeepalive ?? 3600}`,
    `memory_limit ${heap}`,
    ...optional("retain_available", limits.retainAvailable),
    `sys_interval ${sysInterval}`,
    "",
    "log_dest stdout",
    ...types.map((type) => `log_type ${type}`),
    `connection_messages ${connectionMessages}`,
    ...optional("log_timestamp_format", logging.timestampFormat),
    ...extraConfig,
  ];
}

/** What is wrong with the broker's options. */
export function brokerOptionFaults(
  options: BrokerOptions,
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
