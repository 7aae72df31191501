import { App, TerraformStack, TerraformVariable, Token } from "cdktf";
import fc from "fast-check";
import { parseMosquittoConf } from "../../../constructs/broker/conf/conf-reader";
import { extraConfigFaults, ExtraConfigScope, extraConfigWarnings } from "../../../constructs/broker/conf/extra-config";
import { cataloguedOption, optionCatalogue } from "../../../constructs/broker/conf/option-catalogue";
import { MosquittoLine } from "../../../constructs";
import { describeFault } from "../../../constructs/faults";

/** All that is said about these lines. */
const said = (lines: readonly string[], scope: ExtraConfigScope = "broker", line: MosquittoLine = "2.1"): string =>
  extraConfigFaults("extraConfig", lines, scope, line).map(describeFault).join("\n");

const scopes = ["broker", "listener"] as const;

describe("a line is refused that is not exactly one option:", () => {
  test.each([
    ["", /NAME VALUE/],
    [" allow_anonymous true", /"\s?allow_anonymous true"; allowed: no white space at either end/],
    ["\u00a0upgrade_outgoing_qos true", /white space/],
    ["upgrade_outgoing_qos true ", /white space/],
    ["\tupgrade_outgoing_qos true", /control characters/],
    ["upgrade_outgoing_qos\ttrue", /control characters/],
    ["upgrade_outgoing_qos true\n", /control characters/],
    ["upgrade_outgoing_qos true\nallow_anonymous true", /control characters/],
    ["upgrade_outgoing_qos true\rallow_anonymous true", /control characters/],
    ["upgrade_outgoing_qos true\0", /control characters/],
    ["some_option a\u2028b", /printable/],
    ["some_option a\u202eb", /printable/],
    ["some_option a\u200bb", /printable/],
    ["some_option a\ufffe", /printable/],
    ["some_option a\ud800", /printable/],
    ["upgrade_outgoing_qos  true", /NAME VALUE/],
    ["upgrade_outgoing_qos", /NAME VALUE/],
    ["upgrade_outgoing_qos=true", /NAME VALUE/],
    ["Upgrade_Outgoing_Qos true", /NAME VALUE/],
    ["upgrade_outgoing_qos\u00a0true", /NAME VALUE/],
    ["# a comment", /NAME VALUE/],
    ["some_option x # a comment", /no comment/],
    ["some_option #x", /no comment/],
    [`some_option ${"x".repeat(65_535)}`, /65535 bytes/],
  ])("%j", (line, message) => {
    for (const scope of scopes) {
      expect(said([line], scope)).toMatch(message);
      expect(said([line], scope)).toMatch(/^extraConfig\[0\], got .*; remedy: /);
      expect(extraConfigWarnings("extraConfig", [line], scope)).toEqual([]);
    }
  });
});

test("a line may have 65,535 bytes, and no more", () => {
  const longest = `some_option ${"x".repeat(65_535 - 12)}`;
  expect(said([longest])).toBe("");
  expect(said([`${longest}x`])).toMatch(/65535 bytes/);
});

test("what is not known at synth is refused, in the list, in a line and in a part of one", () => {
  const variable = new TerraformVariable(new TerraformStack(new App(), "stack"), "v", {});
  for (const lines of [
    Token.asList("${var.v}"),
    [variable.stringValue],
    [`retain_expiry_interval ${variable.stringValue}`],
    [`retain_expiry_interval ${Token.asString({ resolve: () => "1" })}`],
  ]) {
    expect(said(lines)).toMatch(/known at synth/);
    expect(extraConfigWarnings("extraConfig", lines, "broker")).toEqual([]);
  }
});

test("what is no list of text is refused, as plain JavaScript may pass it", () => {
  for (const lines of ["upgrade_outgoing_qos true", undefined, null, 7, {}] as unknown[]) {
    expect(said(lines as string[])).toMatch(/^extraConfig, got .*a list of lines/);
    expect(extraConfigWarnings("extraConfig", lines as string[], "broker")).toEqual([]);
  }
  for (const line of [undefined, null, 7, {}, ["a b"]] as unknown[]) {
    expect(said([line as string])).toMatch(/^extraConfig\[0\]; allowed: text;/);
  }
  expect(said(new Array<string>(1))).toMatch(/allowed: text;/);
});

test("free options pass without a word, in their own scope and line only", () => {
  for (const option of optionCatalogue) {
    if (option.ruling !== "free") continue;
    const line = `${option.name} ${option.value.sample}`;
    for (const scope of scopes) {
      for (const mosquitto of ["2.0", "2.1"] as const) {
        const message = said([line], scope, mosquitto);
        if (option.scope !== scope)
          expect(message).toMatch(
            `put it into extraConfig of the ${option.scope === "broker" ? "broker" : "Listener"}`,
          );
        else if (!option.lines.includes(mosquitto)) expect(message).toMatch(/options that Mosquitto 2\.0 knows.*2\.1$/);
        else expect(message).toBe("");
      }
      expect(extraConfigWarnings("extraConfig", [line], scope)).toEqual([]);
    }
  }
});

test("where the image's own version is a fault, a line is judged without it", () => {
  expect(extraConfigFaults("extraConfig", ["packet_buffer_size 4096"], "broker", undefined)).toEqual([]);
});

test("every other option that is known is refused in both scopes, with what to do instead", () => {
  for (const option of optionCatalogue) {
    if (option.ruling === "free") continue;
    for (const scope of scopes) {
      const message = said([`${option.name.replace("*", "some")} true`], scope);
      expect(message).toMatch(/^extraConfig\[0\], got "[a-z0-9_.]+"; allowed: any option but .*; remedy: /);
      if (option.ruling === "refused") expect(message).toMatch(option.remedy);
      else if ("property" in option) expect(message).toMatch(`set ${option.property}`);
      else expect(message).toMatch(`because ${option.fixed}`);
      expect(extraConfigWarnings("extraConfig", [`${option.name.replace("*", "some")} true`], scope)).toEqual([]);
    }
  }
});

test("an error names the property in the words of the code that sets it", () => {
  expect(said(["max_packet_size 1000"])).toMatch(/remedy: set limits\.maxPacketSize instead$/);
  expect(said(["max_packet_size 1000"], "listener")).toMatch(
    /remedy: set limits\.maxPacketSize of the broker instead$/,
  );
  expect(said(["max_qos 1"], "listener")).toMatch(/remedy: set maxQos of the Listener instead$/);
});

test("a value that the broker would refuse, or take for another, is refused with an example", () => {
  expect(said(["retain_expiry_interval 7d"])).toBe(
    'extraConfig[0], got "retain_expiry_interval 7d"; ' +
      "allowed: retain_expiry_interval with a whole number of minutes from 1 to 10000000, in decimal digits; " +
      'remedy: write it like "retain_expiry_interval 10080"',
  );
});

test("an option twice is refused, also one that is not known; two listeners may both have it", () => {
  expect(said(["upgrade_outgoing_qos true", "upgrade_outgoing_qos true"])).toMatch(/^extraConfig\[1\].*once/);
  expect(said(["some_option a", "some_option b"])).toMatch(/^extraConfig\[1\].*once/);
  expect(said(["accept_protocol_versions 4"], "listener")).toBe("");
});

test("an unknown option passes with a warning that says what may happen", () => {
  expect(said(["some_option a b"])).toBe("");
  expect(extraConfigWarnings("extraConfig", ["upgrade_outgoing_qos true", "some_option a b"], "broker")).toEqual([
    "extraConfig[1]: some_option is an option of the broker that this library does not know and cannot judge; " +
      "if the broker does not know it either, it will not start",
  ]);
});

test("no error and no warning shows a secret", () => {
  const lines = [
    "remote_password hunter2",
    "password hunter2",
    "bridge_psk hunter2",
    "auth_opt_pg_password hunter2",
    "plugin_opt_token hunter2",
    " remote_password hunter2",
    "remote_password  hunter2",
    "Remote_Password hunter2",
    "some_password hunter2",
    "some_password #hunter2",
  ];
  for (const scope of scopes) {
    for (const line of lines) {
      expect(said([line, line], scope)).not.toBe("");
      expect(said([line, line], scope)).not.toMatch("hunter2");
      expect(extraConfigWarnings("extraConfig", [line], scope).join()).not.toMatch("hunter2");
    }
  }
});

describe("any text as a line", () => {
  const names = fc.oneof(
    fc.constantFrom(...optionCatalogue.map(({ name }) => name)),
    fc.constantFrom(...optionCatalogue.filter(({ ruling }) => ruling === "free").map(({ name }) => name)),
    fc.stringMatching(/^[a-z_.0-9]{1,8}$/),
    fc.constantFrom("__proto__", "constructor", "some_option"),
  );
  const values = fc.oneof(
    fc.constantFrom("true", "false", "1", "10080", "4,5", "https://example.com", "x y", "a/#"),
    fc.string({ unit: "binary", maxLength: 6 }),
  );
  const awkward = fc.oneof(
    { weight: 4, arbitrary: fc.constant("") },
    {
      weight: 1,
      arbitrary: fc.constantFrom(..."\n\r\t\0\u007f\u0085\u2028\u2029\ufeff\ufffe\u00a0\u3000 #", "\ud800"),
    },
  );
  const separator = fc.constantFrom(..."      ", "  ", "\t", "=", "\n");
  const line = fc.oneof(
    fc.tuple(awkward, names, separator, values, awkward).map((all) => all.join("")),
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.array(fc.nat(0xffff), { maxLength: 8 }).map((units) => String.fromCharCode(...units)),
  );

  test.each(scopes)("of a %s is refused, or is one option that is read back as it was written", (scope) => {
    let passed = 0;
    fc.assert(
      fc.property(line, fc.constantFrom("2.0", "2.1"), (text, mosquitto) => {
        if (extraConfigFaults("extraConfig", [text], scope, mosquitto).length > 0) return;
        passed += 1;
        const blank = text.indexOf(" ");
        const [name, value] = [text.slice(0, blank), text.slice(blank + 1)];
        const unknown = cataloguedOption(name) === undefined;
        expect(extraConfigWarnings("extraConfig", [text], scope)).toHaveLength(unknown ? 1 : 0);

        const file = Buffer.from(scope === "broker" ? `${text}\n` : `listener 1883\n${text}\n`).toString();
        const { options, listeners } = parseMosquittoConf(file, new Set(unknown ? [name] : []));
        if (scope === "broker") {
          expect([...options]).toEqual([[name, [value]]]);
          expect(listeners).toEqual([]);
        } else {
          expect([...options]).toEqual([]);
          expect(listeners.map((listener) => [...listener.options])).toEqual([[[name, value]]]);
        }
      }),
      { numRuns: 3000 },
    );
    // Otherwise nothing is said about lines that pass.
    expect(passed).toBeGreaterThan(20);
  });
});

test.each([
  "allow_anon",
  "listener_trust",
  "ssl_verify",
  "auth_off",
  "plugin_x",
  "acl_mode",
  "client_ca_dir",
  "user_map",
])("the unknown option %s is refused: by its name it may be about who gets in", (name) => {
  for (const scope of ["broker", "listener"] as const) {
    const [fault] = extraConfigFaults("extraConfig", [`${name} 1`], scope, "2.1");
    expect(fault && describeFault(fault)).toMatch(/allowed: .*who gets in and how; remedy: /);
  }
});
