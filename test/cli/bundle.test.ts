import * as fs from "node:fs";
import * as path from "node:path";
import { answer, Operation, readAnswers } from "../../constructs/broker/operation";
import { CommandResult } from "../support/command";
import { cdktfMosquitto, library, writeApp } from "../support/command-line";
import { makeFolder, removeFolder } from "../support/workspace";

jest.setTimeout(60_000);

/** Two brokers of one stack that nobody has deployed; after it is synthesized, the app fails where it is told to. */
describe("cdktf-mosquitto bundle, before a deploy,", () => {
  const folder = makeFolder("bundle");
  const app = `
    const { DockerProvider } = require("@cdktf/provider-docker/lib/provider");
    const { App, TerraformStack } = require("cdktf");
    const { Authentication, CredentialStore, Listener, MosquittoBroker } = require(${library});
    const app = new App();
    const stack = new TerraformStack(app, "plant");
    new DockerProvider(stack, "docker", {});
    const hosts = ["broker.example"];
    const broker = (id, port) => new MosquittoBroker(stack, id, {
      hosts, credentials: CredentialStore.folder(id), outputPrefix: id + "_",
      listeners: [Listener.mutualTls({ port }), Listener.passwordOverTls({ port: port + 1 })],
    });
    const [one, two] = [broker("one", 1001), broker("two", 2001)];
    for (const each of [one, two]) each.addClient("both", { publish: ["a"] });
    one.addClient("single", { publish: ["a"] });
    two.addClient("plc", { authentication: Authentication.password(), publish: ["a"] });
    app.synth();
    if (process.env.FAILS_LATER === "yes") throw new Error("something else fails");`;
  const command = (args: readonly string[], env: Record<string, string> = {}): Promise<CommandResult> =>
    cdktfMosquitto(args, { cwd: folder, env });

  beforeAll(async () => {
    writeApp(folder, app);
    expect((await command(["issue", "plant", "--yes"])).code).toBe(0);
  });
  afterAll(() => removeFolder(folder));

  test("comes from the store, and says that nobody can tell whether it is deployed", async () => {
    const { code, stdout, stderr } = await command(["bundle", "plant", "single"]);
    expect([code, (JSON.parse(stdout) as { client_id: string }).client_id]).toEqual([0, "single"]);
    expect(stderr).toMatch(/whether the bundle of single is deployed cannot be told: stack "plant" is not synthesized/);
    expect(fs.readdirSync(path.join(folder, "one")).filter((name) => name.startsWith("handover.single"))).toHaveLength(
      1,
    );
  });

  test("asks which broker is meant where several have such a client, and notes it for that one alone", async () => {
    const ambiguous = await command(["bundle", "plant", "both"]);
    expect(ambiguous).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(
        /have a client both: plant\/one, plant\/two; remedy: name one by --broker/,
      ) as string,
    });
    const named = await command(["bundle", "plant", "both", "--broker", "plant/two"]);
    expect(JSON.parse(named.stdout)).toMatchObject({ port: 2001 });
    const notes = (store: string): string[] =>
      fs.readdirSync(path.join(folder, store)).filter((name) => name.startsWith("handover.both"));
    expect([notes("one").length, notes("two").length]).toEqual([0, 1]);
  });

  test("shows no key and no password where the app fails afterwards, and hands over what it was asked for", async () => {
    const { code, stdout, stderr } = await command(["bundle", "plant", "plc"], { FAILS_LATER: "yes" });
    const { password } = JSON.parse(stdout) as { password: string };
    expect(code).toBe(0);
    expect(stderr).not.toContain(password);
    const status = await command(["status", "plant"], { FAILS_LATER: "yes" });
    expect(status).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/does not synthesise: exit code 1; nothing was issued/) as string,
    });
  });

  test("has a new certificate after a revocation", async () => {
    const before = JSON.parse((await command(["bundle", "plant", "single", "--no-note"])).stdout) as object;
    expect((await command(["revoke", "plant", "single"])).code).toBe(0);
    const after = JSON.parse((await command(["bundle", "plant", "single", "--no-note"])).stdout) as object;
    expect(after).toMatchObject({ client_id: "single" });
    expect(after).not.toEqual(before);
  });
});

test("what brokers answer is in no file for others to read", () => {
  const folder = makeFolder("answers");
  try {
    const answers = path.join(folder, "answers");
    const operation: Operation = {
      name: "status",
      stack: "plant",
      answers,
      key: Buffer.alloc(32, 7).toString("base64"),
    };
    const lines = [
      { broker: "one", store: "a" },
      { broker: "two", store: "b", error: "a secret" },
    ];
    for (const line of lines) answer(operation, line);
    expect(readAnswers(operation)).toEqual(lines);
    expect(fs.readFileSync(answers, "utf8")).not.toMatch(/one|two|secret/);
    expect(() => readAnswers({ ...operation, key: Buffer.alloc(32, 8).toString("base64") })).toThrow();
  } finally {
    removeFolder(folder);
  }
});
