import * as fs from "node:fs";
import * as path from "node:path";
import { ConnectionBundle } from "../../constructs";
import { refusal, Session } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { Version } from "../support/deployment";
import { inspect, logs } from "../support/docker";
import { Project, ProjectOptions } from "../support/project";
import { refusalByBroker } from "../support/refusals";
import { Runbook } from "../support/runbook";

jest.setTimeout(240_000);

const CLIENTS: ProjectOptions["clients"] = [
  `broker.addClient("sensor-1", { publish: ["plant/sensor-1/#"], subscribe: ["plant/sensor-1/commands"] });`,
  `broker.addClient("dashboard", { subscribe: ["plant/#"] });`,
  `broker.addClient("operator", { authentication: Authentication.password(), publish: ["plant/#"] });`,
];

const DAY = 24 * 60 * 60 * 1000;
/** What an authority is valid for by default; in the control authority's case, always. */
const LIFETIME = 3650;

const project = (image: Version, credentials: string, props: string[] = []): Promise<Project> =>
  Project.withTwoListeners({ image, credentials, props, clients: CLIENTS });

async function bundles(of: Project): Promise<Record<"sensor" | "dashboard" | "operator", ConnectionBundle>> {
  const [sensor, dashboard, operator] = await Promise.all(
    ["sensor-1", "dashboard", "operator"].map((name) => of.bundle(name)),
  );
  return { sensor, dashboard, operator } as Record<"sensor" | "dashboard" | "operator", ConnectionBundle>;
}

async function refusals(all: object): Promise<boolean[]> {
  return Promise.all(Object.values(all).map(async (bundle: ConnectionBundle) => (await refusal(bundle)) !== undefined));
}

async function retain(bundle: ConnectionBundle, payload: string): Promise<void> {
  const session = await Session.open(bundle);
  await session.publish("plant/kept", payload, { retain: true });
  await session.close();
}

const ALL_IN = [false, false, false];
const ALL_OUT = [true, true, true];

describe("the runbook for", () => {
  let plant: Project;
  /** Of which everything ends while the other pages are rehearsed. */
  let aged: Project;
  let dashboard: Session;
  let containerId: string;

  beforeAll(async () => {
    plant = await project("2.1.2", `CredentialStore.folder("credentials/prod")`);
    aged = await project(
      "2.0.21",
      `CredentialStore.sealed("credentials/prod", { passphrase: TextSource.file("passphrase"), issue: "whenMissing" })`,
      [`serverCertificate: { validityDays: ${LIFETIME} },`, `clientCertificates: { validityDays: ${LIFETIME} },`],
    );
    fs.writeFileSync(path.join(aged.folder, "passphrase"), "correct horse battery staple\n");
    // Node's clock alone: what is issued now is as old as it will be at its end.
    const clock = path.join(aged.folder, "clock.cjs");
    fs.writeFileSync(
      clock,
      `const Now = Date, shift = ${70_000 - LIFETIME * DAY};
      globalThis.Date = class extends Now {
        constructor(...args) { if (args.length === 0) super(Now.now() + shift); else super(...args); }
        static now() { return Now.now() + shift; }
      };`,
    );
    await aged.mustSh("npx cdktf deploy prod", { env: { NODE_OPTIONS: `--require ${clock}` } });
    const { operator } = await bundles(aged);
    await retain(operator, "from before the end");

    await plant.mustSh("npx cdktf deploy prod");
    containerId = (await inspect(plant.name)).Id;
    dashboard = await Session.open((await bundles(plant)).dashboard);
    await dashboard.subscribe("plant/#");
  });
  afterAll(async () => {
    await dashboard?.close(true);
    await Promise.all([plant?.remove(), aged?.remove()]);
  });

  async function expectUndisturbed(): Promise<void> {
    expect(dashboard.disconnects).toBe(0);
    expect((await inspect(plant.name)).Id).toBe(containerId);
  }

  test("a stolen device shuts out its thief, and lets in the device that comes instead", async () => {
    const page = new Runbook("Stolen device", plant);
    const { sensor: stolen } = await bundles(plant);
    const thief = await Session.open(stolen);
    await page.mustNext();
    await until("the thief is disconnected", () => thief.disconnects > 0);
    expect(await refusalByBroker(stolen)).toMatch(/revoked/i);
    const said = await page.next();
    expect(said.stdout + said.stderr).toContain("the session of an ended certificate of sensor-1 is closed");
    expect(said.stdout).toMatch(/revoked +client certificate \w+ of sensor-1 +keyCompromise/);
    expect(await page.mustNext()).toContain("bundles/sensor-1/client.key");
    expect(await refusal((await bundles(plant)).sensor)).toBeUndefined();
    await expectUndisturbed();
    page.end();
  });

  test("a stolen server key replaces it under open connections, and every old bundle still connects", async () => {
    const page = new Runbook("Stolen server key", plant);
    const { sensor, operator } = await bundles(plant);
    expect(await page.mustNext()).toMatch(/\d+ checks, 0 surprises/);
    expect(await refusals([sensor, operator])).toEqual([false, false]);
    await expectUndisturbed();
    page.end();
  });

  test("a stolen authority key, or a stolen store, shuts out all that the thief could make with it", async () => {
    const page = new Runbook("Stolen authority key, or stolen store", plant);
    const stolen = await bundles(plant);
    await retain(stolen.operator, "retained");
    const thief = await Session.open(stolen.sensor);
    // The passwords end, the new authorities are trusted, then they issue.
    for (let step = 0; step < 3; step += 1) await page.mustNext();
    await expectUndisturbed();
    await page.mustNext();
    await until("the thief is disconnected", () => thief.disconnects > 0);
    expect(await page.mustNext()).toMatch(/\d+ checks, 0 surprises[^]*bundles\/all\/sensor-1\/connection.json/);
    const bundle = (client: string): ConnectionBundle =>
      JSON.parse(
        fs.readFileSync(path.join(plant.folder, "bundles/all", client, "connection.json"), "utf8"),
      ) as ConnectionBundle;
    expect(await refusals(stolen)).toEqual(ALL_OUT);
    expect(await refusals(["sensor-1", "dashboard", "operator"].map(bundle))).toEqual(ALL_IN);
    // Nobody would be led astray by a broker whose certificate the stolen authority has signed.
    expect(await refusal({ ...bundle("dashboard"), ca_pem: stolen.dashboard.ca_pem as string })).toMatch(/certificate/);
    await expectKept(plant, "retained");
    page.end();
  });

  async function expectKept(of: Project, payload: string): Promise<void> {
    const session = await Session.open((await bundles(of)).dashboard);
    await session.subscribe("plant/#");
    await until("the retained message comes", () => session.payloads.includes(payload));
    await session.close();
  }

  async function startAgain(of: Project, kept: string): Promise<void> {
    const page = new Runbook("Lost store", of);
    const before = await bundles(of);
    const status = await page.next();
    expect(status.stdout).toMatch(/as deployed, from Terraform's outputs[^]*next action 20/);
    expect(await refusals(before)).toEqual(ALL_IN);
    await page.mustNext();
    expect(await page.mustNext()).toMatch(/\d+ checks, 0 surprises[^]*bundles\/new\/sensor-1\//);
    expect(await refusals(before)).toEqual(ALL_OUT);
    expect(await refusals(await bundles(of))).toEqual(ALL_IN);
    await expectKept(of, kept);
    expect(await of.mustSh("npx cdktf diff prod")).toMatch(/No changes/);
    page.end();
  }

  test("a lost store goes on with a new one, on the same messages", async () => {
    fs.rmSync(path.join(plant.folder, "credentials", "prod"), { recursive: true });
    const refused = await plant.sh("npx cdktf diff prod");
    expect((refused.stdout + refused.stderr).replace(/\s+/g, " ")).toMatch(
      /holds another authority .* see docs\/runbooks\.md, Lost store/,
    );
    fs.rmSync(path.join(plant.folder, "credentials", "prod"), { recursive: true });
    await startAgain(plant, "retained");
  });

  test("everything that has ended lets every client in again by its new bundle, on the same messages", async () => {
    const page = new Runbook("Everything has ended", aged);
    const old = await bundles(aged);
    const end = Date.parse(old.dashboard.expires_at as string);
    await until("everything has ended", () => Date.now() > end, 120);
    expect(await refusals(old)).toEqual(ALL_OUT);
    const said = await aged.sh("npx cdktf deploy prod");
    expect(said.code).not.toBe(0);
    expect(said.stderr).toContain("{ trusted: [2], issuing: 2 }");
    // As the engine asks it every 30 seconds.
    const health = await aged.sh("docker exec prod-broker sh /mosquitto/config/live/healthcheck.sh");
    expect(health.code).not.toBe(0);
    await until("its log says so", async () => /certificate (has )?expired/.test(await logs(aged.name)));
    expect(await page.mustNext()).toMatch(/\d+ checks, 0 surprises[^]*bundles\/next\/sensor-1\//);
    expect(await refusals(await bundles(aged))).toEqual(ALL_IN);
    await expectKept(aged, "from before the end");
    page.end();
  });

  test("a lost passphrase of a sealed store goes on with a new store and passphrase", async () => {
    const page = new Runbook("Lost passphrase of a sealed store", aged);
    fs.writeFileSync(path.join(aged.folder, "passphrase"), "that is not what it was\n");
    expect((await aged.sh("npx cdktf diff prod")).stderr).toMatch(/passphrase/);
    await page.mustNext();
    page.end();
    await startAgain(aged, "from before the end");
  });
});
