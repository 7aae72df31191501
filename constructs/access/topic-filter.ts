import { describeFault } from "../faults";
import { sharedSubscription, topicFilterFault, topicNameFault } from "./topic";
import { commonPattern, TopicPattern, topicPattern } from "./topic-pattern";

/** A topic filter or a shared subscription (MQTT 5 §4.7, §4.8.2). */
export class TopicFilter {
  /** The filter that is matched: without `$share/GROUP/`. */
  readonly filter: string;
  /** The levels of that. */
  readonly levels: readonly string[];
  /** Of a shared subscription. */
  readonly shareName: string | undefined;
  /** The topic names that it matches. */
  readonly pattern: TopicPattern;

  private constructor(
    /** As it was given. */
    readonly text: string,
  ) {
    const { shareName, filter } = sharedSubscription(text) ?? { shareName: undefined, filter: text };
    this.filter = filter;
    this.levels = filter.split("/");
    this.shareName = shareName;
    this.pattern = topicPattern(this.levels);
  }

  /** @throws {Error} for what is no topic filter */
  static parse(text: string): TopicFilter {
    const fault = topicFilterFault("topic filter", text);
    if (fault !== undefined) throw new Error(describeFault(fault));
    return new TopicFilter(text);
  }

  /** Whether it matches a topic name. What is no topic name is matched by none. */
  matches(topicName: string): boolean {
    if (topicNameFault("topic name", topicName) !== undefined) return false;
    return commonPattern(this.pattern, { levels: topicName.split("/"), open: false }) !== undefined;
  }
}
