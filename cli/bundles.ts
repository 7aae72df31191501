import { ConnectionBundle, bundleFingerprint, SECRET_FIELDS } from "../constructs/client/connection-bundle";
import { OperationAnswer } from "../constructs/broker/operation";
import { askBrokers } from "./app";
import { DeployedBroker, readOutputs } from "./outputs";

/** A client's bundle, and where it comes from. */
export interface FoundBundle {
  readonly bundle: ConnectionBundle;
  /** Construct path of the broker. */
  readonly broker: string;
  readonly source: "outputs" | "store";
  /** What the server's certificate names. */
  readonly hosts: readonly string[];
}

export interface BundleRequest {
  readonly stack: string;
  /** @default - every client */
  readonly clients?: readonly string[];
  /** Construct path, where several brokers of the stack have such a client. @default - every broker */
  readonly broker?: string;
}

export interface FoundBundles {
  readonly found: readonly FoundBundle[];
  /** What a person should know beside. */
  readonly remarks: readonly string[];
}

/**
 * Finds the bundles that are deployed in Terraform's outputs, and those that the outputs do not have, or have without
 * secrets, in the store.
 *
 * @throws {Error} naming those that are in neither, and why
 */
export function findBundles(request: BundleRequest): FoundBundles {
  const { clients } = request;
  const { result: outputs, problem: outputProblem } = attempt(() => readOutputs(request.stack));
  const deployed = (outputs ?? []).flatMap((one) => bundlesOf(one, request));
  const handed = deployed.filter(({ hasSecrets }) => hasSecrets);
  const rest = clients?.filter((name) => !handed.some(({ bundle }) => bundle.client_id === name));
  const asks = rest === undefined || rest.length > 0;
  const { result: answers = [], problem: appProblem } = asks
    ? attempt(() => ask({ ...request, ...(rest && { clients: rest }) }))
    : {};
  const stored = answers.flatMap(({ broker, bundles = [], hosts = [] }) =>
    bundles.map((bundle): FoundBundle => ({ bundle, broker, source: "store", hosts })),
  );
  const isHanded = (one: FoundBundle): boolean => handed.some((other) => isSameClient(one, other));
  const found = [
    ...handed.map(({ bundle, broker, source, hosts }) => ({ bundle, broker, source, hosts })),
    ...stored.filter((one) => !isHanded(one)),
  ];
  refuseAmbiguous(found, request);
  const inStore = [appProblem, ...answers.map(({ broker, error }) => error && `${broker}: ${error}`)].filter(Boolean);
  const missing = clients?.filter((name) => !found.some(({ bundle }) => bundle.client_id === name)) ?? [];
  if (missing.length > 0 || found.length === 0) {
    const who = clients === undefined ? "" : ` of ${missing.join(", ")}`;
    const inOutputs = deployed.some(({ bundle }) => missing.includes(bundle.client_id))
      ? "Terraform's outputs carry no secrets"
      : (outputProblem ?? "Terraform's outputs have no such client");
    throw new Error(
      `there is no bundle${who} in ${request.stack} here\n  outputs: ${inOutputs}\n  store: ${inStore.join("; ") || "no such broker"}`,
    );
  }
  return {
    found,
    remarks: [
      ...undeployed(stored, deployed, request.stack),
      // Then there may be others that nobody knows of here.
      ...(clients === undefined && inStore.length > 0 ? [`only those of the outputs: ${inStore.join("; ")}`] : []),
    ],
  };
}

/**
 * Notes in the store that clients were handed their bundles.
 *
 * @returns why some could not be noted, where they could not: without the store nothing is lost but the note
 */
export function noteHandover(stack: string, handed: readonly FoundBundle[]): string[] {
  const remedy = (names: string): string =>
    `to note it where the store is kept: npx cdktf-mosquitto handed-over ${stack} ${names}`;
  const brokers = [...new Set(handed.map(({ broker }) => broker))];
  return brokers.flatMap((broker) => {
    const bundles = handed.filter((one) => one.broker === broker).map(({ bundle }) => bundle);
    const clients = bundles.map(({ client_id: name }) => name);
    const fingerprints = Object.fromEntries(bundles.map((bundle) => [bundle.client_id, bundleFingerprint(bundle)]));
    const { result: answers = [], problem } = attempt(() => ask({ stack, clients, broker }, fingerprints));
    const errors = [problem, ...answers.map(({ error }) => error)].filter((error) => error !== undefined);
    if (errors.length > 0) return [`not noted as handed over: ${errors.join("; ")}; ${remedy(clients.join(" "))}`];
    const known = new Map(answers.flatMap((answer) => (answer.bundles ?? []).map((one) => [one.client_id, one])));
    const others = clients.filter((name) => {
      const present = known.get(name);
      return present === undefined || bundleFingerprint(present) !== fingerprints[name];
    });
    if (others.length === 0) return [];
    const names = others.join(" ");
    return [
      `not noted as handed over: the store has another bundle of ${names}, which is not deployed; ${remedy(names)}`,
    ];
  });
}

function attempt<Result>(action: () => Result): { result?: Result; problem?: string } {
  try {
    return { result: action() };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

type DeployedClient = FoundBundle & { readonly hasSecrets: boolean };

function bundlesOf({ broker, endpoints, bundles }: DeployedBroker, request: BundleRequest): DeployedClient[] {
  if (broker !== (request.broker ?? broker)) return [];
  const hosts = endpoints[0]?.hosts ?? [];
  return bundles
    .filter(({ bundle }) => request.clients?.includes(bundle.client_id) ?? true)
    .map((one) => ({ ...one, broker, source: "outputs", hosts }));
}

/** @param handed fingerprints of the bundles that are to be noted as handed over */
function ask({ stack, clients, broker }: BundleRequest, handed?: Record<string, string>): OperationAnswer[] {
  const answers = askBrokers({
    name: "bundle",
    stack,
    ...(clients && { clients }),
    ...(broker !== undefined && { broker }),
    ...(handed && { handed }),
  });
  const asked = answers.filter((answer) => broker === undefined || answer.broker === broker);
  // Of a stack's brokers, not every one must know the client.
  const known = asked.filter(({ unknownClient }) => unknownClient !== true);
  return known.length > 0 ? known : asked;
}

function isSameClient(one: FoundBundle, other: FoundBundle): boolean {
  return one.broker === other.broker && one.bundle.client_id === other.bundle.client_id;
}

/** @throws {Error} when several brokers have such a client, and none was named */
function refuseAmbiguous(found: readonly FoundBundle[], { stack }: BundleRequest): void {
  const brokers = new Map<string, string[]>();
  for (const { bundle, broker } of found) {
    brokers.set(bundle.client_id, [...(brokers.get(bundle.client_id) ?? []), broker]);
  }
  for (const [client, all] of brokers) {
    if (all.length < 2) continue;
    throw new Error(
      `several brokers of ${stack} have a client ${client}: ${all.join(", ")}; remedy: name one by --broker`,
    );
  }
}

/** Of the store's bundles, those that the outputs show otherwise. */
function undeployed(stored: readonly FoundBundle[], deployed: readonly DeployedClient[], stack: string): string[] {
  const newer = stored.filter((one) => {
    const other = deployed.find((each) => isSameClient(one, each));
    if (other === undefined || other.hasSecrets) return false;
    return bundleFingerprint(open(other.bundle)) !== bundleFingerprint(open(one.bundle));
  });
  const names = newer.map(({ bundle }) => bundle.client_id).join(", ");
  return newer.length === 0 ? [] : [`not deployed yet: ${names}; this works after: npx cdktf deploy ${stack}`];
}

/** All of it that is no secret. */
function open(bundle: ConnectionBundle): ConnectionBundle {
  const fields = Object.entries(bundle).filter(([field]) => !SECRET_FIELDS.includes(field as keyof ConnectionBundle));
  return Object.fromEntries(fields) as unknown as ConnectionBundle;
}
