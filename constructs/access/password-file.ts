import { describeFault } from "../faults";
import { parsePasswordHash } from "./password-hash";
import { userNameFault } from "./user-name";

export interface PasswordEntry {
  readonly userName: string;
  /** As `hashPassword` makes it. */
  readonly hash: string;
}

const HEADER = "# Rendered by cdktf-mosquitto: change the declaration, not this file.";

/**
 * Renders the `password_file` of mosquitto.conf(5).
 *
 * @throws {Error} for a name or hash that the broker would refuse, or a user that stands twice
 */
export function renderPasswordFile(entries: readonly PasswordEntry[]): string {
  const lines = normalized(entries).map(({ userName, hash }) => `${userName}:${hash}\n`);
  return `${HEADER}\n${lines.join("")}`;
}

/**
 * Reads what `renderPasswordFile` writes, and nothing else.
 *
 * @throws {Error} naming the line, without its hash
 */
export function parsePasswordFile(text: string): PasswordEntry[] {
  const lines = text.split("\n");
  if (lines.pop() !== "") throw new Error(`line ${lines.length + 1} of the password file has no end`);
  const result: PasswordEntry[] = [];
  lines.forEach((line, index) => {
    if (line.startsWith("#")) return;
    const where = `line ${index + 1} of the password file`;
    const [, userName, hash] = /^([^:]*):(.*)$/.exec(line) ?? [];
    if (userName === undefined || hash === undefined) throw new Error(`${where} is not NAME:HASH`);
    const previous = result.at(-1);
    if (previous && previous.userName >= userName) {
      throw new Error(`${where} is not in order, or names a user twice`);
    }
    try {
      result.push(...normalized([{ userName, hash }]));
    } catch (error) {
      throw new Error(`${where} cannot be used: ${(error as Error).message}`, { cause: error });
    }
  });
  return result;
}

function normalized(entries: readonly PasswordEntry[]): PasswordEntry[] {
  const names = new Set<string>();
  for (const { userName, hash } of entries) {
    const fault = userNameFault("userName", userName);
    if (fault) throw new Error(describeFault(fault));
    parsePasswordHash(hash);
    if (names.has(userName)) throw new Error(`user ${userName} stands twice in the password file`);
    names.add(userName);
  }
  return [...entries].sort((one, other) => (one.userName < other.userName ? -1 : 1));
}
