import { ChildProcess, spawn } from "node:child_process";
import * as readline from "node:readline";
import { until } from "./until";

/** What many connections have counted together since they were opened. */
export interface LoadCount {
  readonly connected: number;
  /** Handshakes that resumed a TLS session. */
  readonly resumed: number;
  readonly sent: number;
  /** At QoS 1, by the broker. */
  readonly acknowledged: number;
  readonly refused: number;
  /** Without duplicates. */
  readonly received: number;
  /** Messages before one that was received. */
  readonly missing: number;
  readonly duplicates: number;
  /** The longest time from PUBLISH to PUBACK since the last count, milliseconds. */
  readonly slowestMs: number;
}

export interface ConnectResult {
  readonly connected: number;
  /** Why a client did not get in, by its name. */
  readonly refused: Readonly<Record<string, string>>;
  readonly seconds: number;
}

export interface LoadOptions {
  /** How many handshakes run at a time. @default 50 */
  readonly atOnce?: number;
  /** Dialled instead of the bundle's host. */
  readonly address?: string;
  /** The highest version. @default "1.3" */
  readonly tls?: "1.2" | "1.3";
  /** Whether a client that connects again resumes its TLS session. */
  readonly resume?: boolean;
  /** Whether the sessions outlive the connections. */
  readonly persistent?: boolean;
  /** Whether a client that was disconnected connects again. */
  readonly comeBack?: boolean;
  /** Seconds. @default 10 */
  readonly keepAlive?: number;
}

export interface PublishOptions {
  readonly qos: 0 | 1;
  /** Milliseconds between two messages of a client; 0 is as fast as the broker takes them. */
  readonly everyMs: number;
  /** Of a payload, 8 at least. @default 100 */
  readonly bytes?: number;
}

interface Event {
  readonly event: "disconnected" | "all back";
  readonly client?: string;
  readonly reason?: string;
  readonly seconds?: number;
}

/** A process that holds thousands of connections: `tools/load`. Clients are named by a pattern such as `sender-*`. */
export class LoadClient {
  /** Why, by the name of each client that was disconnected and does not come back. */
  readonly disconnected = new Map<string, string>();
  private readonly answers: ((answer: { error?: string }) => void)[] = [];
  private back: number[] = [];
  private readonly process: ChildProcess;
  private readonly ended: Promise<void>;

  /**
   * @param program what set-up has built
   * @param folder with a bundle NAME.json of each client
   */
  constructor(program: string, folder: string) {
    this.process = spawn(program, [folder], { stdio: ["pipe", "pipe", "inherit"] });
    this.ended = new Promise((resolve) => this.process.once("close", () => resolve()));
    readline.createInterface({ input: this.process.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      const said = JSON.parse(line) as { answer: { error?: string } } | Event;
      if ("answer" in said) this.answers.shift()?.(said.answer);
      else if (said.event === "all back") this.back.push(said.seconds as number);
      else this.disconnected.set(said.client as string, said.reason as string);
    });
    void this.ended.then(() => this.answers.forEach((answer) => answer({ error: "the load client has ended" })));
  }

  connect(clients: string, options: LoadOptions = {}): Promise<ConnectResult> {
    return this.ask("connect", { clients, atOnce: 50, keepAlive: 10, ...options });
  }

  /** @param topic `{number}` in it is what stands behind the last `-` of a client's name */
  async subscribe(clients: string, topic: string, qos: 0 | 1 = 1): Promise<void> {
    await this.ask("subscribe", { clients, topic, qos });
  }

  /** Begins; each client numbers its messages. */
  async publish(clients: string, topic: string, options: PublishOptions): Promise<void> {
    await this.ask("publish", { clients, topic, bytes: 100, ...options });
  }

  /** Ends publishing, when what was sent is acknowledged. */
  async stop(clients: string): Promise<void> {
    await this.ask("stop", { clients });
  }

  async disconnect(clients: string): Promise<void> {
    await this.ask("disconnect", { clients });
  }

  count(): Promise<LoadCount> {
    return this.ask("count", {});
  }

  /** @returns seconds from the first disconnection until all are back */
  async allBack(): Promise<number> {
    await until("all clients are back", () => this.back.length > 0, 120);
    return this.back.shift() as number;
  }

  /** Ends the process, and with it every connection. */
  async end(): Promise<void> {
    this.process.stdin?.end();
    await this.ended;
  }

  private async ask<T>(what: string, parameters: object): Promise<T> {
    const answer = await new Promise<{ error?: string }>((resolve) => {
      this.answers.push(resolve);
      this.process.stdin?.write(`${JSON.stringify({ do: what, ...parameters })}\n`);
    });
    if (answer.error !== undefined) throw new Error(`${what}: ${answer.error}`);
    return answer as T;
  }
}
