import { ConnectOptions, Door, Peer, ProtocolVersion } from "./peer";

/** What came of a scenario: lines, by what they show. */
export type Observations = Readonly<Record<string, unknown>>;

export interface Scenario {
  /** Of its clients and topics. */
  readonly name: string;
  /** Of its test. */
  readonly about: string;
  /** How many clients it has. */
  readonly clients: number;
  /** Whether it is about MQTT 5 alone. */
  readonly only5?: boolean;
  readonly run: (lab: Lab) => Promise<Observations>;
}

export function scenarios(list: readonly Scenario[]): readonly Scenario[] {
  return list;
}

/** Where one scenario runs: a broker, a protocol version, and clients and topics that no other one uses. */
export class Lab {
  private readonly peers: Peer[] = [];

  constructor(
    private readonly door: Door,
    readonly version: ProtocolVersion,
    private readonly scenario: Pick<Scenario, "name">,
    /** Three letters, so that packets have the same size everywhere. */
    private readonly where: string,
  ) {}

  /** The name of a client, counted from 1. */
  client(number: number): string {
    return clientName(this.scenario, this.version, number);
  }

  get root(): string {
    return `${this.where}/${this.scenario.name}-${this.version}`;
  }

  topic(rest: string): string {
    return `${this.root}/${rest}`;
  }

  async connect(number: number, options: ConnectOptions = {}): Promise<Peer> {
    const peer = await Peer.connect(this.door, this.client(number), this.version, options);
    this.peers.push(peer);
    return peer;
  }

  async silent(number: number): Promise<Peer> {
    const peer = await Peer.silent(this.door, this.client(number), this.version);
    this.peers.push(peer);
    return peer;
  }

  /** Ends all connections. @returns what is the same wherever it ran */
  async observe(run: Scenario["run"]): Promise<Observations> {
    try {
      const text = JSON.stringify(await run(this));
      const neutral = text.replaceAll(this.root, "~").replaceAll(`"${this.where}/`, '"^/');
      return JSON.parse(neutral) as Observations;
    } finally {
      for (const peer of this.peers) peer.drop();
    }
  }
}

export function clientName({ name }: Pick<Scenario, "name">, version: ProtocolVersion, number: number): string {
  return `${name}-${version}.${number}`;
}
