import * as fs from "node:fs";
import * as path from "node:path";
import { CommandResult } from "../support/command";
import { cdktfMosquitto, library, runApp, writeApp } from "../support/command-line";
import { makeFolder, removeFolder } from "../support/workspace";

// Each command runs the app, which opens a sealed store.
jest.setTimeout(120_000);

const OLD = "correct horse battery staple";
const NEW = "another one, of several words";

describe("a store that is sealed with a passphrase in a file", () => {
  const folder = makeFolder("cli-store");
  const store = path.join(folder, "credentials");
  const app = `
    const { DockerProvider } = require("@cdktf/provider-docker/lib/provider");
    const { App, TerraformStack } = require("cdktf");
    const { CredentialStore, MosquittoBroker, TextSource } = require(${library});
    const [passphrase, previousPassphrase] = [TextSource.file("passphrase"), TextSource.file("previous")];
    const forms = {
      sealed: () => CredentialStore.sealed("credentials", { passphrase }),
      resealed: () => CredentialStore.sealed("credentials", { passphrase, previousPassphrase }),
      plain: () => CredentialStore.folder("credentials", { issue: "never", previousPassphrase }),
    };
    const app = new App();
    for (const [id, credentials] of [
      ["prod", forms[process.env.FORM]()],
      ["empty", CredentialStore.sealed("nothing", { passphrase })],
    ]) {
      const stack = new TerraformStack(app, id);
      new DockerProvider(stack, "docker", {});
      const broker = new MosquittoBroker(stack, "broker", { hosts: ["broker.plant.example"], credentials });
      for (const name of ["sensor-1", "sensor-2"]) broker.addClient(name, { publish: ["plant/" + name + "/#"] });
    }
    app.synth();`;

  type Form = "sealed" | "resealed" | "plain";
  const command = (form: Form, ...args: string[]): Promise<CommandResult> =>
    cdktfMosquitto(args, { cwd: folder, env: { FORM: form } });

  interface Answer {
    readonly broker: string;
    readonly store: string;
    readonly converted?: number;
    readonly error?: string;
    readonly issued?: readonly { what: string; reason: string }[];
    readonly status?: {
      readonly server: unknown;
      readonly clients: readonly { name: string; handed_over_at: string | null }[];
    };
  }
  /** What a command answers as JSON; it must end well. */
  async function answer(form: Form, ...args: string[]): Promise<Answer> {
    const { code, stdout, stderr } = await command(form, ...args, "--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const answers = JSON.parse(stdout) as Answer[];
    expect(answers).toHaveLength(1);
    return answers[0] as Answer;
  }

  const passphrases = (present: string, previous?: string): void => {
    fs.writeFileSync(path.join(folder, "passphrase"), `${present}\n`);
    fs.rmSync(path.join(folder, "previous"), { force: true });
    if (previous !== undefined) fs.writeFileSync(path.join(folder, "previous"), `${previous}\n`);
  };
  const contents = (): Record<string, string> =>
    Object.fromEntries(
      fs
        .readdirSync(store)
        .filter((name) => !name.endsWith(".claim"))
        .map((name) => [name, fs.readFileSync(path.join(store, name), "utf8")]),
    );
  const recordCount = (): number =>
    Object.keys(contents()).filter((name) => name.endsWith(".json") && !name.startsWith("key.")).length;

  beforeAll(async () => {
    writeApp(folder, app);
    passphrases(OLD);
    const { code, stderr } = await command("sealed", "issue", "prod");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
  afterAll(() => removeFolder(folder));
  beforeEach(() => passphrases(OLD));

  test("is issued into by the command, and shows neither key nor passphrase", async () => {
    for (const content of Object.values(contents())) expect(content).not.toMatch(/-----BEGIN|plant\.example|staple/);
    expect(Object.keys(contents()).filter((name) => name.startsWith("key."))).toHaveLength(1);
    const { stdout } = await command("sealed", "issue", "prod", "--dry-run");
    expect(stdout).toContain("prod/broker (credentials)\nnothing to issue");
  });

  test("is left as it is by convert where nothing is to be converted", async () => {
    const before = contents();
    const { code, stdout } = await command("sealed", "convert", "prod");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "prod/broker (credentials)\nrecords converted: 0\n" });
    expect(contents()).toEqual(before);
    expect(fs.existsSync(path.join(folder, "cdktf.out"))).toBe(false);
  });

  test("is unsealed and sealed again by convert, and says the same", async () => {
    const { status } = await answer("sealed", "status", "prod");
    passphrases(OLD, OLD);
    expect(await answer("plain", "convert", "prod")).toEqual({
      broker: "prod/broker",
      store: "credentials",
      converted: recordCount(),
    });
    expect(Object.keys(contents()).filter((name) => name.startsWith("key."))).toEqual([]);
    expect((await answer("plain", "status", "prod")).status).toEqual(status);

    const refused = await command("sealed", "status", "prod");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/it is not sealed, .*npx cdktf-mosquitto convert STACK/);

    expect((await answer("sealed", "convert", "prod")).converted).toBe(recordCount());
    expect((await answer("sealed", "status", "prod")).status).toEqual(status);
  });

  test("is sealed anew by convert, and its old passphrase opens nothing", async () => {
    const { status } = await answer("sealed", "status", "prod");
    passphrases(NEW, OLD);
    expect((await answer("resealed", "convert", "prod")).converted).toBe(recordCount());
    passphrases(NEW);
    expect((await answer("sealed", "status", "prod")).status).toEqual(status);
    passphrases(OLD);
    expect((await command("sealed", "status", "prod")).code).toBe(1);

    passphrases(OLD, NEW);
    expect((await answer("resealed", "convert", "prod")).converted).toBe(recordCount());
  });

  test("with a wrong passphrase is an error of every command that names the store, and changes nothing", async () => {
    const before = contents();
    passphrases(NEW, NEW);
    for (const [form, ...args] of [
      ["sealed", "convert", "prod"],
      ["plain", "convert", "prod"],
      ["sealed", "handed-over", "prod"],
    ] as const) {
      const { code, stdout, stderr } = await command(form, ...args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toContain(`prod/broker: the passphrase does not open the sealed store ${store}`);
      expect(stderr).not.toContain(NEW);
    }
    expect(contents()).toEqual(before);
  });

  test("without its passphrase is an error that says where it was looked for, in JSON too", async () => {
    fs.rmSync(path.join(folder, "passphrase"));
    const { code, stdout } = await command("sealed", "convert", "prod", "--json");
    expect(code).toBe(1);
    const [{ error }] = JSON.parse(stdout) as [Answer];
    expect(error).toMatch(/^the passphrase cannot be read from file passphrase \(ENOENT\); allowed: .*; remedy: /);
  });

  test("without its passphrase does not keep an app from its work, which says why the stack will not plan", async () => {
    fs.rmSync(path.join(folder, "passphrase"));
    const out = path.join(folder, "out");
    const { code, stderr } = await runApp(folder, { FORM: "sealed", CDKTF_OUTDIR: out });
    expect(code).toBe(0);
    expect(stderr).toMatch(/prod\/broker: the passphrase cannot be read from file passphrase .*will refuse to plan/);
    fs.rmSync(out, { recursive: true });
  });

  test("notes to whom a bundle was handed over, by name and for all", async () => {
    const handedOver = async (): Promise<string[]> => {
      const { status } = await answer("sealed", "status", "prod");
      return status!.clients.filter((client) => client.handed_over_at !== null).map(({ name }) => name);
    };
    expect(await handedOver()).toEqual([]);
    const { code, stdout } = await command("sealed", "handed-over", "prod", "sensor-2");
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: "prod/broker (credentials)\nnoted:\n  handover of the bundle of sensor-2: handed over\n",
    });
    expect(await handedOver()).toEqual(["sensor-2"]);
    const { issued } = await answer("sealed", "handed-over", "prod");
    expect(issued!.map(({ what }) => what)).toEqual([
      "handover of the bundle of sensor-1",
      "handover of the bundle of sensor-2",
    ]);
    expect(await handedOver()).toEqual(["sensor-1", "sensor-2"]);
  });

  test("notes no handover for a client that there is not, and names those there are", async () => {
    const before = contents();
    const { code, stderr } = await command("sealed", "handed-over", "prod", "sensor-1", "typo");
    expect(code).toBe(1);
    expect(stderr).toMatch(/there is no client typo; allowed: sensor-1, sensor-2; nothing was noted/);
    expect(contents()).toEqual(before);
  });

  test("notes no handover before everything is issued", async () => {
    const { code, stderr } = await command("sealed", "handed-over", "empty");
    expect(code).toBe(1);
    expect(stderr).toMatch(/empty\/broker: not everything is issued yet; issue first, and deploy/);
    expect(fs.existsSync(path.join(folder, "nothing"))).toBe(false);
  });

  test("of an unknown stack is not converted, and those there are are named", async () => {
    const { code, stderr } = await command("sealed", "convert", "typo");
    expect(code).toBe(1);
    expect(stderr).toMatch(/no stack "typo"; allowed: empty, prod; nothing was done/);
  });

  test.each([[["convert"]], [["convert", "prod", "more"]], [["convert", "prod", "--yes"]], [["handed-over"]]])(
    "called as %j says how it is used",
    async (args) => {
      const { code, stderr } = await command("sealed", ...args);
      expect(code).toBe(2);
      expect(stderr).toContain("Usage:");
    },
  );
});
