import { Container } from "@cdktf/provider-docker/lib/container";
import { Network } from "@cdktf/provider-docker/lib/network";
import { Volume } from "@cdktf/provider-docker/lib/volume";
import { Annotations, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { renderAccessControlList } from "../access";
import { Authentication } from "../client/authentication";
import { ConnectionEndpoint } from "../client/connection-bundle";
import { ConnectionOutputs } from "../client/connection-outputs";
import { ClientOptions, credentialVersionFault, MosquittoClient, tokenFault } from "../client/mosquitto-client";
import { CertificateAuthority, CredentialStore } from "../credentials";
import { Fault, Faults, show } from "../faults";
import { Host, hostFault, lifetimeFaults, parseHost } from "../pki";
import { AuthorityGuard } from "./authority-guard";
import { BrokerNetwork } from "./broker-network";
import { BrokerOutputs } from "./broker-outputs";
import { BrokerResources } from "./broker-resources";
import { BrokerSet } from "./broker-set";
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

  /** By the name that its file and output have, where upper and lower case, `.` and `_` may be the same. */
  private readonly clients = new Map<string, MosquittoClient>();
  private readonly clientScope: Construct;
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
    if (this.listeners.some((listener) => listener.accepts("certificate"))) {
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
    if (image.warning !== undefined) Annotations.of(this).addWarning(image.warning);
    if (this.clientAuthority?.hasRevocationLists === false) {
      Annotations.of(this).addWarning(
        "clientAuthority has no revocation list: a stolen certificate is refused only when its client is no longer " +
          "declared, and every authority below the same root may issue certificates with a declared client's name",
      );
    }
    for (const listener of this.listeners.filter(({ usesTls }) => !usesTls)) {
      Annotations.of(this).addWarning(
        `Listener.plaintext() on port ${listener.port}: passwords and payloads are readable on their way`,
      );
    }

    this.clientScope = new Construct(this, "clients");
    const materialFolder = `material/${this.name}`;
    const checksRevocations = this.clientAuthority?.hasRevocationLists ?? true;
    const set = new BrokerSet(this, {
      materialFolder,
      materialFiles: brokerFileNames(this.clientAuthority !== undefined),
      conf: renderMosquittoConf(this.listeners, { checksRevocations }),
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
      listeners: this.listeners,
      network,
      // In another container localhost is that container.
      aliases: this.hosts.flatMap(({ kind, value }) => (kind === "dns" && value !== "localhost" ? [value] : [])),
      set,
      guard: guard.credentials,
      ...(!checksRevocations && { replacedWith: "client-ca.crt" }),
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
      endpoints: this.listeners.map((listener) => ({ kind: listener.kind, ...this.endpoint(listener) })),
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
          clients: [...this.clients.values()],
        }),
        clients: [...this.clients.values()],
      }),
    );
  }

  /**
   * Declares a client, with its credential, its access rules and an output with its connection bundle.
   *
   * @param name user name, client id and common name at once: letters, digits, `.`, `_` and `-`
   * @throws {Error} naming every fault, or when no listener accepts such a client
   */
  addClient(name: string, options: ClientOptions = {}): MosquittoClient {
    const { method } = options.authentication ?? Authentication.certificate();
    const listener = this.listeners.find((candidate) => candidate.accepts(method));
    if (listener === undefined) {
      const kinds = this.listeners.map(({ kind }) => kind).join(", ");
      throw new Error(
        `client ${show(name)} of ${this.node.path} proves itself by ${method}, and no listener accepts that; ` +
          `the listeners are: ${kinds}; remedy: add ${method === "certificate" ? "Listener.mutualTls()" : "Listener.passwordOverTls()"}, ` +
          "or declare another authentication",
      );
    }
    const key = String(name).toLowerCase().replace(/\./g, "_");
    const twin = this.clients.get(key);
    if (twin !== undefined) {
      throw new Error(
        `client ${show(name)} of ${this.node.path} has the name of client ${show(twin.name)}; ` +
          "allowed: names that differ in more than upper and lower case, or . and _, since they name files and outputs; " +
          "remedy: rename one",
      );
    }
    if (options.authentication?.requestPem !== undefined && this.clientAuthority?.issues === false) {
      throw new Error(
        `client ${show(name)} of ${this.node.path} has a certificate request, and its authority is only trusted, not issuing ` +
          "here; allowed: Authentication.certificate(); remedy: have the request signed by that authority",
      );
    }
    const lifetimes = { ...this.props.clientCertificates, ...options.authentication?.certificateOptions };
    const faults = new Faults(`client ${show(name)} of ${this.node.path}`);
    faults.add(...lifetimeFaults("authentication", { validityDays: CLIENT_VALIDITY, ...lifetimes }));
    faults.throwIfAny();
    const client = new MosquittoClient(this.clientScope, name, options, this.endpoint(listener));
    this.outputs.addConnection(name, describe(client));
    this.clients.set(key, client);
    return client;
  }

  private endpoint({ port, protocol }: Listener): ConnectionEndpoint {
    return { host: (this.hosts[0] as Host).value, port, protocol };
  }

  private accessRules(): { userName: string; publish: readonly string[]; subscribe: readonly string[] }[] {
    return [...this.clients.values()].map(({ name, publish, subscribe }) => ({ userName: name, publish, subscribe }));
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
    const ports = new Map<number, number>();
    this.listeners.forEach((listener, index) => {
      faults.add(...listener.faults(`listeners[${index}]`, !network.isInternal));
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
  const how = authentication.requestPem === undefined ? method : "certificate for a key of its own";
  return `${how}, version ${credentialVersion}`;
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
