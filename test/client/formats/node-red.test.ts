import type { ConnectionBundle } from "../../../constructs/client/connection-bundle";
import { formatFaults } from "../../../constructs/client/formats/format";
import { nodeRed } from "../../../constructs/client/formats/node-red";
import { bundlesFor, CERTIFICATE, fileOf, plainBundle } from "./any-bundle";

type Node = Readonly<Record<string, unknown>>;

const nodesOf = (bundle: ConnectionBundle): Node[] => JSON.parse(fileOf("node-red", bundle, "flows.json")) as Node[];

test("Node-RED's nodes have exactly what is in the bundle", () => {
  for (const bundle of bundlesFor("node-red", 150)) {
    const [broker, tls, ...others] = nodesOf(bundle);
    const isOverTls = bundle.ca_pem !== undefined;
    const { username: user, password } = bundle;
    const credentials =
      user === undefined ? {} : { credentials: password === undefined ? { user } : { user, password } };
    expect(others).toEqual([]);
    expect(broker).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      type: "mqtt-broker",
      name: bundle.client_id,
      broker: bundle.protocol.startsWith("ws") ? bundle.url : bundle.host,
      port: String(bundle.port),
      clientid: bundle.client_id,
      autoConnect: true,
      usetls: isOverTls,
      ...(isOverTls && { tls: tls?.id }),
      protocolVersion: "5",
      keepalive: "60",
      cleansession: true,
      ...credentials,
    });
    if (!isOverTls) {
      expect(tls).toBeUndefined();
      continue;
    }
    const hasCertificate = bundle.cert_pem !== undefined;
    expect(tls).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      type: "tls-config",
      name: bundle.client_id,
      certType: "files",
      ca: "/data/mqtt/ca.crt",
      cert: hasCertificate ? "/data/mqtt/client.crt" : "",
      key: hasCertificate ? "/data/mqtt/client.key" : "",
      verifyservercert: true,
      servername: bundle.server_name === bundle.host ? "" : (bundle.server_name ?? ""),
    });
  }
});

test("Node-RED's nodes are the same for the same client, and others for another", () => {
  const ids = (clientId: string): unknown[] =>
    nodesOf(plainBundle({ ...CERTIFICATE, client_id: clientId })).map(({ id }) => id);
  expect(ids("sensor-1")).toEqual(ids("sensor-1"));
  expect(new Set([...ids("sensor-1"), ...ids("sensor-2")]).size).toBe(4);
});

test.each(["${PASSWORD}", "$(LONG_PASSWORD)"])(
  "a password that Node-RED reads as a variable, %s, is refused",
  (password) => {
    expect(formatFaults(nodeRed, plainBundle({ password }))).toMatchObject([{ what: /\$\{NAME\}/ }]);
  },
);
