import { Fault } from "../faults";

const MAXIMUM_BYTES = 65_535;
/** The broker's TOPIC_HIERARCHY_LIMIT. */
const MAXIMUM_LEVELS = 200;
// Control characters, line separators and the byte order mark: a line of a file could not hold them. Noncharacters:
// MQTT 5 §1.5.4 advises against them.
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\ufeff\p{Noncharacter_Code_Point}]/u;

/** What is wrong with a topic filter (MQTT 5 §4.7), or with writing it into a line of a file. */
export function topicFilterFault(what: string, value: unknown): Fault | undefined {
  const fault = (allowed: string, remedy: string): Fault => ({ what, value, allowed, remedy });
  if (typeof value !== "string" || value === "") {
    return fault("a topic filter of one character or more", "name a topic, such as plant/sensor-1/#");
  }
  if (!value.isWellFormed() || UNPRINTABLE.test(value)) {
    return fault("printable Unicode text on one line", "remove the control characters");
  }
  if (value !== value.trim()) {
    return fault("no white space at either end, which the broker's file drops", "remove the blanks");
  }
  if (Buffer.byteLength(value) > MAXIMUM_BYTES) {
    return fault(`${MAXIMUM_BYTES} bytes of UTF-8 at most (MQTT 5 §1.5.4)`, "shorten it");
  }
  const levels = value.split("/");
  if (levels.length > MAXIMUM_LEVELS) return fault(`${MAXIMUM_LEVELS} levels at most`, "use fewer levels");
  if (levels.some((level, index) => level.includes("#") && (level !== "#" || index < levels.length - 1))) {
    return fault("# only alone in the last level", "write plant/# for everything below plant");
  }
  if (levels.some((level) => level.includes("+") && level !== "+")) {
    return fault("+ only alone in its level", "write plant/+/state for one whole level");
  }
  if (levels[0] === "$CONTROL") return fault("topics other than $CONTROL, the broker's own", "leave it out");
  if (levels[0] === "$share" || levels[0] === "$queue") {
    return fault(
      "the filter inside a shared subscription, which is what the broker checks",
      levels.length > 2
        ? `declare ${JSON.stringify(levels.slice(2).join("/"))} instead`
        : "declare the filter that stands behind $share/GROUP/",
    );
  }
  return undefined;
}

/** What is wrong with a topic filter that a client may publish to. */
export function publishFilterFault(what: string, value: unknown): Fault | undefined {
  const fault = topicFilterFault(what, value);
  if (fault !== undefined) return fault;
  // Mosquitto compares the first characters, not the level, so $SYSTEM and $shared are closed too.
  if (String(value).startsWith("$SYS")) {
    return { what, value, allowed: "topics outside $SYS, which only the broker writes", remedy: "leave it out" };
  }
  return shareFault(what, value);
}

/** What is wrong with a topic filter that a client may receive messages from. */
export function subscribeFilterFault(what: string, value: unknown): Fault | undefined {
  return topicFilterFault(what, value) ?? shareFault(what, value);
}

function shareFault(what: string, value: unknown): Fault | undefined {
  if (!String(value).startsWith("$share")) return undefined;
  return {
    what,
    value,
    allowed: "topics that do not start with $share, which Mosquitto keeps for shared subscriptions",
    remedy: "take another first level",
  };
}
