import { randomInt } from "node:crypto";
import { Listener, MosquittoBroker } from "../../constructs";
import { PERSISTENT, refusal, Session } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { Deployment, images } from "../support/deployment";
import { inside } from "../support/docker";
import { Engine } from "../support/engine";
import { leaveWaiting } from "../support/waiting-message";
import { freePorts } from "../support/workspace";

jest.setTimeout(180_000);

describe("a Docker engine of its own", () => {
  const engine = new Engine();
  const deployment = new Deployment();
  const { name } = deployment;
  let props: Parameters<Deployment["deploy"]>[0];
  let ports: number[];
  let sensors = 1;

  const clients = (broker: MosquittoBroker): void => {
    broker.addClient("dashboard", { subscribe: ["plant/#"] });
    for (let number = 1; number <= sensors; number += 1) broker.addClient(`sensor-${number}`, { publish: ["plant/#"] });
  };
  const listeners = (port: number): Listener[] => [Listener.mutualTls({ port, bindAddresses: [engine.address] })];

  beforeAll(async () => {
    ports = await freePorts(2);
    props = { hosts: [engine.address], listeners: listeners(ports[0] as number), image: images["2.1.2"]() };
    await engine.connect();
    await engine.start();
    await engine.bring(images["2.1.2"]().name);
    // Terraform's provider and the docker command ask this one from now on.
    process.env.DOCKER_HOST = engine.host;
  });
  afterAll(async () => {
    await engine.remove();
    deployment.forget();
  });

  /** A message that waits for the dashboard, which is away. */
  async function leave(payload: string): Promise<void> {
    await leaveWaiting(await deployment.bundle("dashboard"), await deployment.bundle("sensor-1"), payload);
  }
  async function isKept(payload: string): Promise<void> {
    const bundle = await deployment.bundle("dashboard");
    let dashboard: Session | undefined;
    await until("the broker is back", async () => {
      dashboard = await Session.open(bundle, PERSISTENT).catch(() => undefined);
      return dashboard !== undefined;
    });
    await until(`the dashboard has ${payload}`, () => (dashboard as Session).payloads.includes(payload));
    await dashboard?.close();
  }
  async function nothingIsLeftToDo(): Promise<void> {
    expect(await deployment.plan()).toMatchObject({ changes: false, failed: false });
  }

  describe("that is killed in the middle of a deploy, and started again,", () => {
    /** @param line what Terraform has just said when the engine is killed, some milliseconds later */
    async function killAt(line: RegExp): Promise<void> {
      deployment.synth(props, clients);
      const deploy = await deployment.startApply();
      await until(`Terraform says ${line}`, () => line.test(deploy.said()) || deploy.hasEnded());
      await new Promise((resolve) => setTimeout(resolve, randomInt(400)));
      await engine.end("SIGKILL");
      await deploy.ended;
      await engine.start();
      await deployment.applyAgain();
      await nothingIsLeftToDo();
      expect(await refusal(await deployment.bundle(`sensor-${sensors}`))).toBeUndefined();
    }

    test.each([/writer\w*: Creating/, /docker_container.broker_[0-9A-F]+: Creating/])(
      "at %s of the first deploy, is deployed to again",
      async (line) => {
        await killAt(line);
        await leave("before");
      },
    );

    test("while a new client is deployed, is deployed to again, and keeps what was saved", async () => {
      await leave("before the new client");
      await save();
      sensors += 1;
      await killAt(/reloader\w*: Creating/);
      await isKept("before the new client");
    });

    test("while the broker is replaced, is deployed to again, and keeps what was saved", async () => {
      await leave("before the other port");
      await save();
      props = { ...props, listeners: listeners(ports[1] as number) };
      await killAt(/docker_container.broker_[0-9A-F]+: Destroying/);
      await isKept("before the other port");
    });
  });

  async function save(): Promise<void> {
    const file = (): Promise<string> =>
      inside(name, "stat", "-c", "%i %Y", "/mosquitto/data/mosquitto.db").catch(() => "none");
    const before = await file();
    await inside(name, "sh", "-c", "kill -USR1 1");
    await until("the broker has saved", async () => (await file()) !== before);
  }

  describe("with a broker on it", () => {
    test("that is shut down and started again has its broker back, with all sessions and messages", async () => {
      await leave("before the shutdown");
      await engine.end("SIGTERM");
      await engine.start();
      await isKept("before the shutdown");
      await nothingIsLeftToDo();
    });

    test("that is killed and started again has its broker back, with what was saved", async () => {
      await leave("before the kill");
      await save();
      await engine.end("SIGKILL");
      await engine.start();
      await isKept("before the kill");
      await nothingIsLeftToDo();
    });

    test("that loses power and is started again has its broker back, with what was saved", async () => {
      await leave("before the power cut");
      await save();
      await engine.cutPower();
      await engine.connect();
      await engine.start();
      await isKept("before the power cut");
      await nothingIsLeftToDo();
    });
  });
});
