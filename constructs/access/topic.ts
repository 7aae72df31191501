import { describeFault, Fault } from "../faults";

const MAXIMUM_BYTES = 65_535;
/** The broker's TOPIC_HIERARCHY_LIMIT is 200 slashes. */
export const MAXIMUM_LEVELS = 201;
/** First level of the topics by which the reloader proves that a set is live. */
const OWN_TOPICS = "$cdktf-mosquitto";
// Control characters, line separators and the byte order mark: a line of a file could not hold them. Noncharacters:
// MQTT 5 §1.5.4 advises against them.
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\ufeff\p{Noncharacter_Code_Point}]/u;

/** What is wrong with a topic name, to which a message is published (MQTT 5 §4.7). */
export function topicNameFault(what: string, value: unknown): Fault | undefined {
  const fault = textFault(what, value, "name");
  if (fault !== undefined || !/[+#]/.test(String(value))) return fault;
  return { what, value, allowed: "a topic name, which has no + and no #", remedy: "name one topic" };
}

/** What is wrong with a topic filter, or a shared subscription (MQTT 5 §4.7, §4.8.2). */
export function topicFilterFault(what: string, value: unknown): Fault | undefined {
  const fault = textFault(what, value, "filter");
  if (fault !== undefined) return fault;
  const text = String(value);
  if (!/^\$share(\/|$)/.test(text)) return wildcardFault(what, value, text);
  const shared = sharedSubscription(text);
  if (shared === undefined || sharedSubscription(shared.filter) !== undefined) {
    return {
      what,
      value,
      allowed: "$share/GROUP/FILTER with a group without + and #, and a filter that is not shared again",
      remedy: "write $share/workers/plant/#, or declare the filter that stands behind $share/GROUP/",
    };
  }
  return wildcardFault(what, value, shared.filter);
}

/** What is wrong with a topic filter that a client may publish to. */
export function publishFilterFault(what: string, value: unknown): Fault | undefined {
  const fault = ruleFilterFault(what, value);
  // Mosquitto compares the first characters, not the level, so $SYSTEM is closed too.
  if (fault !== undefined || !String(value).startsWith("$SYS")) return fault;
  return { what, value, allowed: "topics outside $SYS, which only the broker writes", remedy: "leave it out" };
}

/** What is wrong with a topic filter, or a shared subscription, that a client may receive messages from. */
export function subscribeFilterFault(what: string, value: unknown): Fault | undefined {
  const fault = topicFilterFault(what, value);
  if (fault !== undefined) return fault;
  const shared = sharedSubscription(String(value));
  if (shared === undefined) return lineFault(what, value, String(value));
  if (isSilent(shared)) {
    return {
      what,
      value,
      allowed: "shared subscriptions to topics that do not begin with $, of which Mosquitto delivers nothing to groups",
      remedy: `declare ${JSON.stringify(shared.filter)}, and subscribe to it without a group`,
    };
  }
  return lineFault(what, value, shared.filter);
}

/** What is wrong with a topic filter in a line of the access control list, where nothing is shared. */
export function ruleFilterFault(what: string, value: unknown): Fault | undefined {
  const fault = topicFilterFault(what, value);
  if (fault !== undefined) return fault;
  const shared = sharedSubscription(String(value));
  if (shared === undefined) return lineFault(what, value, String(value));
  return {
    what,
    value,
    allowed: "topic filters; a shared subscription can only be subscribed to",
    remedy: `declare ${JSON.stringify(shared.filter)} instead`,
  };
}

/** What `$share/GROUP/FILTER` is made of. */
export interface SharedSubscription {
  readonly shareName: string;
  readonly filter: string;
}

/** The parts of `$share/GROUP/FILTER` (MQTT 5 §4.8.2), if the text is that. */
export function sharedSubscription(text: string): SharedSubscription | undefined {
  const [, shareName, filter] = /^\$share\/([^/+#]+)\/(.+)$/.exec(text) ?? [];
  return shareName === undefined || filter === undefined ? undefined : { shareName, filter };
}

/** Mosquitto keeps all groups in the tree of topics that do not begin with `$`, so that others never come to them. */
export function isSilent({ filter }: Pick<SharedSubscription, "filter">): boolean {
  return filter.startsWith("$");
}

function textFault(what: string, value: unknown, kind: "name" | "filter"): Fault | undefined {
  const fault = (allowed: string, remedy: string): Fault => ({ what, value, allowed, remedy });
  if (typeof value !== "string" || value === "") {
    const example = kind === "name" ? "plant/sensor-1/state" : "plant/sensor-1/#";
    return fault(`a topic ${kind} of one character or more`, `name a topic, such as ${example}`);
  }
  if (!value.isWellFormed() || UNPRINTABLE.test(value)) {
    return fault("printable Unicode text on one line", "remove the control characters");
  }
  if (Buffer.byteLength(value) > MAXIMUM_BYTES) {
    return fault(`${MAXIMUM_BYTES} bytes of UTF-8 at most (MQTT 5 §1.5.4)`, "shorten it");
  }
  if (value.split("/").length > MAXIMUM_LEVELS) return fault(`${MAXIMUM_LEVELS} levels at most`, "use fewer levels");
  return undefined;
}

function wildcardFault(what: string, value: unknown, filter: string): Fault | undefined {
  const levels = filter.split("/");
  if (levels.some((level, index) => level.includes("#") && (level !== "#" || index < levels.length - 1))) {
    return {
      what,
      value,
      allowed: "# only alone in the last level",
      remedy: "write plant/# for everything below plant",
    };
  }
  if (levels.some((level) => level.includes("+") && level !== "+")) {
    return { what, value, allowed: "+ only alone in its level", remedy: "write plant/+/state for one whole level" };
  }
  return undefined;
}

/** What is wrong with a rule for a filter, which is `value` or the part of it that the broker checks. */
function lineFault(what: string, value: unknown, filter: string): Fault | undefined {
  const fault = (allowed: string, remedy: string): Fault => ({ what, value, allowed, remedy });
  if (filter.split("/").some((level) => ["undefined", "null", "NaN", "[object Object]"].includes(level))) {
    return fault("topics without the text of a value that is missing", "look at the value that the topic is made of");
  }
  if (filter !== filter.trim()) {
    return fault("no white space at either end, which the broker's file drops", "remove the blanks");
  }
  const [first] = filter.split("/");
  if (first === "$CONTROL") return fault("topics other than $CONTROL, the broker's own", "leave it out");
  if (first === OWN_TOPICS) return fault(`topics other than ${OWN_TOPICS}, which is the library's own`, "leave it out");
  if (first === "$queue") {
    return fault(
      "topics other than $queue, which Mosquitto does not share",
      "subscribe to $share/GROUP/FILTER to share a subscription",
    );
  }
  if (filter.startsWith("$share")) {
    return fault(
      "topics that do not start with $share, which Mosquitto keeps for shared subscriptions",
      "take another first level",
    );
  }
  return undefined;
}

/**
 * One level of a topic, made of a value from elsewhere, such as a cell of a list: what it may not be would make a rule
 * wider, or another one.
 *
 * @throws {Error} for no text, an empty one, or one with `/`, `+`, `#`, or a `$` that it begins with
 */
export function topicLevel(value: string | undefined): string {
  const isText = textFault("topicLevel()", value, "name") === undefined;
  if (isText && typeof value === "string" && !/[/+#]|^\$|^\s|\s$/.test(value)) return value;
  throw new Error(
    describeFault({
      what: "topicLevel()",
      value,
      allowed:
        "one level of a topic: printable text that is not empty, without / + #, without blanks at its ends, that does not begin with $",
      remedy: "mend the value where it comes from",
    }),
  );
}
