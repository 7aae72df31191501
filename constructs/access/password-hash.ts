import { pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import { describeFault, Fault } from "../faults";
import { iterationsFault } from "./password";

/** mosquitto_passwd(1) of 2.1 takes as many. */
export const DEFAULT_ITERATIONS = 1000;

/** Bytes. Mosquitto 2.0 refuses any other salt; mosquitto_passwd(1) of 2.1 makes long ones. */
const SALT_LENGTH = 12;
const LONG_SALT_LENGTH = 64;
const KEY_LENGTH = 64;

export interface PasswordHash {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly key: Buffer;
}

export interface HashOptions {
  /** @default DEFAULT_ITERATIONS */
  readonly iterations?: number;
  /** 12 bytes.
   * @default - random */
  readonly salt?: Buffer;
}

/**
 * The hash that a password file of Mosquitto 2.0 and 2.1 holds: `$7$`, PBKDF2 with HMAC-SHA-512.
 *
 * @throws {Error} for iterations or a salt that `parsePasswordHash` would refuse
 */
export function hashPassword(password: string, options: HashOptions = {}): string {
  const { iterations = DEFAULT_ITERATIONS, salt = randomBytes(SALT_LENGTH) } = options;
  const fault = iterationsFault("iterations", iterations);
  if (fault) throw new Error(describeFault(fault));
  if (salt.length !== SALT_LENGTH)
    throw new Error(`a salt of ${salt.length} bytes; Mosquitto 2.0 takes ${SALT_LENGTH}`);
  const key = derive(password, salt, iterations);
  return `$7$${iterations}$${salt.toString("base64")}$${key.toString("base64")}`;
}

/** Whether the hash is this password's. */
export function verifyPassword(password: string, hash: string): boolean {
  const { iterations, salt, key } = parsePasswordHash(hash);
  // HMAC pads short keys with NUL, and UTF-8 replaces lone surrogates: another password would pass.
  if (password.includes("\0") || !password.isWellFormed()) return false;
  return timingSafeEqual(key, derive(password, salt, iterations));
}

/** @throws {Error} when it is not a `$7$` hash that Mosquitto 2.1 accepts; 2.0 does too where the salt has 12 bytes */
export function parsePasswordHash(hash: string): PasswordHash {
  const [, iterations = "", salt = "", key = ""] =
    /^\$7\$([1-9]\d{0,8})\$([A-Za-z0-9+/]{16}|[A-Za-z0-9+/]{86}==)\$([A-Za-z0-9+/]{86}==)$/.exec(hash) ?? [];
  const parsed = {
    iterations: Number(iterations),
    salt: Buffer.from(salt, "base64"),
    key: Buffer.from(key, "base64"),
  };
  const canonical =
    [SALT_LENGTH, LONG_SALT_LENGTH].includes(parsed.salt.length) &&
    parsed.key.length === KEY_LENGTH &&
    parsed.salt.toString("base64") === salt &&
    parsed.key.toString("base64") === key;
  if (!canonical || iterationsFault("iterations", parsed.iterations)) {
    throw new Error(
      "a password hash is not $7$ITERATIONS$SALT$KEY with 1 to 1000000 iterations, " +
        "a salt of 12 or 64 and a key of 64 bytes in base64",
    );
  }
  return parsed;
}

/** What is wrong with a given hash, for a broker of Mosquitto 2.0 or later. The fault does not show it. */
export function passwordHashFault(what: string, value: unknown, takesLongSalt: boolean): Fault | undefined {
  const remedy = "make it with `mosquitto_passwd` of Mosquitto 2, or leave it out and let a password be generated";
  try {
    const { salt } = parsePasswordHash(typeof value === "string" ? value : "");
    if (takesLongSalt || salt.length === SALT_LENGTH) return undefined;
  } catch {
    return {
      what,
      allowed:
        "$7$ITERATIONS$SALT$KEY, with 1 to 1000000 iterations, a salt of 12 or 64 bytes and a key of 64, in base64: other " +
        "kinds, such as $6$ and $argon2id$, are weak or not in every Mosquitto",
      remedy,
    };
  }
  return {
    what,
    allowed: "a salt of 12 bytes, because Mosquitto 2.0 leaves out every user with another one",
    remedy: "make it with `mosquitto_passwd` of Mosquitto 2.0, or use an image of Mosquitto 2.1",
  };
}

function derive(password: string, salt: Buffer, iterations: number): Buffer {
  return pbkdf2Sync(password, salt, iterations, KEY_LENGTH, "sha512");
}
