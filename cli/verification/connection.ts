import { randomUUID } from "node:crypto";
import mqtt, { IClientOptions, MqttClient } from "mqtt";
import { Failure, failureOf, PATIENCE, proving, ShownCertificate } from "./handshake";

/** What a client connects with. */
export interface Identity {
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  readonly certificate?: ShownCertificate;
}

/** How a server is proved, by a client that refuses any other. */
export interface Trust {
  readonly serverName: string;
  readonly caPem: string;
}

/** How an MQTT connection ended: `refused` with the reason code of CONNACK, before MQTT 5 its return code. */
export type Entry = Admission | Refusal | Failure;

export interface Refusal {
  readonly kind: "refused";
  readonly code: number;
  readonly reason: string;
}

export interface Admission {
  readonly kind: "in";
  readonly client: MqttClient;
  /** Whether it is told that a message is refused: from MQTT 5 on, and not of QoS 0. */
  readonly isToldRefusals: boolean;
}

/** Versions of MQTT, as CONNECT names them; a listener may be declared to accept only some. */
const VERSIONS = [
  { protocolVersion: 5 },
  { protocolVersion: 4 },
  { protocolVersion: 3, protocolId: "MQIsdp" },
] as const satisfies readonly IClientOptions[];

/** CONNACK before MQTT 5, and of it (sections 3.2.2.3 and 3.2.2.2). */
const UNSUPPORTED_VERSION: readonly number[] = [0x01, 0x84];

/** Reason code of DISCONNECT (MQTT 5 section 3.14.2.1). */
const SESSION_TAKEN_OVER = 0x8e;

/** Milliseconds for a goodbye. */
const GOODBYE = 1000;

/** A connection ended in the midst of it, as it does when another one with the same identity comes. */
export class Interrupted extends Error {}

/** Its names for them are Node's. */
type TlsOptions = Pick<IClientOptions, "ca" | "cert" | "key">;

/** Connects over the newest version of MQTT that is accepted, with a session that ends with the connection. */
export async function enter(url: string, identity: Identity, trust?: Trust): Promise<Entry> {
  const [newest, ...older] = VERSIONS;
  let entry = await enterWith(newest, url, identity, trust);
  for (const version of older) {
    if (entry.kind !== "refused" || !UNSUPPORTED_VERSION.includes(entry.code)) break;
    entry = await enterWith(version, url, identity, trust);
  }
  return entry;
}

function enterWith(
  version: (typeof VERSIONS)[number],
  url: string,
  identity: Identity,
  trust: Trust | undefined,
): Promise<Entry> {
  const { clientId, username, password, certificate } = identity;
  const secured = trust === undefined ? {} : (proving(trust, certificate) as TlsOptions);
  const options: IClientOptions = {
    ...version,
    clientId,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: PATIENCE,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...secured,
    // Over WebSockets MQTT.js takes what is for TLS from there.
    wsOptions: secured,
  };
  return new Promise((resolve) => {
    const client = mqtt.connect(url, options);
    // The first event counts; MQTT.js has listeners of its own, which stay.
    const end = (entry: Entry): void => {
      client.end(true, () => resolve(entry));
    };
    client.on("error", (error) => end(entryOf(error)));
    client.once("close", () => end({ kind: "closed" }));
    client.once("connect", ({ properties }) => {
      const isToldRefusals = version.protocolVersion === 5 && properties?.maximumQoS !== 0;
      resolve({ kind: "in", client, isToldRefusals });
    });
  });
}

function entryOf(error: Error & { code?: unknown }): Entry {
  if (isRefusal(error)) return { kind: "refused", code: error.code, reason: error.message.replace(/^.*?: /, "") };
  if (error.message === "connack timeout") return { kind: "silent" };
  return failureOf(error);
}

function isRefusal(error: Error & { code?: unknown }): error is Error & { code: number } {
  return typeof error.code === "number";
}

/** What a client may do, tried: one thing after another, each within the limit of time. */
export interface Trial {
  /** How publishing to a topic of others was refused; nothing where it was not. */
  readonly refusal?: string;
  /** Topics of others that it received a message of. */
  readonly overheard: readonly string[];
}

/**
 * Publishes to the topic that is allowed and to one that is not, subscribed to all there is. What comes back marks the end:
 * whatever else would be delivered is delivered before it.
 *
 * @throws {Interrupted} when the connection ends
 * @throws {Error} when the time does
 */
export async function tryTopics(
  { client, isToldRefusals }: Admission,
  allowed: string,
  forbidden: string,
): Promise<Trial> {
  const mark = randomUUID();
  const overheard = new Set<string>();
  let stop: (error: Error) => void = () => undefined;
  const stopped = new Promise<never>((_, reject) => (stop = reject));
  // Nobody may wait for it yet.
  stopped.catch(() => undefined);
  const limit = setTimeout(() => stop(new Error("no answer")), PATIENCE);
  const other = "another verify of this broker runs at the same time";
  client.on("disconnect", ({ reasonCode }) => {
    if (reasonCode === SESSION_TAKEN_OVER) stop(new Interrupted(`session taken over: ${other}`));
  });
  // Over WebSockets Mosquitto 2.0 gives no reason.
  client.on("close", () => stop(new Interrupted(`the connection was closed; perhaps ${other}`)));
  const cameBack = new Promise<void>((resolve) => {
    client.on("message", (topic, payload) => {
      if (topic !== allowed) overheard.add(topic);
      else if (payload.toString() === mark) resolve();
    });
  });
  // What the broker refuses has a reason code; the rest is MQTT.js's word for a connection that ended.
  const within = <T>(action: Promise<T>): Promise<T> =>
    Promise.race([action.catch((error: Error) => (isRefusal(error) ? Promise.reject(error) : stopped)), stopped]);
  let isDone = false;
  try {
    // Of a message of QoS 0, and before MQTT 5, nobody is told that it is refused; nor which QoS is the highest.
    const qos = isToldRefusals ? 1 : 0;
    // Mosquitto grants every subscription, and checks each message it delivers. `$SYS/broker/version` is retained.
    await within(client.subscribeAsync({ "#": { qos: 0, rh: 2 }, "$SYS/broker/version": { qos: 0 } }));
    await within(client.subscribeAsync([forbidden, allowed], { qos: 0 }));
    const refusal = await within(client.publishAsync(forbidden, mark, { qos })).then(
      () => undefined,
      (error: Error) => {
        if (isRefusal(error)) return error.message;
        throw error;
      },
    );
    await within(client.publishAsync(allowed, mark, { qos }));
    await within(cameBack);
    isDone = true;
    return {
      ...(refusal !== undefined && { refusal }),
      overheard: [...overheard],
    };
  } finally {
    clearTimeout(limit);
    // Whoever says goodbye leaves no error in the broker's log; nobody waits long for who does not hear it.
    const impatience = setTimeout(() => client.stream.destroy(), GOODBYE);
    await new Promise<void>((resolve) => client.end(!isDone, () => resolve()));
    clearTimeout(impatience);
  }
}
