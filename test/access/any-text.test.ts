import fc from "fast-check";
import {
  clientNameFault,
  ruleFilterFault,
  hashPassword,
  parseAccessControlList,
  parsePasswordFile,
  parsePasswordHash,
  passwordFault,
  publishFilterFault,
  renderAccessControlList,
  renderPasswordFile,
  subscribeFilterFault,
  TopicFilter,
} from "../../constructs/access";
import { describeFault } from "../../constructs/faults";

// What breaks a line, a field or a topic comes up often; every other code unit comes up too, lone surrogates included.
const awkward = fc.constantFrom(
  ..."\n\r\t\0\u007f\u0085\u2028\u2029\ufeff\ufffe\u00a0 #+/$:%-_.",
  "$share",
  "$share/g/",
  "user ",
  "a",
);
const text = fc.oneof(
  fc.array(fc.oneof(awkward, fc.string({ unit: "binary", maxLength: 2 })), { maxLength: 8 }).map((all) => all.join("")),
  fc.array(fc.nat(0xffff), { maxLength: 6 }).map((units) => String.fromCharCode(...units)),
);
const runs = { numRuns: 1500 };

/** Whatever a reader may take for the end of a line. */
const linesOf = (file: string): string[] => file.split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/);
const empty = linesOf(renderAccessControlList([])).length;

test("any text is refused as a client's name, or makes exactly one line of each file", () => {
  const hash = hashPassword("a long password", { iterations: 1 });
  fc.assert(
    fc.property(text, (userName) => {
      const files = [
        (): string => renderAccessControlList([{ userName, publish: [], subscribe: [] }]).replace("\n\n", "\n"),
        (): string => renderPasswordFile([{ userName, hash }]),
      ];
      if (clientNameFault("name", userName) !== undefined) for (const file of files) expect(file).toThrow();
      else for (const file of files) expect(linesOf(file())).toHaveLength(empty + 1);
    }),
    runs,
  );
});

test("any text is refused as a topic filter, or makes exactly one line that is read back as it was", () => {
  fc.assert(
    fc.property(text, (filter) => {
      const rule = { userName: "a", publish: [], subscribe: [filter] };
      if (subscribeFilterFault("subscribe", filter) !== undefined) {
        expect(() => renderAccessControlList([rule])).toThrow(/allowed/);
        return;
      }
      const file = renderAccessControlList([rule]);
      expect(linesOf(file)).toHaveLength(empty + 3);
      const delivered = TopicFilter.parse(filter).filter;
      expect(file.endsWith(`\nuser a\ntopic read ${delivered}\n`)).toBe(true);
      expect(parseAccessControlList(Buffer.from(file).toString())).toEqual([{ ...rule, subscribe: [delivered] }]);
    }),
    runs,
  );
});

test("any text is refused as a shared subscription, or makes the line of the filter in it", () => {
  fc.assert(
    fc.property(text, text, (group, filter) => {
      const rule = { userName: "a", publish: [], subscribe: [`$share/${group}/${filter}`] };
      if (subscribeFilterFault("subscribe", rule.subscribe[0]) !== undefined) {
        expect(() => renderAccessControlList([rule])).toThrow(/allowed/);
        return;
      }
      const file = renderAccessControlList([rule]);
      expect(linesOf(file)).toHaveLength(empty + 3);
      expect(parseAccessControlList(file)).toEqual([
        { ...rule, subscribe: [TopicFilter.parse(rule.subscribe[0]!).filter] },
      ]);
    }),
    runs,
  );
});

test("any text is refused as what is denied, or makes exactly one line that is read back as it was", () => {
  fc.assert(
    fc.property(text, (filter) => {
      const rule = { userName: "a", publish: [], subscribe: [], deny: [filter] };
      if (ruleFilterFault("deny", filter) !== undefined) {
        expect(() => renderAccessControlList([rule])).toThrow(/allowed/);
        return;
      }
      const file = renderAccessControlList([rule]);
      expect(linesOf(file)).toHaveLength(empty + 3);
      expect(file.endsWith(`\nuser a\ntopic deny ${filter}\n`)).toBe(true);
      expect(parseAccessControlList(file)).toEqual([rule]);
    }),
    runs,
  );
});

test("what a client may not receive from, it may not publish to either", () => {
  fc.assert(
    fc.property(text, (filter) => {
      if (subscribeFilterFault("x", filter) !== undefined) expect(publishFilterFault("x", filter)).toBeDefined();
    }),
    runs,
  );
});

test("the file of passwords takes no name that breaks it and gives every one back", () => {
  fc.assert(
    fc.property(text, text, (one, other) => {
      const names = [...new Set([one, other])].filter((name) => clientNameFault("name", name) === undefined).sort();
      const entries = names.map((userName) => ({ userName, hash: hashPassword(userName, { iterations: 1 }) }));
      expect(parsePasswordFile(renderPasswordFile(entries))).toEqual(entries);
    }),
  );
});

test.each(["\ufdd0", "\ufdef", "\ufffe", "\uffff", "\u{1fffe}", "\u{10ffff}"])(
  "a topic filter may not hold the non-character %j, for which the broker ends the connection",
  (character) => {
    expect(describeFault(subscribeFilterFault("subscribe[0]", `a/${character}`)!)).toMatch(/printable/);
  },
);

test.each(["\ufdcf", "\ufdf0", "\ufffd", "\u{1f321}"])("and may hold its neighbour %j", (character) => {
  expect(subscribeFilterFault("subscribe[0]", `a/${character}`)).toBeUndefined();
});

test.each(["$SYS", "$SYS/#", "$SYS/+/x"])("%s may be received from and not published to", (filter) => {
  expect(subscribeFilterFault("x", filter)).toBeUndefined();
  expect(publishFilterFault("x", filter)).toBeDefined();
});

test.each(["$CONTROL", "$CONTROL/#", "$CONTROL/dynamic-security/v1"])("%s may be neither", (filter) => {
  expect(subscribeFilterFault("x", filter)).toBeDefined();
  expect(publishFilterFault("x", filter)).toBeDefined();
});

test.each([undefined, null, 7, ["a"], {}])("a topic filter may not be %p, which is no text", (filter) => {
  expect(subscribeFilterFault("x", filter)).toBeDefined();
});

test("an error about a password never shows it, whatever the password is", () => {
  // Characters that no message has, so that a match is the password and nothing else.
  const secret = fc.string({ unit: fc.constantFrom("ж", "щ", "ю", "\n", "\ud800"), minLength: 1, maxLength: 1200 });
  fc.assert(
    fc.property(secret, fc.boolean(), (password, asName) => {
      const fault = passwordFault("password", password, asName ? password : "sensor-1");
      if (fault === undefined) return;
      expect(fault).not.toHaveProperty("value");
      expect(describeFault(fault)).not.toMatch(/[жщю\n\ud800]/);
    }),
  );
});

test("a password counts in characters and not in code units, and its limits are its own", () => {
  expect(passwordFault("password", "🔑".repeat(11))).toBeDefined();
  expect(passwordFault("password", "🔑".repeat(12))).toBeUndefined();
  expect(passwordFault("password", "x".repeat(1024))).toBeUndefined();
  expect(passwordFault("password", "ж".repeat(513))).toBeDefined();
});

describe("a password's hash", () => {
  const hash = hashPassword("a long password", { iterations: 7 });

  test("gives back iterations, salt and key", () => {
    const salt = Buffer.from("0123456789ab");
    expect(parsePasswordHash(hashPassword("a long password", { iterations: 7, salt }))).toMatchObject({
      iterations: 7,
      salt,
    });
  });

  test.each([
    ["iterations that start with 0", hash.replace("$7$7$", "$7$07$")],
    ["negative iterations", hash.replace("$7$7$", "$7$-1$")],
    ["a sign", hash.replace("$7$7$", "$7$+7$")],
    ["a blank before", ` ${hash}`],
    ["a blank behind", `${hash} `],
    ["one field more", `${hash}$x`],
    ["a salt of the URL alphabet", hash.replace(/\$[^$]{16}\$/, "$________________$")],
    ["a salt of 11 bytes", hash.replace(/\$[^$]{16}\$/, `$${Buffer.alloc(11).toString("base64")}$`)],
    ["a key of 63 bytes", hash.replace(/[^$]+$/, Buffer.alloc(63).toString("base64"))],
    ["a key of 65 bytes", hash.replace(/[^$]+$/, Buffer.alloc(65).toString("base64"))],
  ])("is refused with %s, and not shown", (_, changed) => {
    expect(() => parsePasswordHash(changed)).toThrow(/\$7\$ITERATIONS/);
    expect(() => parsePasswordHash(changed)).not.toThrow(changed.trim());
  });
});
