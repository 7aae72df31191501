import * as fs from "node:fs";
import * as path from "node:path";
import { run } from "../support/command";
import { checkout, fileOf, makeFolder, removeFolder } from "../support/workspace";

jest.setTimeout(60_000);

describe("cdktf-mosquitto issue", () => {
  const folder = makeFolder("issue");
  const app = `
    import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
    import { App, TerraformStack } from "cdktf";
    import { CredentialStore, MosquittoBroker } from ${JSON.stringify(path.join(checkout, "constructs"))};
    const app = new App();
    for (const [id, issue] of [["dev", "whenMissing"], ["prod", "never"]] as const) {
      const stack = new TerraformStack(app, id);
      new DockerProvider(stack, "docker", {});
      const hosts = [app.node.tryGetContext("site") as string];
      new MosquittoBroker(stack, "broker", { hosts, credentials: CredentialStore.folder(id, { issue }) });
    }
    app.synth();`;
  const issue = (...args: string[]): ReturnType<typeof run> =>
    run("npx", ["tsx", path.join(checkout, "cli", "main.ts"), ...args], { cwd: folder });

  beforeAll(() => {
    fs.writeFileSync(path.join(folder, "app.ts"), app);
    const project = { language: "typescript", app: "npx tsx app.ts", context: { site: "site.example" } };
    fs.writeFileSync(path.join(folder, "cdktf.json"), JSON.stringify(project));
  });
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
    const command = `npx tsx ${path.join(checkout, "cli", "main.ts")} issue prod`;
    const result = await run("script", ["-qec", command, "/dev/null"], { cwd: folder, input: "n\n" });
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
    const elsewhere = await run("npx", ["tsx", path.join(checkout, "cli", "main.ts"), "issue", "prod"], {
      cwd: path.join(folder, "prod"),
    });
    expect(elsewhere.stderr).toMatch(/cdktf\.json cannot be read.*in the folder of cdktf\.json/);
  });
});
