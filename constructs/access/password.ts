import { randomBytes } from "node:crypto";
import { Fault } from "../faults";
import { isInteger } from "../integers";

const MINIMUM_CHARACTERS = 12;
const MAXIMUM_BYTES = 1024;
const MAXIMUM_ITERATIONS = 1_000_000;

/** A password of 192 random bits in 32 characters that need no quoting anywhere. */
export function generatePassword(): string {
  return randomBytes(24).toString("base64url");
}

/** What is wrong with a given password. The fault does not show it. */
export function passwordFault(what: string, value: unknown, clientName?: string): Fault | undefined {
  const remedy = "leave it out and let one be generated, or take a longer one from a password manager";
  if (typeof value !== "string" || [...value].length < MINIMUM_CHARACTERS) {
    return { what, allowed: `${MINIMUM_CHARACTERS} characters or more: the broker has no lock-out`, remedy };
  }
  if (Buffer.byteLength(value) > MAXIMUM_BYTES) {
    return { what, allowed: `${MAXIMUM_BYTES} bytes of UTF-8 at most`, remedy: "take a shorter one" };
  }
  if (!value.isWellFormed() || /\p{Cc}/u.test(value)) {
    return { what, allowed: "Unicode text without control characters", remedy: "remove them" };
  }
  if (value === clientName) return { what, allowed: "another text than the client's name", remedy };
  return undefined;
}

/** What is wrong with a number of PBKDF2 iterations. */
export function iterationsFault(what: string, value: unknown): Fault | undefined {
  if (isInteger(value, 1, MAXIMUM_ITERATIONS)) return undefined;
  return {
    what,
    value,
    allowed: `a whole number from 1 to ${MAXIMUM_ITERATIONS}`,
    remedy: "leave it out for 1000; the broker's one thread spends them at every connect and reload",
  };
}
