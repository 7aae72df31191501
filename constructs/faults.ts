import { inspect } from "node:util";

/** One thing wrong with a declaration, in the words of the code that declared it. */
export interface Fault {
  /** What is wrong, starting with the name of the property, such as `hosts[1]`. */
  readonly what: string;
  /** The value as it was given. Left out where it is a secret. */
  readonly value?: unknown;
  /** What is allowed instead. */
  readonly allowed: string;
  /** What to do about it. */
  readonly remedy: string;
}

const MAXIMUM_SHOWN = 120;
/** A list of five thousand clients may have one fault five thousand times. */
const MAXIMUM_FAULTS = 25;

/** A value as an error shows it: quoted, on one line, invisible characters escaped, long ones cut. */
export function show(value: unknown): string {
  const quoted =
    typeof value === "string" ? JSON.stringify(value) : inspect(value, { breakLength: Infinity, depth: 1 });
  // Some are left: DEL, C1, line separators and direction marks which a terminal would obey.
  const text = quoted.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
  });
  return text.length > MAXIMUM_SHOWN ? `${text.slice(0, MAXIMUM_SHOWN)}…` : text;
}

export function describeFault(fault: Fault): string {
  const value = "value" in fault ? `, got ${show(fault.value)}` : "";
  return `${fault.what}${value}; allowed: ${fault.allowed}; remedy: ${fault.remedy}`;
}

/** Everything wrong with one declaration, reported as one error. */
export class Faults {
  private readonly faults: Fault[] = [];

  /** `subject` names the declaration, best by its construct path. */
  constructor(private readonly subject: string) {}

  add(...faults: (Fault | undefined)[]): void {
    for (const fault of faults) if (fault !== undefined) this.faults.push(fault);
  }

  /** @throws {Error} with the faults that were added, if there are any; beyond 25 only their number */
  throwIfAny(): void {
    if (this.faults.length === 0) return;
    const lines = this.faults.slice(0, MAXIMUM_FAULTS).map((fault) => `  - ${describeFault(fault)}`);
    const rest = this.faults.length - MAXIMUM_FAULTS;
    if (rest > 0) lines.push(`  and ${rest} more`);
    throw new Error(`${this.subject} cannot be declared like this:\n${lines.join("\n")}`);
  }
}
