import * as fs from "node:fs";
import * as path from "node:path";
import { Authentication, ClientList, ConnectionBundle, Listener, MosquittoBroker } from "../../constructs";
import { refusal, Session } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { Deployment, images, versions } from "../support/deployment";
import { inspect, inside, logs } from "../support/docker";
import { refusalByBroker } from "../support/refusals";
import { freePorts } from "../support/workspace";

jest.setTimeout(180_000);

const DEVICES = 302;
const CONNECTIONS = 300;
const BROWSERS = 3;

describe.each(versions)("a fleet from a CSV file on Mosquitto %s", (version) => {
  const deployment = new Deployment();
  const open = new Map<string, Session>();
  // 2.0 does not limit them.
  const webSockets = version !== "2.0.21";
  let ports: [number, number];
  let names = Array.from({ length: DEVICES }, (_, index) => `device-${index}`);

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
      broker.addClients(["browser-0", "browser-1", "browser-2", "browser-3"], {
        each: { authentication: Authentication.password(), subscribe: ["plant/#"] },
        connectionOutputs: true,
      });
    });
  }

  /** From the material: a fleet has no outputs. */
  const bundleOf = (name: string): ConnectionBundle =>
    JSON.parse(
      fs.readFileSync(
        path.join(deployment.stackFolder, "material", deployment.name, "connections", `${name}.json`),
        "utf8",
      ),
    ) as ConnectionBundle;

  async function as(name: string): Promise<Session> {
    const session = await Session.open(bundleOf(name), { keepalive: 600 });
    open.set(name, session);
    return session;
  }

  const disconnected = (): string[] => [...open].filter(([, { disconnects }]) => disconnects > 0).map(([name]) => name);

  beforeAll(async () => {
    ports = (await freePorts(2)) as [number, number];
    await deploy();
  });
  afterAll(async () => {
    await Promise.all([...open.values()].map((session) => session.close(true)));
    await deployment.remove();
  });

  test("has an output only where that was asked for", async () => {
    await expect(deployment.bundle("device-0")).rejects.toThrow(/not found/);
    expect((await deployment.bundle("browser-0")).url).toMatch(webSockets ? /^wss:/ : /^mqtts:/);
  });

  test("reaches the declared connections, and not one more", async () => {
    // Twenty at a time, as devices that come back after an outage.
    for (let from = 0; from < CONNECTIONS; from += 20) {
      await Promise.all(names.slice(from, from + 20).map((name) => as(name)));
    }
    expect(await refusal(bundleOf(`device-${CONNECTIONS}`))).toBeDefined();
    expect(disconnected()).toEqual([]);
    // The health check has a listener of its own.
    await inside(deployment.name, "/bin/sh", "/mosquitto/config/live/healthcheck.sh");
    const { HostConfig, RestartCount } = await inspect(deployment.name);
    expect(RestartCount).toBe(0);
    expect(await memoryOf(deployment.name)).toBeLessThan(HostConfig.Memory * 0.6);
  });

  test("on each listener its own, over WebSockets of 2.1 too", async () => {
    for (let index = 0; index < BROWSERS; index += 1) await as(`browser-${index}`);
    expect(await refusal(bundleOf(`browser-${BROWSERS}`))).toBeDefined();
    await open.get("browser-0")?.close();
    const { client } = await Session.open(bundleOf("browser-0"), { reconnectPeriod: 0 }).then((session) => {
      open.set("browser-0", session);
      return session;
    });
    // The broker says in CONNACK what is the highest (MQTT 5 section 3.2.2.3.4).
    await expect(client.publishAsync("x", "y", { qos: 2 })).rejects.toThrow();
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
    const gone = names[CONNECTIONS + 1] as string;
    const stolen = bundleOf(gone);
    const { Id } = await inspect(deployment.name);
    await open.get("device-2")?.close();
    open.delete("device-2");
    names = [...names.filter((name) => name !== gone), "device-new"];
    await deploy();
    expect(await refusalByBroker(stolen)).toMatch(/revoked/i);
    expect(await refusal(bundleOf("device-new"))).toBeUndefined();
    expect((await inspect(deployment.name)).Id).toBe(Id);
    expect(disconnected().filter((name) => name.startsWith("device"))).toEqual([]);
    // The limits outlive the reload.
    await as("device-2");
    expect(await refusal(bundleOf("device-new"))).toBeDefined();
    expect(await logs(deployment.name)).not.toMatch(/out of memory/i);
  });
});

/** Bytes that a container uses now. */
async function memoryOf(container: string): Promise<number> {
  const text = await inside(
    container,
    "/bin/sh",
    "-c",
    "cat /sys/fs/cgroup/memory.current 2>/dev/null || cat /sys/fs/cgroup/memory/memory.usage_in_bytes",
  );
  return Number(text);
}
