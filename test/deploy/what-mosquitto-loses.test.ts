import { IClientOptions } from "mqtt";
import { PERSISTENT, Session } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { Authentication, Listener, MosquittoBroker } from "../../constructs";
import { mustRun } from "../support/command";
import { Deployment, images, versions } from "../support/deployment";
import { freePorts } from "../support/workspace";

jest.setTimeout(180_000);

/** Seconds of a will's delay, in which a deploy is done even on a loaded machine. */
const DELAY = 40;

// What no configuration of the broker keeps: the guides have to say it.
describe.each(versions)("Mosquitto %s", (version) => {
  const deployment = new Deployment();
  let ports: number[];

  const deploy = (isThere: boolean): Promise<void> =>
    deployment.deploy(
      {
        hosts: ["localhost"],
        listeners: [
          Listener.mutualTls({ port: ports[0] as number }),
          Listener.passwordOverTls({ port: ports[1] as number }),
        ],
        image: images[version](),
        extraConfig: ["check_retain_source true"],
        liveChanges: true,
      },
      (broker: MosquittoBroker) => {
        broker.addClient("writer", { publish: ["plant/#"] });
        broker.addClient("member", { subscribe: ["$share/group/plant/#"] });
        broker.addClient("reader", { subscribe: ["plant/#", "will/#"] });
        broker.addClient("by-certificate", { publish: ["will/#"] });
        broker.addClient("by-password", { authentication: Authentication.password(), publish: ["will/#"] });
        if (isThere) broker.addClient("removed", { publish: ["plant/#", "will/#"] });
      },
    );
  const as = async (name: string, options: IClientOptions = {}): Promise<Session> =>
    Session.open(await deployment.bundle(name), options);
  const willOf = (name: string, willDelayInterval: number): IClientOptions => ({
    ...PERSISTENT,
    will: {
      topic: `will/${name}`,
      payload: Buffer.from(name),
      qos: 1,
      retain: false,
      properties: { willDelayInterval },
    },
  });

  beforeAll(async () => {
    ports = await freePorts(2);
    await deploy(true);
  });
  afterAll(() => deployment.remove());

  test("forgets at a restart that a session shares a subscription, until it subscribes again", async () => {
    const before = await as("member", PERSISTENT);
    await before.subscribe("$share/group/plant/#");
    await before.close();
    await mustRun("docker", ["restart", "--time", "30", deployment.name]);
    let writer: Session | undefined;
    await until("the broker is back", async () => {
      writer = await as("writer").catch(() => undefined);
      return writer !== undefined;
    });
    await writer?.publish("plant/a", "to nobody");
    const member = await as("member", PERSISTENT);
    expect(member.resumed).toBe(true);
    await member.subscribe("$share/group/plant/#");
    await writer?.publish("plant/a", "to the group");
    await until("the member has it", () => member.payloads.includes("to the group"));
    expect(member.payloads).not.toContain("to nobody");
    await Promise.all([member.close(), writer?.close()]);
  });

  test("drops, when it reads a change, the delayed will of a client by certificate, and the will of one that it throws out", async () => {
    const reader = await as("reader");
    await reader.subscribe("will/#");
    const removed = await as("removed", willOf("removed", 0));
    await removed.publish("plant/removed", "by one who is removed", { retain: true });
    for (const name of ["by-certificate", "by-password"]) {
      const { client } = await as(name, willOf(name, DELAY));
      client.stream.destroy();
    }
    await deploy(false);
    expect(removed.disconnects).toBe(1);
    // Its delay began last.
    await until("the other will comes", () => reader.payloads.includes("by-password"), 2 * DELAY);
    expect(reader.payloads).toEqual(["by-password"]);
    expect(reader.disconnects).toBe(0);
    await reader.close();
  });

  test("delivers no retained message of a client that was removed, where check_retain_source is true", async () => {
    const writer = await as("writer");
    await writer.publish("plant/writer", "by one who is there", { retain: true });
    const reader = await as("reader");
    await reader.subscribe("plant/#");
    await writer.publish("plant/end", "the last");
    await until("the last comes", () => reader.payloads.includes("the last"));
    expect(reader.payloads).toEqual(["by one who is there", "the last"]);
    await Promise.all([reader.close(), writer.close()]);
  });
});
