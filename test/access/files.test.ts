import { execFileSync } from "node:child_process";
import fc from "fast-check";
import {
  AccessRules,
  generatePassword,
  hashPassword,
  parseAccessControlList,
  parsePasswordFile,
  parsePasswordHash,
  passwordHashFault,
  renderAccessControlList,
  renderPasswordFile,
  verifyPassword,
} from "../../constructs/access";

const name = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,10}$/);
const filter = fc
  .array(fc.stringMatching(/^[a-z ü%{}$]{0,6}[a-z]$/), { minLength: 1, maxLength: 4 })
  .map((levels) => `x/${levels.join("/")}`);
const filters = fc.array(filter, { maxLength: 5 });
const rules = fc.uniqueArray(fc.record({ userName: name, publish: filters, subscribe: filters }), {
  selector: ({ userName }) => userName,
  maxLength: 6,
});

const sorted = (values: readonly string[]): string[] => [...new Set(values)].sort();
const normalized = (all: readonly AccessRules[]): AccessRules[] =>
  all
    .map(({ userName, publish, subscribe }) => ({ userName, publish: sorted(publish), subscribe: sorted(subscribe) }))
    .sort((one, other) => (one.userName < other.userName ? -1 : 1));

describe("the access control list", () => {
  test("has explicit lines per user, in order, with one access word each", () => {
    const text = renderAccessControlList([
      { userName: "b", publish: ["t/1", "t/2"], subscribe: ["t/2", "t/3"] },
      { userName: "a", publish: [], subscribe: ["#"] },
    ]);
    expect(text.split("\n").slice(1)).toEqual([
      "",
      "user a",
      "topic read #",
      "",
      "user b",
      "topic write t/1",
      "topic readwrite t/2",
      "topic read t/3",
      "",
    ]);
  });

  test("is never empty, which Docker would refuse to upload", () => {
    expect(renderAccessControlList([])).toMatch(/^#.*\n$/);
  });

  test("is read back as it was declared, whatever is declared", () => {
    fc.assert(
      fc.property(rules, (all) =>
        expect(parseAccessControlList(renderAccessControlList(all))).toEqual(normalized(all)),
      ),
    );
  });

  test("holds no line that was not declared, whatever is declared", () => {
    fc.assert(
      fc.property(rules, (all) => {
        const lines = renderAccessControlList(all)
          .split("\n")
          .filter((line) => line !== "" && !line.startsWith("#"));
        const declared = all.reduce((sum, rule) => sum + 1 + new Set([...rule.publish, ...rule.subscribe]).size, 0);
        expect(lines).toHaveLength(declared);
        expect(lines.every((line) => /^(user|topic (read|write|readwrite)) ./.test(line))).toBe(true);
      }),
    );
  });

  test.each<[string, AccessRules]>([
    ["a line break in a topic", { userName: "a", publish: ["t\nuser b"], subscribe: [] }],
    ["a line break in a name", { userName: "a\nb", publish: ["t"], subscribe: [] }],
    ["a broken wildcard", { userName: "a", publish: [], subscribe: ["t#"] }],
  ])("refuses %s even when a caller forgot to", (_, rule) => {
    expect(() => renderAccessControlList([rule])).toThrow(/allowed/);
  });

  test("refuses a user twice", () => {
    const rule = { userName: "a", publish: ["t"], subscribe: [] };
    expect(() => renderAccessControlList([rule, rule])).toThrow(/twice/);
  });

  test.each(["topic read t\n", "user a\npattern read t\n", "user a\ntopic t\n", "user a\ntopic read t", "nonsense\n"])(
    "is refused when it reads %j",
    (text) => {
      expect(() => parseAccessControlList(text)).toThrow(/line \d/);
    },
  );
});

test.each([
  "user b\nuser a\n",
  "user a\ntopic read b\ntopic read a\n",
  "user a\ntopic read t\ntopic read t\n",
  "user a\ntopic read t\ntopic write t\n",
])("an access control list is refused out of order or with a rule twice: %j", (text) => {
  expect(() => parseAccessControlList(text)).toThrow(/in order/);
});

describe("a password's hash", () => {
  test("is what another implementation of PBKDF2 makes", () => {
    const salt = Buffer.from("0123456789ab");
    const script =
      "import hashlib,base64,sys; print(base64.b64encode(hashlib.pbkdf2_hmac('sha512', sys.argv[1].encode(), b'0123456789ab', 1000, 64)).decode())";
    const expected = execFileSync("python3", ["-c", script, "pässword €"], { encoding: "utf8" }).trim();
    expect(hashPassword("pässword €", { salt })).toBe(`$7$1000$${salt.toString("base64")}$${expected}`);
  });

  test("is verified by its password and by no other", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (password, other) => {
        const hash = hashPassword(password, { iterations: 1 });
        expect(verifyPassword(password, hash)).toBe(true);
        expect(verifyPassword(other, hash)).toBe(other === password);
      }),
    );
  });

  test("is not verified by what HMAC and UTF-8 would make equal", () => {
    expect(verifyPassword("password\0", hashPassword("password", { iterations: 1 }))).toBe(false);
    expect(verifyPassword("password\ud800", hashPassword("password\ufffd", { iterations: 1 }))).toBe(false);
  });

  test.each([{ iterations: 0 }, { iterations: 1.5 }, { salt: Buffer.alloc(64) }])(
    "is not made with %j, which would not be read back",
    (options) => {
      expect(() => hashPassword("password", options)).toThrow();
    },
  );

  test("has a salt of 12 bytes, the only length that Mosquitto 2.0 takes, and another one each time", () => {
    const [one, other] = [hashPassword("a"), hashPassword("a")];
    expect(parsePasswordHash(one).salt).toHaveLength(12);
    expect(one).not.toBe(other);
  });

  const good = hashPassword("password", { iterations: 5 });
  test.each([
    ["plain text", "password"],
    ["nothing", ""],
    ["another type", good.replace("$7$", "$6$")],
    ["argon2id, which the images cannot check", "$argon2id$v=19$m=47104,t=1,p=1$c2FsdA$aGFzaA"],
    ["no iterations", good.replace("$5$", "$0$")],
    ["no padding", good.replace(/==$/, "")],
    ["a salt of 63 bytes", `$7$5$${Buffer.alloc(63).toString("base64")}$${good.split("$")[4]}`],
    ["more iterations than the broker can afford", good.replace("$5$", "$1000001$")],
    ["a line break", `${good}\n`],
    ["bits that base64 does not use", good.replace(/.==$/, "B==")],
  ])("is refused with %s", (_, hash) => {
    expect(() => parsePasswordHash(hash)).toThrow(/\$7\$/);
  });

  test("with a salt of 64 bytes, as mosquitto_passwd of 2.1 makes it, is for brokers of 2.1 alone", () => {
    const long = `$7$5$${Buffer.alloc(64).toString("base64")}$${good.split("$")[4]}`;
    expect(parsePasswordHash(long).salt).toHaveLength(64);
    expect(passwordHashFault("hash", long, true)).toBeUndefined();
    expect(passwordHashFault("hash", long, false)?.allowed).toMatch(/12 bytes.*2\.0/);
    expect(passwordHashFault("hash", good, false)).toBeUndefined();
  });

  test("that is given and wrong is not shown", () => {
    const fault = passwordHashFault("hash", "$6$c2VjcmV0$c2VjcmV0", true);
    expect(fault).not.toHaveProperty("value");
    expect(JSON.stringify(fault)).not.toContain("c2VjcmV0");
  });
});

describe("the password file", () => {
  const entries = fc.uniqueArray(
    fc.record({ userName: name, hash: fc.string().map((text) => hashPassword(text, { iterations: 1 })) }),
    {
      selector: ({ userName }) => userName,
      maxLength: 5,
    },
  );

  test("is read back as it was written, whatever is written", () => {
    fc.assert(
      fc.property(entries, (all) => {
        const text = renderPasswordFile(all);
        const inOrder = [...all].sort((one, other) => (one.userName < other.userName ? -1 : 1));
        expect(parsePasswordFile(text)).toEqual(inOrder);
        expect(text.split("\n")).toHaveLength(all.length + 2);
      }),
    );
  });

  test("refuses a user twice, which Mosquitto 2.1 does not start with, and a hash that is none", () => {
    const entry = { userName: "a", hash: hashPassword("x", { iterations: 1 }) };
    expect(() => renderPasswordFile([entry, entry])).toThrow(/twice/);
    expect(() => renderPasswordFile([{ userName: "a", hash: "plain" }])).toThrow(/\$7\$/);
    expect(() => renderPasswordFile([{ ...entry, userName: "a:b" }])).toThrow(/allowed/);
  });

  test.each(["no colon\n", "a:plain\n", "a:b"])("is refused when it reads %j, without showing a hash", (text) => {
    expect(() => parsePasswordFile(text)).toThrow();
  });
});

test("a generated password has 192 random bits and needs no quoting", () => {
  const passwords = new Set(Array.from({ length: 1000 }, generatePassword));
  expect(passwords.size).toBe(1000);
  for (const password of passwords) expect(password).toMatch(/^[A-Za-z0-9_-]{32}$/);
});
