import type { MosquittoLine } from "../mosquitto-image";

/** Where an option stands: before the first `listener`, after one, or after a `connection`. */
export type OptionScope = "broker" | "listener" | "bridge";

/** What a free option may be set to. */
export interface OptionValue {
  readonly allowed: string;
  readonly sample: string;
  accepts(value: string): boolean;
}

/** The library writes it: either a property sets it, or it never changes, for a reason. */
export type RenderedRuling =
  { readonly ruling: "rendered"; readonly property: string } | { readonly ruling: "rendered"; readonly fixed: string };

export interface RefusedRuling {
  readonly ruling: "refused";
  /** Goes on after "because". */
  readonly reason: string;
  readonly remedy: string;
}

export interface FreeRuling {
  readonly ruling: "free";
  readonly value: OptionValue;
}

/** One option of mosquitto.conf(5), and what this library does with it. */
export type CataloguedOption = {
  /** A `*` at its end stands for any text. */
  readonly name: string;
  readonly scope: OptionScope;
  /** The lines that know it. A broker does not start with an option that it does not know. */
  readonly lines: readonly MosquittoLine[];
} & (RenderedRuling | RefusedRuling | FreeRuling);

const BOTH: readonly MosquittoLine[] = ["2.0", "2.1"];
const SINCE_2_1: readonly MosquittoLine[] = ["2.1"];

const TRUE_OR_FALSE: OptionValue = {
  allowed: "true or false",
  sample: "true",
  accepts: (value) => value === "true" || value === "false",
};

function wholeNumber(minimum: number, maximum: number, unit: string, sample: number): OptionValue {
  return {
    allowed: `a whole number of ${unit} from ${minimum} to ${maximum}, in decimal digits`,
    sample: String(sample),
    // Stricter than Mosquitto: 2.0 reads "7d" as 7 and "x" as 0, and 2.1 reads "010" as 8.
    accepts: (value) => /^(0|[1-9]\d{0,14})$/.test(value) && Number(value) >= minimum && Number(value) <= maximum,
  };
}

const PROTOCOL_VERSIONS: OptionValue = {
  allowed: "3, 4 and 5 (MQTT 3.1, 3.1.1 and 5.0), separated by commas, each once",
  sample: "4,5",
  // Mosquitto skips what it does not know, and with nothing left lets nobody in.
  accepts: (value) => /^[345](,[345]){0,2}$/.test(value) && new Set(value.split(",")).size === value.split(",").length,
};

const ORIGIN: OptionValue = {
  allowed: "one origin as a browser sends it: scheme, host and port, without a path",
  sample: "https://example.com",
  accepts: (value) => /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@]+$/.test(value),
};

type Table = readonly CataloguedOption[];

function setBy(scope: OptionScope, properties: Readonly<Record<string, string>>): Table {
  return Object.entries(properties).map(([name, property]) => ({
    name,
    scope,
    lines: BOTH,
    ruling: "rendered",
    property,
  }));
}

function fixed(scope: OptionScope, reason: string, ...names: readonly string[]): Table {
  return names.map((name) => ({ name, scope, lines: BOTH, ruling: "rendered", fixed: reason }));
}

function free(scope: OptionScope, lines: readonly MosquittoLine[], name: string, value: OptionValue): Table {
  return [{ name, scope, lines, ruling: "free", value }];
}

function refused(
  scope: OptionScope,
  lines: readonly MosquittoLine[],
  names: readonly string[],
  reason: string,
  remedy: string,
): Table {
  return names.map((name) => ({ name, scope, lines, ruling: "refused", reason, remedy }));
}

const LEAVE_OUT = "leave it out";

const BROKER: Table = [
  ...setBy("broker", {
    persistence: "persistence.enabled",
    autosave_interval: "persistence.autosaveInterval",
    max_packet_size: "limits.maxPacketSize",
    max_inflight_messages: "limits.maxInflightMessages",
    max_inflight_bytes: "limits.maxInflightBytes",
    max_queued_messages: "limits.maxQueuedMessages",
    max_queued_bytes: "limits.maxQueuedBytes",
    queue_qos0_messages: "limits.queueQos0Messages",
    persistent_client_expiration: "limits.persistentClientExpirationDays",
    max_keepalive: "limits.maxKeepalive",
    message_size_limit: "limits.messageSizeLimit",
    memory_limit: "limits.memoryLimit",
    retain_available: "limits.retainAvailable",
    sys_interval: "sysInterval",
    log_type: "logging.types",
    log_timestamp: "logging.timestampFormat",
    log_timestamp_format: "logging.timestampFormat",
    connection_messages: "logging.connectionMessages",
  }),
  ...fixed("broker", "nobody gets in without proof of who it is", "allow_anonymous"),
  ...fixed("broker", "the file is made of the declared clients", "password_file", "acl_file"),
  ...fixed("broker", "the data volume is mounted there", "persistence_location"),
  ...fixed("broker", "otherwise TLS handshakes and small messages would wait", "set_tcp_nodelay"),
  ...fixed("broker", "the log goes where Docker reads it", "log_dest"),
  ...fixed("broker", "what a running broker takes over is in the live set", "include_dir"),

  ...free("broker", BOTH, "autosave_on_changes", TRUE_OR_FALSE),
  // Beyond that, 2.1 warns that it takes the maximum.
  ...free("broker", BOTH, "retain_expiry_interval", wholeNumber(1, 10_000_000, "minutes", 10_080)),
  ...free("broker", BOTH, "upgrade_outgoing_qos", TRUE_OR_FALSE),
  // 2.1 never answers with a buffer of 0 bytes. It has one for each connection, which the container's memory must hold.
  ...free("broker", SINCE_2_1, "packet_buffer_size", wholeNumber(1024, 16_384, "bytes", 4096)),
  ...free("broker", BOTH, "websockets_headers_size", wholeNumber(1024, 16_384, "bytes", 4096)),

  ...refused(
    "broker",
    BOTH,
    ["plugin", "plugin_opt_*", "auth_plugin", "auth_plugin_deny_special_chars", "auth_opt_*"],
    "a plugin is code inside the broker that can let anybody in, past the declared clients and their rules",
    "declare the clients with addClient",
  ),
  ...refused(
    "broker",
    SINCE_2_1,
    ["global_plugin", "plugin_load"],
    "a plugin is code inside the broker that can let anybody in, past the declared clients and their rules",
    "declare the clients with addClient",
  ),
  ...refused(
    "broker",
    BOTH,
    ["per_listener_settings"],
    "it takes password file and access rules away from the listeners, and is deprecated",
    "declare with addClient who may come in on which listener",
  ),
  ...refused(
    "broker",
    BOTH,
    ["port", "bind_address"],
    "it opens one more listener, without TLS, and is deprecated",
    "declare a Listener",
  ),
  ...refused(
    "broker",
    BOTH,
    ["psk_file"],
    "its keys are identities that are not declared, and it takes TLS 1.3 from every listener",
    "use certificates or passwords",
  ),
  ...refused(
    "broker",
    BOTH,
    ["clientid_prefixes"],
    "it shuts out the broker's own health check, and is deprecated",
    "limit clients by the topics that they may use",
  ),
  ...refused(
    "broker",
    BOTH,
    ["allow_zero_length_clientid"],
    "true is what Mosquitto does anyway, and false shuts out the broker's own health check",
    "leave it out: each client's id is its user name",
  ),
  ...refused(
    "broker",
    BOTH,
    ["auto_id_prefix"],
    "it has no effect, because each client's id is its user name, and is deprecated",
    LEAVE_OUT,
  ),
  ...refused(
    "broker",
    SINCE_2_1,
    ["global_max_clients", "global_max_connections"],
    "it counts the broker's own health check too, so that a full broker would look broken and could not reload",
    "set maxConnections of each Listener",
  ),
  ...refused(
    "broker",
    SINCE_2_1,
    ["enable_control_api"],
    "it lets clients command the broker over $CONTROL topics",
    "change the declaration and deploy it",
  ),
  ...free("broker", BOTH, "check_retain_source", {
    allowed:
      "true, with which retained messages of clients that have lost the right are not delivered; false is what is done without it",
    sample: "true",
    accepts: (value) => value === "true",
  }),
  ...refused(
    "broker",
    BOTH,
    ["allow_duplicate_messages"],
    "it is deprecated, and Mosquitto warns about it",
    "leave it out, and declare topic filters of one client that do not overlap",
  ),
  ...refused("broker", BOTH, ["retry_interval"], "it is given up, and Mosquitto warns about it", LEAVE_OUT),
  ...refused(
    "broker",
    BOTH,
    ["retained_persistence"],
    "it is an old name of persistence",
    "set persistence.enabled instead",
  ),
  ...refused(
    "broker",
    BOTH,
    ["persistence_file"],
    "under another name the broker would not find the messages that it has saved",
    "leave it out: the file is alone on its volume",
  ),
  ...refused(
    "broker",
    BOTH,
    ["user"],
    "the container runs as a user that owns the files, and can change to no other",
    LEAVE_OUT,
  ),
  ...refused("broker", BOTH, ["pid_file"], "a broker that cannot write it does not start", LEAVE_OUT),
  ...refused(
    "broker",
    BOTH,
    ["log_facility"],
    "it has no effect, because the log does not go to syslog",
    "choose a log driver of Docker",
  ),
  ...refused(
    "broker",
    BOTH,
    ["websockets_log_level"],
    "it shows the insides of a library of 2.0, headers of requests among them, and has no effect in 2.1",
    "set logging.types instead",
  ),
];

const LISTENER: Table = [
  ...setBy("listener", {
    listener: "port",
    protocol: "webSockets",
    max_connections: "maxConnections",
    max_qos: "maxQos",
    max_topic_alias: "maxTopicAlias",
    tls_version: "tlsVersion",
    ciphers: "ciphers",
    "ciphers_tls1.3": "ciphersTls13",
  }),
  ...fixed("listener", "otherwise a client could take over the session of another one", "use_username_as_clientid"),
  ...fixed("listener", "the file comes from the credential store", "certfile", "keyfile", "cafile", "crlfile"),
  ...fixed(
    "listener",
    "it follows from the kind of listener, such as Listener.mutualTls()",
    "require_certificate",
    "use_identity_as_username",
  ),

  ...free("listener", SINCE_2_1, "accept_protocol_versions", PROTOCOL_VERSIONS),
  ...free("listener", SINCE_2_1, "max_topic_alias_broker", wholeNumber(0, 65_535, "aliases", 10)),
  ...free("listener", SINCE_2_1, "websockets_origin", ORIGIN),

  ...refused(
    "listener",
    SINCE_2_1,
    ["listener_allow_anonymous"],
    "it lets clients in that prove nothing",
    "declare each client with addClient",
  ),
  ...refused(
    "listener",
    SINCE_2_1,
    ["plugin_use"],
    "a plugin is code inside the broker that can let anybody in, past the declared clients and their rules",
    "declare the clients with addClient",
  ),
  ...refused(
    "listener",
    SINCE_2_1,
    ["listener_auto_id_prefix"],
    "it has no effect, because each client's id is its user name",
    LEAVE_OUT,
  ),
  ...refused("listener", BOTH, ["maximum_qos"], "it is an old name of max_qos", "set maxQos of the Listener instead"),
  ...refused(
    "listener",
    BOTH,
    ["use_subject_as_username"],
    "the user name would be another than the declared one",
    "use the common name, as Listener.mutualTls() does",
  ),
  ...refused(
    "listener",
    BOTH,
    ["mount_point"],
    "topics would get a prefix that the declared access rules do not have",
    "write the prefix into the topics of each client",
  ),
  ...refused(
    "listener",
    BOTH,
    ["bind_interface", "socket_domain"],
    "the port would be open elsewhere than declared, or not at all inside the container",
    "set bindAddresses of the Listener",
  ),
  ...refused(
    "listener",
    BOTH,
    ["capath"],
    "every authority in the folder could let clients in",
    "name the authority in the credentials",
  ),
  ...refused(
    "listener",
    BOTH,
    ["dhparamfile"],
    "it needs a file that the container does not have, and 2.1 warns about it",
    "leave it out, and use cipher suites with ECDHE",
  ),
  ...refused(
    "listener",
    BOTH,
    ["psk_hint"],
    "it turns the listener from certificates to keys that are not declared",
    "use certificates or passwords",
  ),
  ...refused(
    "listener",
    BOTH,
    ["tls_engine", "tls_engine_kpass_sha1", "tls_keyform"],
    "the server's key comes from the credential store, not from an engine, which OpenSSL has given up",
    LEAVE_OUT,
  ),
  ...refused(
    "listener",
    SINCE_2_1,
    ["disable_client_cert_date_checks"],
    "clients could come in with certificates that have ended",
    "renew the certificates",
  ),
  ...refused(
    "listener",
    SINCE_2_1,
    ["enable_proxy_protocol", "proxy_protocol_v2_require_tls"],
    "whoever reaches the port could claim to be any client",
    "let the proxy pass TLS through to the broker",
  ),
  ...refused(
    "listener",
    BOTH,
    ["http_dir"],
    "the broker would hand out files to anybody, without a password",
    "serve them with a web server",
  ),
];

const BRIDGE_REASON = "a bridge opens a connection of its own, and what it carries passes by the declared access rules";
const BRIDGE_REMEDY = "declare the other broker as a client here, and configure the bridge there";

const BRIDGE: Table = [
  ...refused(
    "bridge",
    BOTH,
    [
      "address",
      "addresses",
      "bridge_alpn",
      "bridge_attempt_unsubscribe",
      "bridge_bind_address",
      "bridge_cafile",
      "bridge_capath",
      "bridge_certfile",
      "bridge_identity",
      "bridge_insecure",
      "bridge_keyfile",
      "bridge_max_packet_size",
      "bridge_outgoing_retain",
      "bridge_protocol_version",
      "bridge_psk",
      "bridge_require_ocsp",
      "bridge_tls_version",
      "cleansession",
      "clientid",
      "connection",
      "idle_timeout",
      "keepalive_interval",
      "local_cleansession",
      "local_clientid",
      "local_password",
      "local_username",
      "notification_topic",
      "notifications",
      "notifications_local_only",
      "password",
      "remote_clientid",
      "remote_password",
      "remote_username",
      "restart_timeout",
      "round_robin",
      "start_type",
      "threshold",
      "topic",
      "try_private",
      "username",
    ],
    BRIDGE_REASON,
    BRIDGE_REMEDY,
  ),
  ...refused(
    "bridge",
    SINCE_2_1,
    [
      "bridge_ciphers",
      "bridge_ciphers_tls1.3",
      "bridge_max_topic_alias",
      "bridge_receive_maximum",
      "bridge_reload_type",
      "bridge_session_expiry_interval",
      "bridge_tcp_keepalive",
      "bridge_tcp_user_timeout",
      "bridge_tls_use_os_certs",
    ],
    BRIDGE_REASON,
    BRIDGE_REMEDY,
  ),
];

/** Every option that Mosquitto 2.0.21 or 2.1.2 knows, on Linux. See mosquitto.conf(5). */
export const optionCatalogue: readonly CataloguedOption[] = [...BROKER, ...LISTENER, ...BRIDGE];

const byName = new Map(optionCatalogue.map((option) => [option.name, option]));
const prefixes = optionCatalogue.filter(({ name }) => name.endsWith("*"));

/** @returns what is known of an option, or `undefined` where no supported Mosquitto knows it */
export function cataloguedOption(name: string): CataloguedOption | undefined {
  if (name.endsWith("*")) return undefined;
  return byName.get(name) ?? prefixes.find((option) => name.startsWith(option.name.slice(0, -1)));
}
