import * as fs from "node:fs";
import * as path from "node:path";
import { cataloguedOption, optionCatalogue } from "../../../constructs/broker/conf/option-catalogue";
import { checkout } from "../../support/workspace";

const named = (name: string): ReturnType<typeof cataloguedOption> => cataloguedOption(name);

test("every option stands once, with the lines that know it", () => {
  const names = optionCatalogue.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, lines } of optionCatalogue) {
    expect(name).toMatch(/^[a-z][a-z0-9_.]+\*?$/);
    expect([["2.0", "2.1"], ["2.1"]]).toContainEqual(lines);
  }
});

test.each(optionCatalogue.map((option) => [option.name, option] as const))("%s has a ruling to act on", (_, option) => {
  switch (option.ruling) {
    case "rendered":
      expect(option.scope).not.toBe("bridge");
      // What the library writes must serve both lines.
      expect(option.lines).toEqual(["2.0", "2.1"]);
      if ("property" in option) expect(option.property).toMatch(/^[a-z][A-Za-z0-9]*(\.[a-z][A-Za-z0-9]*)?$/);
      else expect(option.fixed).toMatch(/^[a-z].{15,}[^.]$/);
      break;
    case "refused":
      expect(option.reason).toMatch(/^[a-z].{15,}[^.]$/);
      expect(option.remedy).toMatch(/^[a-z].{5,}[^.]$/);
      break;
    case "free":
      expect(option.scope).not.toBe("bridge");
      expect(option.value.accepts(option.value.sample)).toBe(true);
      for (const value of ["", " ", "#", "-1", "maybe", "TRUE", "1e3", "0x10", "010", "5 ", "1.5", "9".repeat(20)]) {
        expect([value, option.value.accepts(value)]).toEqual([value, false]);
      }
  }
});

test("every option of a bridge is refused, because a bridge passes by the access rules", () => {
  const bridge = optionCatalogue.filter(({ scope }) => scope === "bridge");
  expect(bridge.length).toBeGreaterThan(40);
  for (const { ruling } of bridge) expect(ruling).toBe("refused");
});

// What lets anybody in, opens a socket or a file, or takes the rules away: never free, whatever else changes.
test.each(
  (
    "allow_anonymous listener_allow_anonymous password_file acl_file psk_file psk_hint plugin global_plugin plugin_load " +
    "plugin_use auth_plugin auth_opt_x plugin_opt_x include_dir per_listener_settings listener port bind_address " +
    "bind_interface socket_domain protocol http_dir mount_point cafile capath certfile keyfile crlfile dhparamfile " +
    "require_certificate use_identity_as_username use_subject_as_username use_username_as_clientid tls_version ciphers " +
    "ciphers_tls1.3 tls_engine tls_engine_kpass_sha1 tls_keyform disable_client_cert_date_checks user pid_file " +
    "enable_proxy_protocol proxy_protocol_v2_require_tls enable_control_api log_dest " +
    "persistence_file persistence_location allow_zero_length_clientid global_max_connections connection topic"
  ).split(" "),
)("%s is not free", (name) => {
  expect(["rendered", "refused"]).toContain(named(name)?.ruling);
});

test("the options of plugins go by their beginning, and nothing else does", () => {
  expect(named("plugin_opt_password_file")?.name).toBe("plugin_opt_*");
  expect(named("auth_opt_")?.name).toBe("auth_opt_*");
  expect(named("auth_opt_*")).toBeUndefined();
  expect(named("auth_op")).toBeUndefined();
  expect(named("retain_expiry_intervals")).toBeUndefined();
  expect(named("constructor")).toBeUndefined();
});

test.each([
  ["retain_expiry_interval", ["1", "10080", "10000000"], ["0", "10000001", "7d"]],
  ["packet_buffer_size", ["1024", "16384"], ["0", "1023", "16385"]],
  ["max_topic_alias_broker", ["0", "65535"], ["65536"]],
  ["upgrade_outgoing_qos", ["true", "false"], ["0", "1", "yes"]],
  ["accept_protocol_versions", ["3", "4,5", "5,3,4"], ["6", "4,4", "4, 5", "4,", "3,4,5,3"]],
  [
    "websockets_origin",
    ["https://example.com", "http://localhost:8080", "capacitor://localhost"],
    ["example.com", "https://example.com/", "https://a@b", "https://a b", "*"],
  ],
] as const)("%s has the range of Mosquitto, in one way of writing", (name, good, bad) => {
  const option = named(name);
  if (option?.ruling !== "free") throw new Error(`${name} is not free`);
  for (const value of good) expect([value, option.value.accepts(value)]).toEqual([value, true]);
  for (const value of bad) expect([value, option.value.accepts(value)]).toEqual([value, false]);
});

test("every property that is named instead of an option is one that a broker or a listener has", () => {
  const files = ["broker-options.ts", "tls.ts", "../listener-options.ts"];
  const sources = files.map((file) => fs.readFileSync(path.join(checkout, "constructs/broker/conf", file), "utf8"));
  const declared = new Set([...sources.join("").matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name]) => name));
  const named = optionCatalogue.flatMap((option) => ("property" in option ? [option.property] : []));
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((property) => !property.split(".").every((part) => declared.has(part)))).toEqual([]);
});
