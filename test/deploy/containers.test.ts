import * as fs from "node:fs";
import * as path from "node:path";
import { until } from "../../tools/until";
import { CommandResult, mustRun, run } from "../support/command";
import { images } from "../support/deployment";
import { inside, logs, removeLeftovers } from "../support/docker";
import { checkout, filesBelow, makeFolder, removeFolder, uniqueName } from "../support/workspace";

jest.setTimeout(180_000);

/** examples/containers, deployed as its README says, under names of its own. */
describe("containers that connect, in one stack and between stacks", () => {
  const folder = makeFolder("containers");
  const name = uniqueName("plant");
  const others = ["sensor", "historian", "dashboard"].map((one) => `${name}-${one}`);
  const env = { PLANT_NAME: name, PLANT_IMAGE: images["2.1.2"]().name };
  const offline = process.env.TF_CLI_CONFIG_FILE === undefined ? [] : ["--skip-provider-lock"];

  beforeAll(async () => {
    fs.cpSync(path.join(checkout, "examples", "containers"), folder, { recursive: true });
    fs.symlinkSync(path.join(checkout, "node_modules"), path.join(folder, "node_modules"));
    // Instead of npm's package, the checkout's.
    const paths = { "cdktf-mosquitto": [path.join(checkout, "constructs", "index.ts")] };
    const tsconfig = { extends: path.join(checkout, "tsconfig.json"), compilerOptions: { paths } };
    fs.writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
    await must("deploy", "plant", "dashboard", "--auto-approve");
  });
  afterAll(async () => {
    await cdktf("destroy", "plant", "dashboard", "--auto-approve");
    await run("docker", ["rm", "-f", ...others]);
    await removeLeftovers(name);
    removeFolder(folder);
  });

  function cdktf(...args: string[]): Promise<CommandResult> {
    return run("npx", ["cdktf", ...args, ...offline], { cwd: folder, env });
  }
  async function must(...args: string[]): Promise<void> {
    const { code, stdout, stderr } = await cdktf(...args);
    expect({ code, said: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, said: "" });
  }
  const secretsOf = (store: string): string[] =>
    filesBelow(path.join(folder, store)).flatMap((file) => {
      if (!file.endsWith(".json")) return [];
      const text = fs.readFileSync(path.join(folder, store, file), "utf8");
      const record = JSON.parse(text) as { name?: string; privateKeyPem?: string; password?: string };
      // The dashboard's are in the state, and the library's own client's: outputs hand them over.
      if (record.name === "dashboard" || record.name?.startsWith("cdktf-mosquitto-")) return [];
      const secret = record.privateKeyPem?.split("\n")[1] ?? record.password;
      return secret === undefined ? [] : [secret];
    });

  test("a container of the same stack has files, variables and network, and connects", async () => {
    await until("a message has come", async () => /^plant\/sensor\/time \d+$/m.test(await logs(`${name}-historian`)));
    expect(await inside(`${name}-historian`, "ls", "/etc/historian")).toBe("ca.crt\npassword\n");
    expect(await inside(`${name}-sensor`, "ls", "/run/mqtt")).toBe("ca.crt\nclient.crt\nclient.key\n");
  });

  test("its key and its password are in neither the config nor the state nor its variables", async () => {
    const secrets = secretsOf("credentials");
    expect(secrets.length).toBeGreaterThanOrEqual(5);
    const inspected = await mustRun("docker", ["inspect", `${name}-sensor`, `${name}-historian`]);
    const texts = ["cdktf.out/stacks/plant/cdk.tf.json", "state/plant.tfstate"].map((file) =>
      fs.readFileSync(path.join(folder, file), "utf8"),
    );
    for (const text of [inspected, ...texts]) expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  });

  test("a container of another stack connects with what the outputs say", async () => {
    await until("a message has come", async () => /^plant\/sensor\/time \d+$/m.test(await logs(`${name}-dashboard`)));
  });

  test("a renewed credential replaces the container that uses it, and no other; then nothing is left to do", async () => {
    const ids = (): Promise<string[]> =>
      Promise.all(others.map((one) => mustRun("docker", ["inspect", "-f", "{{.Id}}", one])));
    const before = await ids();
    const file = path.join(folder, "plant-stack.ts");
    const text = fs.readFileSync(file, "utf8");
    fs.writeFileSync(file, text.replace("authentication: Authentication.password(),", "$& credentialVersion: 2,"));
    await must("deploy", "plant", "--auto-approve");
    const after = await ids();
    expect(after.map((id, index) => id === before[index])).toEqual([true, false, true]);
    await until("a message has come", async () => /^plant\/sensor\/time \d+$/m.test(await logs(`${name}-historian`)));
    const terraform = process.env.TERRAFORM_BINARY_NAME ?? "terraform";
    const stack = path.join(folder, "cdktf.out", "stacks", "plant");
    // It ends with 2 where something is left to do.
    await mustRun(terraform, ["plan", "-input=false", "-detailed-exitcode"], { cwd: stack });
  });
});
