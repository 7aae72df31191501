import ipaddr from "ipaddr.js";
import { isIP } from "node:net";
import { Fault } from "../faults";
import { KeyAlgorithm } from "../pki";
import { booleanFault, integerFault, listOf } from "../value-faults";
import { extraConfigFaults, extraConfigWarnings } from "./conf/extra-config";
import { tlsFaults, tlsWarnings } from "./conf/tls";
import { CONTROL_PORT } from "./container-paths";
import { Listener } from "./listener";
import { MosquittoLine } from "./mosquitto-image";

const MAXIMUM_CONNECTIONS = 100_000;

/** What a listener must fit. */
export interface ListenerSurroundings {
  /** Whether the broker's network publishes ports. */
  readonly publishes: boolean;
  /** Whether others may be on that network which nobody declared here. */
  readonly isShared: boolean;
  readonly mosquittoLine: MosquittoLine | undefined;
  readonly serverKey: KeyAlgorithm;
}

/** What is wrong with a listener, seen alone. */
export function listenerFaults(listener: Listener, what: string, surroundings: ListenerSurroundings): Fault[] {
  const { mosquittoLine } = surroundings;
  const { maxQos, maxTopicAlias, extraConfig } = listener.options;
  const faults: (Fault | undefined)[] = [
    listener.optionsFault && { ...listener.optionsFault, what: `${what}: ${listener.optionsFault.what}` },
    integerFault(`${what}.port`, listener.port, 1, 65535, "give the port as a plain number"),
    integerFault(
      `${what}.maxConnections`,
      listener.maxConnections,
      1,
      MAXIMUM_CONNECTIONS,
      "declare how many clients may be connected at once",
    ),
    integerFault(`${what}.maxQos`, maxQos, 0, 2, "leave it out for 2"),
    integerFault(`${what}.maxTopicAlias`, maxTopicAlias, 0, 65535, "leave it out for 10"),
    booleanFault(`${what}.webSockets`, listener.webSockets),
  ];
  if (listener.port === CONTROL_PORT) {
    faults.push({
      what: `${what}.port`,
      value: listener.port,
      allowed: `any port but ${CONTROL_PORT}, where the broker's own health check listens`,
      remedy: "take another port",
    });
  }
  faults.push(...bindAddressFaults(listener, what, surroundings));
  if (listener.usesTls) faults.push(...tlsFaults(what, listener.options, surroundings.serverKey));
  if (listener.webSockets && mosquittoLine === "2.0")
    faults.push(...webSocketsOf20Faults(listener, what, surroundings));
  if (extraConfig !== undefined) {
    faults.push(...extraConfigFaults(`${what}.extraConfig`, extraConfig, "listener", mosquittoLine));
    faults.push(originFault(listener, `${what}.extraConfig`));
  }
  return faults.filter((fault) => fault !== undefined);
}

/** What is allowed and should be known. */
export function listenerWarnings(listener: Listener, what: string): string[] {
  return [
    ...(listener.usesTls
      ? tlsWarnings(what, listener.options)
      : [`${what}, Listener.plaintext() on port ${listener.port}: passwords and payloads are readable on their way`]),
    ...extraConfigWarnings(`${what}.extraConfig`, listener.options.extraConfig ?? [], "listener"),
  ];
}

function originFault(listener: Listener, what: string): Fault | undefined {
  const line = listOf(listener.options.extraConfig)?.find((one) => String(one).startsWith("websockets_origin "));
  if (line === undefined || listener.webSockets) return undefined;
  return {
    what,
    value: line,
    allowed: "it on a listener with webSockets, because it has no effect on another",
    remedy: "leave it out",
  };
}

function bindAddressFaults(listener: Listener, what: string, { publishes, isShared }: ListenerSurroundings): Fault[] {
  const addresses = listOf(listener.bindAddresses) ?? [];
  if (addresses.length === 0) {
    return [
      {
        what: `${what}.bindAddresses`,
        value: listener.bindAddresses,
        allowed: "one address or more",
        remedy: 'name an address of the Docker host, or "0.0.0.0" for all; nothing is published on an internal network',
      },
    ];
  }
  const faults: Fault[] = [];
  if (!listener.usesTls && isShared) {
    faults.push({
      what,
      value: "Listener.plaintext()",
      allowed: "it only on a network that the broker makes, or an existing one that is internal",
      remedy:
        "use Listener.passwordOverTls(), or say BrokerNetwork.existing(name, { internal: true }) if that network is",
    });
  }
  if (!publishes && listener.options.bindAddresses !== undefined) {
    faults.push({
      what: `${what}.bindAddresses`,
      value: listener.bindAddresses,
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
    } else if (publishes && !listener.usesTls && !isLoopback(canonical)) {
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
function webSocketsOf20Faults(listener: Listener, what: string, { publishes }: ListenerSurroundings): Fault[] {
  const faults: Fault[] = [];
  const remedy = "use an image of Mosquitto 2.1, or this listener without webSockets";
  if (listener.asksForCertificate) {
    faults.push({
      what: `${what}.webSockets`,
      value: true,
      allowed: `Listener.${listener.kind}() over WebSockets from Mosquitto 2.1 on: 2.0 checks no revocation list there, so a revoked certificate would get in`,
      remedy,
    });
  }
  const { tlsVersion, ciphersTls13, maxConnections } = listener.options;
  const ignored = { ...(tlsVersion === "tlsv1.3" && { tlsVersion }), ciphersTls13, maxConnections };
  for (const [name, value] of Object.entries(ignored)) {
    if (value === undefined) continue;
    faults.push({
      what: `${what}.${name}`,
      value,
      allowed: `${name === "tlsVersion" ? "tlsv1.3 as the lowest" : "it"} over WebSockets from Mosquitto 2.1 on: 2.0 ignores it there`,
      remedy,
    });
  }
  const known = (listOf(listener.bindAddresses) ?? []).map(canonicalAddress);
  if (publishes && known.some((address) => address !== undefined && !isLoopback(address))) {
    faults.push({
      what: `${what}.bindAddresses`,
      value: listener.bindAddresses,
      allowed:
        "loopback addresses or an internal network for WebSockets of Mosquitto 2.0: it does not limit their connections, so whoever reaches the port could lock out every client of the broker",
      remedy,
    });
  }
  return faults;
}

/** One text for each address; nothing where it is none. */
function canonicalAddress(address: unknown): string | undefined {
  if (typeof address !== "string" || isIP(address) === 0 || address.includes("%")) return undefined;
  return ipaddr.parse(address).toString();
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}
