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

const KILOBYTE = 1024;
const MEGABYTE = 1024 * KILOBYTE;
/** Megabytes for the program itself and the moments in which it saves, which its own limit does not count. */
const PROGRAM_MEMORY = 32;
/** Megabytes for messages. */
const MESSAGE_MEMORY = 64;
/** Megabytes that the broker takes before any message has come. */
const LEAST_MESSAGE_MEMORY = 4;
/** Kilobytes of TLS for each connection, which the limit does not count either; 28 to 32 were measured. */
const TLS_MEMORY = 32;
/** Kilobytes of the broker for each connection. */
const SESSION_MEMORY = 16;
/** File descriptors beside the clients' sockets. */
const BASE_FILES = 256;

/**
 * Below the container's limit there is the broker's own: one makes it refuse a message, the other kills it.
 *
 * @param memoryLimit bytes of the broker's own limit, where it is declared
 */
export function brokerSize(listeners: readonly Listener[], memoryLimit?: number): BrokerSize {
  const connections = declaredConnections(listeners);
  const heap = memoryLimit ?? MESSAGE_MEMORY * MEGABYTE + sessions(connections);
  return {
    memory: PROGRAM_MEMORY + Math.ceil(heap / MEGABYTE) + Math.ceil((connections * TLS_MEMORY * KILOBYTE) / MEGABYTE),
    heap,
    files: BASE_FILES + connections,
  };
}

/** Bytes, of the broker's own limit, with which the declared connections can still be reached. */
export function minimumHeap(listeners: readonly Listener[]): number {
  return LEAST_MESSAGE_MEMORY * MEGABYTE + sessions(declaredConnections(listeners));
}

function declaredConnections(listeners: readonly Listener[]): number {
  return listeners.reduce((sum, listener) => sum + listener.maxConnections, 0);
}

/** In whole megabytes. */
function sessions(connections: number): number {
  return Math.ceil((connections * SESSION_MEMORY * KILOBYTE) / MEGABYTE) * MEGABYTE;
}
