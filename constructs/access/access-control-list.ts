import { describeFault } from "../faults";
import { publishFilterFault, subscribeFilterFault } from "./topic";
import { userNameFault } from "./user-name";

/** What one user may do; everything else is denied. */
export interface AccessRules {
  readonly userName: string;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

const HEADER = "# Rendered by cdktf-mosquitto: change the declaration, not this file.";

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
  lines.forEach((line, index) => {
    if (line === "" || line.startsWith("#")) return;
    const user = /^user (.*)$/.exec(line);
    const topic = /^topic (read|write|readwrite) (.*)$/.exec(line);
    const current = result.at(-1);
    if (user) result.push({ userName: user[1] as string, publish: [], subscribe: [] });
    else if (topic && current) {
      if (topic[1] !== "read") current.publish.push(topic[2] as string);
      if (topic[1] !== "write") current.subscribe.push(topic[2] as string);
    } else throw new Error(`line ${index + 1} of the access control list is neither "user" nor a topic of one`);
  });
  const rules = normalized(result);
  const rulesOf = (file: string): string => file.replace(/^(#.*)?\n/gm, "");
  if (rulesOf(renderAccessControlList(rules)) !== rulesOf(text)) {
    throw new Error("the access control list is not in order, or says something twice");
  }
  return rules;
}

function normalized(rules: readonly AccessRules[]): AccessRules[] {
  const names = new Set<string>();
  for (const { userName, publish, subscribe } of rules) {
    const fault =
      userNameFault("userName", userName) ??
      publish.map((filter) => publishFilterFault("publish", filter)).find(Boolean) ??
      subscribe.map((filter) => subscribeFilterFault("subscribe", filter)).find(Boolean);
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
