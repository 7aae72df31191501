import fc from "fast-check";
import { AccessRules, Coverage, decide, TopicFilter, TopicIndex } from "../../constructs/access";
import { filters, matches, mayUse, rules, topicNames } from "./small-rules";

const DIRECTIONS = ["publish", "subscribe"] as const;

const may = (publish: string[], deny: string[] = []): AccessRules => ({ userName: "a", publish, subscribe: [], deny });

describe("what is asked is allowed", () => {
  test.each<[string, string[], string[], Coverage, string]>([
    ["by the same filter", ["a/#"], [], "all", "a/#"],
    ["by a wider filter", ["#"], [], "all", "a/+/b"],
    ["by several filters only together", ["a", "a/+/#"], [], "all", "a/#"],
    ["by several filters together, level by level", ["a", "a/+", "a/+/+", "a/+/+/+/#"], [], "all", "a/#"],
    ["but for the topic itself", ["a/+/#"], [], "some", "a/#"],
    ["but for a level between", ["a", "a/+", "a/+/+/+/#"], [], "some", "a/#"],
    ["in part by a narrower filter", ["a/b"], [], "some", "a/+"],
    ["in part where filters cross", ["+/b"], [], "some", "a/+"],
    ["for the topics that exist: none is empty", ["+/+/#"], [], "all", "/#"],
    ["for the topics that exist: # has one level at least", ["+/#"], [], "all", "#"],
    ["nowhere, as the only common topic would be empty", ["+"], [], "none", "/#"],
    ["not in $: wildcards leave that out", ["#", "+/+"], [], "none", "$x/a"],
    ["in $ where it is named", ["$x/+"], [], "all", "$x/a"],
    ["all over, which leaves out $", ["#"], [], "all", "+/a"],
    ["but for what is denied", ["#"], ["a/b"], "some", "a/#"],
    ["beside what is denied", ["#"], ["a/b"], "all", "a/c"],
    ["nowhere, as all of it is denied", ["a/+"], ["a/#"], "none", "a/#"],
    ["nowhere, as denials together leave nothing", ["a/#"], ["a", "a/+", "a/+/+/#"], "none", "#"],
    ["in what several denials leave", ["a/#"], ["a", "a/+/+/#"], "some", "#"],
    ["nowhere without rules", [], [], "none", "a"],
    ["nowhere in $SYS to publish", ["#"], [], "none", "$SYS/broker/connection/x/state"],
    ["nowhere in $CONTROL", ["#"], [], "none", "$CONTROL/dynamic-security/v1"],
    ["nowhere in topics that begin like a share", ["#"], [], "none", "$shared/a"],
    ["nowhere in a group, where nothing can be published", ["#"], [], "none", "$share/g/a"],
  ])("%s", (_, publish, deny, expected, query) => {
    expect(decide(may(publish, deny), "publish", query)).toBe(expected);
  });

  test("in a group, if the filter in it is allowed", () => {
    const rules = { userName: "a", publish: [], subscribe: ["$share/g/a/+"], deny: ["a/b"] };
    expect(decide(rules, "subscribe", "$share/other/a/c")).toBe("all");
    expect(decide(rules, "subscribe", "a/c")).toBe("all");
    expect(decide(rules, "subscribe", "$share/g/a/+")).toBe("some");
    expect(decide(rules, "subscribe", "$share/g/a/b")).toBe("none");
    expect(decide(rules, "publish", "a/c")).toBe("none");
  });

  test("not in a group for topics that begin with $, of which Mosquitto delivers nothing to groups", () => {
    const rules = { userName: "a", publish: [], subscribe: ["$SYS/#"] };
    expect(decide(rules, "subscribe", "$SYS/#")).toBe("all");
    expect(decide(rules, "subscribe", "$share/g/$SYS/#")).toBe("none");
  });

  test("as far as topics go: the broker takes 201 levels", () => {
    const deep = Array.from({ length: 200 }, () => "a").join("/");
    expect(decide(may([deep, `${deep}/+`]), "publish", `${deep}/#`)).toBe("all");
    expect(decide(may([deep]), "publish", `${deep}/#`)).toBe("some");
  });
});

test("a decision is refused for rules that cannot be declared, and for what is no topic filter", () => {
  expect(() => decide(may(["$SYS/#"]), "publish", "a")).toThrow(/only the broker writes/);
  expect(() => decide(may(["a"], ["a"]), "publish", "a")).toThrow(/says and denies/);
  expect(() => decide(may(["a"]), "publish", "a#")).toThrow(/# only alone/);
});

test("what is allowed is what every single topic name says, in both directions, whatever the rules are", () => {
  const names = topicNames(4);
  const queries = fc.oneof(filters, fc.constantFrom(...names.filter((name) => !name.startsWith("$share"))));
  fc.assert(
    fc.property(rules, queries, (all, query) => {
      for (const direction of DIRECTIONS) {
        const asked = names.filter((name) => matches(query, name));
        const allowed = asked.filter((name) => mayUse(all, direction, name)).length;
        const expected = allowed === 0 ? "none" : allowed === asked.length ? "all" : "some";
        expect([direction, decide(all, direction, query)]).toEqual([direction, expected]);
      }
    }),
    { numRuns: 1500 },
  );
});

test("an index lists exactly the values that share a topic name with a filter, each once", () => {
  const names = topicNames(4);
  fc.assert(
    fc.property(fc.array(filters, { maxLength: 8 }), filters, (all, query) => {
      const index = new TopicIndex<string>();
      for (const filter of [...all, ...all]) index.add(TopicFilter.parse(filter).pattern, filter);
      const asked = names.filter((name) => matches(query, name));
      const expected = all.filter((filter) => asked.some((name) => matches(filter, name)));
      expect([...index.overlapping(TopicFilter.parse(query).pattern)].sort()).toEqual([...new Set(expected)].sort());
    }),
  );
});
