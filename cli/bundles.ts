import { X509Certificate } from "node:crypto";
import { parseBundle } from "../constructs/client/bundle-text";
import { ConnectionBundle, bundleFingerprint } from "../constructs/client/connection-bundle";
import { OperationAnswer } from "../constructs/broker/operation";
import { AppError, askBrokers } from "./app";
import { DeployedBroker, readOutputs } from "./outputs";

/** A client's bundle, and where it comes from. */
export interface FoundBundle {
  readonly bundle: ConnectionBundle;
  /** Construct path of the broker. */
  readonly broker: string;
  readonly source: "outputs" | "store";
  /** What the server's certificate names. */
  readonly hosts: readonly string[];
  /** What a person should know beside. */
  readonly remarks: readonly string[];
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
  /** Why there may be more clients than these, if there may. */
  readonly gap?: string;
}

/**
 * Finds the bundles that are deployed in Terraform's outputs, and those that the outputs do not have, or have without
 * secrets, in the store.
 *
 * @throws {Error} naming those that are in neither, and why; and those that are revoked
 */
export function findBundles(request: BundleRequest): FoundBundles {
  const { stack, clients } = request;
  const { result: brokers = [], problem: outputProblem } = attempt(() => readOutputs(stack));
  // Asked also for what the outputs have: what was revoked, and whether another broker has such a client, only the app knows.
  const { result: answers = [], problem: appProblem } = attempt(() => ask(request));
  const deployed = brokers.flatMap((one) => deployedClients(one, request));
  const stored = answers.flatMap(storedClients);
  refuseAmbiguous([...deployed, ...stored], request);
  const handed = deployed.filter(({ hasSecrets }) => hasSecrets);
  refuseReplaced(handed, stored, answers, stack);
  const rest = stored.filter((one) => !handed.some((other) => isSameClient(one, other)));
  const found = [
    ...handed.map(({ bundle, broker, hosts }): FoundBundle => ({
      bundle,
      broker,
      source: "outputs",
      hosts,
      remarks: [],
    })),
    ...rest.map((one): FoundBundle => ({
      ...one,
      source: "store",
      remarks: deploymentRemarks(one, brokers, outputProblem, stack),
    })),
  ];
  const inStore = [appProblem, ...answers.map(({ broker, error }) => error && `${broker}: ${error}`)].filter(Boolean);
  const missing = clients?.filter((name) => !found.some(({ bundle }) => bundle.client_id === name)) ?? [];
  if (missing.length > 0 || found.length === 0) {
    const who = clients === undefined ? "" : ` of ${missing.join(", ")}`;
    const inOutputs = deployed.some(({ bundle }) => missing.includes(bundle.client_id))
      ? "Terraform's outputs carry no secrets"
      : (outputProblem ?? "Terraform's outputs have no such client");
    throw new Error(
      `there is no bundle${who} in ${stack} here\n  outputs: ${inOutputs}\n  store: ${inStore.join("; ") || noBroker(request, brokers)}`,
    );
  }
  return {
    found,
    ...(clients === undefined && inStore.length > 0 && { gap: `only those of the outputs: ${inStore.join("; ")}` }),
  };
}

/**
 * Notes in the store that clients were handed their bundles.
 *
 * @returns why some could not be noted, where they could not: without the store nothing is lost but the note
 */
export function noteHandover(stack: string, handed: readonly FoundBundle[]): string[] {
  return [...new Set(handed.map(({ broker }) => broker))].flatMap((broker) => {
    const bundles = handed.filter((one) => one.broker === broker).map(({ bundle }) => bundle);
    const clients = bundles.map(({ client_id: name }) => name);
    const fingerprints = Object.fromEntries(bundles.map((bundle) => [bundle.client_id, bundleFingerprint(bundle)]));
    const { result: answers = [], problem } = attempt(() => ask({ stack, clients, broker }, fingerprints));
    const errors = [problem, ...answers.map(({ error }) => error)].filter((error) => error !== undefined);
    if (errors.length > 0) {
      const remedy = `where the store is kept: npx cdktf-mosquitto handed-over ${stack} ${clients.join(" ")}`;
      return [`not noted as handed over: ${errors.join("; ")}; to note it ${remedy}`];
    }
    const known = new Map(answers.flatMap((answer) => (answer.bundles ?? []).map((one) => [one.client_id, one])));
    const others = clients.filter((name) => {
      const present = known.get(name);
      return present === undefined || bundleFingerprint(present) !== fingerprints[name];
    });
    if (others.length === 0) return [];
    const remedy = `npx cdktf deploy ${stack}, then hand over the new one`;
    return [`the store has another bundle of ${others.join(", ")}, which is not deployed; remedy: ${remedy}`];
  });
}

function attempt<Result>(action: () => Result): { result?: Result; problem?: string } {
  try {
    return { result: action() };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

type Client = Pick<FoundBundle, "bundle" | "broker" | "hosts">;

function deployedClients(
  { broker, endpoints, bundles }: DeployedBroker,
  request: BundleRequest,
): (Client & { readonly hasSecrets: boolean })[] {
  if (broker !== (request.broker ?? broker)) return [];
  const hosts = endpoints[0]?.hosts ?? [];
  return bundles
    .filter(({ bundle }) => request.clients?.includes(bundle.client_id) ?? true)
    .map(({ bundle, hasSecrets }) => {
      const where = `the output with the bundle of ${bundle.client_id}`;
      return { bundle: parseBundle(JSON.stringify(bundle), where), broker, hosts, hasSecrets };
    });
}

function storedClients({ broker, bundles = [], hosts = [] }: OperationAnswer): Client[] {
  return bundles.map((bundle) => ({ bundle, broker, hosts }));
}

/** @param handed fingerprints of the bundles that are to be noted as handed over */
function ask(request: BundleRequest, handed?: Record<string, string>): readonly OperationAnswer[] {
  const answers = askForBundles(request, { ...(handed && { handed }) });
  // Of a stack's brokers, not every one must know the client.
  const known = answers.filter(({ unknownClient }) => unknownClient !== true);
  return known.length > 0 ? known : answers;
}

/**
 * What each broker of the app says of clients' bundles.
 *
 * @param isAttended whether a passphrase command may ask at the terminal
 */
export function askForBundles(
  { stack, clients, broker }: BundleRequest,
  noted: { readonly handed?: Record<string, string> } = {},
  isAttended = true,
): readonly OperationAnswer[] {
  const asked = { stack, ...(clients && { clients }), ...(broker !== undefined && { broker }) };
  return answersOf(() => askBrokers({ name: "bundle", ...asked, ...noted }, isAttended));
}

/** What fails in an app after its brokers have answered, such as another stack, is no matter of theirs. */
function answersOf(action: () => readonly OperationAnswer[]): readonly OperationAnswer[] {
  try {
    return action();
  } catch (error) {
    if (error instanceof AppError && error.answers.length > 0) return error.answers;
    throw error;
  }
}

function isSameClient(one: Client, other: Client): boolean {
  return one.broker === other.broker && one.bundle.client_id === other.bundle.client_id;
}

/** @throws {Error} when several brokers have such a client, and none was named */
function refuseAmbiguous(clients: readonly Client[], { stack }: BundleRequest): void {
  const brokers = new Map<string, Set<string>>();
  for (const { bundle, broker } of clients) {
    brokers.set(bundle.client_id, (brokers.get(bundle.client_id) ?? new Set<string>()).add(broker));
  }
  for (const [client, all] of brokers) {
    if (all.size < 2) continue;
    throw new Error(
      `several brokers of ${stack} have a client ${client}: ${[...all].join(", ")}; remedy: name one by --broker`,
    );
  }
}

/** @throws {Error} when what is deployed is revoked, or ends with the next deploy, as a password that was replaced does */
function refuseReplaced(
  handed: readonly Client[],
  stored: readonly Client[],
  answers: readonly OperationAnswer[],
  stack: string,
): void {
  const replaced = handed.filter((one) => {
    const ended = answers.find(({ broker }) => broker === one.broker)?.ended ?? [];
    if (ended.some((serial) => serial.toUpperCase() === serialOf(one.bundle))) return true;
    const present = stored.find((other) => isSameClient(one, other))?.bundle.password;
    return present !== undefined && present !== one.bundle.password;
  });
  if (replaced.length === 0) return;
  const names = replaced.map(({ bundle }) => bundle.client_id).join(", ");
  throw new Error(
    `the credential of ${names} that is deployed is revoked or replaced; remedy: npx cdktf deploy ${stack}, then hand over ` +
      "the new one",
  );
}

/** What can be told of whether a bundle of the store works already. */
function deploymentRemarks(
  { bundle, broker }: Client,
  brokers: readonly DeployedBroker[],
  problem: string | undefined,
  stack: string,
): string[] {
  const { client_id: name, password } = bundle;
  const deployed = brokers.find((one) => one.broker === broker);
  if (deployed === undefined) {
    const reason = problem ?? `Terraform knows of no such broker; to deploy it: npx cdktf deploy ${stack}`;
    return [`whether the bundle of ${name} is deployed cannot be told: ${reason}`];
  }
  const serial = serialOf(bundle);
  const isDeployed =
    serial === undefined ||
    deployed.certificates.some((one) => one.name === `client ${name}` && one.serial.toUpperCase() === serial);
  if (!isDeployed) return [`the bundle of ${name} is not deployed yet; it works after: npx cdktf deploy ${stack}`];
  return password === undefined ? [] : [`whether this password of ${name} is deployed cannot be told from the outputs`];
}

function serialOf({ cert_pem: pem }: ConnectionBundle): string | undefined {
  return pem === undefined ? undefined : new X509Certificate(pem).serialNumber.toUpperCase();
}

function noBroker({ broker }: BundleRequest, brokers: readonly DeployedBroker[]): string {
  const known = brokers.map((one) => one.broker).join(", ");
  return broker === undefined ? "no such broker" : `no broker ${broker}${known === "" ? "" : `; allowed: ${known}`}`;
}
