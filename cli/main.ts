#!/usr/bin/env node
import { parseArgs } from "node:util";
import { issue } from "./issue";

const USAGE = `Usage: cdktf-mosquitto issue STACK

  issue STACK   issues what the brokers of a stack need and their credential stores lack, although these are
                declared with { issue: "never" }; run it in the folder of cdktf.json
`;

function main(): number {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { help: { type: "boolean", short: "h" } },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  const [command, stack, ...others] = positionals;
  if (command !== "issue" || stack === undefined || others.length > 0) {
    process.stderr.write(USAGE);
    return 2;
  }
  issue(stack, process.cwd());
  return 0;
}

try {
  process.exitCode = main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
