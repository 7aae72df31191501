import { ConnectionBundle, Listener } from "../../constructs";
import { PERSISTENT, Session } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { mustRun } from "../support/command";
import { Deployment, images, versions } from "../support/deployment";
import { inside, inspect, logs } from "../support/docker";
import { follow } from "../support/guide";
import { freePorts } from "../support/workspace";

jest.setTimeout(180_000);

const DATABASE = "/mosquitto/data/mosquitto.db";

describe.each(versions)("a broker that crashes, on Mosquitto %s,", (version) => {
  const deployment = new Deployment();
  const { name } = deployment;
  let sensor: ConnectionBundle, watcher: ConnectionBundle, sleeper: ConnectionBundle;

  beforeAll(async () => {
    const [port] = (await freePorts(1)) as [number];
    const props = { hosts: ["localhost"], listeners: [Listener.mutualTls({ port })], image: images[version]() };
    await deployment.deploy(props, (broker) => {
      broker.addClient("sensor", { publish: ["plant/#"] });
      for (const client of ["watcher", "sleeper"]) broker.addClient(client, { subscribe: ["plant/#"] });
    });
    [sensor, watcher, sleeper] = (await Promise.all(
      ["sensor", "watcher", "sleeper"].map((client) => deployment.bundle(client)),
    )) as [ConnectionBundle, ConnectionBundle, ConnectionBundle];
  });
  afterAll(() => deployment.remove());

  /** Has the broker save now, instead of when autosave_interval is over. */
  async function save(): Promise<void> {
    const file = (): Promise<string> => inside(name, "stat", "-c", "%i %Y", DATABASE).catch(() => "none");
    const before = await file();
    // Not by `docker kill`, which switches the restart policy off.
    await inside(name, "sh", "-c", "kill -USR1 1");
    await until("the broker has saved", async () => (await file()) !== before);
  }
  /** Kills the broker as the kernel would: from outside of its container. */
  async function kill(): Promise<void> {
    const pid = Number(await mustRun("docker", ["inspect", "-f", "{{.State.Pid}}", name]));
    process.kill(pid, "SIGKILL");
  }
  async function sleepWithSubscription(): Promise<void> {
    const session = await Session.open(sleeper, PERSISTENT);
    await session.subscribe("plant/#");
    await session.close();
  }
  /** Opens a session as soon as there is a broker. */
  async function whenBack(bundle: ConnectionBundle): Promise<Session> {
    let session: Session | undefined;
    await until("the broker is back", async () => {
      session = await Session.open(bundle, PERSISTENT).catch(() => undefined);
      return session !== undefined;
    });
    return session as Session;
  }
  /** Changes the stopped broker's saved file, and starts it on that. */
  async function startOn(script: string): Promise<void> {
    await mustRun("docker", ["stop", name]);
    const volume = ["-v", `${name}-data:/mosquitto/data`, "--entrypoint", "/bin/sh", images[version]().name];
    await mustRun("docker", ["run", "--rm", "--network", "none", ...volume, "-c", script]);
    await mustRun("docker", ["start", name]);
  }

  test("comes back by itself, and loses no more than what it acknowledged after the last save", async () => {
    await sleepWithSubscription();
    const back = { reconnectPeriod: 100 };
    const watching = await Session.open(watcher, { ...PERSISTENT, ...back });
    await watching.subscribe("plant/#");
    const publishing = await Session.open(sensor, back);
    await publishing.publish("plant/state", "retained", { retain: true });

    const acknowledged: string[] = [];
    let phase = "saved";
    const flow = (async () => {
      for (let number = 0; phase !== "over"; number += 1) {
        const payload = `${phase} ${number}`;
        // Before it is acknowledged, the client itself sends it again.
        await publishing.publish("plant/count", payload);
        acknowledged.push(payload);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    const some = (what: string): Promise<void> =>
      until(`20 messages are ${what}`, () => acknowledged.filter((payload) => payload.startsWith(what)).length >= 20);
    await some("saved");
    phase = "saving";
    await save();
    phase = "unsaved";
    await some("unsaved");
    await kill();
    await until("the sensor is cut off", () => publishing.disconnects > 0);
    phase = "after";
    await some("after");
    phase = "over";
    await flow;

    const slept = await whenBack(sleeper);
    expect(slept.resumed).toBe(true);
    const last = acknowledged.at(-1) as string;
    for (const session of [slept, watching]) {
      await until("the last message has come", () => session.payloads.includes(last));
      const lost = acknowledged.filter((payload) => !session.payloads.includes(payload));
      expect(lost.filter((payload) => /^(saved|after)/.test(payload))).toEqual([]);
    }
    expect(slept.payloads).toContain("retained");
    expect((await inspect(name)).RestartCount).toBe(1);
    await Promise.all([slept, watching, publishing].map((session) => session.close()));
  });

  test("right after a save has everything", async () => {
    await sleepWithSubscription();
    const session = await Session.open(sensor);
    await session.publish("plant/count", "just saved");
    await session.close();
    await save();
    await kill();
    const slept = await whenBack(sleeper);
    await until("the message has come", () => slept.payloads.includes("just saved"));
    await slept.close();
  });

  test("while it saves has what was saved before", async () => {
    await sleepWithSubscription();
    const session = await Session.open(sensor);
    await session.publish("plant/count", "saved before");
    await session.close();
    await startOn(`head -c 100 ${DATABASE} >${DATABASE}.new && chown 1883:1883 ${DATABASE}.new`);
    const slept = await whenBack(sleeper);
    await until("the message has come", () => slept.payloads.includes("saved before"));
    await slept.close();
  });

  test("finds a damaged file, and starts by the guide's commands if not by itself", async () => {
    await startOn(`truncate -s 60 ${DATABASE}`);
    await until("it has said so", async () => /Error: Couldn't open database/.test(await logs(name)));
    if (version === "2.0.21") {
      await until("it tries again and again", async () => (await inspect(name)).RestartCount >= 2);
      await follow("faults", "The saved file is damaged", { broker: name, image: images[version]().name });
    }
    const slept = await whenBack(sleeper);
    expect(slept.resumed).toBe(false);
    await slept.close();
    if (version === "2.0.21") expect(await inside(name, "ls", "/mosquitto/data")).toContain("mosquitto.db.damaged");
  });
});
