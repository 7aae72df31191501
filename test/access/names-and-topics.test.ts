import fc from "fast-check";
import {
  clientNameFault,
  CONTROL_CLIENT_NAME,
  ruleFilterFault,
  iterationsFault,
  passwordFault,
  publishFilterFault,
  subscribeFilterFault,
} from "../../constructs/access";
import { describeFault } from "../../constructs/faults";

describe("a client's name", () => {
  test.each(["sensor-1", "a", "7", "A.b_c-d", "x".repeat(64)])("may be %s", (name) => {
    expect(clientNameFault("name", name)).toBeUndefined();
  });

  test.each([
    "",
    " ",
    "a b",
    " a",
    "a ",
    "a/b",
    "a+b",
    "#",
    "$SYS",
    "a:b",
    "-a",
    ".a",
    "é",
    "a\nb",
    "a\u0000",
    "x".repeat(65),
    "a%c",
    "../a",
  ])("may not be %j", (name) => {
    expect(clientNameFault("name", name)).toMatchObject({ what: "name", value: name });
  });

  test.each([CONTROL_CLIENT_NAME, "cdktf-mosquitto", "CDKTF-Mosquitto-x"])(
    "may not be %s, which is the library's",
    (name) => {
      expect(describeFault(clientNameFault("name", name)!)).toMatch(/library's own/);
    },
  );

  test.each([undefined, null, 7, {}])("may not be %p, which is no text", (name) => {
    expect(clientNameFault("name", name)).toBeDefined();
  });
});

describe("a topic filter", () => {
  test.each([
    "a",
    "plant/+/state",
    "+/+",
    "#",
    "plant/#",
    "/",
    "a//b",
    "$SYS/broker/uptime",
    "with space",
    "ü/温度",
    "a/%c",
    "$share/group/plant/#",
    "$share/g//",
    "$share/g/#",
  ])("that a client receives may be %s", (filter) => {
    expect(subscribeFilterFault("subscribe[0]", filter)).toBeUndefined();
  });

  test.each<[string, RegExp]>([
    ["", /one character or more/],
    ["a#", /# only alone/],
    ["#/a", /# only alone/],
    ["a/#/b", /# only alone/],
    ["a+", /\+ only alone/],
    ["a/b+/c", /\+ only alone/],
    [" a", /white space at either end/],
    ["a ", /white space at either end/],
    ["a\u00a0", /white space at either end/],
    ["a\nuser admin", /printable/],
    ["a\rb", /printable/],
    ["a\u0000b", /printable/],
    ["a\u0085b", /printable/],
    ["a\u2028b", /printable/],
    ["\ufeffa", /printable/],
    ["a\ud800", /printable/],
    ["x".repeat(65_536), /65535 bytes/],
    ["é".repeat(32_768), /65535 bytes/],
    [Array.from({ length: 202 }, () => "a").join("/"), /201 levels/],
    ["a\uffff", /printable/],
    ["a\ufdd0", /printable/],
    ["$CONTROL/x", /\$CONTROL/],
    ["$share", /behind \$share/],
    ["$cdktf-mosquitto/#", /library's own/],
    ["plant/undefined/#", /value that is missing/],
    ["plant/[object Object]", /value that is missing/],
    ["$share/group", /behind \$share/],
    ["$share/group/", /behind \$share/],
    ["$share//plant", /behind \$share/],
    ["$share/gr+up/plant", /behind \$share/],
    ["$share/#", /behind \$share/],
    ["$share/group/$share/group/plant", /not shared again/],
    ["$share/group/plant#", /# only alone/],
    ["$share/group/ plant", /white space at either end/],
    ["$share/group/$SYS/#", /delivers nothing to groups.*declare "\$SYS\/#"/],
    ["$share/group/$x", /delivers nothing to groups/],
    ["$shared/a", /start with \$share/],
    ["$queue/a", /\$share\/GROUP\/FILTER/],
  ])("may not be %j", (filter, message) => {
    expect(describeFault(subscribeFilterFault("subscribe[0]", filter)!)).toMatch(message);
    expect(publishFilterFault("publish[0]", filter)).toBeDefined();
  });

  test("that a client publishes to may not be in $SYS, which only the broker writes", () => {
    expect(describeFault(publishFilterFault("publish[0]", "$SYS/broker/uptime")!)).toMatch(/only the broker writes/);
  });

  test.each<[string, typeof publishFilterFault]>([
    ["published to", publishFilterFault],
    ["denied", ruleFilterFault],
  ])("that is %s may not be a shared subscription; the error says what to declare", (_, faultOf) => {
    expect(describeFault(faultOf("x[0]", "$share/group/plant/#")!)).toMatch(/declare "plant\/#" instead/);
  });

  test("that is denied may be what can be allowed", () => {
    for (const filter of ["a", "#", "$SYS/#", "plant/+/state"]) expect(ruleFilterFault("x", filter)).toBeUndefined();
    for (const filter of ["", "a#", "a ", "$CONTROL/#", "$shared", "$queue/a"]) {
      expect(ruleFilterFault("x", filter)).toBeDefined();
    }
  });

  test("at the limits of length and levels is allowed", () => {
    expect(subscribeFilterFault("x", "é".repeat(32_767))).toBeUndefined();
    expect(subscribeFilterFault("x", Array.from({ length: 201 }, () => "a").join("/"))).toBeUndefined();
  });

  test("is refused, or is exactly one line of a file that comes back as it was", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (filter) => {
        if (subscribeFilterFault("x", filter) !== undefined) return;
        expect(`topic read ${filter}`.split(/[\n\r\u0085\u2028\u2029]/)).toHaveLength(1);
        expect(filter.trim()).toBe(filter);
        expect(Buffer.from(filter, "utf8").toString("utf8")).toBe(filter);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a given password", () => {
  test.each(["twelve chars", "€£$`\"'\\ #:%@/+", "日本語の長いパスワード十二"])("may be %j", (password) => {
    expect(passwordFault("password", password)).toBeUndefined();
  });

  test.each([
    "short",
    "elevenchars",
    "twelve\u0000chars",
    "twelve\nchars!",
    "twelve chars\ud800",
    "x".repeat(1025),
    123456789012,
  ])("may not be %j, and is not shown", (password) => {
    const fault = passwordFault("password", password);
    expect(fault).toBeDefined();
    expect(fault).not.toHaveProperty("value");
  });

  test("may not be the client's name", () => {
    expect(passwordFault("password", "my-long-client-name", "my-long-client-name")).toBeDefined();
  });
});

test.each([0, -1, 1.5, 1_000_001, NaN, "1000"])("iterations may not be %p", (iterations) => {
  expect(iterationsFault("iterations", iterations)).toMatchObject({ value: iterations });
});

test.each([1, 1000, 1_000_000])("iterations may be %p", (iterations) => {
  expect(iterationsFault("iterations", iterations)).toBeUndefined();
});
