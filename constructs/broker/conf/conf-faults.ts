import { CONTROL_PORT, DATA_FOLDER, LIVE_FOLDER } from "../container-paths";
import { Listener } from "../listener";
import { ConfListener, parseMosquittoConf } from "./conf-reader";

/** What a mosquitto.conf must say. */
export interface ExpectedConf {
  readonly listeners: readonly Listener[];
  /** Whether every authority of clients has a revocation list. */
  readonly checksRevocations: boolean;
  /** Names in `extraConfig` that no supported Mosquitto is known to have. */
  readonly extraNames: ReadonlySet<string>;
}

/** What would make it let in, or leave out, others than were declared. */
export function confFaults(text: string, { listeners, checksRevocations, extraNames }: ExpectedConf): string[] {
  const conf = parseMosquittoConf(text, extraNames);
  const control = conf.listeners.at(-1);
  const wanted: Record<string, string> = {
    allow_anonymous: "false",
    password_file: `${LIVE_FOLDER}/passwd`,
    acl_file: `${LIVE_FOLDER}/acl`,
    persistence_location: `${DATA_FOLDER}/`,
    include_dir: LIVE_FOLDER,
  };
  return [
    ...Object.entries(wanted).flatMap(([name, value]) =>
      conf.options.get(name)?.join() === value ? [] : [`it does not say ${name} ${value}`],
    ),
    ...(conf.listeners.length === listeners.length + 1 ? [] : ["it has other listeners than were declared"]),
    ...listeners.flatMap((listener, index) =>
      listenerFaults(conf.listeners[index], listenerOptions(listener, checksRevocations), { port: listener.port }),
    ),
    ...listenerFaults(control, CONTROL_OPTIONS, { port: CONTROL_PORT, host: "127.0.0.1" }),
  ];
}

/** The options that decide who gets in; `undefined` where one must not stand. */
type Options = Readonly<Record<string, string | undefined>>;

const TLS_OPTIONS: Options = {
  certfile: `${LIVE_FOLDER}/server.crt`,
  keyfile: `${LIVE_FOLDER}/server.key`,
};

const CONTROL_OPTIONS: Options = {
  ...TLS_OPTIONS,
  protocol: "mqtt",
  max_connections: "16",
  tls_version: "tlsv1.2",
  cafile: `${LIVE_FOLDER}/control-ca.crt`,
  crlfile: `${LIVE_FOLDER}/crl.pem`,
  require_certificate: "true",
  use_identity_as_username: "true",
  // The reloader takes the place of sessions that it ends.
  use_username_as_clientid: undefined,
};

function listenerOptions(
  { webSockets, maxConnections, usesTls, asksForCertificate, kind, options }: Listener,
  checksRevocations: boolean,
): Options {
  return {
    protocol: webSockets ? "websockets" : "mqtt",
    max_connections: String(maxConnections),
    use_username_as_clientid: "true",
    certfile: usesTls ? TLS_OPTIONS.certfile : undefined,
    keyfile: usesTls ? TLS_OPTIONS.keyfile : undefined,
    tls_version: usesTls ? (options.tlsVersion ?? "tlsv1.2") : undefined,
    cafile: asksForCertificate ? `${LIVE_FOLDER}/client-ca.crt` : undefined,
    crlfile: asksForCertificate && checksRevocations ? `${LIVE_FOLDER}/crl.pem` : undefined,
    require_certificate: asksForCertificate ? "true" : undefined,
    use_identity_as_username: kind === "mutualTls" ? "true" : undefined,
  };
}

function listenerFaults(
  found: ConfListener | undefined,
  wanted: Options,
  { port, host }: { readonly port: number; readonly host?: string },
): string[] {
  if (found?.port !== port || found.host !== host) return [`it has no listener ${port} where it was declared`];
  return Object.entries(wanted)
    .filter(([name, value]) => found.options.get(name) !== value)
    .map(
      ([name, value]) =>
        `listener ${port} does not say ${value === undefined ? `nothing of ${name}` : `${name} ${value}`}`,
    );
}
