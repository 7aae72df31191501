import { TlsOptions } from "./conf/tls";

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
