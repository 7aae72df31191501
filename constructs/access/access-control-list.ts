import { describeFault, Fault } from "../faults";
import { AccessRules, accessRulesFault, contradictionFault, deliveredFilters } from "./access-rules";
import { publishFilterFault, ruleFilterFault } from "./topic";
import { userNameFault } from "./user-name";

const HEADER = "# Rendered by cdktf-mosquitto: change the declaration, not this file.";
const OUT_OF_ORDER = "is not in order, or says something twice";

/**
 * Renders the `acl_file` of mosquitto.conf(5): explicit `topic` lines per user, never `pattern`, which applies to all.
 * A user's denials stand first, since the broker looks at them first wherever they are.
 *
 * @throws {Error} for a name or filter that would not be one line, for a user that stands twice, or whose rules say and
 * deny the same
 */
export function renderAccessControlList(rules: readonly AccessRules[]): string {
  return `${HEADER}\n${inOrder(rules).map(section).join("")}`;
}

function section(rules: AccessRules): string {
  const publish = new Set(rules.publish);
  const receive = new Set(deliveredFilters(rules));
  const allow = sorted([...publish, ...receive]).map((filter) => {
    const access = !publish.has(filter) ? "read" : receive.has(filter) ? "readwrite" : "write";
    return `topic ${access} ${filter}\n`;
  });
  const deny = sorted(rules.deny ?? []).map((filter) => `topic deny ${filter}\n`);
  return `\nuser ${rules.userName}\n${deny.join("")}${allow.join("")}`;
}

function sorted(filters: readonly string[]): string[] {
  return [...new Set(filters)].sort();
}

function inOrder(rules: readonly AccessRules[]): AccessRules[] {
  const names = new Set<string>();
  for (const rule of rules) {
    const { userName } = rule;
    const fault = accessRulesFault(rule);
    if (fault) throw new Error(describeFault(fault));
    if (names.has(userName)) throw new Error(`user ${userName} stands twice in the access control list`);
    names.add(userName);
  }
  return [...rules].sort((one, other) => (one.userName < other.userName ? -1 : 1));
}

/**
 * Reads what `renderAccessControlList` writes, and nothing else. A shared subscription comes back as the filter in it.
 *
 * @throws {Error} naming the line
 */
export function parseAccessControlList(text: string): AccessRules[] {
  const result: { userName: string; publish: string[]; subscribe: string[]; deny?: string[] }[] = [];
  const lines = text.split("\n");
  if (lines.pop() !== "") throw new Error(`line ${lines.length + 1} of the access control list has no end`);
  let previous: { denied: boolean; filter: string } | undefined;
  lines.forEach((line, index) => {
    if (line === "" || line.startsWith("#")) return;
    const refuse = (why: string): never => {
      throw new Error(`line ${index + 1} of the access control list ${why}`);
    };
    const refuseFor = (fault: Fault | undefined): void => {
      if (fault) refuse(`cannot be used: ${describeFault(fault)}`);
    };
    const [, userName] = /^user (.*)$/.exec(line) ?? [];
    const [, access, filter] = /^topic (read|write|readwrite|deny) (.*)$/.exec(line) ?? [];
    const current = result.at(-1);
    if (userName !== undefined) {
      if (current && current.userName >= userName) refuse(OUT_OF_ORDER);
      refuseFor(userNameFault("userName", userName));
      result.push({ userName, publish: [], subscribe: [] });
      previous = undefined;
    } else if (filter !== undefined && current !== undefined) {
      const denied = access === "deny";
      const sameKind = previous?.denied === denied;
      if (previous && (sameKind ? previous.filter >= filter : denied)) refuse(OUT_OF_ORDER);
      refuseFor((access === "read" || denied ? ruleFilterFault : publishFilterFault)("topic", filter));
      if (denied) (current.deny ??= []).push(filter);
      if (access === "write" || access === "readwrite") current.publish.push(filter);
      if (access === "read" || access === "readwrite") current.subscribe.push(filter);
      if (current.deny?.includes(filter) && !denied) refuseFor(contradictionFault(current));
      previous = { denied, filter };
    } else refuse('is neither "user" nor a topic of one');
  });
  return result;
}
