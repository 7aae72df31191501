import * as fs from "node:fs";
import * as path from "node:path";
import { CommandResult, run } from "../support/command";
import { cdktfMosquitto, command, library, writeApp } from "../support/command-line";
import { fileOf, makeFolder, removeFolder } from "../support/workspace";

jest.setTimeout(60_000);

describe("cdktf-mosquitto issue", () => {
  const folder = makeFolder("issue");
  const app = `
    const { DockerProvider } = require("@cdktf/provider-docker/lib/provider");
    const { App, TerraformStack } = require("cdktf");
    const { CredentialStore, MosquittoBroker } = require(${library});
    const app = new App();
    for (const [id, issue] of [["dev", "whenMissing"], ["prod", "never"]]) {
      const stack = new TerraformStack(app, id);
      new DockerProvider(stack, "docker", {});
      const hosts = [app.node.tryGetContext("site")];
      new MosquittoBroker(stack, "broker", { hosts, credentials: CredentialStore.folder(id, { issue }) });
    }
    app.synth();`;
  const issue = (...args: string[]): Promise<CommandResult> => cdktfMosquitto(args, { cwd: folder });

  beforeAll(() => writeApp(folder, app, { context: { site: "site.example" } }));
  afterAll(() => removeFolder(folder));

  test("of an unknown stack names those there are, and issues nothing anywhere", async () => {
    const result = await issue("issue", "typo");
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/no stack "typo"; allowed: dev, prod; nothing was done/);
    expect(fs.existsSync(path.join(folder, "dev"))).toBe(false);
    expect(fs.existsSync(path.join(folder, "prod"))).toBe(false);
  });

  test("asks at a terminal before it issues, and issues nothing when the answer is no", async () => {
    // script(1) gives it a terminal.
    const line = [...command, "issue", "prod"].join(" ");
    const result = await run("script", ["-qec", line, "/dev/null"], { cwd: folder, input: "n\n" });
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(
      /server certificate: first issue[^]*Issue these \d+\? \[y\/N\][^]*Nothing was issued/,
    );
    expect(fs.existsSync(path.join(folder, "prod"))).toBe(false);
  });

  test("issues for its stack alone, with the context of cdktf.json, and leaves no output behind", async () => {
    const result = await issue("issue", "prod");
    expect(result.code).toBe(0);
    expect(fs.readFileSync(fileOf(path.join(folder, "prod"), "server.1"), "utf8")).toContain("site.example");
    expect(fs.existsSync(path.join(folder, "dev"))).toBe(false);
    expect(fs.existsSync(path.join(folder, "cdktf.out"))).toBe(false);
  });

  test.each([[[]], [["issue"]], [["issue", "a", "b"]], [["nonsense", "prod"]]])(
    "called as %j says how it is used",
    async (args) => {
      expect(await issue(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining("Usage:") as string });
    },
  );

  test("elsewhere than beside a cdktf.json says so", async () => {
    const elsewhere = await cdktfMosquitto(["issue", "prod"], { cwd: path.join(folder, "prod") });
    expect(elsewhere.stderr).toMatch(/cdktf\.json cannot be read.*in the folder of cdktf\.json/);
  });
});
