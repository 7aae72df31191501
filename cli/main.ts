#!/usr/bin/env node
import { Command, Option } from "commander";
import { REVOCATION_REASONS } from "../constructs/pki";
import { audit } from "./commands/audit";
import { issue, IssueOptions } from "./commands/issue";
import { revoke } from "./commands/revoke";
import { status } from "./commands/status";
import { convert, handedOver } from "./commands/store";

/** Exit code of a command that was called wrongly; 1 is one that failed. */
const USAGE_ERROR = 2;

const program = new Command("cdktf-mosquitto")
  .description("What a Mosquitto broker's credentials need beside a deploy. Run it in the folder of cdktf.json.")
  .exitOverride()
  .showHelpAfterError()
  .configureOutput({ writeOut: (text) => process.stdout.write(text), writeErr: (text) => process.stderr.write(text) });

const json = new Option("--json", "print JSON");

program
  .command("issue <stack>")
  .description("list what is missing or due in the credential stores of a stack, and why, and issue it")
  .option("--dry-run", "only list it")
  .option("--yes", "do not ask")
  .addOption(json)
  .action(async (stack: string, options: IssueOptions) => finish(await issue(stack, options)));

program
  .command("revoke <stack> <client>")
  .description("end every credential of a client for good; a client that is still declared gets a new one")
  .addOption(
    new Option("--reason <reason>", "why, in the words of RFC 5280 section 5.3.1")
      .choices(Object.keys(REVOCATION_REASONS).filter((reason) => reason !== "certificateHold"))
      .default("keyCompromise"),
  )
  .addOption(json)
  .action((stack: string, client: string, options: Parameters<typeof revoke>[2]) =>
    finish(revoke(stack, client, options)),
  );

program
  .command("status <stack>")
  .description("certificates, clients, what was handed over, and what comes next")
  .addOption(json)
  .action((stack: string, options: { json?: boolean }) => finish(status(stack, options)));

program
  .command("audit <stack>")
  .description("what was issued, renewed, revoked and handed over, when and why")
  .addOption(json)
  .action((stack: string, options: { json?: boolean }) => finish(audit(stack, options)));

program
  .command("handed-over <stack> [clients...]")
  .description("note that clients were handed their present bundles; all of them without names")
  .addOption(json)
  .action((stack: string, clients: string[], options: { json?: boolean }) =>
    finish(handedOver(stack, clients, options)),
  );

program
  .command("convert <stack>")
  .description("bring the credential stores of a stack into the form that is declared: sealed, sealed anew, or plain")
  .addOption(json)
  .action((stack: string, options: { json?: boolean }) => finish(convert(stack, options)));

function finish(code: number): void {
  process.exitCode = code;
}

program.parseAsync().catch((error: unknown) => {
  const { exitCode, code = "" } = error as { exitCode?: number; code?: string };
  if (code.startsWith("commander.")) {
    process.exitCode = exitCode === 0 ? 0 : USAGE_ERROR;
    return;
  }
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
