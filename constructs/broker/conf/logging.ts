import type { LoggingOptions, LogType } from "./broker-options";
import { parseMosquittoConf } from "./conf-reader";

/** File of a set that mosquitto.conf includes: what a running broker takes over at a reload. */
export const LOGGING_FILE = "logging.conf";

const DEFAULT_TYPES: readonly LogType[] = ["error", "warning", "notice", "information"];

/** Renders what the broker logs, apart from mosquitto.conf(5), with whose change the container is replaced. */
export function renderLoggingConf({ types = DEFAULT_TYPES, connectionMessages = true }: LoggingOptions): string {
  return [...types.map((type) => `log_type ${type}`), `connection_messages ${connectionMessages}`, ""].join("\n");
}

/** What a reader of its own finds in it that was not declared. */
export function loggingFaults(text: string, logging: LoggingOptions): string[] {
  const { options, listeners } = parseMosquittoConf(text);
  const { types = DEFAULT_TYPES, connectionMessages = true } = logging;
  const others = [...options.keys()].filter((name) => name !== "log_type" && name !== "connection_messages");
  const found = [...(options.get("log_type") ?? [])].sort().join(" ");
  return [
    ...(listeners.length > 0 || others.length > 0 ? ["it says more than what is logged"] : []),
    ...(found === [...types].sort().join(" ") ? [] : ["its kinds of lines are not the declared ones"]),
    ...(options.get("connection_messages")?.join() === String(connectionMessages)
      ? []
      : [`it does not say connection_messages ${connectionMessages}`]),
  ];
}
