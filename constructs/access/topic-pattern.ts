/** Which topic names a topic filter matches (MQTT 5 §4.7), in one form for all filters that match the same names. */
export interface TopicPattern {
  /** One or more; `+` for any level. */
  readonly levels: readonly string[];
  /** Whether any number of levels may follow. */
  readonly open: boolean;
}

/** @param levels of a valid topic filter that is not shared */
export function topicPattern(levels: readonly string[]): TopicPattern {
  if (levels.at(-1) !== "#") return { levels, open: false };
  const before = levels.slice(0, -1);
  // No topic name is empty, so # begins with one level, and /# does not match the "" before it.
  return { levels: before.join("/") === "" ? [...before, "+"] : before, open: true };
}

/** The topic names that match both: they are always those of one pattern, or none. */
export function commonPattern(one: TopicPattern, other: TopicPattern): TopicPattern | undefined {
  const length = Math.max(one.levels.length, other.levels.length);
  if (!one.open && one.levels.length < length) return undefined;
  if (!other.open && other.levels.length < length) return undefined;
  const levels: string[] = [];
  for (let index = 0; index < length; index += 1) {
    const [mine = "+", others = "+"] = [one.levels[index], other.levels[index]];
    if (mine !== others && !matchesAny(mine, others, index) && !matchesAny(others, mine, index)) return undefined;
    levels.push(mine === "+" ? others : mine);
  }
  return { levels, open: one.open && other.open };
}

/** Whether a wildcard, if it is one, includes what the other has in that level. */
function matchesAny(wildcard: string, level: string, index: number): boolean {
  return wildcard === "+" && !hiddenFromWildcards(level, index);
}

/** Whether no wildcard matches it: the first level of any topic that begins with `$` (MQTT 5 §4.7.2). */
export function hiddenFromWildcards(level: string, index: number): boolean {
  return index === 0 && level.startsWith("$");
}
