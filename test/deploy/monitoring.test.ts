import { connect } from "node:tls";
import { PERSISTENT, refusal, Session } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { ConnectionBundle, KeyAlgorithm } from "../../constructs";
import { issueAuthority } from "../../constructs/pki";
import { images, versions } from "../support/deployment";
import { Project } from "../support/project";
import { Runbook } from "../support/runbook";
import { freePorts } from "../support/workspace";

jest.setTimeout(180_000);

const GUIDE = "monitoring.md";
const MAXIMUM = 6;
const DAY = 24 * 60 * 60 * 1000;

describe.each(versions)("what the guide to monitoring says to watch, on Mosquitto %s,", (version) => {
  let plant: Project;
  let monitoring: Session;
  const open: Session[] = [];

  /** What a figure of the broker is now. */
  const figure = (name: string): number => {
    const all = monitoring.messages.filter(({ topic }) => topic === `$SYS/broker/${name}`);
    return parseFloat(all.at(-1)?.payload ?? "NaN");
  };
  const session = async (client: string, options = {}): Promise<Session> => {
    const one = await Session.open(await plant.bundle(client), options);
    open.push(one);
    return one;
  };
  /** Takeovers, connections that found the listener full, and refusals, in the last minute. */
  const inLog = async (): Promise<number[]> => {
    const page = new Runbook("Reading the sources", plant, GUIDE);
    await page.next();
    return (await page.mustNext()).trim().split("\n").map(Number);
  };

  beforeAll(async () => {
    const [port] = await freePorts(1);
    plant = new Project({
      props: [
        `hosts: ["localhost"],`,
        `listeners: [Listener.mutualTls({ port: ${port}, maxConnections: ${MAXIMUM} })],`,
        `image: MosquittoImage.named(${JSON.stringify(images[version]().name)}, "${version}"),`,
        `credentials: CredentialStore.folder("credentials/prod"),`,
        `limits: { maxQueuedMessages: 1, maxInflightMessages: 1 }, sysInterval: 1,`,
        `serverCertificate: { validityDays: 10, renewBeforeDays: 3 },`,
      ],
      clients: [
        `broker.addClient("sensor-1", { publish: ["plant/#"] });`,
        `broker.addClient("dashboard", { subscribe: ["plant/#"] });`,
        `broker.addMonitoringClient();`,
      ],
      replacements: [
        ["broker.plant.example", "localhost"],
        ["-p 8883", `-p ${port}`],
      ],
    });
    await plant.mustSh("npx cdktf deploy prod");
  });
  afterAll(async () => {
    await Promise.all(open.map((one) => one.close(true)));
    await plant?.remove();
  });

  test("the monitoring client gets the figures as the page shows it, and can do nothing else", async () => {
    const page = new Runbook("The monitoring client", plant, GUIDE);
    const said = await page.mustNext();
    for (const name of ["clients/connected", "publish/messages/dropped", "messages/stored", "uptime"]) {
      expect(said).toMatch(new RegExp(`^\\$SYS/broker/${name} \\d+`, "m"));
    }
    page.end();

    monitoring = await session("monitoring");
    await monitoring.client.subscribeAsync(["#", "$SYS/#"], { qos: 0 });
    const sensor = await session("sensor-1");
    await sensor.publish("plant/secret", "not for its eyes", { retain: true });
    await expect(monitoring.publish("plant/a", "from it")).rejects.toThrow(/not authori[sz]ed/i);
    await until(
      "figures come again",
      () => monitoring.messages.filter(({ topic }) => /uptime$/.test(topic)).length > 2,
    );
    expect(monitoring.messages.filter(({ topic }) => !topic.startsWith("$SYS/broker/"))).toEqual([]);
    const text = monitoring.messages.map(({ topic, payload }) => `${topic} ${payload}`).join("\n");
    expect(text).not.toMatch(/sensor-1|dashboard|plant|127\.0\.0\.1|172\./);
    // Every figure that the page names is there.
    const names = ["load/connections/1min", "heap/current", "clients/connected", "messages/stored", "uptime"];
    for (const name of names) expect([name, figure(name) >= 0]).toEqual([name, true]);
    await sensor.close(true);
  });

  test("a full queue shows in the messages that are dropped and stored", async () => {
    const dashboard = await session("dashboard", PERSISTENT);
    await dashboard.subscribe("plant/#");
    await dashboard.close();
    const [dropped, stored] = [figure("publish/messages/dropped"), figure("messages/stored")];
    const sensor = await session("sensor-1");
    for (let number = 0; number < 4; number += 1) await sensor.publish("plant/a", `${number}`);
    await sensor.close();
    await until("messages are dropped", () => figure("publish/messages/dropped") > dropped);
    await until("messages wait", () => figure("messages/stored") > stored);
  });

  test("a takeover shows in the log", async () => {
    const [before = 0] = await inLog();
    const first = await session("sensor-1");
    const second = await session("sensor-1");
    await until("the first one is thrown out", () => first.disconnects > 0);
    await second.close();
    await until("the line is there", async () => ((await inLog())[0] ?? 0) > before);
  });

  test("a full listener shows in the log", async () => {
    const { port, ca_pem: ca } = (await plant.bundle("sensor-1")) as ConnectionBundle & { ca_pem: string };
    const [, before = 0] = await inLog();
    const sockets = Array.from({ length: MAXIMUM + 2 }, () => connect({ host: "localhost", port, ca }));
    for (const socket of sockets) socket.on("error", () => undefined);
    await until("the line is there", async () => ((await inLog())[1] ?? 0) > before);
    for (const socket of sockets) socket.destroy();
    await until("there is room again", async () => (await refusal(await plant.bundle("sensor-1"))) === undefined);
  });

  test("a client with a stranger's certificate shows in the log", async () => {
    const [, , before = 0] = await inLog();
    const validity = { notBefore: new Date(Date.now() - DAY), notAfter: new Date(Date.now() + DAY) };
    const strange = issueAuthority({ commonName: "Stranger", algorithm: KeyAlgorithm.ecdsaP256(), ...validity });
    const { certificatePem: cert_pem, privateKeyPem: key_pem } = strange;
    expect(await refusal({ ...(await plant.bundle("sensor-1")), cert_pem, key_pem })).toBeDefined();
    await until("the line is there", async () => ((await inLog())[2] ?? 0) > before);
  });

  test("a restart shows in the container's state", async () => {
    const state = async (): Promise<string> => new Runbook("Reading the sources", plant, GUIDE).mustNext();
    expect(await state()).toMatch(/^(healthy|starting) restarts=0 out-of-memory=false/);
    await plant.mustSh("docker exec prod-broker sh -c 'kill -TERM 1'");
    await until("it was restarted", async () => /restarts=1 /.test(await state()), 60);
  });

  test("a certificate near its end shows in the days that are left", async () => {
    const page = new Runbook("Reading the sources", plant, GUIDE);
    await page.next();
    await page.next();
    await until("the broker is back", async () => (await plant.sh("npx cdktf-mosquitto verify prod")).code === 0);
    const [, days] = /^(-?\d+) days$/m.exec(await page.mustNext()) ?? [];
    expect(Number(days)).toBeLessThan(14);
    page.end();
  });
});
