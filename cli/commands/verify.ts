import { describeFault } from "../../constructs/faults";
import { hostFault } from "../../constructs/pki";
import { DeployedBroker, readOutputs } from "../outputs";
import { table } from "../report";
import { UsageError } from "../usage-error";
import { verifyBroker } from "../verification/broker";
import { ownClients } from "../verification/own-clients";

export interface VerifyOptions {
  /** Where the brokers are reached from here, where their own hosts lead nowhere. */
  readonly host?: string;
  /** Construct path of the broker. @default - every one */
  readonly broker?: string;
  readonly json?: boolean;
}

/** Looks from here whether a stack's brokers are there, are who they should be, let in who may, and nobody else. */
export async function verify(stack: string, options: VerifyOptions): Promise<number> {
  refuseClientOptions(options);
  const { host, json = false } = options;
  refuseHost(host);
  const brokers = deployedBrokers(stack, options.broker);
  const own = ownClients(stack, brokers);
  const findings = (await Promise.all(brokers.map((broker) => verifyBroker(broker, own(broker), host)))).flat();
  const count = (result: string): number => findings.filter((one) => one.result === result).length;
  if (json) process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  else {
    const rows = findings.map(({ endpoint, check, result, detail }) => [
      endpoint,
      check,
      result === "surprise" ? "SURPRISE" : result,
      detail,
    ]);
    process.stdout.write(`${table(["ENDPOINT", "CHECK", "RESULT", "DETAIL"], rows)}\n`);
    const unchecked = count("not checked");
    const rest = unchecked === 0 ? "" : `, ${unchecked} not checked`;
    process.stdout.write(`${findings.length - unchecked} checks, ${count("surprise")} surprises${rest}\n`);
  }
  return count("surprise") === 0 ? 0 : 1;
}

export function refuseHost(host: string | undefined): void {
  const fault = host === undefined ? undefined : hostFault("--host", host);
  if (fault !== undefined) throw new UsageError(describeFault(fault));
}

function deployedBrokers(stack: string, path: string | undefined): DeployedBroker[] {
  const brokers = readOutputs(stack);
  if (brokers.length === 0) {
    throw new Error(`stack ${JSON.stringify(stack)} has no broker that is deployed; remedy: npx cdktf deploy ${stack}`);
  }
  const known = brokers.map(({ broker }) => broker);
  if (path !== undefined && !known.includes(path)) {
    throw new UsageError(`--broker ${path} is no broker of ${stack}; allowed: ${known.join(", ")}`);
  }
  return brokers.filter(({ broker }) => path === undefined || broker === path);
}

/** What is about a client, and would be ignored without one. */
function refuseClientOptions(options: VerifyOptions): void {
  const given = (["bundle", "topic", "port"] as const).filter((name) => Object.hasOwn(options, name));
  if (given.length === 0) return;
  throw new UsageError(`--${given.join(", --")} is about a client; remedy: name the client: verify STACK CLIENT`);
}
