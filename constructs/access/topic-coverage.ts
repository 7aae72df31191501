import { TopicIndex } from "./topic-index";
import { commonPattern, TopicPattern } from "./topic-pattern";

/** How many of the topic names in question are allowed. */
export type Coverage = "all" | "some" | "none";

/** What is allowed: topic names of the first that are not of the second. */
export interface AllowedTopics {
  /** By itself. */
  readonly allowed: TopicIndex<TopicPattern>;
  readonly denied: TopicIndex<TopicPattern>;
}

/** How many of the topic names that match `query` are allowed. Exact, also where only several filters together cover it. */
export function coverage(query: TopicPattern, { allowed, denied }: AllowedTopics): Coverage {
  if (allowed.covers(query) && denied.overlapping(query).size === 0) return "all";
  for (const pattern of allowed.overlapping(query)) {
    const common = commonPattern(pattern, query);
    if (common !== undefined && !denied.covers(common)) return "some";
  }
  return "none";
}
