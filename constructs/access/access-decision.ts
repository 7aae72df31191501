import { describeFault } from "../faults";
import { AccessRules, accessRulesFault, deliveredFilters } from "./access-rules";
import { isSilent } from "./topic";
import { AllowedTopics, Coverage, coverage } from "./topic-coverage";
import { TopicFilter } from "./topic-filter";
import { TopicIndex } from "./topic-index";
import { TopicPattern } from "./topic-pattern";

/** `subscribe` is about what is received: Mosquitto grants every subscription, and checks each message it delivers. */
export type Direction = "publish" | "subscribe";

/**
 * How many of the topic names that match `query`, a topic name, topic filter or shared subscription, a user may publish
 * to or receive from: what the broker does with their `acl_file` (mosquitto.conf(5)), by MQTT 5 §4.7 and §4.8.2.
 *
 * @throws {Error} for rules that no access control list holds, and for what is no topic filter
 */
export function decide(rules: AccessRules, direction: Direction, query: string): Coverage {
  return decideFilter(allowedTopics(rules, direction), direction, TopicFilter.parse(query));
}

/** `decide`, for topics that are at hand already. */
export function decideFilter(topics: AllowedTopics, direction: Direction, query: TopicFilter): Coverage {
  // To publish, $share/GROUP/FILTER is a topic name, which Mosquitto closes.
  if (query.shareName !== undefined && (direction === "publish" || isSilent(query))) return "none";
  return coverage(query.pattern, topics);
}

/**
 * What a user may publish to, or receive from. No rule is about what Mosquitto closes to everybody ($CONTROL, $share,
 * and $SYS to publish), so it needs no denial.
 *
 * @throws {Error} for rules that no access control list holds
 */
export function allowedTopics(rules: AccessRules, direction: Direction): AllowedTopics {
  const fault = accessRulesFault(rules);
  if (fault) throw new Error(describeFault(fault));
  const filters = direction === "publish" ? rules.publish : deliveredFilters(rules);
  return { allowed: indexOf(filters), denied: indexOf(rules.deny ?? []) };
}

function indexOf(filters: readonly string[]): TopicIndex<TopicPattern> {
  const index = new TopicIndex<TopicPattern>();
  for (const filter of filters) {
    const { pattern } = TopicFilter.parse(filter);
    index.add(pattern, pattern);
  }
  return index;
}
