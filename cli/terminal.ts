import * as fs from "node:fs";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** Asks a question that is answered by yes or no; no is the default. */
export async function confirmed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

/** Whether somebody is there to be asked. */
export function isAttended(): boolean {
  return process.stdin.isTTY;
}

/** A passphrase that is slow to guess even for who has the sealed file for years. */
const MINIMUM_PASSPHRASE = 12;

/**
 * A passphrase to seal with, from a file or from the person at the terminal, who is asked twice: nobody could open what a
 * slip of the finger sealed.
 *
 * @throws {Error} when there is neither, when the two differ, or when it is too short
 */
export async function sealingPassphrase(file: string | undefined): Promise<string> {
  const what = "a passphrase for the bundle";
  const text = await passphrase(what, file, true);
  if ([...text].length >= MINIMUM_PASSPHRASE) return text;
  throw new Error(`${what} was too short; allowed: ${MINIMUM_PASSPHRASE} characters or more; remedy: take four words`);
}

/**
 * A passphrase from a file, whose last line end is dropped, or from the person at the terminal.
 *
 * @param repeats whether it is asked for twice
 * @throws {Error} when there is neither, or the two differ
 */
export async function passphrase(what: string, file: string | undefined, repeats = false): Promise<string> {
  if (file !== undefined) {
    const text = fs.readFileSync(file, "utf8").replace(/\r?\n$/, "");
    if (text === "") throw new Error(`${file} is empty; allowed: a file with ${what}; remedy: write it there`);
    return text;
  }
  if (!isAttended()) {
    throw new Error(
      `nobody is at the terminal to be asked for ${what}; remedy: name a file with it by --passphrase-file`,
    );
  }
  const [first, second] = await hidden(repeats ? [`${what}: `, `${what} again: `] : [`${what}: `]);
  if (first === undefined || first === "") throw new Error(`${what} was empty; nothing was done`);
  if (repeats && first !== second) throw new Error("the two differ; nothing was done");
  return first;
}

/** Answers that the terminal does not show. One reader for all: what was pasted at once is read at once. */
async function hidden(questions: readonly string[]): Promise<string[]> {
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output, terminal: true });
  // Ctrl-C is no answer.
  terminal.once("SIGINT", () => terminal.close());
  const lines = terminal[Symbol.asyncIterator]();
  const answers: string[] = [];
  try {
    for (const question of questions) {
      process.stderr.write(question);
      const line = await lines.next();
      process.stderr.write("\n");
      if (line.done === true) break;
      answers.push(line.value);
    }
    return answers;
  } finally {
    terminal.close();
  }
}
