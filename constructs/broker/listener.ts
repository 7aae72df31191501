import ipaddr from "ipaddr.js";
import { isIP } from "node:net";
import { AuthenticationMethod } from "../client/authentication";
import { ConnectionEndpoint, EndpointAuthentication } from "../client/connection-bundle";
import { Fault } from "../faults";
import { KeyAlgorithm } from "../pki";
import { extraConfigFaults, extraConfigWarnings } from "./conf/extra-config";
import { CONTROL_PORT } from "./container-paths";
import { MosquittoLine } from "./mosquitto-image";
import { TlsOptions, tlsFaults, tlsWarnings } from "./conf/tls";
import { booleanFault, integerFault, listOf, optionsFault } from "../value-faults";

/** How a listener lets clients in. */
export type ListenerKind = "mutualTls" | "passwordOverTls" | "mutualTlsWithPassword" | "plaintext";

/** URL scheme of a listener: MQTT or WebSockets, over TLS or in clear text. */
export type ListenerProtocol = ConnectionEndpoint["protocol"];

export interface ListenerOptions {
  /**
   * TCP port, 1 to 65535, the same inside the container and where it is published (`listener`). Changed, the container
   * is replaced.
   *
   * @default 8883 for mutualTls, 8884 for passwordOverTls, 8885 for mutualTlsWithPassword, 1883 for plaintext;
   * over WebSockets 8443, 8444, 8445 and 8080
   */
  readonly port?: number;

  /**
   * Whether clients speak MQTT over WebSockets (`protocol websockets`), as browsers must. A browser takes the server's
   * authority and a client's certificate from its own or its system's store. Changed, the container is replaced.
   *
   * @default false
   */
  readonly webSockets?: boolean;

  /**
   * Addresses of the Docker host that the port is published on. `0.0.0.0` is every IPv4 address, `::` every IPv6
   * address. Not used on an internal network, where nothing is published. Changed, the container is replaced.
   *
   * @default ["127.0.0.1"]
   */
  readonly bindAddresses?: readonly string[];

  /**
   * How many clients at once (`max_connections`). Memory and file descriptors of the container follow from it. One client
   * has one connection. Over WebSockets Mosquitto 2.0 has no limit. Changed, the container is replaced.
   *
   * @default 1000
   */
  readonly maxConnections?: number;

  /**
   * The highest quality of service, 0 to 2 (`max_qos`). Changed, the container is replaced.
   *
   * @default 2
   */
  readonly maxQos?: number;

  /**
   * Topic aliases that each client may use, 0 to 65535 (`max_topic_alias`, MQTT 5 section 3.3.2.3.4). Changed, the
   * container is replaced.
   *
   * @default 10
   */
  readonly maxTopicAlias?: number;

  /**
   * Lines of mosquitto.conf(5) for this listener that no property renders, each `NAME VALUE`. Lines that would weaken TLS,
   * authentication or access are refused, unknown ones pass with a warning. Changed, the container is replaced.
   *
   * @default - none
   */
  readonly extraConfig?: readonly string[];
}

export interface TlsListenerOptions extends ListenerOptions, TlsOptions {}

const MAXIMUM_CONNECTIONS = 100_000;

interface Kind {
  readonly name: ListenerKind;
  readonly usesTls: boolean;
  readonly asksFor: EndpointAuthentication;
  readonly port: number;
  readonly webSocketsPort: number;
}

/** One port of the broker and how clients prove on it who they are. See mosquitto.conf(5), "Listeners". */
export class Listener {
  /**
   * Mutual TLS: the client checks the server and the broker checks the client's certificate, whose common name is the
   * user name (`require_certificate`, `use_identity_as_username`). A password would be discarded by Mosquitto.
   */
  static mutualTls(options: TlsListenerOptions = {}): Listener {
    return new Listener(
      {
        name: "mutualTls",
        usesTls: true,
        asksFor: "certificate",
        port: 8883,
        webSocketsPort: 8443,
      },
      options,
    );
  }

  /** TLS, where the client checks the server, and a user name and password (`password_file`). */
  static passwordOverTls(options: TlsListenerOptions = {}): Listener {
    return new Listener(
      {
        name: "passwordOverTls",
        usesTls: true,
        asksFor: "password",
        port: 8884,
        webSocketsPort: 8444,
      },
      options,
    );
  }

  /**
   * Mutual TLS, and a user name and password: whoever has only one of the two stays out. Mosquitto does not bind them to
   * each other: any declared client's certificate goes with any declared client's password, whose user it is then.
   */
  static mutualTlsWithPassword(options: TlsListenerOptions = {}): Listener {
    return new Listener(
      {
        name: "mutualTlsWithPassword",
        usesTls: true,
        asksFor: "certificateAndPassword",
        port: 8885,
        webSocketsPort: 8445,
      },
      options,
    );
  }

  /**
   * User name and password in clear text, readable by anyone on the way. Only on a loopback address or an internal
   * network, and with a warning.
   */
  static plaintext(options: ListenerOptions = {}): Listener {
    return new Listener(
      {
        name: "plaintext",
        usesTls: false,
        asksFor: "password",
        port: 1883,
        webSocketsPort: 8080,
      },
      options,
    );
  }

  readonly port: number;
  readonly webSockets: boolean;
  readonly bindAddresses: readonly string[];
  readonly maxConnections: number;

  readonly options: TlsListenerOptions;
  private readonly optionsFault: Fault | undefined;

  private constructor(
    private readonly how: Kind,
    given: TlsListenerOptions,
  ) {
    this.optionsFault = optionsFault(`Listener.${how.name}()'s options`, given);
    const options = this.optionsFault === undefined ? given : {};
    this.options = options;
    this.webSockets = options.webSockets ?? false;
    this.port = options.port ?? (this.webSockets ? how.webSocketsPort : how.port);
    this.bindAddresses = options.bindAddresses ?? ["127.0.0.1"];
    this.maxConnections = options.maxConnections ?? 1000;
  }

  get kind(): ListenerKind {
    return this.how.name;
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

  /** Whether a client that proves itself by this method can get in here. */
  accepts(method: AuthenticationMethod): boolean {
    return method === this.asksFor || method === "certificateOrPassword";
  }

  /** What is wrong with it, seen alone. */
  faults(what: string, surroundings: ListenerSurroundings): Fault[] {
    const { mosquittoLine } = surroundings;
    const { maxQos, maxTopicAlias, extraConfig } = this.options;
    const faults: (Fault | undefined)[] = [
      this.optionsFault && { ...this.optionsFault, what: `${what}: ${this.optionsFault.what}` },
      integerFault(`${what}.port`, this.port, 1, 65535, "give the port as a plain number"),
      integerFault(
        `${what}.maxConnections`,
        this.maxConnections,
        1,
        MAXIMUM_CONNECTIONS,
        "declare how many clients may be connected at once",
      ),
      integerFault(`${what}.maxQos`, maxQos, 0, 2, "leave it out for 2"),
      integerFault(`${what}.maxTopicAlias`, maxTopicAlias, 0, 65535, "leave it out for 10"),
      booleanFault(`${what}.webSockets`, this.webSockets),
    ];
    if (this.port === CONTROL_PORT) {
      faults.push({
        what: `${what}.port`,
        value: this.port,
        allowed: `any port but ${CONTROL_PORT}, where the broker's own health check listens`,
        remedy: "take another port",
      });
    }
    faults.push(...this.bindAddressFaults(what, surroundings));
    if (this.usesTls) faults.push(...tlsFaults(what, this.options, surroundings.serverKey));
    if (this.webSockets && mosquittoLine === "2.0") faults.push(...this.webSocketsOf20Faults(what, surroundings));
    if (extraConfig !== undefined) {
      faults.push(...extraConfigFaults(`${what}.extraConfig`, extraConfig, "listener", mosquittoLine));
      faults.push(this.originFault(`${what}.extraConfig`));
    }
    return faults.filter((fault) => fault !== undefined);
  }

  /** What is allowed and should be known. */
  warnings(what: string): string[] {
    return [
      ...(this.usesTls
        ? tlsWarnings(what, this.options)
        : [`${what}, Listener.plaintext() on port ${this.port}: passwords and payloads are readable on their way`]),
      ...extraConfigWarnings(`${what}.extraConfig`, this.options.extraConfig ?? [], "listener"),
    ];
  }

  private originFault(what: string): Fault | undefined {
    const line = listOf(this.options.extraConfig)?.find((one) => String(one).startsWith("websockets_origin "));
    if (line === undefined || this.webSockets) return undefined;
    return {
      what,
      value: line,
      allowed: "it on a listener with webSockets, because it has no effect on another",
      remedy: "leave it out",
    };
  }

  private bindAddressFaults(what: string, { publishes, isShared }: ListenerSurroundings): Fault[] {
    const addresses = listOf(this.bindAddresses) ?? [];
    if (addresses.length === 0) {
      return [
        {
          what: `${what}.bindAddresses`,
          value: this.bindAddresses,
          allowed: "one address or more",
          remedy:
            'name an address of the Docker host, or "0.0.0.0" for all; nothing is published on an internal network',
        },
      ];
    }
    const faults: Fault[] = [];
    if (!this.usesTls && isShared) {
      faults.push({
        what,
        value: "Listener.plaintext()",
        allowed: "it only on a network that the broker makes, or an existing one that is internal",
        remedy:
          "use Listener.passwordOverTls(), or say BrokerNetwork.existing(name, { internal: true }) if that network is",
      });
    }
    if (!publishes && this.options.bindAddresses !== undefined) {
      faults.push({
        what: `${what}.bindAddresses`,
        value: this.bindAddresses,
        allowed: "none on an internal network, where nothing is published",
        remedy: "leave them out",
      });
    }
    const known = addresses.map(canonicalAddress);
    addresses.forEach((address, index) => {
      const name = `${what}.bindAddresses[${index}]`;
      const canonical = known[index];
      if (canonical === undefined) {
        faults.push({
          what: name,
          value: address,
          allowed: "an IPv4 or IPv6 address of the Docker host, known at synth",
          remedy: "give the address, not a name or a range",
        });
      } else if (known.indexOf(canonical) !== index) {
        faults.push({ what: name, value: address, allowed: "each address once", remedy: "remove the second one" });
      } else if (publishes && !this.usesTls && !isLoopback(canonical)) {
        faults.push({
          what: name,
          value: address,
          allowed: "127.0.0.0/8 or ::1, because a plaintext listener shows every password and payload to the network",
          remedy: "use Listener.passwordOverTls(), or BrokerNetwork.internal()",
        });
      }
    });
    return faults;
  }

  /** Mosquitto 2.0 leaves WebSockets to libwebsockets, and does not pass it everything (eclipse-mosquitto/mosquitto#3042). */
  private webSocketsOf20Faults(what: string, { publishes }: ListenerSurroundings): Fault[] {
    const faults: Fault[] = [];
    const remedy = "use an image of Mosquitto 2.1, or this listener without webSockets";
    if (this.asksForCertificate) {
      faults.push({
        what: `${what}.webSockets`,
        value: true,
        allowed: `Listener.${this.kind}() over WebSockets from Mosquitto 2.1 on: 2.0 checks no revocation list there, so a revoked certificate would get in`,
        remedy,
      });
    }
    if (this.options.tlsVersion === "tlsv1.3") {
      faults.push({
        what: `${what}.tlsVersion`,
        value: this.options.tlsVersion,
        allowed: "tlsv1.3 as the lowest over WebSockets from Mosquitto 2.1 on: 2.0 ignores it there",
        remedy,
      });
    }
    if (this.options.ciphersTls13 !== undefined) {
      faults.push({
        what: `${what}.ciphersTls13`,
        value: this.options.ciphersTls13,
        allowed: "such a list over WebSockets from Mosquitto 2.1 on: 2.0 ignores it there",
        remedy,
      });
    }
    if (this.options.maxConnections !== undefined) {
      faults.push({
        what: `${what}.maxConnections`,
        value: this.options.maxConnections,
        allowed: "a limit over WebSockets from Mosquitto 2.1 on: 2.0 ignores it there",
        remedy,
      });
    }
    const known = (listOf(this.bindAddresses) ?? []).map(canonicalAddress);
    if (publishes && known.some((address) => address !== undefined && !isLoopback(address))) {
      faults.push({
        what: `${what}.bindAddresses`,
        value: this.bindAddresses,
        allowed:
          "loopback addresses or an internal network for WebSockets of Mosquitto 2.0: it does not limit their connections, so whoever reaches the port could lock out every client of the broker",
        remedy,
      });
    }
    return faults;
  }
}

/** What a listener must fit. */
export interface ListenerSurroundings {
  /** Whether the broker's network publishes ports. */
  readonly publishes: boolean;
  /** Whether others may be on that network which nobody declared here. */
  readonly isShared: boolean;
  readonly mosquittoLine: MosquittoLine | undefined;
  readonly serverKey: KeyAlgorithm;
}

/** One text for each address; nothing where it is none. */
function canonicalAddress(address: unknown): string | undefined {
  if (typeof address !== "string" || isIP(address) === 0 || address.includes("%")) return undefined;
  return ipaddr.parse(address).toString();
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}
