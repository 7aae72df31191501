import { TerraformProvider, TerraformStack } from "cdktf";
import { IConstruct } from "constructs";
import { certificateOptionFaults, credentialVersionFault, keyAlgorithmFault } from "../client/credential-faults";
import { ConnectionOutputs } from "../client/connection-outputs";
import { CertificateAuthority, CredentialStore } from "../credentials";
import { Fault, Faults } from "../faults";
import { Host, hostFault, KeyAlgorithm, parseHost } from "../pki";
import { booleanFault, kindFault, listOf, optionsFault, tokenFault } from "../value-faults";
import { BrokerNetwork } from "./broker-network";
import { brokerOptionFaults, brokerOptionWarnings } from "./conf/broker-option-faults";
import { OUTPUT_NAME, outputPrefixFault } from "./broker-outputs";
import { Listener } from "./listener";
import { listenerFaults, listenerWarnings } from "./listener-faults";
import type { MosquittoBrokerProps } from "./mosquitto-broker-props";
import { MosquittoImage } from "./mosquitto-image";
import { Reservations } from "./reservations";
import { CLIENT_VALIDITY, SERVER_VALIDITY } from "./wanted-credentials";

/** A broker's properties with every default filled in, and nothing wrong with them. */
export interface BrokerDeclaration {
  readonly name: string;
  readonly hosts: readonly [Host, ...Host[]];
  readonly listeners: readonly Listener[];
  readonly network: BrokerNetwork;
  readonly image: MosquittoImage;
  readonly store: CredentialStore;
  readonly serverAuthority: CertificateAuthority;
  /** Absent where no listener asks for a client certificate. */
  readonly clientAuthority: CertificateAuthority | undefined;
}

/** Days that Apple's platforms allow a server's certificate at most (owntracks/ios#612). */
const APPLE_VALIDITY = 825;

/** @throws {Error} naming every fault */
export function brokerDeclaration(construct: IConstruct, props: MosquittoBrokerProps): BrokerDeclaration {
  const { path } = construct.node;
  refuseOtherKinds(path, props);
  const name = props.name ?? path.replace(/\//g, "-");
  const listeners = props.listeners ?? [Listener.mutualTls()];
  const asksForCertificate = listeners.some((listener) => listener.asksForCertificate);
  const declared = {
    name,
    listeners,
    network: props.network ?? BrokerNetwork.bridge(),
    image: props.image ?? MosquittoImage.official(),
    store: props.credentials ?? CredentialStore.folder(`credentials/${name}`),
    serverAuthority: props.serverAuthority ?? CertificateAuthority.managed(),
    clientAuthority: asksForCertificate ? (props.clientAuthority ?? CertificateAuthority.managed()) : undefined,
  };
  const faults = new Faults(`broker ${path}`);
  const reservations = reservationsOf(construct, props, declared);
  faults.add(...declarationFaults(props, declared));
  faults.add(
    ...reservations.map(({ owner, kind, value, remedy }) => Reservations.of(owner).fault(kind, value, remedy)),
  );
  faults.throwIfAny();
  for (const { owner, kind, value, remedy } of reservations) {
    if (kind !== OUTPUT_NAME) Reservations.of(owner).take(kind, value, construct, remedy);
  }
  return { ...declared, hosts: props.hosts.map(parseHost) as [Host, ...Host[]] };
}

/** What no other broker may have. */
function reservationsOf(
  construct: IConstruct,
  { outputPrefix = "" }: MosquittoBrokerProps,
  { name, store }: Omit<BrokerDeclaration, "hosts">,
): { owner: IConstruct; kind: string; value: string; remedy: string }[] {
  const stack = TerraformStack.of(construct);
  return [
    // Another stack may be on another machine.
    { owner: stack, kind: "container name", value: name, remedy: "give one of them another `name`" },
    {
      owner: construct.node.root,
      kind: "credential store",
      value: store.directory,
      remedy: "give each broker a store of its own",
    },
    // The outputs take theirs by themselves.
    {
      owner: stack,
      kind: OUTPUT_NAME,
      // Of another kind it is a fault by itself.
      value: `${typeof outputPrefix === "string" ? outputPrefix : ""}endpoints`,
      remedy: "set `outputPrefix` of one broker",
    },
  ];
}

/** It forgets the rules of such sessions, and puts some into its list of endings twice (eclipse-mosquitto/mosquitto#2934, #1521). */
const LIVE_CHANGES_OF_2_0 =
  "Mosquitto 2.0, which reads a change while it runs, loses from then on what is published for a client that is away, until " +
  "that connects again, and can crash after a deploy while one of MQTT 5 is away whose session is to end at a certain time; " +
  "use 2.1, or say liveChanges: false, which restarts it at each change, or liveChanges: true to accept it";

/** What is allowed and should be known. */
export function brokerWarnings(
  { serverCertificate, liveChanges, ...props }: MosquittoBrokerProps,
  { image, clientAuthority, listeners }: BrokerDeclaration,
): string[] {
  const days = serverCertificate?.validityDays;
  return [
    ...image.warnings,
    // Who says what is wanted knows.
    ...(image.line === "2.0" && liveChanges === undefined ? [LIVE_CHANGES_OF_2_0] : []),
    ...(days !== undefined && days > APPLE_VALIDITY
      ? [
          `serverCertificate.validityDays ${days}: Apple's platforms refuse a server's certificate of more than ${APPLE_VALIDITY} days`,
        ]
      : []),
    ...(clientAuthority?.hasRevocationLists === false
      ? [
          "clientAuthority has no revocation list: a stolen certificate is refused only when its client is no longer " +
            "declared, and every authority below the same root may issue certificates with a declared client's name",
        ]
      : []),
    ...listeners.flatMap((listener, index) => listenerWarnings(listener, `listeners[${index}]`)),
    ...brokerOptionWarnings(props),
  ];
}

/** Of a property that is of another kind nothing more can be said. */
function refuseOtherKinds(path: string, props: MosquittoBrokerProps): void {
  const faults = new Faults(`broker ${path}`);
  faults.add(optionsFault("the properties", props ?? null));
  faults.throwIfAny();
  // The default of the store's folder is made from it.
  const isToken = tokenFault("name", props.name) !== undefined;
  if (props.name !== undefined && !isToken && typeof props.name !== "string") faults.add(dockerNameFault(props.name));
  faults.add(
    kindFault(
      "network",
      props.network,
      props.network instanceof BrokerNetwork,
      "BrokerNetwork.bridge(), internal() or existing()",
    ),
    kindFault("image", props.image, props.image instanceof MosquittoImage, "MosquittoImage.official() or named()"),
    kindFault(
      "credentials",
      props.credentials,
      props.credentials instanceof CredentialStore,
      "CredentialStore.folder() or sealed()",
    ),
    ...(["serverAuthority", "clientAuthority"] as const).map((name) =>
      kindFault(
        name,
        props[name],
        props[name] instanceof CertificateAuthority,
        "CertificateAuthority.managed() and its like",
      ),
    ),
    kindFault(
      "connectionOutputs",
      props.connectionOutputs,
      props.connectionOutputs instanceof ConnectionOutputs,
      "ConnectionOutputs.withSecrets() or withoutSecrets()",
    ),
    kindFault(
      "provider",
      props.provider,
      TerraformProvider.isTerraformProvider(props.provider),
      "new DockerProvider()",
    ),
    ...["limits", "persistence", "logging"].map((name) =>
      optionsFault(name, props[name as "limits" | "persistence" | "logging"]),
    ),
    ...(["serverCertificate", "clientCertificates"] as const).map((name) => optionsFault(name, props[name])),
  );
  const listeners = listOf(props.listeners ?? [Listener.mutualTls()]) ?? [];
  if (listeners.length === 0) {
    faults.add({
      what: "listeners",
      value: props.listeners,
      allowed: "a list with one listener or more",
      remedy: "leave it out for Listener.mutualTls()",
    });
  }
  listeners.forEach((listener, index) => {
    const isListener = listener instanceof Listener;
    faults.add(kindFault(`listeners[${index}]`, listener ?? null, isListener, "Listener.mutualTls() and its like"));
  });
  faults.throwIfAny();
}

function declarationFaults(
  props: MosquittoBrokerProps,
  declared: Omit<BrokerDeclaration, "hosts">,
): (Fault | undefined)[] {
  const { name, listeners, network, image } = declared;
  const surroundings = {
    publishes: !network.isInternal,
    isShared: network.existingName !== undefined && !network.isInternal,
    mosquittoLine: image.line,
    serverKey: serverKeyOf(props),
  };
  return [
    tokenFault("name", name) ?? dockerNameFault(name),
    ...hostFaults(props.hosts),
    ...listeners.flatMap((listener, index) => listenerFaults(listener, `listeners[${index}]`, surroundings)),
    ...portFaults(listeners),
    ...network.faults("network"),
    ...image.faults(),
    ...brokerOptionFaults(props, listeners, image.line),
    ...authorityFaults(declared),
    keyAlgorithmFault("keyAlgorithm", props.keyAlgorithm),
    ...certificateOptionFaults("serverCertificate", props.serverCertificate, { validityDays: SERVER_VALIDITY }),
    ...certificateOptionFaults("clientCertificates", props.clientCertificates, { validityDays: CLIENT_VALIDITY }),
    credentialVersionFault("serverCertificate.credentialVersion", props.serverCertificate?.credentialVersion),
    booleanFault("protectData", props.protectData),
    booleanFault("liveChanges", props.liveChanges),
    outputPrefixFault(props.outputPrefix),
  ];
}

/** Where it is no algorithm, that is a fault already. */
function serverKeyOf({ serverCertificate, keyAlgorithm }: MosquittoBrokerProps): KeyAlgorithm {
  const declared: unknown = serverCertificate?.keyAlgorithm ?? keyAlgorithm;
  return declared instanceof KeyAlgorithm ? declared : KeyAlgorithm.ecdsaP256();
}

function hostFaults(hosts: unknown): (Fault | undefined)[] {
  const list = listOf(hosts) ?? [];
  if (list.length > 0) return list.map((host, index) => hostAt(`hosts[${index}]`, host));
  return [
    {
      what: "hosts",
      value: hosts,
      allowed: "one DNS name or IP address or more",
      remedy: "name what clients connect to, such as broker.plant.example or 192.168.1.13",
    },
  ];
}

function hostAt(what: string, host: unknown): Fault | undefined {
  return tokenFault(what, host) ?? hostFault(what, host);
}

function portFaults(listeners: readonly Listener[]): (Fault | undefined)[] {
  const ports = listeners.map(({ port }) => port);
  return ports.map((port, index) => {
    const first = ports.indexOf(port);
    if (first === index || first < 0) return undefined;
    return {
      what: `listeners[${index}].port`,
      value: port,
      allowed: `another port than listeners[${first}]`,
      remedy: "give each listener a port of its own",
    };
  });
}

function authorityFaults({ serverAuthority, clientAuthority, listeners }: Omit<BrokerDeclaration, "hosts">): Fault[] {
  const faults = serverAuthority.faults("serverAuthority");
  if (serverAuthority.generations.some(({ source }) => source.kind === "trusted")) {
    faults.push({
      what: "serverAuthority",
      value: "CertificateAuthority.trusted()",
      allowed: "an authority that signs: managed, intermediate, imported or external",
      remedy: "only clients' certificates can be issued elsewhere",
    });
  }
  if (clientAuthority === undefined) return faults;
  if (!clientAuthority.hasRevocationLists && listeners.some(({ kind }) => kind === "mutualTlsWithPassword")) {
    faults.push({
      what: "clientAuthority",
      value: "CertificateAuthority.trusted() without a revocation list",
      allowed:
        "an authority with a revocation list beside Listener.mutualTlsWithPassword(): there a certificate is nobody's in particular, and a stolen one could not be refused",
      remedy: "give the authority's revocationList, or use Listener.mutualTls()",
    });
  }
  return clientAuthority === serverAuthority ? faults : [...faults, ...clientAuthority.faults("clientAuthority")];
}

function dockerNameFault(name: unknown): Fault | undefined {
  if (typeof name === "string" && /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,99}$/.test(name)) return undefined;
  return {
    what: "name",
    value: name,
    allowed: "2 to 100 letters, digits, `_`, `.` and `-`, the first a letter or digit, as Docker asks",
    remedy: "set `name`, or rename the construct",
  };
}
