import fc from "fast-check";
import {
  AccessRules,
  contradictionFault,
  parseAccessControlList,
  renderAccessControlList,
} from "../../constructs/access";
import { describeFault } from "../../constructs/faults";
import { allRules } from "./small-rules";

const linesOf = (...rules: AccessRules[]): string[] => renderAccessControlList(rules).split("\n").slice(3, -1);

test("a user's denials stand before what it may do, each kind in order", () => {
  expect(
    linesOf({
      userName: "a",
      publish: ["plant/#"],
      subscribe: ["b"],
      deny: ["plant/z/#", "plant/secret", "plant/z/#"],
    }),
  ).toEqual(["topic deny plant/secret", "topic deny plant/z/#", "topic read b", "topic write plant/#"]);
});

test("a shared subscription is the line of the filter in it, one for all groups and together with publish", () => {
  expect(
    linesOf({ userName: "a", publish: ["t/1"], subscribe: ["$share/g/t/1", "$share/h/t/1", "$share/g/t/2", "t/2"] }),
  ).toEqual(["topic readwrite t/1", "topic read t/2"]);
});

test.each<[string, Omit<AccessRules, "userName">]>([
  ["published to", { publish: ["t"], subscribe: [], deny: ["s", "t"] }],
  ["received", { publish: [], subscribe: ["t"], deny: ["s", "t"] }],
  ["received in a group", { publish: [], subscribe: ["$share/g/t"], deny: ["s", "t"] }],
])("a filter that is %s and denied is refused, and the error shows which", (_, rules) => {
  expect(describeFault(contradictionFault(rules)!)).toMatch(/^deny\[1\] says and denies the same, got "t"/);
  expect(() => renderAccessControlList([{ userName: "a", ...rules }])).toThrow(/says and denies the same/);
});

test("a filter may be denied that only overlaps with another one", () => {
  expect(contradictionFault({ publish: ["a/#"], subscribe: ["a/+"], deny: ["a/b", "#"] })).toBeUndefined();
});

const sorted = (values: readonly string[]): string[] => [...new Set(values)].sort();

test("an access control list with denials and shared subscriptions says the same when it is read back", () => {
  fc.assert(
    fc.property(allRules, (all) => {
      const text = renderAccessControlList(all);
      const read = parseAccessControlList(text);
      expect(renderAccessControlList(read)).toBe(text);
      const expected = all.map(({ userName, publish, subscribe, deny = [] }) => ({
        userName,
        publish: sorted(publish),
        subscribe: sorted(subscribe.map((filter) => filter.replace(/^\$share\/[^/]+\//, ""))),
        ...(deny.length > 0 && { deny: sorted(deny) }),
      }));
      expect(read).toEqual(expected.sort((one, other) => (one.userName < other.userName ? -1 : 1)));
    }),
  );
});

test("two rules of one user that change places are noticed", () => {
  fc.assert(
    fc.property(allRules, (all) => {
      const lines = renderAccessControlList(all).split("\n");
      lines.forEach((line, index) => {
        const next = lines[index + 1];
        if (!line.startsWith("topic") || !next?.startsWith("topic")) return;
        const swapped = lines.toSpliced(index, 2, next, line).join("\n");
        expect(() => parseAccessControlList(swapped)).toThrow(/in order/);
      });
    }),
  );
});
