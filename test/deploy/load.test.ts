import * as fs from "node:fs";
import * as path from "node:path";
import { ConnectionBundle, Listener } from "../../constructs";
import { LoadClient } from "../../tools/load-client";
import { until } from "../../tools/until";
import { Deployment, images, Version } from "../support/deployment";
import { inspect } from "../support/docker";
import { refusalByBroker } from "../support/refusals";
import { shownCertificate } from "../support/shown-certificate";
import { evaluate } from "../support/tool-module";
import { freePorts } from "../support/workspace";

jest.setTimeout(240_000);

/** How a declaration differs from the first one. */
interface Change {
  readonly adds?: boolean;
  readonly revokes?: boolean;
  readonly renewsServer?: boolean;
}

interface Scene {
  readonly version: Version;
  /** One of a pair publishes to a topic of its own, the other receives that. */
  readonly pairs: number;
  readonly deploys: readonly (readonly [string, Change])[];
}

const scenes: readonly Scene[] = [
  {
    version: "2.1.2",
    pairs: 1000,
    deploys: [
      ["adds clients", { adds: true }],
      ["revokes a credential", { revokes: true }],
      ["renews the server certificate", { renewsServer: true }],
    ],
  },
  {
    version: "2.0.21",
    pairs: 250,
    deploys: [["adds, revokes and renews at once", { adds: true, revokes: true, renewsServer: true }]],
  },
];
const REVOKED = "bystander";

describe.each(scenes)("$pairs clients publish once a second, as many receive, on Mosquitto $version", (scene) => {
  const { version, pairs, deploys } = scene;
  const deployment = new Deployment();
  let load: LoadClient;
  let port: number;
  let container: string;
  let declared: Change = {};

  const bundles = (): string => path.join(deployment.stackFolder, "material", deployment.name, "connections");
  const bundleOf = (name: string): ConnectionBundle =>
    JSON.parse(fs.readFileSync(path.join(bundles(), `${name}.json`), "utf8")) as ConnectionBundle;

  async function deploy(change: Change): Promise<void> {
    declared = { ...declared, ...change };
    const { adds = false, revokes = false, renewsServer = false } = declared;
    const numbers = [...Array(pairs).keys(), ...(adds ? [pairs] : [])];
    const topicOf = (name: string): string => `load/${name.split("-")[1]}`;
    const props = {
      hosts: ["localhost"] as const,
      image: images[version](),
      listeners: [Listener.mutualTls({ port, maxConnections: 2 * pairs + 10 })],
      ...(renewsServer && { serverCertificate: { credentialVersion: 2 } }),
    };
    await deployment.deploy(props, (broker) => {
      const names = (kind: string): string[] => numbers.map((number) => `${kind}-${number}`);
      broker.addClients(names("sender"), { each: ({ name }) => ({ publish: [topicOf(name)] }) });
      broker.addClients(names("receiver"), { each: ({ name }) => ({ subscribe: [topicOf(name)] }) });
      broker.addClient(REVOKED, {
        publish: ["idle"],
        connectionOutput: false,
        ...(revokes && { credentialVersion: 2 }),
      });
    });
  }

  beforeAll(async () => {
    [port] = (await freePorts(1)) as [number];
    await deploy({});
    ({ Id: container } = await inspect(deployment.name));
    load = new LoadClient(await evaluate("setup/load-client.mjs", "module.presentLoadClient()"), bundles());
  });
  afterAll(async () => {
    await load?.end();
    await deployment.remove();
  });

  async function exchange(number: string): Promise<void> {
    await load.subscribe(`receiver-${number}`, "load/{number}");
    await load.publish(`sender-${number}`, "load/{number}", { qos: 1, everyMs: 1000 });
  }

  async function untilEachHasPublished(): Promise<void> {
    const { acknowledged } = await load.count();
    const enough = acknowledged + 2 * pairs;
    await until("each has published twice more", async () => (await load.count()).acknowledged >= enough, 60);
  }

  test("all are let in and stay", async () => {
    expect(await load.connect("*")).toMatchObject({ connected: 2 * pairs + 1, refused: {} });
    await exchange("*");
    await untilEachHasPublished();
  });

  test.each(deploys)("a deploy that %s disconnects nobody but whom it revokes", async (_, change) => {
    const bystander = bundleOf(REVOKED);
    const certificate = await shownCertificate(bystander, bystander);
    await deploy(change);
    if (change.adds) {
      expect(await load.connect(`*-${pairs}`)).toMatchObject({ connected: 2 });
      await exchange(String(pairs));
    }
    if (change.revokes) {
      await until("the revoked session is closed", () => load.disconnected.has(REVOKED));
      expect(await refusalByBroker(bystander)).toMatch(/revoked/i);
      expect(await load.connect(REVOKED)).toMatchObject({ connected: 1 });
    }
    if (change.renewsServer) expect(await shownCertificate(bystander, bystander)).not.toBe(certificate);
    await untilEachHasPublished();
    expect([...load.disconnected.keys()]).toEqual(declared.revokes ? [REVOKED] : []);
    const { Id, RestartCount } = await inspect(deployment.name);
    expect({ Id, RestartCount }).toEqual({ Id: container, RestartCount: 0 });
  });

  test("every message arrived once", async () => {
    await load.stop("sender-*");
    const { sent } = await load.count();
    await until("all are received", async () => (await load.count()).received >= sent);
    expect(await load.count()).toMatchObject({
      connected: 2 * pairs + 3,
      acknowledged: sent,
      received: sent,
      refused: 0,
      missing: 0,
      duplicates: 0,
    });
  });
});
