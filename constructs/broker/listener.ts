import { isIP } from "node:net";
import { AuthenticationMethod } from "../client/authentication";
import { Fault } from "../faults";
import { CONTROL_PORT } from "./container-paths";

/** How a listener lets clients in. */
export type ListenerKind = "mutualTls" | "passwordOverTls" | "plaintext";

export interface ListenerOptions {
  /**
   * TCP port, 1 to 65535, the same inside the container and where it is published.
   *
   * @default 8883 for mutualTls, 8884 for passwordOverTls, 1883 for plaintext
   */
  readonly port?: number;

  /**
   * Addresses of the Docker host that the port is published on. `0.0.0.0` is every IPv4 address, `::` every IPv6
   * address. Not used on an internal network, where nothing is published.
   *
   * @default ["127.0.0.1"]
   */
  readonly bindAddresses?: readonly string[];

  /**
   * `max_connections`: how many clients at once. Memory and file descriptors of the container follow from it.
   *
   * @default 1000
   */
  readonly maxConnections?: number;
}

const MAXIMUM_CONNECTIONS = 100_000;

/** One port of the broker and how clients prove on it who they are. See mosquitto.conf(5), "Listeners". */
export class Listener {
  /**
   * Mutual TLS: the client checks the server and the broker checks the client's certificate, whose common name is the
   * user name (`require_certificate`, `use_identity_as_username`). A password would be discarded by Mosquitto.
   */
  static mutualTls(options: ListenerOptions = {}): Listener {
    return new Listener("mutualTls", "mqtts", options, 8883, "certificate");
  }

  /** TLS, where the client checks the server, and a user name and password (`password_file`). */
  static passwordOverTls(options: ListenerOptions = {}): Listener {
    return new Listener("passwordOverTls", "mqtts", options, 8884, "password");
  }

  /**
   * User name and password in clear text, readable by anyone on the way. Only on a loopback address or an internal
   * network, and with a warning.
   */
  static plaintext(options: ListenerOptions = {}): Listener {
    return new Listener("plaintext", "mqtt", options, 1883, "password");
  }

  readonly port: number;
  readonly bindAddresses: readonly string[];
  readonly maxConnections: number;

  private constructor(
    readonly kind: ListenerKind,
    /** URL scheme: `mqtts` over TLS, `mqtt` in clear text. */
    readonly protocol: "mqtts" | "mqtt",
    options: ListenerOptions,
    defaultPort: number,
    private readonly method: AuthenticationMethod,
  ) {
    this.port = options.port ?? defaultPort;
    this.bindAddresses = options.bindAddresses ?? ["127.0.0.1"];
    this.maxConnections = options.maxConnections ?? 1000;
  }

  get usesTls(): boolean {
    return this.protocol === "mqtts";
  }

  /** Whether a client that proves itself by this method can get in here. */
  accepts(method: AuthenticationMethod): boolean {
    return this.method === method;
  }

  /** What is wrong with it, seen alone. `published`: whether the broker's network publishes ports. */
  faults(what: string, published: boolean): Fault[] {
    const faults: Fault[] = [];
    if (!isInteger(this.port, 1, 65535)) {
      faults.push({
        what: `${what}.port`,
        value: this.port,
        allowed: "a whole number from 1 to 65535, known at synth",
        remedy: "give the port as a plain number",
      });
    } else if (this.port === CONTROL_PORT) {
      faults.push({
        what: `${what}.port`,
        value: this.port,
        allowed: `any port but ${CONTROL_PORT}, where the broker's own health check listens`,
        remedy: "take another port",
      });
    }
    if (!isInteger(this.maxConnections, 1, MAXIMUM_CONNECTIONS)) {
      faults.push({
        what: `${what}.maxConnections`,
        value: this.maxConnections,
        allowed: `a whole number from 1 to ${MAXIMUM_CONNECTIONS}`,
        remedy: "declare how many clients may be connected at once",
      });
    }
    if (this.bindAddresses.length === 0) {
      faults.push({
        what: `${what}.bindAddresses`,
        value: [],
        allowed: "one address or more",
        remedy: 'name an address of the Docker host, or "0.0.0.0" for all; nothing is published on an internal network',
      });
    }
    this.bindAddresses.forEach((address, index) => {
      if (isIP(address) === 0) {
        faults.push({
          what: `${what}.bindAddresses[${index}]`,
          value: address,
          allowed: "an IPv4 or IPv6 address of the Docker host, known at synth",
          remedy: "give the address, not a name or a range",
        });
      } else if (published && !this.usesTls && !isLoopback(address)) {
        faults.push({
          what: `${what}.bindAddresses[${index}]`,
          value: address,
          allowed: "127.0.0.0/8 or ::1, because a plaintext listener shows every password and payload to the network",
          remedy: "use Listener.passwordOverTls(), or BrokerNetwork.internal()",
        });
      }
    });
    return faults;
  }
}

function isInteger(value: unknown, minimum: number, maximum: number): boolean {
  return Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum;
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}
