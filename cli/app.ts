import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Operation, OperationAnswer, operationEnvironment, readAnswers } from "../constructs/broker/operation";
import { readProject } from "./project";

/** An operation without what only the way to the app needs. */
export type Request = Operation extends infer O ? (O extends Operation ? Omit<O, "answers" | "key"> : never) : never;

/** The app failed; what brokers answered before is true all the same. */
export class AppError extends Error {
  constructor(
    message: string,
    readonly answers: readonly OperationAnswer[],
  ) {
    super(message);
  }
}

/**
 * Runs the app of the present folder once, and lets the brokers of one stack do what is asked. The synthesized output is
 * thrown away.
 *
 * @param isAttended whether a passphrase command may ask at the terminal
 * @returns what each broker answered, at least one
 * @throws {AppError} when it does not synthesise
 * @throws {Error} when there is no app, or it has no such stack
 */
export function askBrokers(request: Request, isAttended = true): OperationAnswer[] {
  const { app, context } = readProject();
  const outdir = fs.mkdtempSync(path.join(os.tmpdir(), "cdktf-mosquitto-"));
  const key = randomBytes(32).toString("base64");
  const operation: Operation = { ...request, answers: path.join(outdir, "answers"), key };
  try {
    fs.writeFileSync(operation.answers, "", { mode: 0o600 });
    const env = {
      ...process.env,
      CDKTF_OUTDIR: path.join(outdir, "out"),
      CDKTF_CONTEXT_JSON: JSON.stringify(context),
      ...operationEnvironment(operation),
    };
    // Standard output belongs to this command's own answer.
    const input = isAttended ? "inherit" : "ignore";
    const { status, error } = spawnSync(app, { env, shell: true, stdio: [input, 2, "inherit"] });
    const answers = readAnswers(operation);
    if (status !== 0) {
      const message = `the app ${JSON.stringify(app)} does not synthesise: ${error?.message ?? `exit code ${status}`}`;
      throw new AppError(`${message}; ${done(answers)}`, answers);
    }
    const stacks = fs.readdirSync(path.join(outdir, "out", "stacks"));
    if (!stacks.includes(request.stack)) {
      throw new Error(
        `the app has no stack ${JSON.stringify(request.stack)}; allowed: ${stacks.join(", ")}; nothing was done`,
      );
    }
    if (answers.length === 0) {
      throw new Error(
        `stack ${JSON.stringify(request.stack)} has no MosquittoBroker, or errors that keep it from synthesising`,
      );
    }
    return answers;
  } finally {
    fs.rmSync(outdir, { recursive: true, force: true });
  }
}

/** What was issued before a failure. Bundles are in answers, too, and must never be shown by the way. */
function done(answers: readonly OperationAnswer[]): string {
  const issued = answers.flatMap(({ broker, issued: notes = [] }) => notes.map(({ what }) => `${broker}: ${what}`));
  return issued.length === 0 ? "nothing was issued" : `issued before that: ${issued.join(", ")}`;
}
