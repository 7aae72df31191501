/** What a deploy of `dev` costs, and where the time goes. Run by `npm run bench`, on a machine that is set up. */
import { execFileSync } from "node:child_process";
import * as path from "node:path";
import { time } from "./measure";

const checkout = path.join(__dirname, "..");
const stackFolder = path.join(checkout, "cdktf.out", "stacks", "dev");
const terraform = process.env.TERRAFORM_BINARY_NAME ?? "terraform";
const cdktfArguments = (process.env.CDKTF_ARGUMENTS ?? "").split(" ").filter(Boolean);

/** @returns the report's lines */
export function deployReport(): string[] {
  const run = (program: string, args: readonly string[], cwd: string): number =>
    time(() => void execFileSync(program, args, { cwd, stdio: "pipe" }));
  const cdktf = (...args: string[]): number => run("npx", ["cdktf", ...args, ...cdktfArguments], checkout);
  cdktf("destroy", "dev", "--auto-approve");
  const total = cdktf("deploy", "dev", "--auto-approve");
  cdktf("destroy", "dev", "--auto-approve");

  const synth = run("npx", ["cdktf", "synth"], checkout);
  const init = run(terraform, ["init", "-input=false"], stackFolder);
  const plan = run(terraform, ["plan", "-input=false", "-out=bench.plan"], stackFolder);
  const apply = run(terraform, ["apply", "-input=false", "bench.plan"], stackFolder);
  cdktf("destroy", "dev", "--auto-approve");
  const share = (part: number): string => `${(part / 1000).toFixed(1)} s`;
  return [
    `cdktf deploy dev, until the reloader has proved the broker: ${share(total)}`,
    `  of the same steps one by one: cdktf synth ${share(synth)}, init ${share(init)}, plan ${share(plan)}, apply ${share(apply)}`,
  ];
}
