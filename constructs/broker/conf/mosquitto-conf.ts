import { BrokerOptions } from "./broker-options";
import { CONFIG_FOLDER, CONTROL_PORT, DATA_FOLDER, LIVE_FOLDER } from "../container-paths";
import { Listener } from "../listener";
import { brokerSize } from "../sizing";
import { renderTls } from "./tls";

/** What mosquitto.conf is rendered from. */
export interface DeclaredConf {
  readonly listeners: readonly Listener[];
  readonly options: BrokerOptions;
  /** Whether every authority of clients has a revocation list; a single one without would lock its clients out. */
  readonly checksRevocations: boolean;
}

/** Renders mosquitto.conf(5). It holds no secret, and the same text serves Mosquitto 2.0 and 2.1 without a warning. */
export function renderMosquittoConf({ listeners, options, checksRevocations }: DeclaredConf): string {
  const { heap } = brokerSize(listeners, options.limits?.memoryLimit);
  // Options of a listener follow its `listener` line: before the first one they would make another, on 1883.
  const sections = [
    GLOBAL,
    renderBrokerOptions(options, heap),
    ...listeners.map((listener) => renderListener(listener, checksRevocations)),
    CONTROL_LISTENER,
  ];
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

const GLOBAL: readonly string[] = [
  "# Rendered by cdktf-mosquitto: change the declaration, not this file.",
  "allow_anonymous false",
  `password_file ${LIVE_FOLDER}/passwd`,
  `acl_file ${LIVE_FOLDER}/acl`,
  `persistence_location ${DATA_FOLDER}/`,
  // The one file in it that ends in .conf.
  `include_dir ${LIVE_FOLDER}`,
  // Without it a handshake over TLS 1.3 takes 40 ms longer.
  "set_tcp_nodelay true",
];

function renderBrokerOptions(options: BrokerOptions, heap: number): readonly string[] {
  const { limits = {}, persistence = {}, logging = {}, sysInterval = 10, extraConfig = [] } = options;
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
    ...optional("log_timestamp_format", logging.timestampFormat),
    ...extraConfig,
  ];
}

const SERVER_CERTIFICATE: readonly string[] = [
  `certfile ${LIVE_FOLDER}/server.crt`,
  `keyfile ${LIVE_FOLDER}/server.key`,
];

function renderListener(listener: Listener, checksRevocations: boolean): readonly string[] {
  const { port, webSockets, maxConnections, usesTls, asksForCertificate, kind, options } = listener;
  const { maxQos, maxTopicAlias, extraConfig = [] } = options;
  return [
    `listener ${port}`,
    `protocol ${webSockets ? "websockets" : "mqtt"}`,
    `max_connections ${maxConnections}`,
    ...(maxQos === undefined ? [] : [`max_qos ${maxQos}`]),
    ...(maxTopicAlias === undefined ? [] : [`max_topic_alias ${maxTopicAlias}`]),
    // On every listener: otherwise one client can take over another one's session by its client id.
    "use_username_as_clientid true",
    ...(usesTls ? [...SERVER_CERTIFICATE, ...renderTls(options)] : []),
    ...(asksForCertificate ? requireCertificate(`${LIVE_FOLDER}/client-ca.crt`, checksRevocations) : []),
    // With it a password is discarded.
    ...(kind === "mutualTls" ? ["use_identity_as_username true"] : []),
    ...extraConfig,
  ];
}

function requireCertificate(cafile: string, checksRevocations: boolean): readonly string[] {
  return [
    `cafile ${cafile}`,
    // From the first day: only with a crlfile does a reload also read the cafile again.
    ...(checksRevocations ? [`crlfile ${LIVE_FOLDER}/crl.pem`] : []),
    "require_certificate true",
  ];
}

const CONTROL_LISTENER: readonly string[] = [
  `listener ${CONTROL_PORT} 127.0.0.1`,
  "protocol mqtt",
  "max_connections 16",
  ...SERVER_CERTIFICATE,
  ...renderTls({}),
  ...requireCertificate(`${LIVE_FOLDER}/control-ca.crt`, true),
  "use_identity_as_username true",
];

/** Path of a mosquitto.conf that is never changed: a reload must not find another one under its name. */
export function confPath(hash: string): string {
  return `${CONFIG_FOLDER}/conf/${hash}.conf`;
}
