import { Container } from "@cdktf/provider-docker/lib/container";
import { Network } from "@cdktf/provider-docker/lib/network";
import { Volume } from "@cdktf/provider-docker/lib/volume";
import { Annotations, ITerraformDependable, TerraformStack, Token } from "cdktf";
import { Construct } from "constructs";
import {
  accessMatrix,
  AccessMatrixEntry,
  AccessRules,
  decide,
  renderAccessControlList,
  VERIFY_CLIENT_NAME,
} from "../access";
import { AuthenticationMethod } from "../client/authentication";
import { ListedClient } from "../client/client-list";
import { ConnectionEndpoint } from "../client/connection-bundle";
import { ConnectionOutputs } from "../client/connection-outputs";
import { MONITORING_CLIENT_NAME, MonitoringClientOptions, monitoringOptions } from "../client/monitoring-client";
import { ClientOptions, MosquittoClient } from "../client/mosquitto-client";
import { describeFault, Fault } from "../faults";
import { serverNames } from "../pki";
import { listOf, tokenFault } from "../value-faults";
import { AuthorityGuard } from "./authority-guard";
import { brokerDeclaration, brokerWarnings } from "./broker-declaration";
import { BrokerOutputs } from "./broker-outputs";
import { BrokerResources } from "./broker-resources";
import { BrokerSet } from "./broker-set";
import { ClientListOptions, listedClients } from "./client-lists";
import { ClientRegistry, endpointOf } from "./client-registry";
import { deliverMaterial } from "./delivery";
import { Listener } from "./listener";
import { brokerFileNames, rehearsalFileNames } from "./material";
import { afterSynthesis } from "./material-synthesizer";
import { renderLoggingConf } from "./conf/logging";
import { renderMosquittoConf } from "./conf/mosquitto-conf";
import { MosquittoBrokerProps } from "./mosquitto-broker-props";
import { MosquittoLine } from "./mosquitto-image";
import { CLIENT_VALIDITY, signsCanaries, wantedCredentials } from "./wanted-credentials";

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
  /** To depend on for what connects at once: it is made when every client that is declared is let in. */
  readonly ready: ITerraformDependable;
  readonly configVolume: Volume;
  readonly dataVolume: Volume;
  /** The network that was made for the broker, unless it is on an existing one. */
  readonly network?: Network;
  /** Name of the Docker network that the broker is on. */
  readonly networkName: string;

  private readonly registry: ClientRegistry;
  private sharesSubscriptions = false;
  private readonly outputs: BrokerOutputs;

  /** @throws {Error} naming every fault of the declaration */
  constructor(scope: Construct, id: string, props: MosquittoBrokerProps) {
    super(scope, id);
    const stack = TerraformStack.of(this);
    const declared = brokerDeclaration(this, props);
    const { name, hosts, listeners, network, image, store, serverAuthority, clientAuthority } = declared;
    this.name = name;
    this.listeners = listeners;

    for (const warning of brokerWarnings(props, declared)) Annotations.of(this).addWarning(warning);

    const materialFolder = `material/${name}`;
    // In another container localhost is that container.
    const aliases = hosts.flatMap(({ kind, value }) => (kind === "dns" && value !== "localhost" ? [value] : []));
    this.registry = new ClientRegistry(new Construct(this, "clients"), {
      brokerPath: this.node.path,
      listeners,
      hosts,
      clientAuthority,
      surroundings: {
        certificateLifetime: { validityDays: CLIENT_VALIDITY, ...props.clientCertificates },
        takesLongSalts: image.line !== "2.0",
        publishesSys: props.sysInterval !== 0,
      },
      connection: () => ({
        materialFolder,
        networkName: this.networkName,
        issuesCertificates: clientAuthority?.issues === true,
        reachFault: (endpoint) => reachFault(endpoint, aliases, listeners, network.isInternal),
      }),
    });
    const checksRevocations = clientAuthority?.hasRevocationLists ?? true;
    const kinds = {
      certificates: clientAuthority !== undefined,
      canaries: signsCanaries(clientAuthority),
      passwords: listeners.some(({ asksForPassword }) => asksForPassword),
    };
    const set = new BrokerSet(this, {
      materialFolder,
      materialFiles: brokerFileNames(kinds),
      rehearsalFiles: rehearsalFileNames(kinds),
      conf: renderMosquittoConf({ listeners, options: props, checksRevocations }),
      // What is known at the deploy alone has no hash that stays the same.
      containerInputs: [
        image.name,
        network.existingName ?? (network.isInternal ? "internal" : "bridge"),
        ...aliases,
        ...listeners.flatMap(({ bindAddresses }) => bindAddresses),
      ].filter((one) => !Token.isUnresolved(one)),
      loggingConf: renderLoggingConf(props.logging ?? {}),
      accessControlList: () => renderAccessControlList(this.accessRules()),
    });
    const guard = new AuthorityGuard(this, {
      materialFolder,
      authorities: [["server", serverAuthority], ...(clientAuthority ? ([["clients", clientAuthority]] as const) : [])],
      brokerName: name,
      stackId: stack.node.id,
      storeLocation: store.location,
    });
    const resources = new BrokerResources(this, {
      name,
      image: image.name,
      mosquittoLine: image.line as MosquittoLine,
      listeners,
      ...(props.limits?.memoryLimit !== undefined && { memoryLimit: props.limits.memoryLimit }),
      network,
      aliases,
      set,
      guard: guard.credentials,
      liveChanges: props.liveChanges ?? true,
      replacedWith: [
        ...(checksRevocations ? [] : ["client-ca.crt"]),
        // libwebsockets reads it at the start only.
        ...(image.line === "2.0" && listeners.some(({ protocol }) => protocol === "wss") ? ["server.crt"] : []),
      ],
      protectData: props.protectData ?? true,
      ...(props.provider && { provider: props.provider }),
    });
    guard.remember(resources.reloader);
    this.container = resources.broker;
    this.ready = resources.reloader;
    this.configVolume = resources.configVolume;
    this.dataVolume = resources.dataVolume;
    if (resources.network) this.network = resources.network;
    this.networkName = resources.networkName;
    this.outputs = new BrokerOutputs(this, {
      prefix: props.outputPrefix ?? "",
      materialFolder,
      connectionOutputs: props.connectionOutputs ?? ConnectionOutputs.withSecrets(),
      endpoints: listeners.map((listener) => {
        const { host, port, protocol } = endpointOf(listener, hosts[0].value);
        return {
          ...{ kind: listener.kind, host, port, protocol, hosts: serverNames(hosts) },
          ...(listener.usesTls && { tls_version: listener.options.tlsVersion ?? "tlsv1.2" }),
        };
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
          name,
          props,
          hosts,
          serverAuthority,
          clientAuthority,
          listeners,
          clients: this.clients,
        }),
        declaredFiles: set.declaredFiles(),
        expected: {
          listeners,
          checksRevocations,
          logging: props.logging ?? {},
          extraNames: extraNames([props.extraConfig, ...listeners.map(({ options }) => options.extraConfig)]),
          hosts,
          rules: this.accessRules(),
          passwords: [
            ...this.clients.flatMap((client) => (client.authentication.password ? [client.name] : [])),
            ...(kinds.passwords ? [VERIFY_CLIENT_NAME] : []),
          ],
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
   * Declares a client that watches the broker: it receives the figures in `$SYS/broker/#`, and can neither publish nor
   * receive anything else. See docs/monitoring.md for what to watch.
   *
   * @param name as of any client
   * @throws {Error} naming every fault, such as `sysInterval: 0`, with which there are no figures
   */
  addMonitoringClient(name = MONITORING_CLIENT_NAME, options: MonitoringClientOptions = {}): MosquittoClient {
    return this.addClient(name, monitoringOptions(options));
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
    return decide(rulesOf(this.registry.get(client)), "publish", known("topics", topics)) === "all";
  }

  /**
   * Whether the declared rules let a client receive the messages of a topic, or of every topic that a filter stands for.
   * Mosquitto grants every subscription and checks each message that it delivers.
   *
   * @param topics topic name, topic filter, or shared subscription
   * @throws {Error} for a client of another name than was declared, or what is no topic filter
   */
  canSubscribe(client: string | MosquittoClient, topics: string): boolean {
    return decide(rulesOf(this.registry.get(client)), "subscribe", known("topics", topics)) === "all";
  }

  /**
   * Who can do what: for each client and each column whether it may publish to and receive from all of it, some of it or
   * none; left out where both are none.
   *
   * @param columns topic names and filters. @default - every filter that any client declares
   */
  accessMatrix(columns?: readonly string[]): readonly AccessMatrixEntry[] {
    const list = columns === undefined ? undefined : listOf(columns);
    if (columns !== undefined && list === undefined) {
      throw new Error(
        describeFault({
          what: "columns",
          value: columns,
          allowed: "a list of topic names and filters, known at synth",
          remedy: "leave it out for every filter that is declared",
        }),
      );
    }
    const topics = list?.map((column, index) => known(`columns[${index}]`, column as string));
    return accessMatrix(this.accessRules(), topics);
  }

  private addAll(declarations: Parameters<ClientRegistry["add"]>[0]): readonly MosquittoClient[] {
    const clients = this.registry.add(declarations);
    const sharing = clients.find(({ subscribe }) => subscribe.some((filter) => filter.startsWith("$share/")));
    if (sharing !== undefined && !this.sharesSubscriptions) {
      this.sharesSubscriptions = true;
      Annotations.of(this).addInfo(
        `client ${sharing.name} shares a subscription: Mosquitto lets every client that gets in join the group, and messages ` +
          "that it may not receive are lost then; a restart of the broker forgets who is in the group: let a member subscribe again " +
          "each time it connects",
      );
    }
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
}

function describe({ method, credentialVersion, authentication }: MosquittoClient): string {
  const ownKey = authentication.certificate?.requestPem === undefined ? "" : " for a key of its own";
  return `${HOW[method]}${ownKey}, version ${credentialVersion}`;
}

/** Why another container cannot reach the broker by an endpoint, if it cannot. */
function reachFault(
  { host, port }: ConnectionEndpoint,
  aliases: readonly string[],
  listeners: readonly Listener[],
  isInternal: boolean,
): Fault | undefined {
  if (aliases.includes(host)) return undefined;
  const remedy = 'add a DNS name such as "broker" to the broker\'s hosts, and name it as `host` of this client';
  if (isLoopback(host)) {
    const allowed = "a host that is the broker in another container, too; there this one is that container itself";
    return { what: "host", value: host, allowed, remedy };
  }
  const published = listeners.find((listener) => listener.port === port)?.bindAddresses ?? [];
  if (!isInternal && !published.every(isLoopback)) return undefined;
  const allowed = isInternal
    ? "a DNS name among the broker's hosts: from an internal network nothing is published"
    : `a DNS name among the broker's hosts: port ${port} is published on loopback addresses only`;
  return { what: "host", value: host, allowed, remedy };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
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

/** @throws {Error} for a value that is known only at apply */
function known(what: string, topics: string): string {
  const fault = tokenFault(what, topics);
  if (fault !== undefined) throw new Error(describeFault(fault));
  return topics;
}

function rulesOf({ name, publish, subscribe, deny }: MosquittoClient): AccessRules {
  return { userName: name, publish, subscribe, deny };
}
