import { readOutputs } from "../outputs";
import { table } from "../report";
import { verifyBroker } from "../verification";

/** Looks from here whether a stack's brokers are there, are who they should be, and turn strangers away. */
export async function verify(stack: string, options: { readonly json?: boolean }): Promise<number> {
  const brokers = readOutputs(stack);
  if (brokers.length === 0) {
    throw new Error(`stack ${JSON.stringify(stack)} has no broker that is deployed; remedy: npx cdktf deploy ${stack}`);
  }
  const findings = (await Promise.all(brokers.map(verifyBroker))).flat();
  const surprises = findings.filter(({ ok }) => !ok).length;
  if (options.json === true) process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  else {
    const rows = findings.map(({ endpoint, check, ok, detail }) => [endpoint, check, ok ? "ok" : "SURPRISE", detail]);
    process.stdout.write(`${table(["ENDPOINT", "CHECK", "RESULT", "DETAIL"], rows)}\n`);
    process.stdout.write(`${findings.length} checks, ${surprises} surprises\n`);
  }
  return surprises === 0 ? 0 : 1;
}
