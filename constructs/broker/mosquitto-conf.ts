import { CONFIG_FOLDER, CONTROL_PORT, DATA_FOLDER, LIVE_FOLDER } from "./container-paths";
import { Listener } from "./listener";
import { brokerSize } from "./sizing";

export interface ConfOptions {
  /** Whether every authority of clients has a revocation list; a single one without would lock its clients out. */
  readonly checksRevocations: boolean;
}

/** Renders mosquitto.conf(5). It holds no secret, and the same text serves Mosquitto 2.0 and 2.1 without a warning. */
export function renderMosquittoConf(listeners: readonly Listener[], options: ConfOptions): string {
  // Options of a listener follow its `listener` line: before the first one they would make another, on 1883.
  const limit = [`memory_limit ${brokerSize(listeners).heap}`];
  const sections = [GLOBAL, limit, ...listeners.map((listener) => renderListener(listener, options)), CONTROL_LISTENER];
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

const GLOBAL: readonly string[] = [
  "# Rendered by cdktf-mosquitto: change the declaration, not this file.",
  "allow_anonymous false",
  `password_file ${LIVE_FOLDER}/passwd`,
  `acl_file ${LIVE_FOLDER}/acl`,
  "",
  "persistence true",
  `persistence_location ${DATA_FOLDER}/`,
  "autosave_interval 60",
  "",
  "set_tcp_nodelay true",
  "max_packet_size 2000000",
  "max_inflight_messages 20",
  "max_queued_messages 1000",
  "max_keepalive 3600",
  "sys_interval 10",
  "",
  "log_dest stdout",
  "log_type error",
  "log_type warning",
  "log_type notice",
  "log_type information",
  "connection_messages true",
];

const SERVER_CERTIFICATE: readonly string[] = [
  `certfile ${LIVE_FOLDER}/server.crt`,
  `keyfile ${LIVE_FOLDER}/server.key`,
  "tls_version tlsv1.2",
];

function renderListener(listener: Listener, { checksRevocations }: ConfOptions): readonly string[] {
  return [
    `listener ${listener.port}`,
    "protocol mqtt",
    `max_connections ${listener.maxConnections}`,
    // On every listener: otherwise one client can take over another one's session by its client id.
    "use_username_as_clientid true",
    ...(listener.usesTls ? SERVER_CERTIFICATE : []),
    ...(listener.kind === "mutualTls" ? requireCertificate(`${LIVE_FOLDER}/client-ca.crt`, checksRevocations) : []),
  ];
}

function requireCertificate(cafile: string, checksRevocations: boolean): readonly string[] {
  return [
    `cafile ${cafile}`,
    // From the first day: only with a crlfile does a reload also read the cafile again.
    ...(checksRevocations ? [`crlfile ${LIVE_FOLDER}/crl.pem`] : []),
    "require_certificate true",
    "use_identity_as_username true",
  ];
}

const CONTROL_LISTENER: readonly string[] = [
  `listener ${CONTROL_PORT} 127.0.0.1`,
  "protocol mqtt",
  "max_connections 16",
  ...SERVER_CERTIFICATE,
  ...requireCertificate(`${LIVE_FOLDER}/control-ca.crt`, true),
];

/** Path of a mosquitto.conf that is never changed: a reload must not find another one under its name. */
export function confPath(hash: string): string {
  return `${CONFIG_FOLDER}/conf/${hash}.conf`;
}
