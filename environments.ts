import {
  Authentication,
  BrokerNetwork,
  CertificateAuthority,
  ClientOptions,
  ConnectionOutputs,
  CredentialStore,
  Listener,
} from "./constructs";

/** What differs between the environments. Typed values only. */
export interface Environment {
  /** Id of the stack: `cdktf deploy NAME`. */
  readonly name: string;
  /** Where Docker runs, such as `ssh://user@host`; absent for the machine's own. */
  readonly dockerHost?: string;
  readonly hosts: readonly string[];
  readonly listeners: readonly Listener[];
  readonly network: BrokerNetwork;
  readonly credentials: CredentialStore;
  readonly serverAuthority: CertificateAuthority;
  readonly clientAuthority: CertificateAuthority;
  readonly connectionOutputs: ConnectionOutputs;
  readonly protectData: boolean;
  readonly clients: Readonly<Record<string, ClientOptions>>;
}

/** On this machine only, for development: keys are issued by the way and everything may be thrown away. */
const dev: Environment = {
  name: "dev",
  hosts: ["localhost"],
  listeners: [Listener.mutualTls({ port: 8883 }), Listener.passwordOverTls({ port: 8884 })],
  network: BrokerNetwork.bridge(),
  credentials: CredentialStore.folder("credentials/dev"),
  serverAuthority: CertificateAuthority.managed(),
  clientAuthority: CertificateAuthority.managed(),
  connectionOutputs: ConnectionOutputs.withSecrets(),
  protectData: false,
  clients: {
    "sensor-1": {
      authentication: Authentication.certificate(),
      publish: ["plant/sensor-1/#"],
      subscribe: ["plant/sensor-1/commands"],
    },
    dashboard: { authentication: Authentication.certificate(), subscribe: ["plant/#"] },
    operator: {
      authentication: Authentication.password(),
      publish: ["plant/+/commands"],
      subscribe: ["plant/#"],
    },
  },
};

/** What staging and production share: a machine of their own, issuing as a step of its own, no keys in the state. */
function shared(name: string, host: string, dockerHost: string): Omit<Environment, "clients"> {
  return {
    name,
    dockerHost,
    hosts: [host],
    listeners: [
      Listener.mutualTls({ port: 8883, bindAddresses: ["0.0.0.0"], maxConnections: 2000 }),
      Listener.passwordOverTls({ port: 8884, bindAddresses: ["0.0.0.0"], maxConnections: 100 }),
    ],
    network: BrokerNetwork.bridge(),
    credentials: CredentialStore.folder(`credentials/${name}`, { issue: "never" }),
    serverAuthority: CertificateAuthority.managed({ validityDays: 3650 }),
    clientAuthority: CertificateAuthority.managed({ validityDays: 3650 }),
    connectionOutputs: ConnectionOutputs.withoutSecrets(),
    protectData: true,
  };
}

const plant: Readonly<Record<string, ClientOptions>> = {
  "sensor-1": { publish: ["plant/sensor-1/#"], subscribe: ["plant/sensor-1/commands"] },
  "sensor-2": { publish: ["plant/sensor-2/#"], subscribe: ["plant/sensor-2/commands"] },
  dashboard: { subscribe: ["plant/#"] },
  monitoring: { subscribe: ["$SYS/broker/#"] },
  operator: {
    authentication: Authentication.password(),
    publish: ["plant/+/commands"],
    subscribe: ["plant/#"],
  },
};

const staging: Environment = {
  ...shared("staging", "broker.staging.plant.example", "ssh://deploy@broker.staging.plant.example"),
  clients: plant,
};

const prod: Environment = {
  ...shared("prod", "broker.plant.example", "ssh://deploy@broker.plant.example"),
  clients: plant,
};

export const environments: readonly Environment[] = [dev, staging, prod];
