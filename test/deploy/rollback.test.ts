import { refusal, Session } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { Version, versions } from "../support/deployment";
import { inspect } from "../support/docker";
import { Project } from "../support/project";
import { refusalByBroker } from "../support/refusals";
import { Runbook } from "../support/runbook";

jest.setTimeout(180_000);

const RULES = `publish: ["plant/#"], subscribe: ["plant/#"]`;
const SENSOR = `broker.addClient("sensor-1", { ${RULES} });`;
const OPERATOR = `broker.addClient("operator", { authentication: Authentication.password(), publish: ["plant/#"] });`;

const declared = (image: Version): Promise<Project> =>
  Project.withTwoListeners({
    image,
    credentials: `CredentialStore.folder("credentials/prod")`,
    clients: [SENSOR, OPERATOR],
  });

describe.each(versions)("rollback on Mosquitto %s", (version) => {
  let plant: Project;
  let sensor: Session;
  let containerId: string;

  /** @returns what standard error says of why not, on one line */
  async function refused(args = ""): Promise<string> {
    const before = await live();
    const { code, stderr } = await plant.sh(`npx cdktf-mosquitto rollback prod ${args}`);
    expect(code).toBe(1);
    expect(await live()).toBe(before);
    return stderr;
  }
  const live = (): Promise<string> => plant.mustSh("docker exec prod-broker readlink /mosquitto/config/live");
  const hears = async (payload: string): Promise<boolean> => {
    await sensor.publish("plant/a", payload).catch(() => undefined);
    await sensor.publish("plant/end", payload);
    await until("an answer", () => sensor.messages.some((one) => one.topic === "plant/end" && one.payload === payload));
    return sensor.messages.some((one) => one.topic === "plant/a" && one.payload === payload);
  };

  beforeAll(async () => {
    plant = await declared(version);
    await plant.mustSh("npx cdktf deploy prod");
    containerId = (await inspect(plant.name)).Id;
    sensor = await Session.open(await plant.bundle("sensor-1"));
    await sensor.subscribe("plant/#");
  });
  afterAll(async () => {
    await sensor?.close(true);
    await plant?.remove();
  });

  test("has no way before there was a second set, and says what to do instead", async () => {
    expect(await refused()).toMatch(/there is no set before [0-9a-f]{16} .*remedy: .*npx cdktf deploy prod/);
  });

  test("puts the broker back on the rules before, under open connections", async () => {
    const first = await live();
    plant.declare(`-${SENSOR}\n+${SENSOR.replace("] });", `], deny: ["plant/a"] });`)}`);
    await plant.mustSh("npx cdktf deploy prod");
    const second = await live();
    expect(second).not.toBe(first);
    expect(await hears("closed by a mistake")).toBe(false);
    const shown = await plant.mustSh("npx cdktf-mosquitto rollback prod --dry-run");
    expect(shown).toMatch(
      /^prod\/broker \(.*\nSET .*\n[0-9a-f]{16} +live +20.*\n[0-9a-f]{16} +before +20.*\nit can be rolled back: npx/m,
    );
    expect(await live()).toBe(second);

    const page = new Runbook("A deploy that was a mistake", plant);
    expect(await page.mustNext()).toMatch(
      /set [0-9a-f]{16} is live[^]*the next deploy makes live what is declared then/,
    );
    expect(await live()).toBe(first);
    expect(await hears("open again")).toBe(true);
    expect(sensor.disconnects).toBe(0);
    expect((await inspect(plant.name)).Id).toBe(containerId);
    page.end();
  });

  test("is seen by the next plan, cannot be repeated, and ends with the next deploy", async () => {
    const before = await live();
    expect(await plant.mustSh("npx cdktf diff prod")).toMatch(
      /reloader.* will be created[^]*Plan: \d+ to add, 0 to change/,
    );
    expect(await refused()).toMatch(/was rolled back already.*npx cdktf deploy prod/);
    await plant.mustSh("npx cdktf deploy prod");
    expect(await live()).not.toBe(before);
    expect(await hears("closed, as declared")).toBe(false);
    expect(sensor.disconnects).toBe(0);
    expect(await plant.mustSh("npx cdktf diff prod")).toMatch(/No changes/);
  });

  if (version !== "2.0.21") return;

  test("has its way back also after the reloader's container was taken away and made again", async () => {
    await plant.mustSh("docker rm prod-broker-reloader");
    expect(await refused()).toMatch(/or somebody took it away/);
    await plant.mustSh("npx cdktf deploy prod");
    expect(await plant.mustSh("npx cdktf-mosquitto rollback prod --dry-run")).toMatch(/it can be rolled back/);
  });

  test("refuses to let anybody in again who was shut out meanwhile, and names who", async () => {
    const [thief, guesser] = await Promise.all([plant.bundle("sensor-1"), plant.bundle("operator")]);
    await plant.mustSh("npx cdktf-mosquitto revoke prod sensor-1");
    plant.declare(`-${OPERATOR}\n+${OPERATOR.replace("] });", "], credentialVersion: 2 });")}`);
    await plant.mustSh("npx cdktf deploy prod");
    const why = await refused();
    expect(why).toMatch(
      /certificate [0-9A-F]{32} of sensor-1, operator with a password that has ended; nothing was done/,
    );
    const { stdout, code } = await plant.sh("npx cdktf-mosquitto rollback prod --json");
    expect({ code, answer: JSON.parse(stdout) as unknown }).toMatchObject({
      code: 1,
      answer: { rolled_back: false, readmits: [/./, /./].map((one) => expect.stringMatching(one) as string) },
    });
    expect(await refusalByBroker(thief)).toMatch(/revoked/i);

    const answer = JSON.parse(await plant.mustSh("npx cdktf-mosquitto rollback prod --readmit --json")) as object;
    expect(answer).toMatchObject({ broker: "prod/broker", rolled_back: true });
    expect(await refusal(thief)).toBeUndefined();
    expect(await refusal(guesser)).toBeUndefined();
    await plant.mustSh("npx cdktf deploy prod");
    expect(await refusalByBroker(thief)).toMatch(/revoked/i);
    expect(await refusal(guesser)).toMatch(/not authori[sz]ed|135|134/i);
  });

  test("refuses a set of another container, and a broker that does not run", async () => {
    plant.declare("+sysInterval: 20,");
    await plant.mustSh("npx cdktf deploy prod");
    expect(await refused()).toMatch(
      /is of another container of the broker.*remedy: deploy the declaration from before/,
    );
    await plant.mustSh("docker stop prod-broker");
    const { code, stderr } = await plant.sh("npx cdktf-mosquitto rollback prod");
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/does not run, .*docker start/) as string,
    });
    const usage = await plant.sh("npx cdktf-mosquitto rollback prod --broker prod/other");
    expect(usage).toMatchObject({ code: 2, stderr: expect.stringMatching(/allowed: prod\/broker/) as string });
  });
});
