import { BrokerStatus, OperationAnswer } from "../../constructs/broker/operation";
import { askBrokers } from "../app";
import { DeployedBroker, readOutputs } from "../outputs";
import { noteLines, show, table } from "../report";

/**
 * Shows the certificates and clients of a stack's brokers, and what comes next: from their stores, and where these are not
 * here, what Terraform's outputs tell of what is deployed.
 */
export function status(stack: string, options: { readonly json?: boolean }): number {
  const json = options.json === true;
  const { answers, problem } = ask(stack);
  const unknown = answers.filter(({ status: known }) => known === undefined);
  const deployed = answers.length > 0 && unknown.length === 0 ? [] : deployedBrokers(stack);
  const fromOutputs = deployed.filter(
    ({ broker }) => answers.length === 0 || unknown.some((answer) => answer.broker === broker),
  );
  if (fromOutputs.length === 0 && problem !== undefined) throw problem;
  if (json) {
    const told = new Map(fromOutputs.map((one) => [one.broker, withoutBundles(one)]));
    const all: object[] = answers.map((answer) => ({ ...answer, ...deployedField(told.get(answer.broker)) }));
    if (answers.length === 0) all.push(...[...told.values()].map((one) => ({ broker: one.broker, deployed: one })));
    process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
  } else {
    show(answers, false, lines);
    if (problem !== undefined) process.stderr.write(`${problem.message}\n`);
    for (const one of fromOutputs) process.stdout.write(`${deployedLines(one).join("\n")}\n`);
  }
  const isTold = ({ broker, error }: OperationAnswer): boolean =>
    error === undefined || fromOutputs.some((one) => one.broker === broker);
  return problem === undefined && answers.every(isTold) ? 0 : 1;
}

function ask(stack: string): { answers: OperationAnswer[]; problem?: Error } {
  try {
    return { answers: askBrokers({ name: "status", stack }) };
  } catch (error) {
    return { answers: [], problem: error as Error };
  }
}

/** None where they cannot be read: then what is known of the stores has to do. */
function deployedBrokers(stack: string): DeployedBroker[] {
  try {
    return readOutputs(stack);
  } catch {
    return [];
  }
}

function lines({ status: known, missing, due, warnings = [] }: OperationAnswer): readonly string[] {
  return [
    ...(known ? statusLines(known) : []),
    ...noteLines(`missing (npx cdktf-mosquitto issue STACK):`, missing),
    ...noteLines(`due (npx cdktf-mosquitto issue STACK):`, due),
    ...warnings,
  ];
}

function statusLines({ authorities, server, clients, next_action: next }: BrokerStatus): readonly string[] {
  const certificates = [...authorities, server].map(({ name, serial, not_after: end }) => [name, day(end), serial]);
  const rotates = authorities.filter(({ name }) => name.startsWith("server")).length > 1;
  const rows = clients.map((client) => [
    client.name,
    client.method,
    String(client.credential_version),
    client.not_after === undefined ? "" : day(client.not_after),
    client.handed_over_at === null ? "no" : day(client.handed_over_at),
    ...(rotates ? [client.trusts_every_authority ? "yes" : "no"] : []),
    client.publish.join(" "),
    client.subscribe.join(" "),
    client.deny.join(" "),
  ]);
  const trust = rotates ? ["TRUSTS ALL"] : [];
  const head = ["CLIENT", "PROVES BY", "VERSION", "ENDS", "HANDED OVER", ...trust, "PUBLISH", "SUBSCRIBE", "DENY"];
  return [
    table(["CERTIFICATE", "ENDS", "SERIAL"], certificates),
    "",
    table(head, rows),
    ...(rotates ? ["", "TRUSTS ALL: whether the bundle that was handed over has every authority of the server."] : []),
    "",
    `next action ${day(next.at)}: ${next.what}`,
  ];
}

function deployedLines(deployed: DeployedBroker): string[] {
  const certificates = deployed.certificates.map(({ name, not_after: end, serial }) => [name, day(end), serial]);
  const clients = deployed.bundles.map(({ bundle }) => [
    bundle.client_id,
    bundle.expires_at === undefined ? "" : day(bundle.expires_at),
    bundle.publish.join(" "),
    bundle.subscribe.join(" "),
    (bundle.deny ?? []).join(" "),
  ]);
  return [
    `${deployed.broker} (as deployed, from Terraform's outputs)`,
    table(
      ["ENDPOINT", "KIND"],
      deployed.endpoints.map(({ url, kind }) => [url, kind]),
    ),
    "",
    table(["CERTIFICATE", "ENDS", "SERIAL"], certificates),
    "",
    table(["CLIENT WITH AN OUTPUT", "ENDS", "PUBLISH", "SUBSCRIBE", "DENY"], clients),
    "",
    `next action ${day(deployed.nextActionAt)}`,
  ];
}

type Deployed = Omit<DeployedBroker, "bundles"> & { readonly clients: readonly object[] };

function deployedField(deployed: Deployed | undefined): { deployed?: Deployed } {
  return deployed === undefined ? {} : { deployed };
}

/** What is secret is for `bundle` alone. */
function withoutBundles({ bundles, ...rest }: DeployedBroker): Deployed {
  const clients = bundles.map(({ bundle: { client_id, expires_at, publish, subscribe, deny = [] } }) => ({
    client_id,
    expires_at,
    publish,
    subscribe,
    deny,
  }));
  return { ...rest, clients };
}

function day(time: string): string {
  return time.slice(0, 10);
}
