import type { IClientOptions } from "mqtt";
import { ConnectionBundle } from "../../constructs";
import { PERSISTENT, Session } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { uniqueName } from "./workspace";

/** What went over a pair of clients. */
export interface Flow {
  /** Messages that the broker has acknowledged. */
  readonly acknowledged: number;
  /** Of these, how many never came. */
  readonly lost: number;
  /** How many came once more. */
  readonly repeated: number;
  /** The longest time between two acknowledgements, in seconds. */
  readonly pause: number;
}

/** Messages of QoS 1 from one client to another, both with sessions that are kept, both connecting again by themselves. */
export class Traffic {
  private constructor(
    private readonly topic: string,
    readonly publisher: Session,
    private readonly subscriber: Session,
  ) {}

  /** @param will that the publisher leaves with the broker */
  static async open(
    topic: string,
    publisher: ConnectionBundle,
    subscriber: ConnectionBundle,
    will?: IClientOptions["will"],
  ): Promise<Traffic> {
    // A loaded machine may need seconds for a handshake: giving up too early begins it anew.
    const options = { ...PERSISTENT, reconnectPeriod: 100, connectTimeout: 10_000 };
    const receiving = await Session.open(subscriber, options);
    await receiving.subscribe(topic);
    return new Traffic(topic, await Session.open(publisher, { ...options, ...(will && { will }) }), receiving);
  }

  get disconnects(): number {
    return this.publisher.disconnects + this.subscriber.disconnects;
  }

  /** Publishes until the work is done, each message as soon as the one before is acknowledged. */
  async during(work: Promise<unknown>): Promise<Flow> {
    let done = false;
    const end = (): boolean => (done = true);
    work.then(end, end);
    const acknowledged: string[] = [];
    const run = uniqueName("message");
    let pause = 0;
    for (let last = performance.now(); !done;) {
      const message = `${run}-${acknowledged.length}`;
      await this.publisher.publish(this.topic, message);
      acknowledged.push(message);
      const now = performance.now();
      pause = Math.max(pause, now - last);
      last = now;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await work;
    const missing = (): string[] => acknowledged.filter((message) => !this.subscriber.payloads.includes(message));
    await until("all have come", () => missing().length === 0, 60).catch(() => undefined);
    const lost = missing().length;
    const received = this.subscriber.payloads.filter((message) => message.startsWith(run));
    return {
      acknowledged: acknowledged.length,
      lost,
      repeated: received.length - new Set(received).size,
      pause: pause / 1000,
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.publisher.close(true), this.subscriber.close(true)]);
  }
}
