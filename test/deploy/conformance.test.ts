import * as fs from "node:fs";
import * as path from "node:path";
import { ConnectionBundle, Listener, MosquittoBroker } from "../../constructs";
import { plainDoor, tlsDoor, webSocketDoor } from "../conformance/doors";
import { knownDifferences } from "../conformance/known-differences";
import { clientName, Lab, Observations } from "../conformance/lab";
import { Door } from "../conformance/peer";
import { PlainBroker } from "../conformance/plain-broker";
import { runs } from "../conformance/scenarios";
import { SECRET } from "../conformance/session-scenarios";
import { Deployment, images, versions } from "../support/deployment";
import { freePorts } from "../support/workspace";

jest.setTimeout(180_000);

const titles = runs.map((one) => [one.version === 5 ? "5" : "3.1.1", one.scenario.about, one.key] as const);

type Results = ReadonlyMap<string, Observations>;

/** Runs every scenario, all at once. One that fails is a result, too. */
async function observe(door: Door, where: string): Promise<Results> {
  const observed = runs.map(async ({ scenario, version, key }) => {
    const lab = new Lab(door, version, scenario, where);
    const observations = await lab.observe(scenario.run).catch((error: unknown) => ({ failed: String(error) }));
    return [key, observations] as const;
  });
  return new Map(await Promise.all(observed));
}

function declare(broker: MosquittoBroker): void {
  for (const { scenario, version, key } of runs) {
    const names = Array.from({ length: scenario.clients }, (_, index) => clientName(scenario, version, index + 1));
    const deny = [`+/${key}/${SECRET}`];
    broker.addClients(names, { each: { publishAndSubscribe: ["#"], subscribe: ["$SYS/#"], deny } });
  }
}

describe.each(versions)("a client of the deployed broker, against plain Mosquitto %s,", (mosquitto) => {
  const deployment = new Deployment();
  const image = images[mosquitto]();
  // 2.0 has no mutual TLS over WebSockets.
  const ways = mosquitto === "2.1.2" ? (["TLS", "WebSockets"] as const) : (["TLS"] as const);
  const deployed = new Map<string, Results>();
  let plainBroker: PlainBroker;
  let plain: Results;

  beforeAll(async () => {
    const [port, webSocketsPort, plainPort] = (await freePorts(3)) as [number, number, number];
    plainBroker = new PlainBroker(image.name, plainPort);
    const all = [Listener.mutualTls({ port }), Listener.mutualTls({ port: webSocketsPort, webSockets: true })];
    const listeners = all.slice(0, ways.length);
    await Promise.all([plainBroker.start(), deployment.deploy({ hosts: ["localhost"], image, listeners }, declare)]);
    const connections = path.join(deployment.stackFolder, "material", deployment.name, "connections");
    const bundles = (name: string): ConnectionBundle =>
      JSON.parse(fs.readFileSync(path.join(connections, `${name}.json`), "utf8")) as ConnectionBundle;
    const [withoutLibrary, overTls] = await Promise.all([
      observe(plainDoor(plainPort), "tcp"),
      observe(tlsDoor(port, bundles), "tls"),
    ]);
    plain = withoutLibrary;
    deployed.set("TLS", overTls);
    // After the others: one client has one connection.
    if (ways.length > 1) deployed.set("WebSockets", await observe(webSocketDoor(webSocketsPort, bundles), "wss"));
  });
  afterAll(async () => {
    await Promise.all([plainBroker.remove(), deployment.remove()]);
  });

  describe.each(ways)("over %s", (way) => {
    test.each(titles)("by MQTT %s has the same of %s", (_, __, key) => {
      const [difference] = knownDifferences.filter(({ of }) => of.includes(key));
      const without = plain.get(key) as Observations;
      expect(without).not.toHaveProperty("failed");
      const expected = difference === undefined ? without : difference.deployed(without, key);
      if (difference !== undefined) expect(expected).not.toEqual(without);
      expect(deployed.get(way)?.get(key)).toEqual(expected);
    });
  });

  if (mosquitto === "2.1.2") {
    test("is compared with what is known of plain Mosquitto", () => {
      expect(Object.fromEntries(plain)).toMatchSnapshot();
    });
  }
});
