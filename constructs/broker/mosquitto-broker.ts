import { Container } from "@cdktf/provider-docker/lib/container";
import { Network } from "@cdktf/provider-docker/lib/network";
import { Volume } from "@cdktf/provider-docker/lib/volume";
import { Annotations, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { accessMatrix, AccessMatrixEntry, AccessRules, decide, renderAccessControlList } from "../access";
import { AuthenticationMethod } from "../client/authentication";
import { credentialVersionFault, tokenFault } from "../client/client-faults";
import { ListedClient } from "../client/client-list";
import { ConnectionOutputs } from "../client/connection-outputs";
import { ClientOptions, MosquittoClient } from "../client/mosquitto-client";
import { CertificateAuthority, CredentialStore } from "../credentials";
import { Fault, Faults } from "../faults";
import { Host, hostFault, KeyAlgorithm, lifetimeFaults, parseHost } from "../pki";
import { AuthorityGuard } from "./authority-guard";
import { BrokerNetwork } from "./broker-network";
import { brokerOptionFaults, brokerOptionWarnings } from "./broker-options";
import { BrokerOutputs } from "./broker-outputs";
import { BrokerResources } from "./broker-resources";
import { BrokerSet } from "./broker-set";
import { ClientListOptions, listedClients } from "./client-lists";
import { ClientRegistry, endpointOf } from "./client-registry";
import { deliverMaterial } from "./delivery";
import { Listener } from "./listener";
import { brokerFileNames } from "./material";
import { afterSynthesis } from "./material-synthesizer";
import { renderMosquittoConf } from "./mosquitto-conf";
import { MosquittoBrokerProps } from "./mosquitto-broker-props";
import { MosquittoImage } from "./mosquitto-image";
import { Reservations } from "./reservations";
import { CLIENT_VALIDITY, SERVER_VALIDITY, wantedCredentials } from "./wanted-credentials";

/**
 * A Mosquitto broker in a container, that lets nobody in who was not declared.
 *
 * Declares only resources. Keys, certificates and password hashes are issued once, kept in the credential store and put
 * beside the synthesized config, never into it.
 */
export class MosquittoBroker extends Construct {
  /** Name of the container, and the beginning of all other names. */
  readonly name: string;
  readonly listeners: readonly Listener[];
  readonly container: Container;
  readonly configVolume: Volume;
  readonly dataVolume: Volume;
  /** The network that was made for the broker, unless it is on an existing one. */
  readonly network?: Network;
  /** Name of the Docker network that the broker is on. */
  readonly networkName: string;

  private readonly registry: ClientRegistry;
  private readonly hosts: readonly Host[];
  private readonly serverAuthority: CertificateAuthority;
  /** Absent where no listener asks for a client certificate. */
  private readonly clientAuthority: CertificateAuthority | undefined;
  private readonly outputs: BrokerOutputs;

  /** @throws {Error} naming every fault of the declaration */
  constructor(
    scope: Construct,
    id: string,
    private readonly props: MosquittoBrokerProps,
  ) {
    super(scope, id);
    const stack = TerraformStack.of(this);
    this.name = props.name ?? this.node.path.replace(/\//g, "-");
    this.listeners = props.listeners ?? [Listener.mutualTls()];
    const network = props.network ?? BrokerNetwork.bridge();
    const image = props.image ?? MosquittoImage.official();
    const store = props.credentials ?? CredentialStore.folder(`credentials/${this.name}`);
    this.serverAuthority = props.serverAuthority ?? CertificateAuthority.managed();
    if (this.listeners.some((listener) => listener.asksForCertificate)) {
      this.clientAuthority = props.clientAuthority ?? CertificateAuthority.managed();
    }
    this.validate(network, image);
    this.hosts = props.hosts.map(parseHost);

    // Another stack may be on another machine.
    Reservations.of(stack).take("container name", this.name, this, "give one of them another `name`");
    Reservations.of(this.node.root).take(
      "credential store",
      store.directory,
      this,
      "give each broker a store of its own",
    );
    for (const warning of this.warnings(image)) Annotations.of(this).addWarning(warning);

    this.registry = new ClientRegistry(new Construct(this, "clients"), {
      brokerPath: this.node.path,
      listeners: this.listeners,
      host: (this.hosts[0] as Host).value,
      clientAuthority: this.clientAuthority,
      surroundings: {
        certificateLifetime: { validityDays: CLIENT_VALIDITY, ...props.clientCertificates },
        takesLongSalts: image.line !== "2.0",
        publishesSys: props.sysInterval !== 0,
      },
    });
    const materialFolder = `material/${this.name}`;
    const checksRevocations = this.clientAuthority?.hasRevocationLists ?? true;
    const set = new BrokerSet(this, {
      materialFolder,
      materialFiles: brokerFileNames(this.clientAuthority !== undefined),
      conf: renderMosquittoConf({ listeners: this.listeners, options: props, checksRevocations }),
      accessControlList: () => renderAccessControlList(this.accessRules()),
    });
    const guard = new AuthorityGuard(this, {
      materialFolder,
      authorities: [
        ["server", this.serverAuthority],
        ...(this.clientAuthority ? ([["clients", this.clientAuthority]] as const) : []),
      ],
      brokerName: this.name,
      stackId: stack.node.id,
      storeLocation: store.location,
    });
    const resources = new BrokerResources(this, {
      name: this.name,
      image: image.name,
      forgetsLimits: image.line === "2.0",
      listeners: this.listeners,
      ...(props.limits?.memoryLimit !== undefined && { memoryLimit: props.limits.memoryLimit }),
      network,
      // In another container localhost is that container.
      aliases: this.hosts.flatMap(({ kind, value }) => (kind === "dns" && value !== "localhost" ? [value] : [])),
      set,
      guard: guard.credentials,
      replacedWith: [
        ...(checksRevocations ? [] : ["client-ca.crt"]),
        // libwebsockets reads it at the start only.
        ...(image.line === "2.0" && this.listeners.some(({ protocol }) => protocol === "wss") ? ["server.crt"] : []),
      ],
      protectData: props.protectData ?? true,
      ...(props.provider && { provider: props.provider }),
    });
    guard.remember(resources.reloader);
    this.container = resources.broker;
    this.configVolume = resources.configVolume;
    this.dataVolume = resources.dataVolume;
    if (resources.network) this.network = resources.network;
    this.networkName = resources.networkName;
    this.outputs = new BrokerOutputs(this, {
      prefix: props.outputPrefix ?? "",
      materialFolder,
      connectionOutputs: props.connectionOutputs ?? ConnectionOutputs.withSecrets(),
      endpoints: this.listeners.map((listener) => {
        const { host, port, protocol } = endpointOf(listener, (this.hosts[0] as Host).value);
        return { kind: listener.kind, host, port, protocol };
      }),
    });

    afterSynthesis(stack, (stackDirectory) =>
      deliverMaterial({
        stackDirectory,
        materialFolder,
        stackId: stack.node.id,
        brokerPath: this.node.path,
        store,
        wanted: wantedCredentials({
          name: this.name,
          props,
          hosts: this.hosts,
          serverAuthority: this.serverAuthority,
          clientAuthority: this.clientAuthority,
          clients: this.clients,
        }),
        declaredFiles: set.declaredFiles(),
        expected: {
          listeners: this.listeners,
          checksRevocations,
          extraNames: extraNames([props.extraConfig, ...this.listeners.map(({ options }) => options.extraConfig)]),
          hosts: this.hosts,
          rules: this.accessRules(),
          passwords: this.clients.flatMap(({ name, authentication }) => (authentication.password ? [name] : [])),
        },
        clients: this.clients,
      }),
    );
  }

  /** Every client that was declared. */
  get clients(): readonly MosquittoClient[] {
    return this.registry.all;
  }

  /**
   * Declares a client, with its credential, its access rules and an output with its connection bundle.
   *
   * @param name user name, client id and common name at once: letters, digits, `.`, `_` and `-`
   * @throws {Error} naming every fault
   */
  addClient(name: string, options: ClientOptions = {}): MosquittoClient {
    return this.addAll([{ name, options }])[0] as MosquittoClient;
  }

  /**
   * Declares many clients at once: names, or what `ClientList.csv()` has read. None gets an output of its own unless that
   * is asked for.
   *
   * @throws {Error} naming the faults of all, each with its place in the list
   */
  addClients(list: readonly (string | ListedClient)[], options: ClientListOptions): readonly MosquittoClient[] {
    return this.addAll(listedClients(this.node.path, list, options));
  }

  /**
   * Whether the declared rules let a client publish to a topic, or to every topic that a filter stands for. The broker
   * decides the same.
   *
   * @param topics topic name or topic filter (MQTT 5 section 4.7)
   * @throws {Error} for a client of another name than was declared, or what is no topic filter
   */
  canPublish(client: string | MosquittoClient, topics: string): boolean {
    return decide(rulesOf(this.registry.get(client)), "publish", topics) === "all";
  }

  /**
   * Whether the declared rules let a client receive the messages of a topic, or of every topic that a filter stands for.
   * Mosquitto grants every subscription and checks each message that it delivers.
   *
   * @param topics topic name, topic filter, or shared subscription
   * @throws {Error} for a client of another name than was declared, or what is no topic filter
   */
  canSubscribe(client: string | MosquittoClient, topics: string): boolean {
    return decide(rulesOf(this.registry.get(client)), "subscribe", topics) === "all";
  }

  /**
   * Who can do what: for each client and each column whether it may publish to and receive from all of it, some of it or
   * none; left out where both are none.
   *
   * @param columns topic names and filters. @default - every filter that any client declares
   */
  accessMatrix(columns?: readonly string[]): readonly AccessMatrixEntry[] {
    return accessMatrix(this.accessRules(), columns);
  }

  private addAll(declarations: Parameters<ClientRegistry["add"]>[0]): readonly MosquittoClient[] {
    const clients = this.registry.add(declarations);
    clients.forEach((client, index) => {
      if (declarations[index]?.options.connectionOutput ?? true) {
        this.outputs.addConnection(client.name, describe(client));
      }
    });
    return clients;
  }

  private accessRules(): AccessRules[] {
    return this.clients.map(rulesOf);
  }

  private warnings(image: MosquittoImage): string[] {
    return [
      ...(image.warning === undefined ? [] : [image.warning]),
      ...(this.clientAuthority?.hasRevocationLists === false
        ? [
            "clientAuthority has no revocation list: a stolen certificate is refused only when its client is no longer " +
              "declared, and every authority below the same root may issue certificates with a declared client's name",
          ]
        : []),
      ...this.listeners.flatMap((listener, index) => listener.warnings(`listeners[${index}]`)),
      ...brokerOptionWarnings(this.props),
    ];
  }

  private authorityFaults(): Fault[] {
    const faults = this.serverAuthority.faults("serverAuthority");
    if (this.serverAuthority.generations.some(({ source }) => source.kind === "trusted")) {
      faults.push({
        what: "serverAuthority",
        value: "CertificateAuthority.trusted()",
        allowed: "an authority that signs: managed, intermediate, imported or external",
        remedy: "only clients' certificates can be issued elsewhere",
      });
    }
    if (this.clientAuthority === undefined || this.clientAuthority === this.serverAuthority) return faults;
    return [...faults, ...this.clientAuthority.faults("clientAuthority")];
  }

  private validate(network: BrokerNetwork, image: MosquittoImage): void {
    const { props } = this;
    const faults = new Faults(`broker ${this.node.path}`);
    faults.add(tokenFault("name", this.name) ?? dockerNameFault(this.name));
    if (!Array.isArray(props.hosts) || props.hosts.length === 0) {
      faults.add({
        what: "hosts",
        value: props.hosts,
        allowed: "one DNS name or IP address or more",
        remedy: "name what clients connect to, such as broker.plant.example or 192.168.1.13",
      });
    } else {
      props.hosts.forEach((host, index) => {
        const what = `hosts[${index}]`;
        faults.add(tokenFault(what, host) ?? hostFault(what, host));
      });
    }
    if (this.listeners.length === 0) {
      faults.add({
        what: "listeners",
        value: [],
        allowed: "one listener or more",
        remedy: "leave it out for Listener.mutualTls()",
      });
    }
    const surroundings = {
      publishes: !network.isInternal,
      isShared: network.existingName !== undefined && !network.isInternal,
      mosquittoLine: image.line,
      serverKey: props.serverCertificate?.keyAlgorithm ?? props.keyAlgorithm ?? KeyAlgorithm.ecdsaP256(),
    };
    const ports = new Map<number, number>();
    this.listeners.forEach((listener, index) => {
      faults.add(...listener.faults(`listeners[${index}]`, surroundings));
      const first = ports.get(listener.port);
      if (first !== undefined) {
        faults.add({
          what: `listeners[${index}].port`,
          value: listener.port,
          allowed: `another port than listeners[${first}]`,
          remedy: "give each listener a port of its own",
        });
      }
      ports.set(listener.port, index);
    });
    faults.add(...brokerOptionFaults(props, this.listeners, image.line));
    faults.add(...this.authorityFaults());
    faults.add(...lifetimeFaults("serverCertificate", { validityDays: SERVER_VALIDITY, ...props.serverCertificate }));
    faults.add(...lifetimeFaults("clientCertificates", { validityDays: CLIENT_VALIDITY, ...props.clientCertificates }));
    faults.add(
      credentialVersionFault("serverCertificate.credentialVersion", props.serverCertificate?.credentialVersion),
    );
    faults.add(...image.faults());
    faults.throwIfAny();
  }
}

function describe({ method, credentialVersion, authentication }: MosquittoClient): string {
  const ownKey = authentication.certificate?.requestPem === undefined ? "" : " for a key of its own";
  return `${HOW[method]}${ownKey}, version ${credentialVersion}`;
}

/** The names of options in lines that passed. */
function extraNames(all: readonly (readonly string[] | undefined)[]): ReadonlySet<string> {
  return new Set(all.flatMap((lines = []) => lines.map((line) => line.split(" ")[0] as string)));
}

const HOW: Readonly<Record<AuthenticationMethod, string>> = {
  certificate: "certificate",
  password: "password",
  certificateAndPassword: "password and certificate",
  certificateOrPassword: "password or certificate",
};

function rulesOf({ name, publish, subscribe, deny }: MosquittoClient): AccessRules {
  return { userName: name, publish, subscribe, deny };
}

function dockerNameFault(name: string): Fault | undefined {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,99}$/.test(name)) return undefined;
  return {
    what: "name",
    value: name,
    allowed: "2 to 100 letters, digits, `_`, `.` and `-`, the first a letter or digit, as Docker asks",
    remedy: "set `name`, or rename the construct",
  };
}
