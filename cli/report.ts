import { OperationAnswer } from "../constructs/broker/operation";
import { IssuanceNote } from "../constructs/credentials";

/** A table with aligned columns, for a person. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] as number))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** One line for each note, below a title; nothing without notes. */
export function noteLines(title: string, notes: readonly IssuanceNote[] = []): string[] {
  return notes.length === 0 ? [] : [title, ...notes.map(({ what, reason }) => `  ${what}: ${reason}`)];
}

/**
 * @param json whether a program reads it
 * @param text what a person reads, for each answer
 * @returns the exit code: 1 when a broker could not do it
 */
export function show(
  answers: readonly OperationAnswer[],
  json: boolean,
  text: (answer: OperationAnswer) => readonly string[],
): number {
  const failed = answers.filter(({ error }) => error !== undefined);
  if (json) process.stdout.write(`${JSON.stringify(answers, null, 2)}\n`);
  else {
    for (const answer of answers.filter(({ error }) => error === undefined)) {
      process.stdout.write(`${[`${answer.broker} (${answer.store})`, ...text(answer)].join("\n")}\n`);
    }
    for (const { broker, error } of failed) process.stderr.write(`${broker}: ${error}\n`);
  }
  return failed.length === 0 ? 0 : 1;
}
