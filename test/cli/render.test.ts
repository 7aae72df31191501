import * as fs from "node:fs";
import * as path from "node:path";
import { ConnectionBundle } from "../../constructs";
import { unsealed } from "../judges/judges";
import { CommandResult, mustRun, run } from "../support/command";
import { cdktfMosquitto, command as words } from "../support/command-line";
import { makeFolder, removeFolder } from "../support/workspace";

jest.setTimeout(60_000);

const bundle: ConnectionBundle = {
  host: "broker.plant.example",
  port: 8883,
  protocol: "mqtts",
  url: "mqtts://broker.plant.example:8883",
  server_name: "broker.plant.example",
  client_id: "sensor-1",
  ca_pem: "-----BEGIN CERTIFICATE-----\nQ0E=\n-----END CERTIFICATE-----\n",
  cert_pem: "-----BEGIN CERTIFICATE-----\nQ0VSVA==\n-----END CERTIFICATE-----\n",
  key_pem: "-----BEGIN PRIVATE KEY-----\nS0VZ\n-----END PRIVATE KEY-----\n",
  expires_at: "2999-01-01T00:00:00.000Z",
  publish: ["a"],
  subscribe: [],
};

/** The command where there is no app: who was handed a bundle as JSON makes of it what is needed. */
describe("cdktf-mosquitto, for who has a bundle and nothing else,", () => {
  const folder = makeFolder("render");
  afterAll(() => removeFolder(folder));

  const command = (args: readonly string[], input?: string): Promise<CommandResult> =>
    cdktfMosquitto(args, {
      cwd: folder,
      ...(input !== undefined && { input }),
    });
  const render = (...args: string[]): Promise<CommandResult> =>
    command(["render", "-", ...args], JSON.stringify(bundle));

  test("renders it in another format, from a file or from standard input", async () => {
    fs.writeFileSync(path.join(folder, "bundle.json"), JSON.stringify(bundle));
    const fromFile = await command(["render", "bundle.json", "--format", "env"]);
    const fromInput = await command(["render", "-", "--format", "env"], `\uFEFF${JSON.stringify(bundle)}`);
    expect(fromFile.stdout).toContain("MQTT_HOST='broker.plant.example'\n");
    expect(fromInput.stdout).toBe(fromFile.stdout);
  });

  test("writes files for this user alone, says which, and writes the same again without a word", async () => {
    for (const attempt of [1, 2]) {
      const { code, stdout, stderr } = await render("--format", "pem", "--out", "pem/inner");
      expect({ attempt, code, stderr }).toEqual({ attempt, code: 0, stderr: "" });
      const files = ["ca.crt", "client.crt", "client.key", "connection.json", "mosquitto_pub", "mosquitto_sub"];
      expect(stdout).toBe(files.map((file) => `pem/inner/${file}\n`).join(""));
      for (const file of files) expect(fs.statSync(path.join(folder, "pem", "inner", file)).mode & 0o777).toBe(0o600);
    }
    expect(fs.statSync(path.join(folder, "pem")).mode & 0o777).toBe(0o700);
    // The folder of the tests is in a working copy of git.
    expect(fs.readFileSync(path.join(folder, "pem", ".gitignore"), "utf8")).toBe("*\n");
    expect(
      await mustRun("git", ["status", "--porcelain", "--ignored=no", "."], { cwd: path.join(folder, "pem") }),
    ).toBe("");
    expect(fs.readFileSync(path.join(folder, "pem", "inner", "client.key"), "utf8")).toBe(bundle.key_pem);
  });

  test("overwrites nothing that somebody wrote, unless it is told to, and then follows no link", async () => {
    const other = path.join(folder, "other");
    fs.mkdirSync(other);
    fs.writeFileSync(path.join(other, "client.key"), "mine");
    const elsewhere = path.join(folder, "elsewhere");
    fs.writeFileSync(elsewhere, "mine, too");
    fs.symlinkSync(elsewhere, path.join(other, "ca.crt"));
    fs.symlinkSync(path.join(folder, "nowhere"), path.join(other, "client.crt"));
    fs.writeFileSync(path.join(other, "connection.json.new"), "mine, as well");
    const refused = await render("--format", "pem", "--out", "other");
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /other\/ca\.crt, other\/client\.crt, other\/client\.key would be overwritten; .*--force/,
      ) as string,
    });
    expect(fs.readdirSync(other).sort()).toEqual(["ca.crt", "client.crt", "client.key", "connection.json.new"]);
    expect((await render("--format", "pem", "--out", "other", "--force")).code).toBe(0);
    expect(fs.readFileSync(path.join(other, "client.key"), "utf8")).toBe(bundle.key_pem);
    expect(fs.readFileSync(elsewhere, "utf8")).toBe("mine, too");
    expect(fs.existsSync(path.join(folder, "nowhere"))).toBe(false);
    expect(fs.readFileSync(path.join(other, "connection.json.new"), "utf8")).toBe("mine, as well");
  });

  test("tells a program everything, text as it is and other content in base64", async () => {
    const answer = JSON.parse((await render("--format", "pem", "--json")).stdout) as {
      files: { name: string; content: unknown }[];
    };
    expect(answer).toMatchObject({ client: "sensor-1", format: "pem", remarks: [] });
    expect(answer.files.find(({ name }) => name === "client.key")?.content).toBe(bundle.key_pem);
    const sealed = JSON.parse((await render("--recipient", RECIPIENT, "--json")).stdout) as {
      files: { content: { base64: string } }[];
    };
    expect(Buffer.from(sealed.files[0]?.content.base64 ?? "", "base64").toString()).toMatch(
      /^age-encryption\.org\/v1\n/,
    );
  });

  test("says what it cannot do, and with which remedy", async () => {
    const several = await render("--format", "pem");
    expect(several).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/6 files: .*name a folder by --out/) as string,
    });
    const ended = await command(["render", "-"], JSON.stringify({ ...bundle, expires_at: "2020-01-01T00:00:00.000Z" }));
    expect(ended.stderr).toMatch(/certificate of sensor-1 ended 2020-.*deploy, which renews it/);
    const none = await command(["render", "-"], '{"host": "a"}');
    expect(none.stderr).toMatch(/standard input is no bundle: it has no port, it has no protocol, .*; allowed:/);
    const bad = await render("--format", "env", "--host", "a b");
    expect(bad.stderr).toMatch(/--host, got "a b"; allowed: a DNS name/);
    expect(await render("--format", "nonsense")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Allowed choices are json, env") as string,
    });
  });

  test("seals it for a recipient: the reference implementation opens it with the recipient's key, and with no other", async () => {
    const { stdout } = await render("--format", "pem", "--recipient", RECIPIENT, "--out", "sealed");
    expect(stdout).toBe("sealed/sensor-1.tar.age\n");
    const sealed = fs.readFileSync(path.join(folder, "sealed", "sensor-1.tar.age"));
    expect(sealed.includes("S0VZ")).toBe(false);
    const [opened, refused] = await unsealed([
      { sealed, identities: IDENTITY },
      { sealed, identities: OTHER_IDENTITY },
    ]);
    if (opened === undefined || !("content" in opened)) throw new Error(`not opened: ${opened?.refused}`);
    fs.writeFileSync(path.join(folder, "opened.tar"), opened.content);
    await mustRun("tar", ["-xf", "opened.tar", "client.key"], { cwd: folder });
    expect(fs.readFileSync(path.join(folder, "client.key"), "utf8")).toBe(bundle.key_pem);
    expect(refused).toHaveProperty("refused");
    // As the recipient does it with this command.
    fs.writeFileSync(path.join(folder, "key.txt"), `# created: today\n${IDENTITY}\n`);
    await command(["open", "sealed/sensor-1.tar.age", "--identity", "key.txt", "--out", "unsealed"]);
    expect(fs.readFileSync(path.join(folder, "unsealed", "client.key"), "utf8")).toBe(bundle.key_pem);
    const wrong = await render("--recipient", "age1nonsense", "--out", "wrong");
    expect(wrong).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/recipient "age1nonsense" is not known .*allowed: an age public key/) as string,
    });
  });

  test("shows no secret key that was given by mistake, whole or mistyped", async () => {
    const mistyped = IDENTITY.replace(/.$/, (last) => (last === "Q" ? "P" : "Q"));
    fs.writeFileSync(path.join(folder, "mistyped.txt"), `# mine\n${mistyped}\n`);
    fs.writeFileSync(path.join(folder, "any.age"), "age-encryption.org/v1\n");
    const opened = await command(["open", "any.age", "--identity", "mistyped.txt"]);
    expect(opened).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/line 2 of the identity file/) as string,
    });
    const sealed = await render("--recipient", IDENTITY, "--out", "wrong");
    expect(sealed).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/a recipient is no age public key/) as string,
    });
    for (const { stderr } of [opened, sealed]) expect(stderr).not.toMatch(/AGE-SECRET-KEY-1[A-Z0-9]/);
  });

  test("takes no option that would do nothing", async () => {
    fs.writeFileSync(path.join(folder, "passphrase"), "a passphrase — with £ in it\n");
    const both = await render("--recipient", RECIPIENT, "--seal", "--passphrase-file", "passphrase", "--out", "both");
    expect(both).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--recipient and --seal exclude each other/) as string,
    });
    const unused = await render("--installed-in", "/etc/mqtt");
    expect(unused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/folder that files are installed in; allowed: .*json has none/) as string,
    });
    expect((await render("--port", "abc")).code).toBe(2);
  });

  test("seals it with a passphrase, which opens it, and nothing else does", async () => {
    const passphrase = "a passphrase — with £ in it";
    fs.writeFileSync(path.join(folder, "passphrase"), `${passphrase}\n`);
    fs.writeFileSync(path.join(folder, "another"), "another passphrase");
    await render("--seal", "--passphrase-file", "passphrase", "--out", "passphrased");
    const file = "passphrased/sensor-1-connection.json.age";
    const sealed = fs.readFileSync(path.join(folder, file));
    const [opened, refused] = await unsealed([
      { sealed, passphrase },
      { sealed, passphrase: "another passphrase" },
    ]);
    if (opened === undefined || !("content" in opened)) throw new Error(`not opened: ${opened?.refused}`);
    expect(JSON.parse(opened.content.toString())).toEqual(bundle);
    expect(refused).toHaveProperty("refused");
    const here = await command(["open", file, "--passphrase-file", "passphrase"]);
    expect(JSON.parse(here.stdout)).toEqual(bundle);
    const wrong = await command(["open", file, "--passphrase-file", "another"]);
    expect(wrong).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/it cannot be opened .*remedy:/) as string,
    });
  });

  test("asks for the passphrase twice at a terminal, without showing it, and takes no slip of the finger", async () => {
    fs.writeFileSync(path.join(folder, "bundle.json"), JSON.stringify(bundle));
    // script(1) gives it a terminal.
    const ask = (answers: string): Promise<CommandResult> =>
      run("script", ["-qec", [...words, "render bundle.json --seal --out asked"].join(" "), "/dev/null"], {
        cwd: folder,
        input: answers,
      });
    const differing = await ask("first one\nsecond one\n");
    expect(differing.stdout).toMatch(/the two differ; nothing was done/);
    expect(fs.existsSync(path.join(folder, "asked"))).toBe(false);
    const { code, stdout } = await ask("the very same\nthe very same\n");
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/a passphrase for the bundle: \s+a passphrase for the bundle again: /) as string,
    });
    const sealed = fs.readFileSync(path.join(folder, "asked", "sensor-1-connection.json.age"));
    expect(await unsealed([{ sealed, passphrase: "the very same" }])).toEqual([
      { content: expect.any(Buffer) as Buffer },
    ]);
    const nobody = await render("--seal", "--out", "asked");
    expect(nobody.stderr).toMatch(/nobody is at the terminal to be asked for a passphrase/);
  });
});

// Of tests alone.
const IDENTITY = "AGE-SECRET-KEY-17LQ7DTHG0UWH5NKHAA36Q5W0NQ3HCSLKYFX8MHF8JWTXP7D9GRHS9AZ59D";
const OTHER_IDENTITY = "AGE-SECRET-KEY-1FCYPHA92R67DW04XTWRL9LL063KJ0CGK2CUZMG3KUG88FTKDZ35QM5YR2A";
const RECIPIENT = "age15mnshm0lfcg2mst7x7cjx32sx0vmpfykuu28r2v8hlkrtt8m3drsq4vm49";
