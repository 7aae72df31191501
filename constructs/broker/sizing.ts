import { Listener } from "./listener";

/** What a broker needs for the connections that its listeners declare. */
export interface BrokerSize {
  /** Megabytes of the container. */
  readonly memory: number;
  /** `memory_limit` of mosquitto.conf(5), in bytes: queued and retained messages beyond it are refused. */
  readonly heap: number;
  /** File descriptors. */
  readonly files: number;
}

const MEGABYTE = 1024 * 1024;
/** Megabytes for the program itself and the moments in which it saves, which its own limit does not count. */
const PROGRAM_MEMORY = 32;
/** Megabytes for messages. */
const MESSAGE_MEMORY = 64;
/** Kilobytes of TLS for each connection, which the limit does not count either; 28 to 32 were measured. */
const TLS_MEMORY = 32;
/** Kilobytes of the broker for each connection. */
const SESSION_MEMORY = 16;
/** File descriptors beside the clients' sockets. */
const BASE_FILES = 256;

/** Below the container's limit there is the broker's own: one makes it refuse a message, the other kills it. */
export function brokerSize(listeners: readonly Listener[]): BrokerSize {
  const connections = listeners.reduce((sum, listener) => sum + listener.maxConnections, 0);
  const heap = MESSAGE_MEMORY + Math.ceil((connections * SESSION_MEMORY) / 1024);
  return {
    memory: PROGRAM_MEMORY + heap + Math.ceil((connections * TLS_MEMORY) / 1024),
    heap: heap * MEGABYTE,
    files: BASE_FILES + connections,
  };
}
