import { generate, IConnectPacket, ISubscription, Packet, parser, PacketCmd } from "mqtt-packet";
import { Duplex } from "node:stream";
import { textOf } from "./packet-text";

/** A way to a broker: opens a connection for who has this name. */
export type Door = (name: string) => Promise<Duplex>;

export type ProtocolVersion = 4 | 5;

type Of<C extends PacketCmd> = Extract<Packet, { cmd: C }>;
type PublishOptions = Partial<Pick<Of<"publish">, "qos" | "retain" | "dup" | "properties">>;
export type ConnectOptions = Partial<Omit<IConnectPacket, "cmd">> & {
  /** Whether PUBACK, PUBREC and PUBREL wait until they are asked for. */
  readonly holdsAcks?: boolean;
};

const LIMIT_SECONDS = 40;

/** One client that does what MQTT asks for and no more, and keeps what it receives. */
export class Peer {
  readonly packets: Packet[] = [];
  isClosed = false;
  private lastId = 0;
  private pings = 0;
  private readonly held: Packet[] = [];
  private waiting: (() => void)[] = [];

  private constructor(
    private readonly stream: Duplex,
    private readonly version: ProtocolVersion,
    private readonly holdsAcks: boolean,
  ) {
    const reader = parser({ protocolVersion: version });
    reader.on("packet", (packet: Packet) => this.receive(packet));
    reader.on("error", () => stream.destroy());
    stream.on("data", (bytes: Buffer) => reader.parse(bytes));
    // A connection that the broker resets ends with an error, too.
    stream.on("error", () => undefined);
    stream.on("end", () => stream.destroy());
    stream.once("close", () => {
      this.isClosed = true;
      this.changed();
    });
  }

  /** A connection on which nothing was said yet. */
  static async silent(door: Door, name: string, version: ProtocolVersion, holdsAcks = false): Promise<Peer> {
    return new Peer(await door(name), version, holdsAcks);
  }

  /** Sends CONNECT, and waits for what comes of it. */
  static async connect(door: Door, name: string, version: ProtocolVersion, options: ConnectOptions): Promise<Peer> {
    const { holdsAcks = false, ...rest } = options;
    const peer = await Peer.silent(door, name, version, holdsAcks);
    const protocol = { protocolId: "MQTT", protocolVersion: version } as const;
    peer.send({ cmd: "connect", ...protocol, clientId: name, clean: true, keepalive: 600, ...rest });
    await peer.until("an answer to CONNECT", () => peer.isClosed || peer.packets.length > 0);
    return peer;
  }

  send(what: Packet | Buffer): void {
    this.stream.write(Buffer.isBuffer(what) ? what : generate(what, { protocolVersion: this.version }));
  }

  /** @returns the lines of what came */
  received(...kinds: PacketCmd[]): string[] {
    return this.packets.filter(({ cmd }) => kinds.length === 0 || kinds.includes(cmd)).map(textOf);
  }

  get messages(): Of<"publish">[] {
    return this.packets.filter((packet) => packet.cmd === "publish");
  }

  /** What came first: CONNACK, or nothing. */
  get answer(): string {
    return this.packets[0] === undefined ? "closed" : textOf(this.packets[0]);
  }

  /** @returns the broker's acknowledgements */
  async publish(topic: string, payload: string | Buffer, options: PublishOptions = {}): Promise<string[]> {
    const messageId = this.nextId();
    const before = this.packets.length;
    this.send({ cmd: "publish", qos: 0, retain: false, dup: false, ...options, topic, payload, messageId });
    if ((options.qos ?? 0) === 0) await this.ping();
    else await this.until(`${topic} is acknowledged`, () => this.isClosed || this.hasEnd(messageId));
    const kinds = ["puback", "pubrec", "pubcomp", "disconnect"];
    const acknowledgements = this.packets.slice(before).filter(({ cmd }) => kinds.includes(cmd));
    return [...acknowledgements.map(textOf), ...(this.isClosed ? ["closed"] : [])];
  }

  /** @returns SUBACK */
  async subscribe(
    filters: readonly (string | ISubscription)[],
    options: Partial<Pick<Of<"subscribe">, "properties">> = {},
  ): Promise<string> {
    const messageId = this.nextId();
    const subscriptions = filters.map((filter) =>
      typeof filter === "string" ? { topic: filter, qos: 2 as const } : filter,
    );
    this.send({ cmd: "subscribe", subscriptions, messageId, ...options });
    return this.answerTo(messageId, "suback");
  }

  /** @returns UNSUBACK */
  async unsubscribe(...unsubscriptions: string[]): Promise<string> {
    const messageId = this.nextId();
    this.send({ cmd: "unsubscribe", unsubscriptions, messageId });
    return this.answerTo(messageId, "unsuback");
  }

  /** Once the answer is there, so is all that the broker had sent before it. */
  async ping(): Promise<void> {
    const wanted = ++this.pings;
    this.send({ cmd: "pingreq" });
    const answers = (): number => this.packets.filter(({ cmd }) => cmd === "pingresp").length;
    await this.until("PINGRESP", () => this.isClosed || answers() >= wanted);
  }

  async messageCount(count: number): Promise<void> {
    await this.until(`${count} messages have come`, () => this.messages.length >= count);
  }

  /** Acknowledges what was held back first. */
  acknowledge(): void {
    const packet = this.held.shift();
    if (packet !== undefined) this.send(packet);
  }

  async closed(): Promise<void> {
    await this.until("the broker closes", () => this.isClosed);
  }

  async disconnect(options: Partial<Of<"disconnect">> = {}): Promise<void> {
    this.send({ reasonCode: 0, ...options, cmd: "disconnect" });
    await this.closed();
  }

  /** Without DISCONNECT. */
  drop(): void {
    this.stream.destroy();
  }

  nextId(): number {
    return ++this.lastId;
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    const end = Date.now() + LIMIT_SECONDS * 1000;
    while (!condition()) {
      const left = end - Date.now();
      if (left <= 0)
        throw new Error(`waited in vain until ${what}; came: ${this.received().join("; ").slice(0, 2000)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  private async answerTo(messageId: number, cmd: "suback" | "unsuback"): Promise<string> {
    const find = (): Packet | undefined => this.packets.find((one) => one.cmd === cmd && one.messageId === messageId);
    await this.until(cmd, () => this.isClosed || find() !== undefined);
    const packet = find();
    return packet === undefined ? "closed" : textOf(packet);
  }

  private hasEnd(messageId: number): boolean {
    return this.packets.some(
      (packet) =>
        packet.messageId === messageId &&
        (["puback", "pubcomp"].includes(packet.cmd) || (packet.cmd === "pubrec" && (packet.reasonCode ?? 0) >= 0x80)),
    );
  }

  private receive(packet: Packet): void {
    this.packets.push(packet);
    const answer = answerOf(packet);
    if (answer !== undefined) {
      if (this.holdsAcks && answer.cmd !== "pubcomp") this.held.push(answer);
      else this.send(answer);
    }
    this.changed();
  }

  private changed(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const wake of waiting) wake();
  }
}

/** What MQTT asks a client to answer. */
function answerOf(packet: Packet): Packet | undefined {
  const answer = { messageId: packet.messageId ?? 0, reasonCode: 0 };
  if (packet.cmd === "publish" && packet.qos > 0) return { ...answer, cmd: packet.qos === 1 ? "puback" : "pubrec" };
  if (packet.cmd === "pubrec" && (packet.reasonCode ?? 0) < 0x80) return { ...answer, cmd: "pubrel" };
  return packet.cmd === "pubrel" ? { ...answer, cmd: "pubcomp" } : undefined;
}
