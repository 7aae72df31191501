import * as fs from "node:fs";
import * as path from "node:path";
import { ConnectionBundle } from "../../constructs";
import { PERSISTENT, refusal, Session } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { mustRun } from "../support/command";
import { images } from "../support/deployment";
import { inspect, leftovers } from "../support/docker";
import { Engine } from "../support/engine";
import { Project } from "../support/project";
import { Runbook } from "../support/runbook";
import { freePorts } from "../support/workspace";

jest.setTimeout(240_000);

const VERIFY = "npx cdktf-mosquitto verify prod";

/** What waits for a client that is away, and what is retained, through all that these pages do to a broker. */
describe("the runbook for", () => {
  const second = new Engine();
  let plant: Project;
  let image: string;

  beforeAll(async () => {
    await second.connect();
    image = images["2.0.21"]().name;
    const [port] = await freePorts(1);
    plant = new Project({
      props: [
        `hosts: ["localhost"],`,
        `listeners: [Listener.mutualTls({ port: ${port} })],`,
        `credentials: CredentialStore.folder("credentials/prod"),`,
        `image: MosquittoImage.named("eclipse-mosquitto:2.0.22", "2.0.22"),`,
        `dockerHost: "ssh://deploy@old.plant.example",`,
      ],
      clients: [
        `broker.addClient("sensor-1", { publish: ["plant/#"] });`,
        `broker.addClient("dashboard", { subscribe: ["plant/#"] });`,
      ],
      replacements: [
        [`"eclipse-mosquitto:2.0.22", "2.0.22"`, `${JSON.stringify(image)}, "2.0.21"`],
        [`"eclipse-mosquitto:2.1.2", "2.1.2"`, `${JSON.stringify(images["2.1.2"]().name)}, "2.1.2"`],
        ["ssh://deploy@old.plant.example", process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock"],
        ["ssh://deploy@new.plant.example", second.host],
      ],
    });
    await plant.mustSh("npx cdktf deploy prod");
    await leaveMessages();
  });
  afterAll(async () => {
    await plant?.remove();
    await second.remove();
  });

  /** One is retained, one waits for the dashboard, which is away. */
  async function leaveMessages(): Promise<void> {
    const dashboard = await Session.open(await plant.bundle("dashboard"), PERSISTENT);
    await dashboard.subscribe("plant/#");
    await dashboard.close();
    const sensor = await Session.open(await plant.bundle("sensor-1"));
    await sensor.publish("plant/state", "retained", { retain: true });
    await sensor.publish("plant/event", "queued");
    await sensor.close();
  }

  /** Fetched by a bundle that may be older than the broker. */
  async function expectMessages(bundle: ConnectionBundle): Promise<void> {
    const dashboard = await Session.open(bundle, PERSISTENT);
    await until("what was queued comes", () => dashboard.payloads.includes("queued"));
    await dashboard.client.unsubscribeAsync("plant/#");
    await dashboard.subscribe("plant/#");
    await until("what was retained comes", () => dashboard.payloads.filter((one) => one === "retained").length > 1);
    await dashboard.close();
  }

  test("another version of Mosquitto keeps sessions and messages, and so does the way back", async () => {
    const page = new Runbook("Another version of Mosquitto", plant);
    const old = await plant.bundle("dashboard");
    expect(await page.mustNext()).toMatch(/\d+ checks, 0 surprises/);
    expect(await page.mustNext()).toMatch(/mosquitto version 2\.1\.2 (starting|running)/);
    await expectMessages(old);
    await leaveMessages();
    expect(await page.mustNext()).toMatch(/\d+ checks, 0 surprises/);
    expect(await plant.mustSh("docker exec prod-broker mosquitto -h || true")).toMatch(/mosquitto version 2\.0\.21/);
    await expectMessages(old);
    page.end();
  });

  test("backup and restore brings back credentials, sessions and messages on a host with nothing on it", async () => {
    const page = new Runbook("Backup and restore", plant);
    await leaveMessages();
    const old = await plant.bundle("dashboard");
    const { Id } = await inspect(plant.name);
    await page.mustNext();
    for (const file of ["prod.tar.gz", "prod-messages.tar"]) {
      expect(fs.statSync(path.join(plant.folder, "backup", file)).mode & 0o777).toBe(0o600);
    }
    expect((await inspect(plant.name)).Id).toBe(Id);
    await loseEverything();
    await page.mustNext();
    await until(
      "the broker lets clients in",
      async () => (await refusal(await plant.bundle("sensor-1"))) === undefined,
    );
    await expectMessages(old);
    expect(await page.mustNext()).toMatch(/\d+ checks, 0 surprises/);
    expect(await plant.mustSh("npx cdktf diff prod")).toMatch(/No changes/);
    page.end();
  });

  /** Fire, on the Docker host and where it is deployed from. */
  async function loseEverything(): Promise<void> {
    const { name } = plant;
    await mustRun("docker", ["rm", "-f", name, `${name}-writer`, `${name}-reloader`]);
    await mustRun("docker", ["volume", "rm", `${name}-config`, `${name}-data`]);
    await mustRun("docker", ["network", "rm", name]);
    for (const folder of ["credentials", "state", "cdktf.out"]) {
      fs.rmSync(path.join(plant.folder, folder), { recursive: true });
    }
  }

  test("another Docker host takes credentials, sessions and messages along, and leaves nothing on the old one", async () => {
    const page = new Runbook("Another Docker host", plant);
    await second.start();
    await second.bring(image);
    await leaveMessages();
    const old = await plant.bundle("dashboard");
    await plant.mustSh("npx cdktf-mosquitto bundle prod dashboard --no-note --format pem --out dashboard");
    await page.mustNext();
    await page.mustNext();
    const within = ["nsenter", `--net=/run/netns/${second.namespace}`];
    await until("the broker is there", async () => /\d+ checks, 0/.test((await plant.sh(VERIFY, { within })).stdout));
    expect((await plant.bundle("dashboard")).url).toBe(old.url);
    const files = ["-v", `${plant.folder}/dashboard:/d:ro`, "--entrypoint", "mosquitto_sub", image];
    const tls = ["--cafile", "/d/ca.crt", "--cert", "/d/client.crt", "--key", "/d/client.key"];
    const session = ["-i", "dashboard", "-c", "-q", "1", "-t", "plant/#", "-C", "3", "-W", "10"];
    const place = ["-h", "localhost", "-p", String(old.port)];
    const received = await mustRun("docker", [
      ...["-H", second.host, "run", "--rm", "--network", "host"],
      ...[...files, ...place, ...tls, ...session],
    ]);
    // What waited for it, and once more what is retained.
    expect(received.trim().split("\n").sort()).toEqual(["queued", "retained", "retained"]);
    expect(await page.mustNext({ within })).toMatch(/\d+ checks, 0 surprises/);
    expect(await plant.mustSh("npx cdktf diff prod")).toMatch(/No changes/);
    await page.mustNext();
    page.end();
    expect(await leftovers(plant.name)).toEqual([]);
  });
});
