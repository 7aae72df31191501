import * as fs from "node:fs";
import { Listener, MosquittoBroker } from "../../constructs";
import { PERSISTENT, Session } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { run } from "../support/command";
import { Deployment, images } from "../support/deployment";
import { follow } from "../support/guide";
import { freePorts } from "../support/workspace";

jest.setTimeout(180_000);

describe("what is taken away from a broker by hand", () => {
  const deployment = new Deployment();
  const { name } = deployment;
  let props: Parameters<Deployment["deploy"]>[0];
  let bundles: { sensor: Parameters<typeof Session.open>[0]; dashboard: Parameters<typeof Session.open>[0] };

  const clients = (broker: MosquittoBroker): void => {
    broker.addClient("sensor-1", { publish: ["plant/#"] });
    broker.addClient("dashboard", { subscribe: ["plant/#"] });
  };
  /** Leaves a message behind that waits for the dashboard, which is away. */
  async function leave(payload: string): Promise<void> {
    const dashboard = await Session.open(bundles.dashboard, PERSISTENT);
    await dashboard.subscribe("plant/#");
    await dashboard.close();
    const sensor = await Session.open(bundles.sensor);
    await sensor.publish("plant/state", payload);
    await sensor.close();
  }
  async function isKept(payload: string): Promise<void> {
    const dashboard = await Session.open(bundles.dashboard, PERSISTENT);
    await until(`the dashboard has ${payload}`, () => dashboard.payloads.includes(payload));
    expect(dashboard.resumed).toBe(true);
    await dashboard.close();
  }
  /** @param kept what it must still have for the dashboard, if anything */
  async function converges(kept?: string): Promise<void> {
    await deployment.deploy(props, clients);
    expect(await deployment.plan()).toMatchObject({ changes: false, failed: false });
    if (kept !== undefined) return isKept(kept);
    const dashboard = await Session.open(bundles.dashboard, PERSISTENT);
    expect(dashboard.resumed).toBe(false);
    await dashboard.close();
  }
  async function docker(...args: string[]): Promise<void> {
    expect(await run("docker", args)).toMatchObject({ code: 0 });
  }

  beforeAll(async () => {
    const [port] = (await freePorts(1)) as [number];
    props = {
      hosts: ["localhost"],
      listeners: [Listener.mutualTls({ port })],
      image: images["2.1.2"](),
      protectData: true,
    };
    await deployment.deploy(props, clients);
    bundles = { sensor: await deployment.bundle("sensor-1"), dashboard: await deployment.bundle("dashboard") };
  });
  afterAll(() => deployment.remove());

  test("its container, is made again by the next deploy, with all sessions and messages of the last save", async () => {
    await leave("before the container was removed");
    await docker("stop", name);
    await docker("rm", name);
    await converges("before the container was removed");
  });

  test("its network connection, is there again after the next deploy", async () => {
    await leave("before the network was disconnected");
    await docker("network", "disconnect", "-f", name, name);
    await expect(Session.open(bundles.sensor)).rejects.toThrow();
    await converges("before the network was disconnected");
  });

  test("its config volume, is filled again by the next deploy, and nothing is lost", async () => {
    await leave("before the config volume was removed");
    await docker("stop", name);
    await docker("rm", name, `${name}-writer`, `${name}-reloader`);
    await docker("volume", "rm", `${name}-config`);
    await converges("before the config volume was removed");
  });

  test("its data volume, is made again by the next deploy, without sessions and messages", async () => {
    await leave("before the data volume was removed");
    await docker("stop", name);
    await docker("rm", name, `${name}-writer`, `${name}-reloader`);
    await docker("volume", "rm", `${name}-data`);
    await converges();
  });

  test("Terraform's state: the next deploy is refused, and by the guide's commands nothing is lost", async () => {
    await leave("before the state was lost");
    for (const file of [deployment.stateFile, `${deployment.stateFile}.backup`]) fs.rmSync(file, { force: true });
    deployment.synth(props, clients);
    const { code, stdout, stderr } = await deployment.apply();
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(/container name "\/.*" is already in use/);
    await isKept("before the state was lost");
    await leave("when the deploy was refused");
    await follow("faults", "A name is in use", { broker: name });
    await converges("when the deploy was refused");
  });
});
