import { Token } from "cdktf";
import { Fault } from "./faults";
import { isInteger } from "./integers";

// What TypeScript refuses already comes from JavaScript and from JSON all the same. Each of these says nothing where a
// property was left out.

/** A certificate, a file and a rule cannot hold a value that is known only at apply. */
export function tokenFault(what: string, value: unknown): Fault | undefined {
  if (!Token.isUnresolved(value)) return undefined;
  return {
    what,
    value,
    allowed: "a value known at synth",
    remedy: "pass a plain string or number, not an attribute, variable or output of Terraform",
  };
}

/** What is wrong with a whole number of a range. */
export function integerFault(
  what: string,
  value: unknown,
  minimum: number,
  maximum: number,
  remedy: string,
): Fault | undefined {
  if (value === undefined || isInteger(value, minimum, maximum)) return undefined;
  return { what, value, allowed: `a whole number from ${minimum} to ${maximum}, known at synth`, remedy };
}

/** What is wrong with a switch. */
export function booleanFault(what: string, value: unknown): Fault | undefined {
  if (value === undefined || typeof value === "boolean") return undefined;
  return { what, value, allowed: "true or false, known at synth", remedy: "leave it out for the default" };
}

/** What is wrong with a list of names of a known set. */
export function choiceFaults(what: string, value: unknown, allowed: readonly string[], remedy: string): Fault[] {
  if (value === undefined) return [];
  const eachOnce = `each once of: ${allowed.join(", ")}`;
  const list = listOf(value);
  if (list === undefined || list.length === 0) {
    return [{ what, value, allowed: `a list, known at synth, with ${eachOnce}`, remedy }];
  }
  return list.flatMap((one, index) =>
    allowed.includes(one as string) && list.indexOf(one) === index
      ? []
      : [{ what: `${what}[${index}]`, value: one, allowed: eachOnce, remedy }],
  );
}

/** The entries of a list that is known at synth, those that it leaves out too. */
export function listOf(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) && !Token.isUnresolved(value) ? Array.from(value as unknown[]) : undefined;
}

/** What is wrong with an object of options. Its value is not shown: it may have a secret in it. */
export function optionsFault(what: string, value: unknown): Fault | undefined {
  if (value === undefined || isPlainObject(value)) return undefined;
  const type = value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
  return {
    what: `${what} is ${type}`,
    allowed: "an object with options, such as { name: value }",
    remedy: "name the option that it is for, or leave it out",
  };
}

function isPlainObject(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Of another realm, as in tests, too.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** What is wrong with a value that a class's own factories make. It is not shown: it may have a secret in it. */
export function kindFault(what: string, value: unknown, isRight: boolean, factories: string): Fault | undefined {
  if (value === undefined || isRight) return undefined;
  return {
    what: `${what} is of another kind`,
    allowed: `what ${factories} makes`,
    remedy: "call that, or leave it out",
  };
}
