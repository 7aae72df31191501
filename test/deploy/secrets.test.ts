import * as fs from "node:fs";
import * as path from "node:path";
import { refusal, Session, without } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { Authentication, ConnectionOutputs, Listener, MosquittoBroker } from "../../constructs";
import { Deployment, images } from "../support/deployment";
import { mustRun } from "../support/command";
import { inside, inspect, logs } from "../support/docker";
import { secretsOf } from "../support/secrets";
import { filesBelow, freePorts } from "../support/workspace";

jest.setTimeout(180_000);

describe("a deployed broker", () => {
  const deployment = new Deployment();
  const given = "a given password €£$`\"'";
  let ports: number[];

  const clients = (broker: MosquittoBroker): void => {
    broker.addClient("sensor-1", { publish: ["plant/sensor-1/#"] });
    broker.addClient("operator", { authentication: Authentication.password(), publish: ["plant/#"] });
    broker.addClient("given", { authentication: Authentication.password({ value: given }), publish: ["plant/#"] });
  };
  const props = (connectionOutputs: ConnectionOutputs): Parameters<Deployment["deploy"]>[0] => ({
    hosts: ["localhost"],
    listeners: [Listener.mutualTls({ port: ports[0]! }), Listener.passwordOverTls({ port: ports[1]! })],
    image: images["2.1.2"](),
    connectionOutputs,
  });

  beforeAll(async () => {
    ports = await freePorts(3);
    await deployment.deploy(props(ConnectionOutputs.withSecrets()), clients);
  });
  afterAll(() => deployment.remove());

  /** Every private key and password of the store, by the record that holds it. */
  function secrets(): Map<string, string> {
    return new Map(
      fs.readdirSync(deployment.storeFolder).flatMap((name) => {
        if (!name.endsWith(".json")) return [];
        const record = JSON.parse(fs.readFileSync(path.join(deployment.storeFolder, name), "utf8")) as {
          privateKeyPem?: string;
          password?: string;
        };
        const secret = record.privateKeyPem?.split("\n")[1] ?? record.password;
        return secret === undefined ? [] : [[name, secret] as const];
      }),
    );
  }

  /** Passwords and lines of private keys that a text has. Of the given one, the part that is never written otherwise. */
  const secretsIn = (text: string): string[] =>
    [...secretsOf(deployment.storeFolder), "a given password"].filter((secret) => text.includes(secret));

  test("has no key and no password in its synthesized config", () => {
    const text = fs.readFileSync(path.join(deployment.stackFolder, "cdk.tf.json"), "utf8");
    expect(text).not.toContain("PRIVATE KEY");
    expect(secretsIn(text)).toEqual([]);
  });

  test("has clients' secrets in the state, and neither an authority's nor the server's key", () => {
    const state = fs.readFileSync(deployment.stateFile, "utf8");
    const found = [...secrets()].filter(([, secret]) => state.includes(secret)).map(([name]) => name);
    expect(found.map((name) => name.replace(/-[0-9a-f]{8}\.json$/, "")).sort()).toEqual([
      // What verify connects with.
      "client.cdktf-mosquitto-expired.v1.1",
      "client.cdktf-mosquitto-revoked.v1.1",
      "client.cdktf-mosquitto-verify.v1.1",
      "client.sensor-1.v1.1",
      "password.cdktf-mosquitto-verify.v1.1",
      "password.operator.v1.1",
    ]);
  });

  test("has private files in private folders only, in the store and beside the config", () => {
    for (const folder of [deployment.storeFolder, path.join(deployment.stackFolder, "material", deployment.name)]) {
      const files = filesBelow(folder);
      expect(files.length).toBeGreaterThan(5);
      for (const file of files) {
        expect([file, fs.statSync(path.join(folder, file)).mode & 0o777]).toEqual([file, 0o600]);
        expect(fs.statSync(path.dirname(path.join(folder, file))).mode & 0o777).toBe(0o700);
      }
    }
  });

  test("lets its own user alone read its files, and may write none of them", async () => {
    const listing = await inside(
      deployment.name,
      "sh",
      "-c",
      "stat -c '%u:%g %a %F' /mosquitto/config /mosquitto/config/live/*",
    );
    const lines = listing.trim().split("\n");
    expect(lines.shift()).toBe("1883:1883 700 directory");
    expect(new Set(lines)).toEqual(new Set(["1883:1883 400 regular file"]));
    await expect(inside(deployment.name, "sh", "-c", "rm /mosquitto/config/live/acl")).rejects.toThrow(/Read-only/);
  });

  test("becomes healthy by a check over mutual TLS", async () => {
    await inside(deployment.name, "/bin/sh", "/mosquitto/config/live/healthcheck.sh");
    const status = async (): Promise<string | undefined> => (await inspect(deployment.name)).State.Health?.Status;
    await until("Docker calls it healthy", async () => (await status()) === "healthy", 60);
  });

  test("takes a given password of any characters, and no other", async () => {
    const bundle = await deployment.bundle("given");
    expect(bundle.password).toBe(given);
    expect(await refusal(bundle)).toBeUndefined();
    expect(await refusal({ ...bundle, password: given.slice(0, -1) })).toMatch(/not authori[sz]ed/i);
    expect(await refusal({ ...bundle, username: "sensor-1" })).toMatch(/not authori[sz]ed/i);
    expect(await refusal(without(bundle, "username", "password"))).toMatch(/not authori[sz]ed/i);
  });

  test("refuses a client outside its topics, and one without a certificate", async () => {
    const bundle = await deployment.bundle("sensor-1");
    const session = await Session.open(bundle);
    await expect(session.publish("plant/sensor-2/a", "no")).rejects.toThrow(/Not authorized/i);
    await session.close();
    expect(await refusal(without(bundle, "cert_pem", "key_pem"))).toMatch(/CERTIFICATE_REQUIRED/);
  });

  test("does not let a password client take over a device's session by its client id", async () => {
    const device = await Session.open(await deployment.bundle("sensor-1"));
    const intruder = await Session.open(await deployment.bundle("operator"), { clientId: "sensor-1" });
    await device.publish("plant/sensor-1/a", "still connected");
    expect(device.disconnects).toBe(0);
    await Promise.all([device.close(), intruder.close()]);
  });

  test("keeps secrets out of the logs of its containers, and of what Docker tells of them", async () => {
    const names = ["", "-writer", "-reloader"].map((suffix) => `${deployment.name}${suffix}`);
    for (const name of names) expect([name, secretsIn(await logs(name))]).toEqual([name, []]);
    const inspected = JSON.stringify(await Promise.all(names.map(inspect)));
    expect(secretsIn(inspected)).toEqual([]);
    expect(inspected).not.toMatch(/PRIVATE KEY|\$7\$/);
  });

  test("keeps secrets out of plans, of the state as it is shown, and of all outputs but the sensitive ones", async () => {
    const terraform = process.env.TERRAFORM_BINARY_NAME ?? "terraform";
    const say = (...args: string[]): Promise<string> => mustRun(terraform, args, { cwd: deployment.stackFolder });
    // A plan to destroy tells all that there is.
    const plan = await say("plan", "-destroy", "-no-color", "-input=false");
    expect(plan).toMatch(/will be destroyed/);
    expect(secretsIn(plan)).toEqual([]);
    expect(secretsIn(await say("show", "-no-color"))).toEqual([]);
    expect(secretsIn(await say("output", "-no-color"))).toEqual([]);
    const outputs = Object.values(JSON.parse(await say("output", "-json")) as Record<string, { sensitive: boolean }>);
    expect(secretsIn(JSON.stringify(outputs))).not.toEqual([]);
    expect(secretsIn(JSON.stringify(outputs.filter(({ sensitive }) => !sensitive)))).toEqual([]);
  });

  test("without secrets in its outputs has no key and no password in the state", async () => {
    await deployment.deploy(props(ConnectionOutputs.withoutSecrets()), clients);
    const state = fs.readFileSync(deployment.stateFile, "utf8");
    expect(secretsIn(state)).toEqual([]);
    const bundle = await deployment.bundle("sensor-1");
    expect(bundle).toMatchObject({
      client_id: "sensor-1",
      cert_pem: expect.stringContaining("BEGIN CERTIFICATE") as string,
    });
    expect(bundle).not.toHaveProperty("key_pem");
  });
});
