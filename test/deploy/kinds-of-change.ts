import {
  Authentication,
  BrokerNetwork,
  CertificateAuthority,
  ClientOptions,
  ConnectionOutputs,
  KeyAlgorithm,
  Listener,
  MosquittoBrokerProps,
  MosquittoImage,
} from "../../constructs";

/** What a broker is declared with. */
export interface Declared {
  readonly props: Omit<MosquittoBrokerProps, "name" | "credentials">;
  readonly clients: Readonly<Record<string, ClientOptions>>;
}

/** What differs from run to run. */
export interface Surroundings {
  readonly image: MosquittoImage;
  readonly otherImage: MosquittoImage;
  readonly ports: readonly [mutualTls: number, password: number, other: number];
  /** Name of a Docker network that is there already. */
  readonly network: string;
}

/** What a change may cost, from the least to the most. */
export type Cost = "nothing" | "new connections only" | "its own session" | "restart";

export type Alteration = (declared: Declared, surroundings: Surroundings) => Declared;

/** Kinds of change that are deployed at once. */
export interface Change {
  /** What each of them costs, and so what all of them do. */
  readonly costs: Cost;
  /** Each as the guide names it. */
  readonly kinds: readonly (readonly [what: string, alteration: Alteration])[];
  /** The clients whose sessions they end, sorted. */
  readonly ends?: readonly string[];
}

type Props = Partial<Declared["props"]>;

const props =
  (change: Props | ((surroundings: Surroundings, declared: Declared) => Props)): Alteration =>
  (declared, surroundings) => ({
    ...declared,
    props: { ...declared.props, ...(typeof change === "function" ? change(surroundings, declared) : change) },
  });

const client =
  (name: string, options: ClientOptions): Alteration =>
  ({ clients, ...declared }) => ({ ...declared, clients: { ...clients, [name]: { ...clients[name], ...options } } });

const removed =
  (name: string): Alteration =>
  ({ clients, ...declared }) => ({
    ...declared,
    clients: Object.fromEntries(Object.entries(clients).filter(([one]) => one !== name)),
  });

const both =
  (first: Alteration, second: Alteration): Alteration =>
  (declared, surroundings) =>
    second(first(declared, surroundings), surroundings);

const onFirstListener =
  (name: string): Alteration =>
  (declared, surroundings) =>
    client(name, { listeners: declared.props.listeners?.slice(0, 1) ?? [] })(declared, surroundings);

const host = (name: string): Alteration => props((_, declared) => ({ hosts: [...declared.props.hosts, name] }));

function rotation(trusted: readonly number[], issuing: number): Alteration {
  // Not the same value: that would be one authority for both.
  const authority = (): CertificateAuthority => CertificateAuthority.managed({ trusted, issuing });
  return props({ clientAuthority: authority(), serverAuthority: authority() });
}

const unaltered: Alteration = (declared) => declared;

/** Done to the store, not to the declaration. */
export const REVOKED_BY_COMMAND = "`cdktf-mosquitto revoke`";

/** Clients that do nothing but stay connected, by certificate and by password. */
const BYSTANDERS: Declared["clients"] = {
  sensor: { publish: ["plant/sensor"] },
  operator: { authentication: Authentication.password(), publish: ["plant/operator"] },
  gateway: { publish: ["plant/gateway"] },
  panel: { publish: ["plant/panel"] },
};

export function firstDeclared({ image, ports }: Surroundings): Declared {
  return {
    props: {
      hosts: ["localhost"],
      listeners: [Listener.mutualTls({ port: ports[0] }), Listener.passwordOverTls({ port: ports[1] })],
      image,
    },
    clients: {
      publisher: { publish: ["traffic", "queued", "kept"] },
      subscriber: { subscribe: ["traffic"] },
      away: { subscribe: ["queued", "kept"] },
      newcomer: { subscribe: ["plant/#"] },
      ...BYSTANDERS,
    },
  };
}

/** Every kind of change, in an order in which one broker goes through all. */
export const CHANGES: readonly Change[] = [
  {
    costs: "nothing",
    kinds: [
      [
        "a client's `host`, `serverName`, `listeners`",
        both(client("newcomer", { host: "127.0.0.1", serverName: "localhost" }), onFirstListener("sensor")),
      ],
      [
        "`connectionOutput`, `connectionOutputs`, `outputPrefix`",
        both(
          client("sensor", { connectionOutput: false }),
          props({ connectionOutputs: ConnectionOutputs.withoutSecrets(), outputPrefix: "hall_" }),
        ),
      ],
    ],
  },
  {
    costs: "nothing",
    kinds: [["a client added: `addClient`, `addClients`", client("guest", { publish: ["plant/guest"] })]],
  },
  {
    costs: "nothing",
    kinds: [
      [
        "rules: `publish`, `subscribe`, `publishAndSubscribe`, `deny`",
        client("sensor", { publish: ["plant/+"], publishAndSubscribe: ["hall/#"], deny: ["hall/secret"] }),
      ],
      [
        "`logging`: `types`, `connectionMessages`",
        props({ logging: { types: ["error", "warning", "debug"], connectionMessages: false } }),
      ],
      ["`clientCertificates`", props({ clientCertificates: { validityDays: 300 } })],
    ],
  },
  {
    costs: "new connections only",
    kinds: [
      ["an address added to `hosts`", host("192.168.1.13")],
      ["`serverCertificate`: `credentialVersion`", props({ serverCertificate: { credentialVersion: 2 } })],
      ["`keyAlgorithm`", props({ keyAlgorithm: KeyAlgorithm.ecdsaP384() })],
    ],
  },
  {
    costs: "nothing",
    kinds: [["rotation of `clientAuthority`, `serverAuthority`, first step: both are trusted", rotation([1, 2], 1)]],
  },
  { costs: "new connections only", kinds: [["rotation, second step: the next one issues", rotation([1, 2], 2)]] },
  { costs: "new connections only", kinds: [["rotation, last step: the old one is dropped", rotation([2], 2)]] },
  {
    costs: "its own session",
    kinds: [
      ["a client removed", removed("guest")],
      ["a client's `authentication`", client("panel", { authentication: Authentication.password() })],
    ],
    ends: ["guest", "panel"],
  },
  {
    costs: "its own session",
    kinds: [
      ["`credentialVersion` of a client's certificate", client("sensor", { credentialVersion: 2 })],
      ["`credentialVersion` of a client's password", client("operator", { credentialVersion: 2 })],
      [REVOKED_BY_COMMAND, unaltered],
    ],
    ends: ["gateway", "operator", "sensor"],
  },
  {
    costs: "restart",
    kinds: [
      [
        "`listeners`",
        props(({ ports }, { props: { listeners = [] } }) => ({
          listeners: [...listeners.slice(0, 1), Listener.passwordOverTls({ port: ports[2], maxQos: 1 })],
        })),
      ],
      ["a DNS name added to `hosts`", host("broker.plant.example")],
      ["`network`", props(({ network }) => ({ network: BrokerNetwork.existing(network) }))],
      ["`limits`", props({ limits: { maxQueuedMessages: 2000 } })],
      ["`persistence`", props({ persistence: { autosaveInterval: 30 } })],
      ["`sysInterval`", props({ sysInterval: 20 })],
      ["`logging`: `timestampFormat`", props({ logging: { timestampFormat: "%H:%M:%S" } })],
      ["`extraConfig`", props({ extraConfig: ["retain_expiry_interval 1"] })],
    ],
  },
  {
    costs: "restart",
    kinds: [["`image`, also to and from another Mosquitto", props(({ otherImage }) => ({ image: otherImage }))]],
  },
];

/** Every row of the guide's table. */
export const KINDS_OF_CHANGE = CHANGES.flatMap(({ kinds }) => kinds.map(([what]) => what));
