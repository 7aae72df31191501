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
/**
 * Kilobytes for each connection that the limit does not count either. Of 2,000, each took 33 with TLS 1.3 and 26 with
 * TLS 1.2, whatever the key and also over WebSockets; 2 of the kernel; and 10 more when all came at the same moment.
 */
const TLS_MEMORY = 48;
/**
 * OpenSSL keeps so many sessions of TLS 1.2 for clients that know no tickets, for each listener
 * (SSL_CTX_sess_set_cache_size(3)): those of devices that connect again and again. Mosquitto has no option for it.
 */
const CACHED_SESSIONS = 20 * 1024;
/** Kilobytes of such a session, with the client's certificate; 5.9 for P-256 and 6.3 for RSA-2048 were measured. */
const CACHED_SESSION_MEMORY = 8;
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
  const caches = listeners.filter(({ usesTls, options }) => usesTls && options.tlsVersion !== "tlsv1.3").length;
  const tls = (connections * TLS_MEMORY + caches * CACHED_SESSIONS * CACHED_SESSION_MEMORY) * KILOBYTE;
  return {
    memory: PROGRAM_MEMORY + Math.ceil((heap + tls) / MEGABYTE),
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
