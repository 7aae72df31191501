#!/usr/bin/env node
import { Command, InvalidArgumentError, Option } from "commander";
import { REVOCATION_REASONS } from "../constructs/pki";
import { UsageError } from "./usage-error";
import { BUNDLE_FORMATS } from "../constructs/client/formats";
import { audit } from "./commands/audit";
import { bundle, BundleOptions, render, RenderOptions } from "./commands/bundle";
import { issue, IssueOptions } from "./commands/issue";
import { open, OpenOptions } from "./commands/open";
import { purge, PurgeOptions } from "./commands/purge";
import { revoke } from "./commands/revoke";
import { rollback, RollbackOptions } from "./commands/rollback";
import { status } from "./commands/status";
import { convert, handedOver } from "./commands/store";
import { verify, VerifyOptions } from "./commands/verify";
import { verifyClient, VerifyClientOptions } from "./commands/verify-client";

/** Exit code of a command that was called wrongly; 1 is one that failed. */
const USAGE_ERROR = 2;

const program = new Command("cdktf-mosquitto")
  .description(
    "What a Mosquitto broker's clients and credentials need beside a deploy. Run it in the folder of cdktf.json, but for " +
      "render and open, which need none. It ends with 0 when all is well, 1 when it is not, 2 when it was called wrongly.",
  )
  .exitOverride()
  .showHelpAfterError()
  .configureOutput({ writeOut: (text) => process.stdout.write(text), writeErr: (text) => process.stderr.write(text) });

const json = new Option("--json", "print JSON");

const formats = BUNDLE_FORMATS.map(({ name, readBy }) => `  ${name.padEnd(17)} ${readBy}`).join("\n");

/** What `bundle` and `render` share. */
function renderOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--format <format>", "the words of the software that reads it, see below")
        .choices(BUNDLE_FORMATS.map(({ name }) => name))
        .default("json"),
    )
    .option("--out <folder>", "write files there, for this user alone; otherwise a single file is printed")
    .option("--force", "overwrite files that are there")
    .addOption(
      new Option("--port <port>", "the listener to connect to (default: the client's first)").argParser(portNumber),
    )
    .option("--host <host>", "the name or address to connect to (default: the client's)")
    .option("--server-name <name>", "the name or address that the server's certificate is checked against")
    .option("--installed-in <folder>", "where the files will be read, for formats that name them by path")
    .option(
      "--key-store-passphrase-file <file>",
      "the passphrase of PKCS#12 files (default: a generated one, beside them)",
    )
    .option("--seal", "encrypt it all with a passphrase, in the age format; it is asked for at the terminal")
    .option("--passphrase-file <file>", "the passphrase for --seal")
    .option("--recipient <key>", "encrypt it all to an age public key, age1…; may be given several times", collected)
    .addOption(json)
    .addHelpText("after", `\nFormats:\n${formats}`);
}

function portNumber(value: string): number {
  const port = Number(value);
  if (/^\d+$/.test(value) && port >= 1 && port <= 65535) return port;
  throw new InvalidArgumentError("Allowed are 1 to 65535.");
}

function collected(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

renderOptions(program.command("bundle <stack> [clients...]"))
  .description("hand over all that a client needs to connect, from Terraform's outputs or the credential store")
  .option("--all", "every client's, each in a folder of its own below --out")
  .option("--broker <path>", "the broker's construct path, where several have such a client")
  .option("--no-note", "do not note in the store that it was handed over")
  .action(async (stack: string, clients: string[], options: BundleOptions) =>
    finish(await bundle(stack, clients, options)),
  );

renderOptions(program.command("render <file>"))
  .description("the same from a bundle in a file, as JSON (-: standard input)")
  .action(async (file: string, options: RenderOptions) => finish(await render(file, options)));

program
  .command("open <file>")
  .description("open a sealed bundle (-: standard input)")
  .option("--identity <file>", "the key of an age recipient, as age-keygen writes it (default: ask for a passphrase)")
  .option("--passphrase-file <file>", "the passphrase")
  .option("--out <folder>", "write it there, for this user alone; otherwise it is printed")
  .option("--force", "overwrite a file that is there")
  .addOption(json)
  .action(async (file: string, options: OpenOptions) => finish(await open(file, options)));

program
  .command("verify <stack> [client]")
  .description(
    "see from here whether the brokers are there, are who they should be, let in who may, and nobody else; or, of a " +
      "client, why it cannot connect, without connecting as it",
  )
  .addOption(json)
  .option("--broker <path>", "one broker's construct path (default: every one; of a client, its own)")
  .option("--host <host>", "where they are reached from here (default: their first host, or the bundle's)")
  .option("--bundle <file>", "of a client: the bundle that its device holds, as JSON (default: the present one)")
  .option("--topic <topic>", "of a client: a topic that it wants to publish to or receive from")
  .addOption(new Option("--port <port>", "of a client: the listener (default: its first)").argParser(portNumber))
  .action(async (stack: string, client: string | undefined, options: VerifyOptions & VerifyClientOptions) =>
    finish(client === undefined ? await verify(stack, options) : await verifyClient(stack, client, options)),
  );

program
  .command("purge <stack>")
  .description("remove the key material that synths left in the output folder; what is deployed goes on")
  .option("--store", "remove the credential store, too, of a stack that is destroyed")
  .option("--yes", "do not ask")
  .addOption(json)
  .action(async (stack: string, options: PurgeOptions) => finish(await purge(stack, options)));

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
  .command("rollback <stack>")
  .description(
    "put a broker back on the set of files before its present one, which is still on its volume; needs the docker command, " +
      "and DOCKER_HOST where the broker's host is not the declared one",
  )
  .option("--broker <path>", "the broker's construct path, where the stack has several")
  .option("--dry-run", "only show the two sets, and whether there is a way back")
  .option("--readmit", "also where the set before lets in again whom the present one shuts out")
  .addOption(json)
  .action((stack: string, options: RollbackOptions) => finish(rollback(stack, options)));

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
  .option("--broker <path>", "the broker's construct path, where several have such a client")
  .addOption(json)
  .action((stack: string, clients: string[], options: Parameters<typeof handedOver>[2]) =>
    finish(handedOver(stack, clients, options)),
  );

program
  .command("convert <stack>")
  .description("bring the credential stores of a stack into the form that is declared: sealed, sealed anew, or plain")
  .addOption(json)
  .action((stack: string, options: { json?: boolean }) => finish(convert(stack, options)));

/** What the system says of a file is said in words. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined || path === undefined) return error.message;
  return `${path} cannot be used (${syscall}: ${code}); allowed: one that this user can use so; remedy: name another one, or mend it`;
}

function finish(code: number): void {
  process.exitCode = code;
}

program.parseAsync().catch((error: unknown) => {
  const { exitCode, code = "" } = error as { exitCode?: number; code?: string };
  if (code.startsWith("commander.")) {
    process.exitCode = exitCode === 0 ? 0 : USAGE_ERROR;
    return;
  }
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error instanceof UsageError ? USAGE_ERROR : 1;
});
