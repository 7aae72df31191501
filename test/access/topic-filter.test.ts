import fc from "fast-check";
import { TopicFilter, topicNameFault } from "../../constructs/access";
import { describeFault } from "../../constructs/faults";
import { filters, matches, topicNames } from "./small-rules";

describe("a topic filter", () => {
  test.each([
    ["a/#", "a"],
    ["a/#", "a/"],
    ["a/#", "a/b/c"],
    ["a/+", "a/"],
    ["+", "a"],
    ["+/a", "/a"],
    ["+/+", "/"],
    ["/+", "/a"],
    ["#", "/"],
    ["#", "a/$x"],
    ["a/+/#", "a/"],
    ["$x/#", "$x"],
    ["$SYS/+", "$SYS/a"],
    ["$share/group/a/+", "a/b"],
    ["a b/%c", "a b/%c"],
  ])("%j matches the topic name %j", (filter, name) => {
    expect(TopicFilter.parse(filter).matches(name)).toBe(true);
  });

  test.each([
    ["a", "A"],
    ["a", "a/"],
    ["a", "/a"],
    ["a/+", "a"],
    ["+", "/a"],
    ["/#", "a"],
    ["#", "$SYS/a"],
    ["#", "$x"],
    ["+/a", "$x/a"],
    ["+/#", "$x/a"],
    ["$x", "x"],
    ["$x/#", "$y/a"],
    ["a/+/#", "a"],
    ["$share/group/a", "$share/group/a"],
    ["$share/group/#", "$share/group/a"],
  ])("%j does not match the topic name %j", (filter, name) => {
    expect(TopicFilter.parse(filter).matches(name)).toBe(false);
  });

  test.each(["", "a/+", "#", "a\n", "a\ud800"])("never matches %j, which is no topic name", (name) => {
    for (const filter of ["#", "a/+", "+/#"]) expect(TopicFilter.parse(filter).matches(name)).toBe(false);
  });

  test("matches as MQTT says, whatever filter and name are", () => {
    const names = topicNames(4);
    fc.assert(
      fc.property(filters, (text) => {
        const filter = TopicFilter.parse(text);
        const wrong = names.filter((name) => filter.matches(name) !== matches(text, name));
        expect(wrong).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test("shows its levels, and the group that shares it", () => {
    expect(TopicFilter.parse("a//+")).toMatchObject({ text: "a//+", filter: "a//+", levels: ["a", "", "+"] });
    expect(TopicFilter.parse("a//+").shareName).toBeUndefined();
    expect(TopicFilter.parse("$share/group/a//#")).toMatchObject({
      text: "$share/group/a//#",
      filter: "a//#",
      levels: ["a", "", "#"],
      shareName: "group",
    });
  });

  test.each<[string, RegExp]>([
    ["", /one character or more/],
    ["a#", /# only alone/],
    ["$share/group", /\$share\/GROUP\/FILTER/],
    ["a\nb", /printable/],
  ])("is not made of %j", (text, message) => {
    expect(() => TopicFilter.parse(text)).toThrow(message);
  });

  test.each(["$CONTROL/#", " a ", "$shared", "$queue/a"])("may be %j, for which only no rule can be made", (text) => {
    expect(TopicFilter.parse(text).text).toBe(text);
  });
});

describe("a topic name", () => {
  test.each(["a", "/", "a//b", "$SYS/broker", "a b", "ü/温度", Array.from({ length: 201 }, () => "a").join("/")])(
    "may be %j",
    (name) => expect(topicNameFault("topic", name)).toBeUndefined(),
  );

  test.each<[unknown, RegExp]>([
    ["", /topic name of one character or more/],
    [7, /topic name/],
    ["a/+", /no \+ and no #/],
    ["#", /no \+ and no #/],
    ["a#", /no \+ and no #/],
    ["a\0", /printable/],
    ["é".repeat(32_768), /65535 bytes/],
    [Array.from({ length: 202 }, () => "a").join("/"), /201 levels/],
  ])("may not be %j", (name, message) => {
    expect(describeFault(topicNameFault("topic", name)!)).toMatch(message);
  });
});
