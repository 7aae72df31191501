import { ConnectionBundle } from "../connection-bundle";
import { cString } from "./c-string";
import { BundleFormat } from "./format";

// Read by the C++ compiler for ESP32 and others. WiFiClientSecure takes `setCACert(MQTT_CA_PEM)`, `setCertificate(MQTT_CERT_PEM)`,
// `setPrivateKey(MQTT_KEY_PEM)`; PubSubClient `setServer(MQTT_HOST, MQTT_PORT)`, `connect(MQTT_CLIENT_ID, MQTT_USERNAME,
// MQTT_PASSWORD)`; ArduinoMqttClient `setId`, `setUsernamePassword`, `connect(MQTT_HOST, MQTT_PORT)`.
export const arduino: BundleFormat = {
  name: "arduino",
  readBy: "WiFiClientSecure with PubSubClient or ArduinoMqttClient",
  abilities: { webSockets: false, otherServerName: false, withoutKey: true },
  render: (bundle) => {
    const blocks = ["#pragma once", "#include <Arduino.h>", valueLines(bundle), ...pemBlocks(bundle)];
    return new Map([["arduino_connection.h", `${blocks.join("\n\n")}\n`]]);
  },
};

function valueLines({ host, port, client_id: clientId, username, password }: ConnectionBundle): string {
  const texts: [string, string | undefined][] = [
    ["HOST", host],
    ["CLIENT_ID", clientId],
    ["USERNAME", username],
    ["PASSWORD", password],
  ];
  return [
    ...texts.flatMap(([name, text]) =>
      text === undefined ? [] : [`static const char MQTT_${name}[] = ${cString(text)};`],
    ),
    `static const uint16_t MQTT_PORT = ${port};`,
  ].join("\n");
}

function pemBlocks({ ca_pem: ca, cert_pem: certificate, key_pem: key }: ConnectionBundle): string[] {
  const keepsKey = certificate !== undefined && key === undefined;
  const texts: [string, string | undefined][] = [
    ["CA", ca],
    ["CERT", certificate],
    ["KEY", key],
  ];
  return [
    ...texts.flatMap(([name, pem]) =>
      pem === undefined ? [] : [`static const char MQTT_${name}_PEM[] PROGMEM = R"PEM(${pem})PEM";`],
    ),
    ...(keepsKey
      ? ["// The client's own key, in PEM; define it where the key is kept.\nextern const char MQTT_KEY_PEM[];"]
      : []),
  ];
}
