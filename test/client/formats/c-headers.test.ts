import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { Scratch } from "../../pki/support";
import { bundlesFor, CERTIFICATE, fileOf, plainBundle } from "./any-bundle";
import type { ConnectionBundle } from "../../../constructs/client/connection-bundle";

const scratch = new Scratch();
afterAll(() => scratch.remove());

const OWN_KEY = "the key that the client keeps";

// As far as the header uses it, in the order of ESP-IDF 5's mqtt_client.h.
const MQTT_CLIENT = `#pragma once
#include <stddef.h>
typedef struct esp_mqtt_client_config_t {
  struct broker_t {
    struct address_t { const char *uri; } address;
    struct verification_t {
      const char *certificate; size_t certificate_len; bool skip_cert_common_name_check; const char *common_name;
    } verification;
  } broker;
  struct credentials_t {
    const char *username; const char *client_id;
    struct authentication_t {
      const char *password; const char *certificate; size_t certificate_len; const char *key; size_t key_len;
    } authentication;
  } credentials;
} esp_mqtt_client_config_t;
`;
const ARDUINO = "#pragma once\n#include <stdint.h>\n#define PROGMEM\n";
const PRINT = `#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static void print(const char *text) {
  if (text == NULL) printf("-");
  else for (; *text; text++) printf("%02x", (unsigned char)*text);
  printf("\\n");
}
static void print_number(unsigned long number) { printf("%lu\\n", number); }
`;

/** Each header in a function of its own, and what that prints of it; all in one program. */
function printed(
  compiler: string[],
  headerName: string,
  headers: readonly string[],
  prints: readonly string[],
): string[] {
  const [language] = compiler as [string];
  const functions = headers.map((header, index) => {
    const path = scratch.path(`${language}/${headerName}.${index}`);
    mkdirSync(dirname(path), { recursive: true });
    scratch.write(`${language}/${headerName}.${index}`, header);
    const undefine = [...header.matchAll(/^#define (\w+)/gm)].map(([, macro]) => `#undef ${macro}`);
    return `static void case_${index}(void) {\n#include "${path}"\n${prints[index]}\n${undefine.join("\n")}\n}`;
  });
  const calls = headers.map((_, index) => `case_${index}();`);
  scratch.write("mqtt_client.h", MQTT_CLIENT);
  scratch.write("Arduino.h", ARDUINO);
  const main = [
    PRINT,
    `#include "mqtt_client.h"\n#include "Arduino.h"`,
    language === "g++" ? 'extern "C" {' : "",
    `extern const char mqtt_connection_key_pem[]; const char mqtt_connection_key_pem[] = "${OWN_KEY}";`,
    language === "g++" ? "}" : "",
    `extern const char MQTT_KEY_PEM[]; const char MQTT_KEY_PEM[] = "${OWN_KEY}";`,
    ...functions,
    `int main(void) { ${calls.join(" ")} return 0; }`,
  ];
  const source = scratch.write(`main.${language === "g++" ? "cpp" : "c"}`, main.join("\n"));
  const program = scratch.path(`${language}.out`);
  execFileSync(language, [...compiler.slice(1), "-I", dirname(source), "-o", program, source], { stdio: "pipe" });
  return execFileSync(program, { encoding: "utf8", maxBuffer: 64 << 20 })
    .trimEnd()
    .split("\n");
}

const WARNINGS = ["-Wall", "-Wextra", "-Werror", "-trigraphs", "-O0"];
const hex = (value: string | undefined): string => (value === undefined ? "-" : Buffer.from(value).toString("hex"));
const keyOf = ({ cert_pem: certificate, key_pem: key }: ConnectionBundle): string | undefined =>
  key ?? (certificate === undefined ? undefined : OWN_KEY);

const ESP_FIELDS = [
  "broker.address.uri",
  "broker.verification.certificate",
  "broker.verification.common_name",
  "credentials.username",
  "credentials.client_id",
  "credentials.authentication.password",
  "credentials.authentication.certificate",
  "credentials.authentication.key",
];
const espPrints = [
  "esp_mqtt_client_config_t config = MQTT_CONNECTION_CONFIG;",
  ...ESP_FIELDS.map((field) => `print(config.${field});`),
  "print_number(config.broker.verification.certificate_len + config.credentials.authentication.key_len);",
  "print_number(config.broker.verification.skip_cert_common_name_check);",
].join("\n");
const espValues = (bundle: ConnectionBundle): string[] => [
  ...[
    bundle.url,
    bundle.ca_pem,
    bundle.server_name === bundle.host ? undefined : bundle.server_name,
    bundle.username,
    bundle.client_id,
    bundle.password,
    bundle.cert_pem,
    keyOf(bundle),
  ].map(hex),
  "0",
  "0",
];

test("a C compiler reads esp-idf's header as exactly what is in the bundle", () => {
  const bundles = bundlesFor("esp-idf", 60);
  const headers = bundles.map((bundle) => fileOf("esp-idf", bundle, "mqtt_connection.h"));
  const lines = printed(
    ["gcc", "-std=gnu17", ...WARNINGS, "-Wno-missing-field-initializers"],
    "mqtt_connection.h",
    headers,
    bundles.map(() => espPrints),
  );
  expect(lines).toEqual(bundles.flatMap(espValues));
});

test("the lengths in esp-idf's header count the NUL, which mbedTLS knows PEM by", () => {
  const bundle = plainBundle(CERTIFICATE);
  const print = ["CA", "CERT", "KEY"].map((part) => `print_number(MQTT_CONNECTION_${part}_PEM_LEN);`).join("\n");
  const header = fileOf("esp-idf", bundle, "mqtt_connection.h");
  const lines = printed(["gcc", "-std=gnu17"], "mqtt_connection.h", [header], [print]);
  const lengths = [bundle.ca_pem, bundle.cert_pem, bundle.key_pem].map((pem) => String((pem ?? "").length + 1));
  expect(lines).toEqual(lengths);
});

test("esp-idf's header is one for C++, too", () => {
  const bundles = [plainBundle(), plainBundle({ ...CERTIFICATE, server_name: "other.example" })];
  const headers = bundles.map((bundle) => fileOf("esp-idf", bundle, "mqtt_connection.h"));
  const lines = printed(
    ["g++", "-std=gnu++20", ...WARNINGS, "-Wno-missing-field-initializers"],
    "mqtt_connection.h",
    headers,
    bundles.map(() => espPrints),
  );
  expect(lines).toEqual(bundles.flatMap(espValues));
});

test("a C++ compiler reads arduino's header as exactly what is in the bundle, and nothing else is in it", () => {
  const values = (bundle: ConnectionBundle): Record<string, string | undefined> => ({
    HOST: bundle.host,
    CLIENT_ID: bundle.client_id,
    USERNAME: bundle.username,
    PASSWORD: bundle.password,
    CA_PEM: bundle.ca_pem,
    CERT_PEM: bundle.cert_pem,
    KEY_PEM: keyOf(bundle),
  });
  const bundles = bundlesFor("arduino", 60);
  const headers = bundles.map((bundle) => fileOf("arduino", bundle, "arduino_connection.h"));
  const prints = bundles.map((bundle) => {
    const names = Object.entries(values(bundle)).filter(([, value]) => value !== undefined);
    return [...names.map(([name]) => `print(MQTT_${name});`), "print_number(MQTT_PORT);"].join("\n");
  });
  const lines = printed(["g++", "-std=gnu++17", ...WARNINGS], "arduino_connection.h", headers, prints);
  const expected = bundles.flatMap((bundle) => [
    ...Object.values(values(bundle)).flatMap((value) => (value === undefined ? [] : [hex(value)])),
    String(bundle.port),
  ]);
  expect(lines).toEqual(expected);
});

test("a header in clear text has nothing of TLS", () => {
  const bundle = bundlesFor("arduino", 200).find(({ protocol }) => protocol === "mqtt") as ConnectionBundle;
  expect(fileOf("arduino", bundle, "arduino_connection.h")).not.toMatch(/_PEM/);
  expect(fileOf("esp-idf", bundle, "mqtt_connection.h")).not.toMatch(/_pem|verification/);
});
