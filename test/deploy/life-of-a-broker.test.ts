import { Authentication, Listener, MosquittoBroker } from "../../constructs";
import { Deployment, images, versions } from "../support/deployment";
import { inspect, logs } from "../support/docker";
import { PERSISTENT, refusal, Session } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { refusalByBroker } from "../support/refusals";
import { freePorts } from "../support/workspace";

jest.setTimeout(180_000);

describe.each(versions)("the life of a broker on Mosquitto %s", (version) => {
  const deployment = new Deployment();
  const open: Session[] = [];
  let certificatePort: number, passwordPort: number, otherPort: number;
  let dashboard: Session;
  let containerId: string;
  const sent: string[] = [];

  const props = (
    listeners = [Listener.mutualTls({ port: certificatePort }), Listener.passwordOverTls({ port: passwordPort })],
  ): Parameters<Deployment["deploy"]>[0] => ({
    hosts: ["localhost", "127.0.0.1"],
    listeners,
    image: images[version](),
  });

  const first = (broker: MosquittoBroker): void => {
    broker.addClient("sensor-1", { publish: ["plant/sensor-1/#"], subscribe: ["plant/sensor-1/commands"] });
    broker.addClient("dashboard", { subscribe: ["plant/#"] });
    broker.addClient("operator", { authentication: Authentication.password(), publish: ["plant/+/commands"] });
  };
  const grown = (broker: MosquittoBroker): void => {
    withoutSensor2(broker);
    broker.addClient("sensor-2", { publish: ["plant/sensor-2/#"] });
  };
  const withoutSensor2 = (broker: MosquittoBroker): void => {
    broker.addClient("sensor-1", { publish: ["plant/sensor-1/#", "shared/#"], subscribe: ["plant/sensor-1/commands"] });
    broker.addClient("dashboard", { subscribe: ["plant/#", "shared/#"] });
    broker.addClient("operator", {
      authentication: Authentication.password(),
      publish: ["plant/+/commands"],
      credentialVersion: 2,
    });
  };

  async function as(client: string, options = {}): Promise<Session> {
    const connected = await Session.open(await deployment.bundle(client), options);
    open.push(connected);
    return connected;
  }

  beforeAll(async () => {
    [certificatePort, passwordPort, otherPort] = (await freePorts(3)) as [number, number, number];
  });
  afterAll(async () => {
    await Promise.all(open.map((session) => session.close(true)));
    await deployment.remove();
  });

  test("a deploy makes a broker that lets its clients in", async () => {
    await deployment.deploy(props(), first);
    containerId = (await inspect(deployment.name)).Id;
    dashboard = await as("dashboard", PERSISTENT);
    await dashboard.subscribe("plant/#");
    const sensor = await as("sensor-1");
    await sensor.publish("plant/sensor-1/temperature", "21");
    sent.push("21");
    await until("the dashboard has the message", () => dashboard.payloads.includes("21"));
  });

  test("a second plan is empty", async () => {
    expect(await deployment.plan()).toMatchObject({ changes: false, failed: false });
  });

  test("a new client, password and rule replace no container, drop no connection and lose no QoS 1 message", async () => {
    const oldPassword = await deployment.bundle("operator");
    const sensor = await as("sensor-1");
    let stop = false;
    const publishing = (async () => {
      for (let number = 0; !stop; number += 1) {
        await sensor.publish("plant/sensor-1/count", `n${number}`);
        sent.push(`n${number}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    await deployment.deploy(props(), grown);
    stop = true;
    await publishing;
    await until("every message has come", () => dashboard.messages.length >= sent.length);

    expect(dashboard.payloads).toEqual(sent);
    expect(dashboard.disconnects + sensor.disconnects).toBe(0);
    expect((await inspect(deployment.name)).Id).toBe(containerId);
    expect(sent.length).toBeGreaterThan(50);

    const newcomer = await as("sensor-2");
    await newcomer.publish("plant/sensor-2/temperature", "hello from sensor-2");
    await until("the new client is heard", () => dashboard.payloads.includes("hello from sensor-2"));
    await dashboard.subscribe("shared/#");
    await sensor.publish("shared/state", "by the new rule");
    await until("the new rule counts", () => dashboard.payloads.includes("by the new rule"));
    expect(await refusal(oldPassword)).toMatch(/not authori[sz]ed|135|134/i);
    expect(await refusal(await deployment.bundle("operator"))).toBeUndefined();
    expect(await deployment.plan()).toMatchObject({ changes: false, failed: false });
  });

  test("another listener replaces the container and keeps retained messages and sessions", async () => {
    const sensor = await as("sensor-1");
    await sensor.publish("plant/sensor-1/state", "kept", { retain: true });
    await until("the message is there", () => dashboard.payloads.includes("kept"));
    await dashboard.close();
    await sensor.publish("plant/sensor-1/queued", "waiting");
    await sensor.close();

    await deployment.deploy(
      props([Listener.mutualTls({ port: otherPort }), Listener.passwordOverTls({ port: passwordPort })]),
      grown,
    );

    expect((await inspect(deployment.name)).Id).not.toBe(containerId);
    const bundle = await deployment.bundle("dashboard");
    expect(bundle.port).toBe(otherPort);
    const again = await as("dashboard", PERSISTENT);
    await again.subscribe("plant/sensor-1/state");
    await until("the queued and the retained message come", () =>
      ["waiting", "kept"].every((payload) => again.payloads.includes(payload)),
    );
    expect(await deployment.plan()).toMatchObject({ changes: false, failed: false });
  });

  test("the broker's log has no warning, and no error but of those whom each deploy tries and the broker refuses", async () => {
    const tried =
      /peer did not return a certificate|certificate verify failed|Client \S+.* disconnected: Protocol error/;
    const lines = (await logs(deployment.name)).split("\n").filter((line) => /warning|error/i.test(line));
    expect(lines.filter((line) => !tried.test(line))).toEqual([]);
  });

  test("a client that is no longer declared is refused, until it is declared again", async () => {
    const removed = await deployment.bundle("sensor-2");
    const listeners = [Listener.mutualTls({ port: otherPort }), Listener.passwordOverTls({ port: passwordPort })];
    await deployment.deploy(props(listeners), withoutSensor2);
    expect(await refusalByBroker(removed)).toMatch(/revoked/i);
    expect(await refusal(await deployment.bundle("sensor-1"))).toBeUndefined();
    await deployment.deploy(props(listeners), grown);
    expect(await refusal(removed)).toBeUndefined();
  });

  test("destroy leaves nothing", async () => {
    await deployment.destroy();
    expect(await deployment.leftovers()).toEqual([]);
  });
});
