import fc from "fast-check";
import {
  hashPassword,
  parseAccessControlList,
  parsePasswordFile,
  renderAccessControlList,
  renderPasswordFile,
} from "../../constructs/access";

const messageOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  return "";
};

/** Comments and empty lines may stand between the rules. */
const rulesOf = (file: string): string[] => file.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

describe("an access control list that this library did not write is refused, and the error names the line:", () => {
  const header = renderAccessControlList([]);

  test.each<[string, string, RegExp]>([
    ["a name that is none", "\nuser a\n\nuser a:b\n", /^line 5 .*"a:b"/],
    ["a name with a blank at its end", "\nuser a \n", /^line 3 .*"a "/],
    ["a user twice", "\nuser a\n\nuser a\n", /^line 5 .*twice/],
    ["a broken wildcard", "\nuser a\ntopic read t\ntopic read t#\n", /^line 5 .*"t#"/],
    ["a carriage return", "\nuser a\ntopic read t\r\n", /^line 4 /],
    ["a topic in $SYS to publish to", "\nuser a\ntopic write $SYS/x\n", /^line 4 .*only the broker writes/],
    ["a topic before the first user", "\ntopic read t\n", /^line 3 /],
    ["a pattern, which would apply to everybody", "\nuser a\npattern read t\n", /^line 4 /],
    ["a topic without access word", "\nuser a\ntopic t\n", /^line 4 /],
    ["a denial behind what is allowed", "\nuser a\ntopic read a\ntopic deny t\n", /^line 5 .*in order/],
    ["denials out of order", "\nuser a\ntopic deny t\ntopic deny s\n", /^line 5 .*in order/],
    ["a denial twice", "\nuser a\ntopic deny t\ntopic deny t\n", /^line 5 .*twice/],
    ["a filter said and denied", "\nuser a\ntopic deny t\ntopic read s\ntopic write t\n", /^line 6 .*says and denies/],
    ["a denial of $CONTROL", "\nuser a\ntopic deny $CONTROL/#\n", /^line 4 .*the broker's own/],
    ["a shared subscription to read", "\nuser a\ntopic read $share/g/t\n", /^line 4 .*"t" instead/],
    ["a shared subscription to deny", "\nuser a\ntopic deny $share/g/t\n", /^line 4 .*"t" instead/],
    ["an access word in capitals", "\nuser a\ntopic READ t\n", /^line 4 /],
    ["one topic in two lines", "\nuser a\ntopic read t\ntopic write t\n", /^line 5 .*twice/],
    ["one line twice", "\nuser a\ntopic read t\ntopic read t\n", /^line 5 /],
    ["topics out of order", "\nuser a\ntopic read t\ntopic read s\n", /^line 5 .*in order/],
    ["users out of order", "\nuser b\n\nuser a\n", /^line 5 .*in order/],
    ["no end of the last line", "\nuser a\ntopic read t", /^line 4 /],
  ])("%s", (_, body, message) => {
    expect(messageOf(() => parseAccessControlList(header + body))).toMatch(message);
  });

  test("a line taken away or doubled is noticed, or the rest says the same when written again", () => {
    const text = renderAccessControlList([
      { userName: "a", publish: ["t/1", "t/2"], subscribe: ["t/2", "#"], deny: ["t/3", "t/4"] },
      { userName: "b", publish: [], subscribe: ["$SYS/#"], deny: ["$SYS/broker/log/#"] },
    ]);
    const lines = text.split("\n");
    fc.assert(
      fc.property(fc.nat(lines.length - 1), fc.boolean(), (index, doubled) => {
        const line = lines[index] as string;
        const changed = lines.toSpliced(index, 1, ...(doubled ? [line, line] : [])).join("\n");
        if (messageOf(() => parseAccessControlList(changed)) === "") {
          const rules = parseAccessControlList(changed);
          expect(rulesOf(renderAccessControlList(rules))).toEqual(rulesOf(changed));
        }
      }),
    );
  });
});

describe("a password file that this library did not write is refused; the error names the line, never a hash:", () => {
  const header = renderPasswordFile([]);
  const hash = hashPassword("a long password", { iterations: 1, salt: Buffer.from("0123456789ab") });
  const key = hash.split("$")[4] as string;

  test.each<[string, string, RegExp]>([
    ["a line without a colon", `a:${hash}\nno colon\n`, /^line 3 .*NAME:HASH/],
    ["a password in plain text", `a:${hash}\nb:plain-text\n`, /^line 3 .*\$7\$/],
    ["an empty hash", "a:\n", /^line 2 .*\$7\$/],
    ["one more field", `a:${hash}:x\n`, /^line 2 .*\$7\$/],
    ["a name that is none", `a b:${hash}\n`, /^line 2 .*"a b"/],
    ["no name", `:${hash}\n`, /^line 2 .*""/],
    ["a user twice", `a:${hash}\na:${hash}\n`, /^line 3 .*twice/],
    ["users out of order", `b:${hash}\na:${hash}\n`, /^line 3 .*in order/],
    ["an empty line", `\na:${hash}\n`, /^line 2 /],
    ["a carriage return", `a:${hash}\r\n`, /^line 2 /],
    ["no end of the last line", `a:${hash}`, /^line 2 /],
  ])("%s", (_, body, message) => {
    const shown = messageOf(() => parsePasswordFile(header + body));
    expect(shown).toMatch(message);
    expect(shown).not.toContain(key);
    expect(shown).not.toContain("plain-text");
  });

  test("and a file without users is still one that Docker uploads", () => {
    expect(header).toMatch(/^#.*\n$/);
    expect(parsePasswordFile(header)).toEqual([]);
  });
});
