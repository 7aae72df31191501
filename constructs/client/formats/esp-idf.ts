import { ConnectionBundle } from "../connection-bundle";
import { cString } from "./c-string";
import { BundleFormat } from "./format";

// Read by the C compiler for ESP-IDF 5: `esp_mqtt_client_config_t config = MQTT_CONNECTION_CONFIG;`. The lengths of the PEM
// texts stay 0 in it, as mqtt_client.h asks for PEM; mbedTLS and esp_tls themselves take the `_LEN`s, which count the NUL.
// Connecting to an IP address needs an mbedTLS that compares iPAddress names, which those of early 5.x do not.
export const espIdf: BundleFormat = {
  name: "esp-idf",
  readBy: "esp-mqtt of ESP-IDF 5",
  abilities: { webSockets: true, otherServerName: true, withoutKey: true },
  render: (bundle) => {
    const blocks = ["#pragma once", '#include "mqtt_client.h"', ...pemBlocks(bundle), configBlock(bundle)];
    return new Map([["mqtt_connection.h", `${blocks.join("\n\n")}\n`]]);
  },
};

function pemBlocks({ ca_pem: ca, cert_pem: certificate, key_pem: key }: ConnectionBundle): string[] {
  const ownKey = [
    "// The client's own key, PEM with a NUL at its end; define it where the key is kept.",
    "extern const char mqtt_connection_key_pem[];",
  ];
  return [
    ...(ca === undefined ? [] : [pemBlock("ca", ca)]),
    ...(certificate === undefined ? [] : [pemBlock("cert", certificate)]),
    ...(key !== undefined ? [pemBlock("key", key)] : certificate === undefined ? [] : [ownKey.join("\n")]),
  ];
}

function pemBlock(part: string, pem: string): string {
  const name = `mqtt_connection_${part}_pem`;
  const lines = pem.split(/(?<=\n)/).map((line) => `    ${cString(line)}`);
  return [
    `static const char ${name}[] =`,
    `${lines.join("\n")};`,
    `#define ${name.toUpperCase()}_LEN sizeof(${name})`,
  ].join("\n");
}

/** Braces in braces, in the order of the struct's fields, so that C++20 takes it, too. */
function configBlock(bundle: ConnectionBundle): string {
  const { url, host, server_name: serverName, client_id: clientId, username, password } = bundle;
  const verification: [string, string][] = [
    ...optional("certificate", bundle.ca_pem && "mqtt_connection_ca_pem"),
    ...optional("common_name", serverName === undefined || serverName === host ? undefined : cString(serverName)),
  ];
  const authentication: [string, string][] = [
    ...optional("password", password === undefined ? undefined : cString(password)),
    ...optional("certificate", bundle.cert_pem && "mqtt_connection_cert_pem"),
    ...optional("key", bundle.cert_pem && "mqtt_connection_key_pem"),
  ];
  const config = braces([
    ["broker", braces([["address", braces([["uri", cString(url)]])], ...group("verification", verification)])],
    [
      "credentials",
      braces([
        ...optional("username", username === undefined ? undefined : cString(username)),
        ["client_id", cString(clientId)],
        ...group("authentication", authentication),
      ]),
    ],
  ]);
  return `#define MQTT_CONNECTION_CONFIG \\\n${config.replaceAll("\n", " \\\n")}`;
}

function optional(field: string, value: string | undefined): [string, string][] {
  return value === undefined ? [] : [[field, value]];
}

function group(field: string, fields: readonly [string, string][]): [string, string][] {
  return fields.length === 0 ? [] : [[field, braces(fields)]];
}

function braces(fields: readonly [field: string, value: string][]): string {
  const lines = fields.map(([field, value]) => `    .${field} = ${value.replaceAll("\n", "\n    ")},\n`);
  return `{\n${lines.join("")}}`;
}
