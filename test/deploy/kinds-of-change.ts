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

export interface Change {
  /** As the guide names it. */
  readonly what: string;
  readonly costs: Cost;
  /** Each of them alone costs that at most, and so do all together. */
  readonly alterations: readonly Alteration[];
  /** The clients whose sessions it ends, sorted. */
  readonly ends?: readonly string[];
  /** The client whose credential is revoked by the command before. */
  readonly revoked?: string;
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

const onFirstListener =
  (name: string): Alteration =>
  (declared, surroundings) => {
    const listeners = declared.props.listeners?.slice(0, 1) ?? [];
    return client(name, { listeners, connectionOutput: false })(declared, surroundings);
  };

const host = (name: string): Alteration => props((_, declared) => ({ hosts: [...declared.props.hosts, name] }));

const rotation = (trusted: readonly number[], issuing: number): readonly Alteration[] =>
  ["clientAuthority", "serverAuthority"].map((authority) =>
    props({ [authority]: CertificateAuthority.managed({ trusted, issuing }) }),
  );

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
export const KINDS_OF_CHANGE: readonly Change[] = [
  {
    what: "bundles: a client's `host`, `serverName`, `listeners`, `connectionOutput`; `connectionOutputs`, `outputPrefix`",
    costs: "nothing",
    alterations: [
      client("newcomer", { host: "127.0.0.1", serverName: "localhost" }),
      onFirstListener("sensor"),
      props({ connectionOutputs: ConnectionOutputs.withoutSecrets(), outputPrefix: "hall_" }),
    ],
  },
  {
    what: "a client added: `addClient`, `addClients`",
    costs: "nothing",
    alterations: [client("guest", { publish: ["plant/guest"] })],
  },
  {
    what: "rules: `publish`, `subscribe`, `publishAndSubscribe`, `deny`",
    costs: "nothing",
    alterations: [client("sensor", { publish: ["plant/+"], publishAndSubscribe: ["hall/#"], deny: ["hall/secret"] })],
  },
  {
    what: "`logging`: `types`, `connectionMessages`",
    costs: "nothing",
    alterations: [props({ logging: { types: ["error", "warning", "debug"], connectionMessages: false } })],
  },
  {
    what: "an address added to `hosts`; `serverCertificate`, `clientCertificates`, `keyAlgorithm`; a renewal",
    costs: "new connections only",
    alterations: [
      host("192.168.1.13"),
      props({ serverCertificate: { credentialVersion: 2 } }),
      props({ clientCertificates: { validityDays: 300 }, keyAlgorithm: KeyAlgorithm.ecdsaP384() }),
    ],
  },
  {
    what: "rotation of `clientAuthority`, `serverAuthority`, first step: both are trusted",
    costs: "nothing",
    alterations: rotation([1, 2], 1),
  },
  {
    what: "rotation, second step: the next one issues",
    costs: "new connections only",
    alterations: rotation([1, 2], 2),
  },
  {
    what: "rotation, last step: the old one is dropped",
    costs: "new connections only",
    alterations: rotation([2], 2),
  },
  {
    what: "a client removed; its `authentication`",
    costs: "its own session",
    alterations: [removed("guest"), client("panel", { authentication: Authentication.password() })],
    ends: ["guest", "panel"],
  },
  {
    what: "a client's `credentialVersion`; `cdktf-mosquitto revoke`",
    costs: "its own session",
    alterations: [client("sensor", { credentialVersion: 2 }), client("operator", { credentialVersion: 2 })],
    revoked: "gateway",
    ends: ["gateway", "operator", "sensor"],
  },
  {
    what: "`listeners`, `network`; a DNS name added to `hosts`",
    costs: "restart",
    alterations: [
      host("broker.plant.example"),
      props(({ ports }, { props: { listeners = [] } }) => ({
        listeners: [listeners[0] as Listener, Listener.passwordOverTls({ port: ports[2], maxQos: 1 })],
      })),
      props(({ network }) => ({ network: BrokerNetwork.existing(network) })),
    ],
  },
  {
    what: "`limits`, `persistence`, `sysInterval`, `extraConfig`, `logging.timestampFormat`",
    costs: "restart",
    alterations: [
      props({ limits: { maxQueuedMessages: 2000 } }),
      props({ persistence: { autosaveInterval: 30 } }),
      props({ sysInterval: 20 }),
      props({ extraConfig: ["retain_expiry_interval 1"] }),
      props({ logging: { timestampFormat: "%H:%M:%S" } }),
    ],
  },
  {
    what: "`image`, also to and from another Mosquitto",
    costs: "restart",
    alterations: [props(({ otherImage }) => ({ image: otherImage }))],
  },
];

/** The declaration after some alterations, one upon the other. */
export function altered(declared: Declared, alterations: readonly Alteration[], surroundings: Surroundings): Declared {
  return alterations.reduce((before, alteration) => alteration(before, surroundings), declared);
}
