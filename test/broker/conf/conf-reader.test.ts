import fc from "fast-check";
import { Listener } from "../../../constructs";
import { parseMosquittoConf } from "../../../constructs/broker/conf/conf-reader";
import { cataloguedOption } from "../../../constructs/broker/conf/option-catalogue";
import { renderLoggingConf } from "../../../constructs/broker/conf/logging";
import { renderMosquittoConf } from "../../../constructs/broker/conf/mosquitto-conf";

const rendered = (): string =>
  renderLoggingConf({}) +
  renderMosquittoConf({ listeners: [Listener.mutualTls()], options: {}, checksRevocations: true });

const messageOf = (text: string, extraNames?: ReadonlySet<string>): string => {
  try {
    parseMosquittoConf(text, extraNames);
  } catch (error) {
    return (error as Error).message;
  }
  return "";
};

test("what is rendered is read", () => {
  const { options, listeners } = parseMosquittoConf(rendered());
  expect(options.get("allow_anonymous")).toEqual(["false"]);
  expect(options.get("log_type")).toEqual(expect.arrayContaining(["error", "warning"]));
  expect(listeners.map(({ port, host }) => [port, host])).toEqual([
    [8883, undefined],
    [18883, "127.0.0.1"],
  ]);
  for (const listener of listeners) {
    expect(listener.options.get("require_certificate")).toBe("true");
    expect(listener.options.get("use_identity_as_username")).toBe("true");
  }
});

test("every option that is rendered is in the catalogue as such", () => {
  const { options, listeners } = parseMosquittoConf(rendered());
  const names = [...options.keys(), ...listeners.flatMap((listener) => [...listener.options.keys()])];
  for (const name of names) expect([name, cataloguedOption(name)?.ruling]).toEqual([name, "rendered"]);
});

test("comments, empty lines, options and listeners are all there is", () => {
  const conf = parseMosquittoConf(
    "# text\n\nallow_anonymous false\nlog_type error\nlog_type warning\nplugin_x a b\n" +
      "listener 1883\nmax_connections 5\n#\nlistener 1884 127.0.0.1\nmax_connections 6\nother ä\n",
    new Set(["plugin_x", "other"]),
  );
  expect([...conf.options]).toEqual([
    ["allow_anonymous", ["false"]],
    ["log_type", ["error", "warning"]],
    ["plugin_x", ["a b"]],
  ]);
  expect(conf.listeners).toEqual([
    { port: 1883, options: new Map([["max_connections", "5"]]) },
    {
      port: 1884,
      host: "127.0.0.1",
      options: new Map([
        ["max_connections", "6"],
        ["other", "ä"],
      ]),
    },
  ]);
  expect(parseMosquittoConf("")).toEqual({ options: new Map(), listeners: [] });
});

describe("anything else is refused, and the error names the line:", () => {
  test.each<[string, string, RegExp]>([
    ["no end of the last line", "#\nsys_interval 10", /^line 2 .*no end/],
    ["a carriage return", "#\nsys_interval 10\r\n", /^line 2 .*printable/],
    ["a tab", "sys_interval\t10\n", /^line 1 .*printable/],
    ["a control character in a comment", "# \u0085\n", /^line 1 .*printable/],
    ["a line separator", "# \u2028\n", /^line 1 .*printable/],
    ["half a character", "# \ud800\n", /^line 1 .*printable/],
    ["a blank before the name", " sys_interval 10\n", /^line 1 .*NAME VALUE/],
    ["a blank before a comment", " # text\n", /^line 1 .*NAME VALUE/],
    ["a blank at the end", "sys_interval 10 \n", /^line 1 .*NAME VALUE/],
    ["a line of blanks", "#\n \n", /^line 2 .*NAME VALUE/],
    ["two blanks after the name", "sys_interval  10\n", /^line 1 .*NAME VALUE/],
    ["no value", "sys_interval\n", /^line 1 .*NAME VALUE/],
    ["capitals", "SYS_INTERVAL 10\n", /^line 1 .*NAME VALUE/],
    ["an unknown option", "#\n\nsome_option 1\n", /^line 3 .*unknown option some_option/],
    ["an option twice", "sys_interval 10\nsys_interval 11\n", /^line 2 .*sys_interval twice/],
    ["one log_type twice", "log_type error\nlog_type error\n", /^line 2 .*log_type twice/],
    ["an option twice in a listener", "listener 1\nmax_qos 1\nmax_qos 1\n", /^line 3 .*max_qos twice/],
    ["a listener's option first", "max_qos 1\nlistener 1\n", /^line 1 .*max_qos, an option of a listener/],
    [
      "a broker's option in a listener",
      "listener 1\nsys_interval 1\n",
      /^line 2 .*sys_interval, an option of a broker/,
    ],
    ["log_type in a listener", "listener 1\nlog_type all\n", /^line 2 .*log_type, an option of a broker/],
    ["an option that is never rendered", "per_listener_settings true\n", /^line 1 .*never rendered/],
    ["a plugin's option", "plugin_opt_x 1\n", /^line 1 .*never rendered/],
    ["a bridge", "connection x\n", /^line 1 .*never rendered/],
    ["a free option with a bad value", "retain_expiry_interval 7d\n", /^line 1 .*cannot have/],
    ["a port that is none", "listener 0 /socket\n", /^line 1 .*listener PORT/],
    ["a port with a leading zero", "listener 01883\n", /^line 1 .*listener PORT/],
    ["a port too high", "listener 65536\n", /^line 1 .*listener PORT/],
    ["a listener with more words", "listener 1883 ::1 x\n", /^line 1 .*listener PORT/],
    ["a listener with a comment", "listener 1883 #x\n", /^line 1 .*listener PORT/],
    ["a listener twice", "listener 1883\nlistener 1883\n", /^line 2 .*second time/],
  ])("%s", (_, text, message) => {
    expect(messageOf(text)).toMatch(message);
  });
});

test("names that the caller allows are only those which nobody knows, and each stands once", () => {
  const allowed = new Set(["some_option", "connection", "max_qos"]);
  expect(messageOf("some_option 1\nlistener 1\nsome_option 2\n", allowed)).toBe("");
  expect(messageOf("some_option 1\nsome_option 2\n", allowed)).toMatch(/^line 2 .*twice/);
  expect(messageOf("connection x\n", allowed)).toMatch(/never rendered/);
  expect(messageOf("max_qos 1\n", allowed)).toMatch(/an option of a listener/);
});

test("a line taken away, doubled or moved is noticed, or the rest says what the lines say", () => {
  const lines = rendered().split("\n").slice(0, -1);
  fc.assert(
    fc.property(fc.nat(lines.length - 1), fc.nat(lines.length - 1), fc.nat(2), (from, to, copies) => {
      const line = lines[from] as string;
      const changed = lines.toSpliced(from, 1).toSpliced(to, 0, ...Array.from({ length: copies }, () => line));
      const text = `${changed.join("\n")}\n`;
      if (messageOf(text) !== "") return;
      const { options, listeners } = parseMosquittoConf(text);
      const read = [
        ...[...options].flatMap(([name, values]) => values.map((value) => `${name} ${value}`)),
        ...listeners.flatMap((listener) => [
          ["listener", listener.port, listener.host].filter((part) => part !== undefined).join(" "),
          ...[...listener.options].map(([name, value]) => `${name} ${value}`),
        ]),
      ];
      const written = changed.filter((each) => each !== "" && !each.startsWith("#"));
      expect(read.toSorted()).toEqual(written.toSorted());
    }),
    { numRuns: 500 },
  );
});
