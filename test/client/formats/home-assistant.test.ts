import { formatFaults } from "../../../constructs/client/formats/format";
import { homeAssistant } from "../../../constructs/client/formats/home-assistant";
import { bundlesFor, CERTIFICATE, fileOf, plainBundle } from "./any-bundle";

/** The fields as a person reads them: a label, a colon, a blank, the value. */
function fieldsOf(text: string): Record<string, string> {
  const [, lines = ""] = text.split("\n\n");
  const fields = lines.trimEnd().split("\n");
  return Object.fromEntries(fields.map((line) => [line.split(": ")[0], line.slice(line.indexOf(": ") + 2)])) as Record<
    string,
    string
  >;
}

test("Home Assistant's form has exactly what is in the bundle", () => {
  for (const bundle of bundlesFor("home-assistant", 150)) {
    const usesWebSockets = bundle.protocol.startsWith("ws");
    const wanted = {
      Broker: bundle.host,
      Port: String(bundle.port),
      Username: bundle.username,
      Password: bundle.password,
      "Client ID (leave empty to randomly generated one)": bundle.client_id,
      ...(bundle.cert_pem !== undefined && {
        "Use a client certificate": "on",
        "Upload client certificate file": "client.crt",
        "Upload private key file": "client.key",
      }),
      ...(bundle.ca_pem !== undefined && {
        "Broker certificate validation": "Custom",
        "Upload custom CA certificate file": "ca.crt",
      }),
      "MQTT transport": usesWebSockets ? "WebSocket" : "TCP",
      ...(usesWebSockets && { "WebSocket path": "/mqtt" }),
    };
    const fields = fieldsOf(fileOf("home-assistant", bundle, "home-assistant.txt"));
    expect(fields).toEqual(Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined)));
  }
});

test("Home Assistant's files are beside the form", () => {
  expect([...homeAssistant.render(plainBundle(CERTIFICATE), {}).keys()].sort()).toEqual([
    "ca.crt",
    "client.crt",
    "client.key",
    "home-assistant.txt",
  ]);
});

test.each([
  " a long password",
  "a long password ",
  "a long\u00a0password",
  "a long pass\u200bword",
  "a long\u2028password",
])("a password that a person would not copy as it is, %j, is refused", (password) => {
  expect(formatFaults(homeAssistant, plainBundle({ password }))).toMatchObject([{ what: /not seen/ }]);
});
