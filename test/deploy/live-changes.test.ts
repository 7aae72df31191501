import * as fs from "node:fs";
import * as path from "node:path";
import { PERSISTENT, refusal, Session } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { inspect } from "../support/docker";
import { Project } from "../support/project";

jest.setTimeout(180_000);

const OPERATOR = `broker.addClient("operator", { authentication: Authentication.password(), publish: ["plant/#"] });`;

// Of all others, that nothing is lost so is shown by the test of each kind of change.
describe("a broker of Mosquitto 2.0 with liveChanges: false", () => {
  let plant: Project;
  let containers: string[];

  beforeAll(async () => {
    plant = await Project.withTwoListeners({
      image: "2.0.21",
      credentials: `CredentialStore.folder("credentials/prod")`,
      props: [`liveChanges: false,`, `limits: { persistentClientExpirationDays: 7 },`],
      clients: [`broker.addClient("sensor-1", { subscribe: ["plant/#"] });`, OPERATOR],
    });
    await plant.mustSh("npx cdktf deploy prod");
    const sensor = await Session.open(await plant.bundle("sensor-1"), PERSISTENT);
    await sensor.subscribe("plant/#");
    await sensor.close();
    containers = [await startOf(plant.name)];
  });
  afterAll(() => plant.remove());

  /** Whether what is published now reaches the sensor, which is away. */
  async function reachesWhoIsAway(payload: string): Promise<void> {
    const operator = await Session.open(await plant.bundle("operator"));
    await operator.publish("plant/a", payload);
    await operator.close();
    const sensor = await Session.open(await plant.bundle("sensor-1"), PERSISTENT);
    expect(sensor.resumed).toBe(true);
    await until(`the sensor has ${payload}`, () => sensor.payloads.includes(payload));
    await sensor.close();
  }

  /** @returns that the broker was started since it was last looked at */
  async function isStartedAnew(): Promise<boolean> {
    const started = await startOf(plant.name);
    const isAnew = !containers.includes(started);
    containers.push(started);
    return isAnew;
  }

  test("is replaced at a change, and then keeps what is published for a client that is away", async () => {
    plant.declare(`-${OPERATOR}\n+${OPERATOR}\n+broker.addClient("panel", { subscribe: ["plant/#"] });`);
    await plant.mustSh("npx cdktf deploy prod");
    expect(await isStartedAnew()).toBe(true);
    await reachesWhoIsAway("after a change");
    expect(await refusal(await plant.bundle("panel"))).toBeUndefined();
    expect(await plant.mustSh("npx cdktf diff prod")).toMatch(/No changes/);
    expect(await isStartedAnew()).toBe(false);
  });

  test("comes back on what it had where it would not run on the change", async () => {
    plant.declare(`-${OPERATOR}\n+${OPERATOR}\n+broker.addClient("gauge", { subscribe: ["plant/#"] });`);
    await plant.mustSh("npx cdktf diff prod");
    const list = path.join(plant.stackFolder, "material", plant.name, "crl.pem");
    const good = fs.readFileSync(list);
    fs.writeFileSync(list, "none\n");
    const { code, stderr } = await plant.sh(`cd ${plant.stackFolder} && terraform apply -auto-approve -input=false`);
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/the broker does not run on set/) as string,
    });
    await reachesWhoIsAway("after a change that was refused");
    expect(await refusal(await plant.bundle("panel"))).toBeUndefined();
    fs.writeFileSync(list, good);
    await plant.mustSh("npx cdktf deploy prod");
    expect(await refusal(await plant.bundle("gauge"))).toBeUndefined();
    expect(await isStartedAnew()).toBe(true);
    await reachesWhoIsAway("after it was mended");
    expect(await plant.mustSh("npx cdktf diff prod")).toMatch(/No changes/);
  });

  test("is restarted by a rollback, too", async () => {
    expect(await plant.mustSh("npx cdktf-mosquitto rollback prod")).toMatch(/set [0-9a-f]{16} is live/);
    expect(await isStartedAnew()).toBe(true);
    await until("it is there", async () => (await refusal(await plant.bundle("operator"))) === undefined);
    await reachesWhoIsAway("after a rollback");
  });
});

async function startOf(name: string): Promise<string> {
  return (await inspect(name)).State.StartedAt;
}
