import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { refusal, Session } from "../../tools/mqtt-session";
import { CredentialStore, Listener, MosquittoBroker, MosquittoImage } from "../../constructs";
import { mustRun } from "../support/command";
import { Deployment, images } from "../support/deployment";
import { inspect } from "../support/docker";
import { freePorts } from "../support/workspace";

jest.setTimeout(180_000);

const sensor = (broker: MosquittoBroker): void => {
  broker.addClient("sensor-1", { publish: ["plant/sensor-1/#"] });
};
const twoSensors = (broker: MosquittoBroker): void => {
  sensor(broker);
  broker.addClient("sensor-2", { publish: ["plant/sensor-2/#"] });
};

// What the broker itself has to say differs by its version, and is what the rehearsal's tests are about.
describe("a deploy that fails", () => {
  const version = "2.1.2";
  const deployment = new Deployment();
  let props: Parameters<Deployment["deploy"]>[0];
  let session: Session;
  let containerId: string;

  beforeAll(async () => {
    const [port] = (await freePorts(1)) as [number];
    props = { hosts: ["localhost"], listeners: [Listener.mutualTls({ port })], image: images[version]() };
    await deployment.deploy(props, sensor);
    containerId = (await inspect(deployment.name)).Id;
    session = await Session.open(await deployment.bundle("sensor-1"));
  });
  afterAll(async () => {
    await session.close(true);
    await deployment.remove();
  });

  /** Runs a shell in a container of its own that has the config volume. */
  function onConfigVolume(script: string): Promise<string> {
    const mount = `${deployment.name}-config:/mosquitto/config`;
    const image = images[version]().name;
    return mustRun("docker", [
      "run",
      "--rm",
      "--network",
      "none",
      "-v",
      mount,
      "--entrypoint",
      "/bin/sh",
      image,
      "-c",
      script,
    ]);
  }

  test("because the writer fails, says why, leaves the broker alone, and the next deploy retries", async () => {
    await onConfigVolume("cd /mosquitto/config && mv sets sets.aside && touch sets");
    deployment.synth(props, twoSensors);
    const failed = await deployment.apply();
    expect(failed.code).not.toBe(0);
    expect(failed.stdout + failed.stderr).toMatch(/mosquitto\/config\/sets.*(File exists|Not a directory)/);
    await session.publish("plant/sensor-1/a", "still here");

    await onConfigVolume("cd /mosquitto/config && rm sets && mv sets.aside sets");
    expect((await deployment.apply()).code).toBe(0);
    expect(await refusal(await deployment.bundle("sensor-2"))).toBeUndefined();
    expect(session.disconnects).toBe(0);
    expect((await deployment.plan()).changes).toBe(false);
  });

  test("because the broker does not answer as the new set says, goes back to the old set, and a good deploy succeeds", async () => {
    const live = async (): Promise<string> => (await onConfigVolume("readlink /mosquitto/config/live")).trim();
    const before = await live();
    deployment.synth(props, sensor);
    // A name that no certificate of this set carries, so that the proof cannot succeed.
    const material = path.join(deployment.stackFolder, "material", deployment.name);
    const file = path.join(material, "generation-host");
    const other = fs.readFileSync(file, "utf8").startsWith("generation-9.") ? 8 : 9;
    fs.writeFileSync(file, `generation-${other}.mosquitto.internal`);
    const failed = await deployment.apply();
    expect(failed.code).not.toBe(0);
    expect(failed.stdout + failed.stderr).toMatch(/did not take set [0-9a-f]{16}.*back on set [0-9a-f]{16}/s);
    expect(await live()).toBe(before);
    await session.publish("plant/sensor-1/a", "still here");

    await deployment.deploy(props, sensor);
    expect(await live()).not.toBe(before);
    expect(session.disconnects).toBe(0);
    expect((await inspect(deployment.name)).Id).toBe(containerId);
    expect((await deployment.plan()).changes).toBe(false);
  });

  test("after a prune of stopped containers converges without touching the broker", async () => {
    await mustRun("docker", ["rm", `${deployment.name}-writer`, `${deployment.name}-reloader`]);
    await deployment.deploy(props, sensor);
    expect((await inspect(deployment.name)).Id).toBe(containerId);
    expect(session.disconnects).toBe(0);
    expect((await deployment.plan()).changes).toBe(false);
  });
});

describe("a store that is not the one of the last deploy", () => {
  const deployment = new Deployment();
  let props: Parameters<Deployment["deploy"]>[0];

  beforeAll(async () => {
    const [port] = (await freePorts(1)) as [number];
    props = { hosts: ["localhost"], listeners: [Listener.mutualTls({ port })], image: images["2.1.2"]() };
    await deployment.deploy(props, sensor);
  });
  afterAll(() => deployment.remove());

  test("is refused at plan, with the remedy, because its authorities would lock every client out", async () => {
    const aside = `${deployment.storeFolder}.aside`;
    fs.renameSync(deployment.storeFolder, aside);
    deployment.synth(props, sensor);
    const plan = await deployment.plan();
    expect(plan.failed).toBe(true);
    expect(plan.text.replace(/[│\s]+/g, " ")).toMatch(/holds another authority.*Bring back the store/);

    fs.rmSync(deployment.storeFolder, { recursive: true });
    fs.renameSync(aside, deployment.storeFolder);
    deployment.synth(props, sensor);
    expect(await deployment.plan()).toMatchObject({ failed: false, changes: false });
  });

  test("and may not issue: the stack synthesises, refuses to plan and says how to issue, and can be destroyed", async () => {
    const never = CredentialStore.folder(path.join(deployment.folder, "absent"), { issue: "never" });
    deployment.synth(props, sensor, never);
    const plan = await deployment.plan();
    expect(plan.failed).toBe(true);
    expect(plan.text.replace(/[│\s]+/g, " ")).toMatch(/are not on this machine.*cdktf-mosquitto issue test/);
    expect(fs.existsSync(path.join(deployment.folder, "absent"))).toBe(false);
    await deployment.destroy();
    expect(await deployment.leftovers()).toEqual([]);
  });
});

test("an image with another Mosquitto in it than is declared fails the deploy, and says so", async () => {
  const deployment = new Deployment();
  try {
    const [port] = (await freePorts(1)) as [number];
    const image = MosquittoImage.named(images["2.0.21"]().name, "2.1.2");
    deployment.synth({ hosts: ["localhost"], listeners: [Listener.mutualTls({ port })], image }, sensor);
    const { code, stdout, stderr } = await deployment.apply();
    expect(code).not.toBe(0);
    // Terraform breaks lines.
    expect((stdout + stderr).replace(/\s+/g, " ")).toContain(
      "the image has Mosquitto 2.0 in it, and is declared with 2.1; declare its version",
    );
  } finally {
    await deployment.remove();
  }
});

test("a port that is taken fails the deploy with the port's number, and the next deploy succeeds", async () => {
  const deployment = new Deployment();
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  try {
    const props = { hosts: ["localhost"], listeners: [Listener.mutualTls({ port })], image: images["2.1.2"]() };
    deployment.synth(props, sensor);
    const failed = await deployment.apply();
    expect(failed.code).not.toBe(0);
    expect(failed.stdout + failed.stderr).toMatch(new RegExp(`${port}.*(in use|allocated)`, "s"));
    await new Promise((resolve) => server.close(resolve));
    expect((await deployment.apply()).code).toBe(0);
    expect(await refusal(await deployment.bundle("sensor-1"))).toBeUndefined();
  } finally {
    server.close();
    await deployment.remove();
  }
});
