import type { ConnectionBundle } from "../../../constructs/client/connection-bundle";
import { formatFaults } from "../../../constructs/client/formats/format";
import { mosquittoBridge } from "../../../constructs/client/formats/mosquitto-bridge";
import { bundlesFor, CERTIFICATE, fileOf, plainBundle } from "./any-bundle";

/** Lines as src/conf.c reads them: comments aside, a name, a blank, and a value without the blanks at its ends. */
function readConf(text: string): [name: string, value: string][] {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => {
    const end = line.indexOf(" ");
    return [line.slice(0, end), line.slice(end).replace(/^[ \t\v\f\r]+|[ \t\v\f\r]+$/g, "")];
  });
}

test("Mosquitto reads the bridge as exactly what is in the bundle", () => {
  for (const bundle of bundlesFor("mosquitto-bridge", 150)) {
    const lines = readConf(fileOf("mosquitto-bridge", bundle, "bridge.conf"));
    const hasCertificate = bundle.cert_pem !== undefined;
    const wanted = {
      connection: bundle.client_id,
      address: `${bundle.host}:${bundle.port}`,
      bridge_protocol_version: "mqttv311",
      remote_clientid: bundle.client_id,
      remote_username: bundle.username,
      remote_password: bundle.password,
      bridge_cafile: bundle.ca_pem && "/mosquitto/config/bridge/ca.crt",
      bridge_certfile: hasCertificate ? "/mosquitto/config/bridge/client.crt" : undefined,
      bridge_keyfile: hasCertificate ? "/mosquitto/config/bridge/client.key" : undefined,
      cleansession: "false",
      notifications: "false",
    };
    expect(lines.filter(([name]) => name !== "topic")).toEqual(
      Object.entries(wanted).filter(([, value]) => value !== undefined),
    );
    const topics = lines.filter(([name]) => name === "topic").map(([, value]) => value.split(" "));
    const directed = (direction: string): unknown[] =>
      topics.filter(([, one, qos]) => (one === direction || one === "both") && qos === "2").map(([filter]) => filter);
    expect(new Set(directed("out"))).toEqual(new Set(bundle.publish));
    expect(new Set(directed("in"))).toEqual(new Set(bundle.subscribe));
    expect(topics.every((topic) => topic.length === 3)).toBe(true);
  }
});

test("what may be published and subscribed goes both ways in one line", () => {
  const bundle = plainBundle({ ...CERTIFICATE, publish: ["a/#", "both"], subscribe: ["both", "$share/g/b"] });
  const lines = readConf(fileOf("mosquitto-bridge", bundle, "bridge.conf"));
  const topics = lines.filter(([name]) => name === "topic").map(([, value]) => value);
  expect(topics).toEqual(["a/# out 2", "both both 2", "$share/g/b in 2"]);
});

const REFUSED: [string, Partial<ConnectionBundle>][] = [
  ["a blank before the password", { password: " a long password" }],
  ["a blank behind the password", { password: "a long password " }],
  ["a noncharacter in the password", { password: "a long pass\ufffeword" }],
  ["a blank in a topic filter", { publish: ["a b"] }],
  ["a quote that a topic filter begins with", { subscribe: ['"a"'] }],
  ["no topic filter", { publish: [], subscribe: [] }],
];
test.each(REFUSED)("a bridge is refused for %s", (_, other) => {
  expect(formatFaults(mosquittoBridge, plainBundle(other))).toHaveLength(1);
});
