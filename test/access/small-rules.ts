import fc from "fast-check";
import { AccessRules, TopicFilter } from "../../constructs/access";

// Few levels, so that filters meet often; every kind that MQTT and Mosquitto treat in a way of its own is there.
const first = fc.constantFrom("a", "b", "", "+", "+", "$x", "$SYS");
const later = fc.constantFrom("a", "b", "", "+", "$x");

/** A topic filter of at most three levels and `#`. */
export const filters = fc
  .tuple(first, fc.array(later, { maxLength: 2 }), fc.boolean(), fc.boolean())
  .map(([head, tail, open, alone]) => (open && alone ? "#" : [head, ...tail, ...(open ? ["#"] : [])].join("/")))
  .filter((filter) => filter !== "");

const sharedToo = fc
  .tuple(filters, fc.constantFrom("", "", "$share/g/", "$share/h/"))
  .map(([filter, share]) => (filter.startsWith("$") ? filter : share + filter));

/** What a client's name may be. */
const userName = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,10}$/);

/** Rules of one user that can be declared. */
export const rules: fc.Arbitrary<AccessRules> = fc
  .record({
    userName,
    publish: fc.array(filters, { maxLength: 4 }),
    subscribe: fc.array(sharedToo, { maxLength: 4 }),
    deny: fc.array(filters, { maxLength: 3 }),
  })
  .map(({ userName, publish, subscribe, deny }) => {
    const said = [...publish, ...subscribe.map((text) => TopicFilter.parse(text).filter)];
    return {
      userName,
      publish: publish.filter((filter) => !filter.startsWith("$SYS")),
      subscribe,
      deny: deny.filter((filter) => !said.includes(filter)),
    };
  });

/** Rules of several users. */
export const allRules = fc.uniqueArray(rules, { selector: ({ userName }) => userName, maxLength: 8 });

/** Every topic name up to a number of levels, with levels that no filter names, and beginnings that only the broker may take. */
export function topicNames(depth: number): string[] {
  const levels = ["a", "b", "", "other", "$x"];
  let names = ["a", "b", "", "other", "$x", "$SYS", "$y", "$share", "$CONTROL"];
  const result = [...names];
  for (let level = 1; level < depth; level += 1) {
    names = names.flatMap((name) => levels.map((next) => `${name}/${next}`));
    result.push(...names);
  }
  return result.filter((name) => name !== "");
}

/** MQTT 5 §4.7 once more, as simply as it can be said. */
export function matches(filter: string, name: string): boolean {
  if (name.startsWith("$") && !filter.startsWith("$")) return false;
  const levels = (wanted: readonly string[], given: readonly string[]): boolean => {
    const [want, ...more] = wanted;
    const [have, ...rest] = given;
    if (want === "#") return true;
    if (want === undefined || have === undefined) return want === have;
    return (want === "+" || want === have) && levels(more, rest);
  };
  return levels(filter.split("/"), name.split("/"));
}

/** What Mosquitto says to one topic name. */
export function mayUse(
  { publish, subscribe, deny = [] }: AccessRules,
  direction: "publish" | "subscribe",
  name: string,
): boolean {
  if (name.startsWith("$share") || (direction === "publish" && name.startsWith("$SYS"))) return false;
  const inner = subscribe.map((text) => text.replace(/^\$share\/[^/]+\//, ""));
  const anyMatches = (filters: readonly string[]): boolean => filters.some((filter) => matches(filter, name));
  return anyMatches(direction === "publish" ? publish : inner) && !anyMatches(deny);
}
