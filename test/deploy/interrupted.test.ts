import * as fc from "fast-check";
import { randomInt } from "node:crypto";
import { ConnectionBundle, Listener, MosquittoBroker } from "../../constructs";
import { PERSISTENT, refusal, Session } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { Deployment, images } from "../support/deployment";
import { inside, inspect } from "../support/docker";
import { leaveWaiting } from "../support/waiting-message";
import { freePorts } from "../support/workspace";

jest.setTimeout(180_000);

/** Chosen anew for each run; given, that run is repeated. */
const seed = Number(process.env.INTERRUPTION_SEED ?? randomInt(2 ** 31));

/** What Terraform says whenever it begins or ends something. */
const STEP = /: (Creating|Creation complete|Destroying|Destruction complete)/g;

describe("a deploy that is interrupted and then run again", () => {
  const deployment = new Deployment();
  const { name } = deployment;
  let ports: number[];
  let port = 0;
  let sensors = 1;
  let before: ConnectionBundle | undefined;

  const declare = (): void =>
    deployment.synth(
      {
        hosts: ["localhost"],
        listeners: [Listener.mutualTls({ port: ports[port] as number })],
        image: images["2.1.2"](),
      },
      (broker: MosquittoBroker) => {
        broker.addClient("dashboard", { subscribe: ["plant/#"] });
        for (let number = 1; number <= sensors; number += 1) {
          broker.addClient(`sensor-${number}`, { publish: ["plant/#"] });
        }
      },
    );

  beforeAll(async () => {
    ports = await freePorts(2);
  });
  afterAll(() => deployment.remove());

  async function isWhole(): Promise<void> {
    expect(await deployment.plan()).toMatchObject({ changes: false, failed: false });
    for (let number = 1; number <= sensors; number += 1) {
      expect(await refusal(await deployment.bundle(`sensor-${number}`))).toBeUndefined();
    }
    const files = await inside(name, "sh", "-c", "cd /mosquitto/config && ls -d * sets/*");
    expect(files.split("\n").filter((file) => /^incoming|\.new$/.test(file))).toEqual([]);
    expect((await deployment.leftovers()).sort()).toEqual(
      [name, name, `${name}-config`, `${name}-data`, `${name}-reloader`, `${name}-writer`].sort(),
    );
  }
  async function leave(payload: string): Promise<void> {
    before = await deployment.bundle("dashboard");
    await leaveWaiting(before, await deployment.bundle("sensor-1"), payload);
  }
  /** For the bundle that was handed out before: only its port is another now. */
  async function isKept(payload: string): Promise<void> {
    const { port, url } = await deployment.bundle("dashboard");
    const dashboard = await Session.open({ ...(before as ConnectionBundle), port, url }, PERSISTENT);
    expect(dashboard.resumed).toBe(true);
    await until(`the dashboard has ${payload}`, () => dashboard.payloads.includes(payload));
    await dashboard.close();
  }

  const changes: readonly (readonly [what: string, steps: number, change: () => void])[] = [
    ["the first deploy", 12, () => undefined],
    ["a new client", 8, () => (sensors += 1)],
    ["another port", 12, () => (port = 1 - port)],
    ["a new client and another port", 12, () => [(sensors += 1), (port = 1 - port)]],
  ];
  const moments = fc.sample(
    fc.record({ step: fc.double({ min: 0, max: 1, noNaN: true }), milliseconds: fc.nat(300), isTwice: fc.boolean() }),
    { seed, numRuns: changes.length },
  );

  test.each(changes.map(([what, steps, change], index) => ({ what, steps, change, index })))(
    `by Ctrl-C, once or twice, at any moment of $what, converges and loses nothing (seed ${seed})`,
    async ({ what, steps, change, index }) => {
      const { step, milliseconds, isTwice } = moments[index] as (typeof moments)[number];
      if (index > 0) await leave(what);
      change();
      declare();
      const deploy = await deployment.startApply();
      const hasCome = (): boolean => (deploy.said().match(STEP) ?? []).length > step * steps;
      await until("its moment has come", () => hasCome() || deploy.hasEnded(), 60);
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      deploy.signal("SIGINT");
      if (isTwice) deploy.signal("SIGINT");
      await deploy.ended;
      await deployment.applyAgain();
      await isWhole();
      if (index > 0) await isKept(what);
    },
  );

  test("by kill -9 converges, by the guide's commands if a name is in use, and loses nothing", async () => {
    await leave("before the kill");
    sensors += 1;
    port = 1 - port;
    declare();
    const deploy = await deployment.startApply();
    await until("the broker is replaced", () => /broker_[0-9A-F]+: Creating/.test(deploy.said()));
    await until("it is made", async () => (await inspect(name).catch(() => undefined)) !== undefined);
    deploy.signal("SIGKILL");
    await deploy.ended;
    await deployment.applyAgain();
    await isWhole();
    await isKept("before the kill");
  });
});
