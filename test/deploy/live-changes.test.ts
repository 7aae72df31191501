import * as fs from "node:fs";
import * as path from "node:path";
import { PERSISTENT, refusal, Session } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { images, Version } from "../support/deployment";
import { inspect } from "../support/docker";
import { Project } from "../support/project";

jest.setTimeout(240_000);

const OPERATOR = `broker.addClient("operator", { authentication: Authentication.password(), publish: ["plant/#"] });`;

/** A plant on Mosquitto 2.0 with a sensor that is away, and one who writes to it. */
class Plant {
  private constructor(
    readonly project: Project,
    private started: string,
  ) {}

  static async deployed(...props: string[]): Promise<Plant> {
    const project = await Project.withTwoListeners({
      image: "2.0.21",
      credentials: `CredentialStore.folder("credentials/prod")`,
      props,
      clients: [`broker.addClient("sensor-1", { subscribe: ["plant/#"] });`, OPERATOR],
    });
    try {
      await project.mustSh("npx cdktf deploy prod");
      const sensor = await Session.open(await project.bundle("sensor-1"), PERSISTENT);
      await sensor.subscribe("plant/#");
      await sensor.close();
      return new Plant(project, (await inspect(project.name)).State.StartedAt);
    } catch (error) {
      await project.remove();
      throw error;
    }
  }

  async deploy(): Promise<void> {
    await this.project.mustSh("npx cdktf deploy prod");
  }

  addClient(name: string): void {
    this.project.declare(`-${OPERATOR}\n+${OPERATOR}\n+broker.addClient("${name}", { subscribe: ["plant/#"] });`);
  }

  /** Deploys with a revocation list that is none, brought in behind the back of all that would find it. */
  async deployWithBrokenList(): Promise<void> {
    const { stackFolder, name } = this.project;
    await this.project.mustSh("npx cdktf diff prod");
    const list = path.join(stackFolder, "material", name, "crl.pem");
    const good = fs.readFileSync(list);
    fs.writeFileSync(list, "none\n");
    const terraform = process.env.TERRAFORM_BINARY_NAME ?? "terraform";
    const { code, stderr } = await this.project.sh(
      `cd ${stackFolder} && ${terraform} apply -auto-approve -input=false -no-color`,
    );
    fs.writeFileSync(list, good);
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/the broker does not run on set[^]*restarted on what it had before/) as string,
    });
  }

  /** Whether the broker was started since this was asked the last time. */
  async isStartedAnew(): Promise<boolean> {
    const before = this.started;
    this.started = (await inspect(this.project.name)).State.StartedAt;
    return this.started !== before;
  }

  /** Whether what is published now waits for the sensor, which is away. */
  async reachesWhoIsAway(payload: string): Promise<boolean> {
    const operator = await Session.open(await this.project.bundle("operator"));
    await operator.publish("plant/a", payload);
    const sensor = await Session.open(await this.project.bundle("sensor-1"), PERSISTENT);
    expect(sensor.resumed).toBe(true);
    // What waits is delivered before it.
    await operator.publish("plant/a", "the last");
    await operator.close();
    await until("the last has come", () => sensor.payloads.includes("the last"));
    await sensor.close();
    return sensor.payloads.includes(payload);
  }

  async hasNothingToDo(): Promise<boolean> {
    return /No changes/.test(await this.project.mustSh("npx cdktf diff prod"));
  }
}

describe("a broker of Mosquitto 2.0 with liveChanges: false", () => {
  let plant: Plant;

  beforeAll(async () => {
    plant = await Plant.deployed(`liveChanges: false,`);
  });
  afterAll(() => plant?.project.remove());

  test("is replaced at a change, and then keeps what is published for a client that is away", async () => {
    plant.addClient("panel");
    await plant.deploy();
    expect(await plant.isStartedAnew()).toBe(true);
    expect(await plant.reachesWhoIsAway("after a change")).toBe(true);
    expect(await refusal(await plant.project.bundle("panel"))).toBeUndefined();
    expect(await plant.hasNothingToDo()).toBe(true);
    expect(await plant.isStartedAnew()).toBe(false);
  });

  test("comes back on what it had where it would not run on the change", async () => {
    plant.addClient("gauge");
    await plant.deployWithBrokenList();
    expect(await plant.isStartedAnew()).toBe(true);
    expect(await plant.reachesWhoIsAway("after a change that was refused")).toBe(true);
    expect(await refusal(await plant.project.bundle("panel"))).toBeUndefined();
    await plant.deploy();
    expect(await refusal(await plant.project.bundle("gauge"))).toBeUndefined();
    expect(await plant.isStartedAnew()).toBe(true);
    expect(await plant.reachesWhoIsAway("after it was mended")).toBe(true);
    expect(await plant.hasNothingToDo()).toBe(true);
  });

  test("is not rolled back, because that would be a change under its clients", async () => {
    const { code, stderr } = await plant.project.sh("npx cdktf-mosquitto rollback prod");
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/liveChanges: false.*nothing was done; remedy: deploy/) as string,
    });
    expect(await plant.isStartedAnew()).toBe(false);
    expect(await plant.reachesWhoIsAway("after a rollback that was refused")).toBe(true);
  });

  test("is restarted when that is declared no more, and then reads changes while it runs", async () => {
    plant.project.declare(`-liveChanges: false,\n+liveChanges: true,`);
    await plant.deploy();
    expect(await plant.isStartedAnew()).toBe(true);
    expect(await plant.hasNothingToDo()).toBe(true);
    expect(await plant.reachesWhoIsAway("after the restart")).toBe(true);
    plant.addClient("meter");
    await plant.deploy();
    expect(await plant.isStartedAnew()).toBe(false);
    // Which the guide says.
    expect(await plant.reachesWhoIsAway("after a change under the running broker")).toBe(false);
  });
});

describe("a broker of Mosquitto 2.0 whose container is replaced while mosquitto.conf stays the same", () => {
  let plant: Plant;

  beforeAll(async () => {
    plant = await Plant.deployed();
  });
  afterAll(() => plant?.project.remove());

  test("starts on the new set, and keeps what is published for a client that is away", async () => {
    plant.project.declare(`-hosts: ["localhost"],\n+hosts: ["localhost", "one.example"],`);
    await plant.deploy();
    expect(await plant.isStartedAnew()).toBe(true);
    expect(await plant.reachesWhoIsAway("after a name more")).toBe(true);
    expect(await plant.hasNothingToDo()).toBe(true);
  });

  test("is there, on what it had before, where it would not run on the new set", async () => {
    plant.project.declare(`-"one.example"\n+"one.example", "other.example"`);
    await plant.deployWithBrokenList();
    expect(await plant.isStartedAnew()).toBe(true);
    expect(await plant.reachesWhoIsAway("after a change that was refused")).toBe(true);
    // The first one takes it over to its own mosquitto.conf, as it says.
    const { stderr } = await plant.project.sh("npx cdktf deploy prod");
    expect(stderr).toMatch(/deploy once more/);
    await plant.deploy();
    expect(await plant.hasNothingToDo()).toBe(true);
    expect(await plant.reachesWhoIsAway("after it was mended")).toBe(true);
  });

  test("is there, with its messages, also where the image has another Mosquitto in it than is declared", async () => {
    const image = (version: Version): string =>
      `image: MosquittoImage.named(${JSON.stringify(images[version]().name)}, "2.0.21"),`;
    plant.project.declare(`-${image("2.0.21")}\n+${image("2.1.2")}`);
    const { code, stderr } = await plant.project.sh("npx cdktf deploy prod");
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /has Mosquitto 2\.1 in it,\s+and\s+is\s+declared\s+with\s+2\.0;\s+declare/,
      ) as string,
    });
    expect(await plant.isStartedAnew()).toBe(true);
    expect(await plant.reachesWhoIsAway("after an image that was refused")).toBe(true);
  });
});
