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
   * (`persistent_client_expiration`). Clients of MQTT 5 say it themselves. With Mosquitto 2.0 only where `liveChanges`
   * is false: it could crash at a deploy.
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

/** What the broker writes to its container's log. */
export interface LoggingOptions {
  /**
   * The kinds of lines (`log_type`); errors and warnings must be among them. A running broker takes another choice over.
   *
   * @default ["error", "warning", "notice", "information"]
   */
  readonly types?: readonly LogType[];

  /**
   * Whether each connection and disconnection is a line (`connection_messages`), also those of the health check. A running
   * broker takes another choice over.
   *
   * @default true
   */
  readonly connectionMessages?: boolean;

  /**
   * strftime(3) format of the time before each line (`log_timestamp_format`), such as `%Y-%m-%dT%H:%M:%S`. Changed, the
   * container is replaced.
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
