import { describeFault, Fault } from "../faults";
import { publishFilterFault, subscribeFilterFault } from "./topic";
import { userNameFault } from "./user-name";

/** What one user may do; everything else is denied. */
export interface AccessRules {
  readonly userName: string;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

const HEADER = "# Rendered by cdktf-mosquitto: change the declaration, not this file.";
const OUT_OF_ORDER = "is not in order, or says something twice";

/**
 * Renders the `acl_file` of mosquitto.conf(5): explicit `topic` lines per user, never `pattern`, which applies to all.
 *
 * @throws {Error} for a name or filter that would not be one line, or a user that stands twice
 */
export function renderAccessControlList(rules: readonly AccessRules[]): string {
  const sections = normalized(rules).map(({ userName, publish, subscribe }) => {
    const lines = [...new Set([...publish, ...subscribe])].sort().map((filter) => {
      const access = !publish.includes(filter) ? "read" : subscribe.includes(filter) ? "readwrite" : "write";
      return `topic ${access} ${filter}\n`;
    });
    return `\nuser ${userName}\n${lines.join("")}`;
  });
  return `${HEADER}\n${sections.join("")}`;
}

/**
 * Reads what `renderAccessControlList` writes, and nothing else.
 *
 * @throws {Error} naming the line
 */
export function parseAccessControlList(text: string): AccessRules[] {
  const result: { userName: string; publish: string[]; subscribe: string[] }[] = [];
  const lines = text.split("\n");
  if (lines.pop() !== "") throw new Error(`line ${lines.length + 1} of the access control list has no end`);
  let previousFilter: string | undefined;
  lines.forEach((line, index) => {
    if (line === "" || line.startsWith("#")) return;
    const refuse = (why: string): never => {
      throw new Error(`line ${index + 1} of the access control list ${why}`);
    };
    const [, userName] = /^user (.*)$/.exec(line) ?? [];
    const [, access, filter] = /^topic (read|write|readwrite) (.*)$/.exec(line) ?? [];
    const current = result.at(-1);
    if (userName !== undefined) {
      if (current && current.userName >= userName) refuse(OUT_OF_ORDER);
      result.push({ userName, publish: [], subscribe: [] });
      previousFilter = undefined;
    } else if (filter !== undefined && current !== undefined) {
      if (previousFilter !== undefined && previousFilter >= filter) refuse(OUT_OF_ORDER);
      if (access !== "read") current.publish.push(filter);
      if (access !== "write") current.subscribe.push(filter);
      previousFilter = filter;
    } else refuse('is neither "user" nor a topic of one');
    const fault = ruleFault(result.at(-1) as AccessRules);
    if (fault) refuse(`cannot be used: ${describeFault(fault)}`);
  });
  return result;
}

function ruleFault({ userName, publish, subscribe }: AccessRules): Fault | undefined {
  return (
    userNameFault("userName", userName) ??
    publish.map((filter) => publishFilterFault("publish", filter)).find(Boolean) ??
    subscribe.map((filter) => subscribeFilterFault("subscribe", filter)).find(Boolean)
  );
}

function normalized(rules: readonly AccessRules[]): AccessRules[] {
  const names = new Set<string>();
  for (const rule of rules) {
    const { userName } = rule;
    const fault = ruleFault(rule);
    if (fault) throw new Error(describeFault(fault));
    if (names.has(userName)) throw new Error(`user ${userName} stands twice in the access control list`);
    names.add(userName);
  }
  return [...rules]
    .map((rule) => ({
      userName: rule.userName,
      publish: [...new Set(rule.publish)].sort(),
      subscribe: [...new Set(rule.subscribe)].sort(),
    }))
    .sort((one, other) => (one.userName < other.userName ? -1 : 1));
}
