import { AuthenticationMethod } from "../client/authentication";
import { ConnectionEndpoint, EndpointAuthentication } from "../client/connection-bundle";
import { Fault } from "../faults";
import { optionsFault } from "../value-faults";
import { ListenerOptions, TlsListenerOptions } from "./listener-options";

/** How a listener lets clients in. */
export type ListenerKind = "mutualTls" | "passwordOverTls" | "mutualTlsWithPassword" | "plaintext";

/** URL scheme of a listener: MQTT or WebSockets, over TLS or in clear text. */
export type ListenerProtocol = ConnectionEndpoint["protocol"];

interface Kind {
  readonly usesTls: boolean;
  readonly asksFor: EndpointAuthentication;
  readonly port: number;
  readonly webSocketsPort: number;
}

const KINDS: Readonly<Record<ListenerKind, Kind>> = {
  mutualTls: { usesTls: true, asksFor: "certificate", port: 8883, webSocketsPort: 8443 },
  passwordOverTls: { usesTls: true, asksFor: "password", port: 8884, webSocketsPort: 8444 },
  mutualTlsWithPassword: { usesTls: true, asksFor: "certificateAndPassword", port: 8885, webSocketsPort: 8445 },
  plaintext: { usesTls: false, asksFor: "password", port: 1883, webSocketsPort: 8080 },
};

/** One port of the broker and how clients prove on it who they are. See mosquitto.conf(5), "Listeners". */
export class Listener {
  /**
   * Mutual TLS: the client checks the server and the broker checks the client's certificate, whose common name is the
   * user name (`require_certificate`, `use_identity_as_username`). A password would be discarded by Mosquitto.
   */
  static mutualTls(options: TlsListenerOptions = {}): Listener {
    return new Listener("mutualTls", options);
  }

  /** TLS, where the client checks the server, and a user name and password (`password_file`). */
  static passwordOverTls(options: TlsListenerOptions = {}): Listener {
    return new Listener("passwordOverTls", options);
  }

  /**
   * Mutual TLS, and a user name and password: whoever has only one of the two stays out. Mosquitto does not bind them to
   * each other: any declared client's certificate goes with any declared client's password, whose user it is then.
   */
  static mutualTlsWithPassword(options: TlsListenerOptions = {}): Listener {
    return new Listener("mutualTlsWithPassword", options);
  }

  /**
   * User name and password in clear text, readable by anyone on the way. Only on a loopback address or an internal
   * network, and with a warning.
   */
  static plaintext(options: ListenerOptions = {}): Listener {
    return new Listener("plaintext", options);
  }

  readonly port: number;
  readonly webSockets: boolean;
  readonly bindAddresses: readonly string[];
  readonly maxConnections: number;

  readonly options: TlsListenerOptions;
  /** Where what was given is no options. */
  readonly optionsFault: Fault | undefined;

  private readonly how: Kind;

  private constructor(
    readonly kind: ListenerKind,
    given: TlsListenerOptions,
  ) {
    this.how = KINDS[kind];
    this.optionsFault = optionsFault(`Listener.${kind}()'s options`, given);
    const options = this.optionsFault === undefined ? given : {};
    this.options = options;
    this.webSockets = options.webSockets ?? false;
    this.port = options.port ?? (this.webSockets ? this.how.webSocketsPort : this.how.port);
    this.bindAddresses = options.bindAddresses ?? ["127.0.0.1"];
    this.maxConnections = options.maxConnections ?? 1000;
  }

  get usesTls(): boolean {
    return this.how.usesTls;
  }

  get protocol(): ListenerProtocol {
    if (this.webSockets) return this.usesTls ? "wss" : "ws";
    return this.usesTls ? "mqtts" : "mqtt";
  }

  /** What a client shows here. */
  get asksFor(): EndpointAuthentication {
    return this.how.asksFor;
  }

  get asksForCertificate(): boolean {
    return this.asksFor !== "password";
  }

  get asksForPassword(): boolean {
    return this.asksFor !== "certificate";
  }

  /** Whether a client that proves itself by this method can get in here. */
  accepts(method: AuthenticationMethod): boolean {
    return method === this.asksFor || method === "certificateOrPassword";
  }
}
