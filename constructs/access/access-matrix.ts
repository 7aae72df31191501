import { allowedTopics, decideFilter } from "./access-decision";
import { describeFault } from "../faults";
import { AccessRules, deliveredFilters } from "./access-rules";
import { Coverage } from "./topic-coverage";
import { TopicFilter } from "./topic-filter";
import { TopicIndex } from "./topic-index";

/** What one client may do with some topics. */
export interface AccessMatrixEntry {
  readonly client: string;
  /** A topic name, topic filter or shared subscription. */
  readonly topics: string;
  readonly publish: Coverage;
  readonly subscribe: Coverage;
}

/**
 * Who may do what: an entry for each client and each of the columns where it may do anything, sorted by both. Columns
 * without value are all filters that any client may publish to or receive from.
 *
 * @throws {Error} as `decide` does
 */
export function accessMatrix(rules: readonly AccessRules[], columns = declaredFilters(rules)): AccessMatrixEntry[] {
  const clients = rules.map((rule) => ({
    client: rule.userName,
    publish: allowedTopics(rule, "publish"),
    subscribe: allowedTopics(rule, "subscribe"),
  }));
  // Finds the clients of a column without asking every one.
  const index = new TopicIndex<(typeof clients)[number]>();
  rules.forEach((rule, position) => {
    for (const filter of declaredFilters([rule])) {
      index.add(TopicFilter.parse(filter).pattern, clients[position] as (typeof clients)[number]);
    }
  });
  let count = 0;
  const entries = [...new Set(columns)].flatMap((topics) => {
    const query = TopicFilter.parse(topics);
    const overlapping = [...index.overlapping(query.pattern)];
    count += overlapping.length;
    if (count > MAXIMUM_ENTRIES) throw tooMany(clients.length, columns.length);
    return overlapping.map(({ client, publish, subscribe }) => ({
      client,
      topics,
      publish: decideFilter(publish, "publish", query),
      subscribe: decideFilter(subscribe, "subscribe", query),
    }));
  });
  return entries
    .filter(({ publish, subscribe }) => publish !== "none" || subscribe !== "none")
    .sort((one, other) => compare(one.client, other.client) || compare(one.topics, other.topics));
}

/** More than anybody reads; the matrix of a fleet where everybody hears everybody has as many entries as its square. */
const MAXIMUM_ENTRIES = 200_000;

function tooMany(clients: number, columns: number): Error {
  return new Error(
    describeFault({
      what: `the access matrix of ${clients} clients and ${columns} columns`,
      allowed: `${MAXIMUM_ENTRIES} entries at most`,
      remedy: 'name the topics that you want to know about: accessMatrix(["plant/press-1/#"])',
    }),
  );
}

function declaredFilters(rules: readonly AccessRules[]): readonly string[] {
  return [...new Set(rules.flatMap((rule) => [...rule.publish, ...deliveredFilters(rule)]))];
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
