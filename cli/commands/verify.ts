import { describeFault } from "../../constructs/faults";
import { hostFault } from "../../constructs/pki";
import { readOutputs } from "../outputs";
import { table } from "../report";
import { UsageError } from "../usage-error";
import { verifyBroker } from "../verification";

export interface VerifyOptions {
  /** Where the brokers are reached from here, where their own hosts lead nowhere. */
  readonly host?: string;
  readonly json?: boolean;
}

/** Looks from here whether a stack's brokers are there, are who they should be, and turn strangers away. */
export async function verify(stack: string, options: VerifyOptions): Promise<number> {
  const host = options.host;
  const fault = host === undefined ? undefined : hostFault("--host", host);
  if (fault !== undefined) throw new UsageError(describeFault(fault));
  const brokers = readOutputs(stack);
  if (brokers.length === 0) {
    throw new Error(`stack ${JSON.stringify(stack)} has no broker that is deployed; remedy: npx cdktf deploy ${stack}`);
  }
  const findings = (await Promise.all(brokers.map((broker) => verifyBroker(broker, host)))).flat();
  const surprises = findings.filter(({ ok }) => !ok).length;
  if (options.json === true) process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  else {
    const rows = findings.map(({ endpoint, check, ok, detail }) => [endpoint, check, ok ? "ok" : "SURPRISE", detail]);
    process.stdout.write(`${table(["ENDPOINT", "CHECK", "RESULT", "DETAIL"], rows)}\n`);
    process.stdout.write(`${findings.length} checks, ${surprises} surprises\n`);
  }
  return surprises === 0 ? 0 : 1;
}
