import * as fs from "node:fs";
import * as path from "node:path";
import { Authentication, ClientList, ConnectionBundle, Listener, MosquittoBroker } from "../../constructs";
import { LoadClient } from "../../tools/load-client";
import { refusal, Session } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { Deployment, images, versions } from "../support/deployment";
import { inspect, inside, logs } from "../support/docker";
import { refusalByBroker } from "../support/refusals";
import { evaluate } from "../support/tool-module";
import { freePorts } from "../support/workspace";

jest.setTimeout(180_000);

const CONNECTIONS = 1200;
const BROWSERS = 300;
/** Of the devices, those that the tests name; the load client is all others. */
const NAMED = 3;
/** More devices and browsers than may connect. */
const SPARE_DEVICES = 2;
const SPARE_BROWSERS = 1;
const MEBIBYTE = 1024 * 1024;
/** Mebibytes for each connection at most, with all that the broker and OpenSSL keep of it. */
const EACH = 48 / 1024;
/** Mebibytes for each session of TLS 1.2 that may be resumed. */
const EACH_CACHED = 8 / 1024;

describe.each(versions)("a fleet from a CSV file on Mosquitto %s", (version) => {
  const deployment = new Deployment();
  const open = new Map<string, Session>();
  // 2.0 does not limit them.
  const webSockets = version !== "2.0.21";
  let ports: [number, number];
  let load: LoadClient;
  let names = Array.from({ length: CONNECTIONS + SPARE_DEVICES }, (_, index) =>
    index < NAMED ? `device-${index}` : `unit-${index}`,
  );
  const browsers = Array.from({ length: BROWSERS + SPARE_BROWSERS }, (_, index) =>
    index === 0 ? "kiosk" : `browser-${index}`,
  );
  /** A device that found no place. */
  let gone: string;

  const listeners = (): Listener[] => [
    Listener.mutualTls({ port: ports[0], maxConnections: CONNECTIONS }),
    Listener.passwordOverTls({ port: ports[1], maxConnections: BROWSERS, maxQos: 1, webSockets }),
  ];

  async function deploy(): Promise<void> {
    const file = path.join(deployment.folder, "devices.csv");
    fs.mkdirSync(deployment.folder, { recursive: true, mode: 0o700 });
    const rows = names.map((name, index) => `${name},${index % 3 === 0 ? "gateway" : "sensor"},"hall ${index % 5}"`);
    fs.writeFileSync(file, `name,group,place\r\n${rows.join("\r\n")}\r\n`);
    const props = { hosts: ["localhost"], image: images[version](), listeners: listeners() };
    await deployment.deploy(props, (broker: MosquittoBroker) => {
      broker.addClients(ClientList.csv(file), {
        groups: {
          sensor: ({ name }) => ({ publish: [`plant/${name}/#`], subscribe: [`plant/${name}/commands`] }),
          gateway: ({ name, columns }) => ({
            publish: [`plant/${name}/#`],
            subscribe: ["plant/#"],
            deny: [`plant/${columns?.place === "hall 0" ? "secret" : "other"}/#`],
          }),
        },
      });
      broker.addClients(browsers, {
        each: ({ name }) => ({
          authentication: Authentication.password(),
          subscribe: ["plant/#"],
          connectionOutput: name === "kiosk",
        }),
      });
    });
  }

  /** From the material: a fleet has no outputs. */
  const bundles = (): string => path.join(deployment.stackFolder, "material", deployment.name, "connections");
  const bundleOf = (name: string): ConnectionBundle =>
    JSON.parse(fs.readFileSync(path.join(bundles(), `${name}.json`), "utf8")) as ConnectionBundle;

  async function as(name: string): Promise<Session> {
    const session = await Session.open(bundleOf(name), { keepalive: 600 });
    open.set(name, session);
    return session;
  }

  const disconnected = (): string[] => [
    ...[...open].filter(([, { disconnects }]) => disconnects > 0).map(([name]) => name),
    ...load.disconnected.keys(),
  ];

  beforeAll(async () => {
    ports = (await freePorts(2)) as [number, number];
    await deploy();
    load = new LoadClient(await evaluate("setup/load-client.mjs", "module.presentLoadClient()"), bundles());
  });
  afterAll(async () => {
    await load?.end();
    await Promise.all([...open.values()].map((session) => session.close(true)));
    await deployment.remove();
  });

  test("has an output only where that was asked for", async () => {
    await expect(deployment.bundle("device-0")).rejects.toThrow(/not found/);
    expect((await deployment.bundle("kiosk")).url).toMatch(webSockets ? /^wss:/ : /^mqtts:/);
  });

  test("reaches the declared connections of every listener at once, and not one more", async () => {
    const { HostConfig } = await inspect(deployment.name);
    const empty = await memoryOf(deployment.name);
    for (const name of ["device-0", "device-1", "device-2", "kiosk"]) await as(name);
    const units = await load.connect("unit-*");
    // Over WebSockets of 2.1, and with passwords.
    const others = await load.connect("browser-*");
    expect([units.connected, Object.keys(units.refused).length]).toEqual([CONNECTIONS - NAMED, SPARE_DEVICES]);
    expect([others.connected, Object.keys(others.refused).length]).toEqual([BROWSERS - 1, SPARE_BROWSERS]);
    [gone] = Object.keys(units.refused) as [string];
    expect(disconnected()).toEqual([]);
    const full = await memoryOf(deployment.name);
    expect((full - empty) / (CONNECTIONS + BROWSERS)).toBeLessThan(EACH);
    // The health check has a listener of its own.
    await inside(deployment.name, "/bin/sh", "/mosquitto/config/live/healthcheck.sh");
    expect(full).toBeLessThan(HostConfig.Memory / MEBIBYTE / 2);
  });

  test("a place that becomes free is taken again, with the quality of service of its listener", async () => {
    await open.get("kiosk")?.close();
    const { client } = await as("kiosk");
    // The broker says in CONNACK what is the highest (MQTT 5 section 3.2.2.3.4).
    await expect(client.publishAsync("x", "y", { qos: 2 })).rejects.toThrow();
    await as("kiosk");
  });

  test("each may do what its group may", async () => {
    const [gateway, sensor] = [open.get("device-0"), open.get("device-1")] as [Session, Session];
    await gateway.subscribe("plant/#");
    await sensor.publish("plant/device-1/state", "on");
    await until("the gateway hears the sensor", () => gateway.payloads.includes("on"));
    await expect(sensor.publish("plant/device-2/state", "off")).rejects.toThrow(/not authorized/i);
    await expect(gateway.publish("plant/device-1/state", "off")).rejects.toThrow(/not authorized/i);
  });

  test("a device that leaves the list is shut out, a new one comes in, and nobody else notices", async () => {
    const stolen = bundleOf(gone);
    const { Id } = await inspect(deployment.name);
    await open.get("device-2")?.close();
    open.delete("device-2");
    names = [...names.filter((name) => name !== gone), "device-new"];
    await deploy();
    expect(await refusalByBroker(stolen)).toMatch(/revoked/i);
    expect(await refusal(bundleOf("device-new"))).toBeUndefined();
    expect((await inspect(deployment.name)).Id).toBe(Id);
    expect(disconnected()).toEqual([]);
    // The limits outlive the reload.
    await as("device-2");
    expect(await refusal(bundleOf("device-new"))).toBeDefined();
    expect(await logs(deployment.name)).not.toMatch(/out of memory/i);
  });

  test("devices that connect again over TLS 1.2 take what is reckoned for each", async () => {
    await load.disconnect("unit-*");
    const again = async (): Promise<number> => {
      const { connected } = await load.connect("unit-*", { tls: "1.2" });
      const memory = await memoryOf(deployment.name);
      await load.disconnect("unit-*");
      expect(connected).toBeGreaterThan(CONNECTIONS - NAMED - 2);
      return memory;
    };
    const first = await again();
    expect(((await again()) - first) / (CONNECTIONS - NAMED)).toBeLessThan(EACH_CACHED);
  });

  test("messages that fill the memory for them leave room for the rest", async () => {
    await load.connect("unit-*");
    await open.get("device-1")?.close();
    const payload = "x".repeat(1_900_000);
    const sender = await as("device-1");
    const enough = (2 * (await inspect(deployment.name)).HostConfig.Memory) / payload.length;
    let refused = false;
    for (let number = 0; !refused && number < enough; number += 1) {
      const sent = sender.client.publishAsync(`plant/device-1/${number}`, payload, { qos: 1, retain: true });
      refused = await sent.then(
        () => false,
        () => true,
      );
    }
    expect(refused).toBe(true);
    expect([...load.disconnected.keys()]).toEqual([]);
    expect((await load.count()).connected).toBe(CONNECTIONS - NAMED + BROWSERS - 1);
    const { HostConfig, RestartCount } = await inspect(deployment.name);
    expect(RestartCount).toBe(0);
    expect(await memoryOf(deployment.name)).toBeLessThan((HostConfig.Memory / MEBIBYTE) * 0.9);
  });
});

/** Mebibytes that a container uses now. */
async function memoryOf(container: string): Promise<number> {
  const text = await inside(
    container,
    "/bin/sh",
    "-c",
    "cat /sys/fs/cgroup/memory.current 2>/dev/null || cat /sys/fs/cgroup/memory/memory.usage_in_bytes",
  );
  return Number(text) / MEBIBYTE;
}
