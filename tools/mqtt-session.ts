import mqtt, { IClientOptions, MqttClient } from "mqtt";
import { ConnectionBundle } from "../constructs";

/** A client's options exactly as its bundle gives them; nothing is switched off. */
export function optionsOf(bundle: ConnectionBundle): IClientOptions {
  return {
    clientId: bundle.client_id,
    ...(bundle.username !== undefined && { username: bundle.username }),
    ...(bundle.password !== undefined && { password: bundle.password }),
    ...(bundle.ca_pem !== undefined && { ca: bundle.ca_pem }),
    ...(bundle.cert_pem !== undefined && { cert: bundle.cert_pem }),
    ...(bundle.key_pem !== undefined && { key: bundle.key_pem }),
  };
}

/** A session that is kept and never ends (MQTT 5 section 3.1.2.11.2). Of others, Mosquitto 2.0 can crash at a reload. */
export const PERSISTENT: IClientOptions = { clean: false, properties: { sessionExpiryInterval: 0xffffffff } };

/** One connection: what it received, and whether it was ever closed. */
export class Session {
  readonly messages: { topic: string; payload: string }[] = [];
  disconnects = 0;
  /** Whether the broker had kept the session (MQTT 5 section 3.2.2.1.1). */
  resumed = false;

  private constructor(readonly client: MqttClient) {
    // From the first moment: queued messages come right behind CONNACK.
    client.on("message", (topic, payload) => this.messages.push({ topic, payload: payload.toString() }));
    client.on("close", () => (this.disconnects += 1));
  }

  /** Connects once, or again after each loss with a `reconnectPeriod`. @throws {Error} when the broker, or TLS, refuses */
  static open(bundle: ConnectionBundle, options: IClientOptions = {}): Promise<Session> {
    const defaults: IClientOptions = { protocolVersion: 5, reconnectPeriod: 0, connectTimeout: 10_000 };
    const client = mqtt.connect(bundle.url, { ...optionsOf(bundle), ...defaults, ...options });
    const session = new Session(client);
    return new Promise((resolve, reject) => {
      const end = (error: Error): void => void client.end(true, () => reject(error));
      const onClose = (): void => end(new Error("the connection was closed"));
      client.once("error", end);
      client.once("close", onClose);
      client.once("connect", ({ sessionPresent }) => {
        session.resumed = sessionPresent;
        if (client.options.reconnectPeriod !== 0) {
          client.off("error", end).off("close", onClose);
          client.on("error", () => undefined);
        }
        resolve(session);
      });
    });
  }

  get payloads(): string[] {
    return this.messages.map(({ payload }) => payload);
  }

  async publish(topic: string, payload: string, options: { retain?: boolean } = {}): Promise<void> {
    await this.client.publishAsync(topic, payload, { qos: 1, ...options });
  }

  async subscribe(filter: string): Promise<void> {
    await this.client.subscribeAsync(filter, { qos: 1 });
  }

  /** @param abruptly without DISCONNECT */
  async close(abruptly = false): Promise<void> {
    await this.client.endAsync(abruptly);
  }
}

/** Why connecting fails, or undefined when it does not. */
export async function refusal(bundle: ConnectionBundle, options: IClientOptions = {}): Promise<string | undefined> {
  try {
    const session = await Session.open(bundle, options);
    await session.close(true);
    return undefined;
  } catch (error) {
    const { code, message } = error as Error & { code?: string | number };
    return `${code ?? ""} ${message}`;
  }
}

/** A bundle that lacks some fields. */
export function without(bundle: ConnectionBundle, ...fields: (keyof ConnectionBundle)[]): ConnectionBundle {
  return Object.fromEntries(
    Object.entries(bundle).filter(([field]) => !fields.includes(field as keyof ConnectionBundle)),
  ) as unknown as ConnectionBundle;
}
