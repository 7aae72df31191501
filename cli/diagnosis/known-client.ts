import type { OperationAnswer } from "../../constructs/broker/operation";
import { bundleAt, ConnectionBundle } from "../../constructs/client/connection-bundle";
import { askForBundles } from "../bundles";
import { DeployedBroker, DeployedCertificate, readOutputs } from "../outputs";
import { UsageError } from "../usage-error";

/** What outputs and store tell of a client; each may be out of reach. */
export interface KnownClient {
  readonly name: string;
  /** Its broker, as deployed. */
  readonly deployed?: DeployedBroker;
  /** Its bundle, as deployed. */
  readonly output?: { readonly bundle: ConnectionBundle; readonly hasSecrets: boolean };
  /** Its bundle in the store, which may not be deployed yet. */
  readonly stored?: ConnectionBundle;
  /** Whether the app declares it now. Absent where nobody can tell. */
  readonly isDeclared?: boolean;
  /** Serial numbers of its certificates that were revoked or replaced. */
  readonly ended: readonly string[];
  /** What is out of reach, and why. */
  readonly gaps: readonly string[];
}

/** @throws {UsageError} when several brokers have such a client, and none was named */
export function findClient(stack: string, name: string, broker?: string): KnownClient {
  const { result: brokers = [], problem: outputProblem } = attempt(() => readOutputs(stack));
  const request = { stack, clients: [name], ...(broker !== undefined && { broker }) };
  const { result: answers = [], problem: appProblem } = attempt(() => askForBundles(request, {}, false));
  const knows = [
    ...brokers.filter((one) => outputOf(one, name) ?? certificateOf(one, name)).map((one) => one.broker),
    ...answers.filter((one) => one.bundles?.length).map((one) => one.broker),
  ].filter((one) => one === (broker ?? one));
  const candidates = [...new Set(knows)];
  if (candidates.length > 1) {
    const remedy = "name one by --broker";
    throw new UsageError(
      `several brokers of ${stack} have a client ${name}: ${candidates.join(", ")}; remedy: ${remedy}`,
    );
  }
  // Of a client that nobody knows, a single broker is its broker all the same.
  const path = candidates[0] ?? broker ?? (brokers.length === 1 ? brokers[0]?.broker : undefined);
  const deployed = brokers.find((one) => one.broker === path);
  const output = deployed && outputOf(deployed, name);
  const own = answers.filter((one) => one.broker === path);
  const stored = own.flatMap(({ bundles = [] }) => bundles)[0];
  const isDeclared = declared(answers, stored);
  const storeProblems = own.flatMap(({ error, unknownClient }) =>
    error === undefined || unknownClient === true ? [] : [error],
  );
  return {
    name,
    ...(deployed && { deployed }),
    ...(output && { output }),
    ...(stored && { stored }),
    ...(isDeclared !== undefined && { isDeclared }),
    ended: own.flatMap(({ ended = [] }) => ended).map((serial) => serial.toUpperCase()),
    gaps: [
      ...(outputProblem === undefined ? [] : [`outputs: ${outputProblem}`]),
      ...[...(appProblem === undefined ? [] : [appProblem]), ...storeProblems].map((problem) => `store: ${problem}`),
    ],
  };
}

/** The bundle that a client should have: the one that is deployed, or else the store's. */
export function presentBundle({ output, stored }: KnownClient): ConnectionBundle | undefined {
  return output?.bundle ?? stored;
}

/** Its certificate, as deployed. */
export function deployedCertificate({ deployed, name }: KnownClient): DeployedCertificate | undefined {
  return deployed && certificateOf(deployed, name);
}

/** Fields in which a bundle is another than the one that the client should have, as far as that is known. */
export function differingFields(bundle: ConnectionBundle, known: KnownClient): (keyof ConnectionBundle)[] {
  const whole = presentBundle(known);
  if (whole === undefined) return [];
  const isOne = bundle.endpoints === undefined && whole.endpoints?.some(({ port }) => port === bundle.port) === true;
  const present = isOne ? bundleAt(whole, bundle.port) : whole;
  const fields = [...new Set([...Object.keys(bundle), ...Object.keys(present)])] as (keyof ConnectionBundle)[];
  return fields.filter((field) => {
    // What the client keeps to itself, or the outputs leave out.
    if ((field === "key_pem" || field === "password") && present[field] === undefined) return false;
    return JSON.stringify(bundle[field]) !== JSON.stringify(present[field]);
  });
}

function declared(answers: readonly OperationAnswer[], stored: ConnectionBundle | undefined): boolean | undefined {
  if (stored !== undefined) return true;
  return answers.length > 0 && answers.every(({ unknownClient }) => unknownClient === true) ? false : undefined;
}

function outputOf({ bundles }: DeployedBroker, name: string): DeployedBroker["bundles"][number] | undefined {
  return bundles.find(({ bundle }) => bundle.client_id === name);
}

function certificateOf({ certificates }: DeployedBroker, name: string): DeployedCertificate | undefined {
  return certificates.find((one) => one.name === `client ${name}`);
}

function attempt<Result>(action: () => Result): { result?: Result; problem?: string } {
  try {
    return { result: action() };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}
