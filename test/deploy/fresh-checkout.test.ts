import * as fs from "node:fs";
import * as path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { CommandResult, mustRun, run } from "../support/command";
import { ConnectionBundle } from "../../constructs";
import { refusal } from "../../tools/mqtt-session";
import { leftovers, removeLeftovers } from "../support/docker";
import { refusalByBroker } from "../support/refusals";
import { checkout, fileOf, freePorts, makeFolder, removeFolder, uniqueName } from "../support/workspace";

jest.setTimeout(300_000);

/** A stranger's checkout: the repository's files and nothing else, with names and ports of its own. */
describe("a fresh checkout", () => {
  const folder = makeFolder("checkout");
  const broker = uniqueName("broker");
  const container = `dev-${broker}`;
  let ports: number[];

  beforeAll(async () => {
    ports = await freePorts(2);
    const listed = await mustRun("git", ["ls-files", "-co", "--exclude-standard"], { cwd: checkout });
    for (const file of listed
      .trim()
      .split("\n")
      .filter((name) => fs.existsSync(path.join(checkout, name)))) {
      fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
      fs.copyFileSync(path.join(checkout, file), path.join(folder, file));
    }
    edit("main.ts", '"broker", {', `"${broker}", {`);
    edit("environments.ts", "mutualTls({ port: 8883 })", `mutualTls({ port: ${ports[0]} })`);
    edit("environments.ts", "passwordOverTls({ port: 8884 })", `passwordOverTls({ port: ${ports[1]} })`);
  });
  afterAll(async () => {
    await run("npm", ["stop"], { cwd: folder, env: cacheOfThisCheckout });
    await removeLeftovers(container);
    removeFolder(folder);
  });

  // What set-up built or downloaded for this run serves the copy too.
  const cacheOfThisCheckout = {
    CDKTF_MOSQUITTO_CACHE: process.env.CDKTF_MOSQUITTO_CACHE ?? path.join(checkout, ".cache"),
    CI: "true",
  };

  function edit(file: string, from: string, to: string): void {
    const text = fs.readFileSync(path.join(folder, file), "utf8");
    expect(text.split(from)).toHaveLength(2);
    fs.writeFileSync(path.join(folder, file), text.replace(from, to));
  }

  function cdktf(...args: string[]): Promise<CommandResult> {
    const offline = process.env.TF_CLI_CONFIG_FILE === undefined || args[0] === "synth" ? [] : ["--skip-provider-lock"];
    return run("npx", ["cdktf", ...args, ...offline], { cwd: folder });
  }

  test("is deployed and proved by npm start", async () => {
    const { code, stdout, stderr } = await run("npm", ["start"], { cwd: folder, env: cacheOfThisCheckout });
    expect({ code, said: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, said: "" });
    const claims = stdout.split("\n").filter((line) => line.startsWith("  ok  "));
    expect(claims.map((line) => line.replace(/ {2}\(.*/, ""))).toEqual([
      "  ok  sensor-1 publishes and dashboard receives, over mutual TLS",
      "  ok  operator publishes with its password, over TLS",
      "  ok  refused: a client without a certificate",
      "  ok  refused: a client with a foreign certificate",
      "  ok  refused: an anonymous client",
      "  ok  refused: sensor-1 outside its topics",
    ]);
    expect(stdout).toContain(`mqtts://localhost:${ports[0]}  mutualTls`);
    expect(stdout).toContain(`mqtts://localhost:${ports[1]}  passwordOverTls`);
    expect(stdout).toMatch(/XDG_CONFIG_HOME=\/.*\/dashboard mosquitto_sub -t 'plant\/#' -v/);
  });

  test("prints lines for mosquitto_pub and mosquitto_sub that work as they stand", async () => {
    // From the host's network, with the host's files, by the image's client programs.
    const client = (program: string, name: string, ...args: string[]): string[] => {
      const files = path.join(folder, "state", "dev-clients", name);
      const mount = ["-v", `${files}:${files}:ro`, "-e", `XDG_CONFIG_HOME=${files}`];
      const image = process.env.MOSQUITTO_IMAGE_2_1 ?? "";
      return ["run", "--rm", "--network", "host", ...mount, "--entrypoint", program, image, ...args];
    };
    await mustRun(
      "docker",
      client("mosquitto_pub", "sensor-1", "-t", "plant/sensor-1/temperature", "-m", "21", "-q", "1", "-r"),
    );
    const received = await mustRun(
      "docker",
      client("mosquitto_sub", "dashboard", "-t", "plant/#", "-v", "-C", "1", "-W", "10"),
    );
    expect(received.trim()).toBe("plant/sensor-1/temperature 21");
  });

  test("has a private state, store and client files", () => {
    for (const file of [
      "state/dev.tfstate",
      "state/dev-clients/sensor-1/client.key",
      path.relative(folder, fileOf(path.join(folder, "credentials/dev"), "server.1")),
    ]) {
      expect([file, fs.statSync(path.join(folder, file)).mode & 0o777]).toEqual([file, 0o600]);
      expect(fs.statSync(path.dirname(path.join(folder, file))).mode & 0o777).toBe(0o700);
    }
  });

  test("shows no change in cdktf diff, and deploys again by cdktf deploy", async () => {
    const diff = await cdktf("diff", "dev");
    expect(diff.stdout).toContain("No changes.");
    const deploy = await cdktf("deploy", "dev", "--auto-approve");
    expect(deploy.stdout).toContain("No changes.");
    expect(fs.statSync(path.join(folder, "state/dev.tfstate")).mode & 0o777).toBe(0o600);
  });

  test("hands what set-up built to cdktf by tools/environment.mjs", async () => {
    const script = `eval "$(node tools/environment.mjs)"; npx cdktf diff dev --skip-provider-lock`;
    const env = { ...cacheOfThisCheckout, TF_CLI_CONFIG_FILE: "", TF_VAR_mosquitto_image: "" };
    expect((await run("bash", ["-c", script], { cwd: folder, env })).stdout).toContain("No changes.");
  });

  test("shows its status and its audit trail, and notes what was handed over", async () => {
    const command = (...args: string[]): Promise<CommandResult> =>
      run("npx", ["cdktf-mosquitto", ...args], { cwd: folder });
    const status = await command("status", "dev");
    expect(status.stdout).toMatch(/^server authority 1 +20\d\d-.*^sensor-1 +certificate +1 +20.*^next action 20/ms);
    expect((await command("handed-over", "dev", "sensor-1", "dashboard")).stdout).toMatch(/bundle of sensor-1/);
    const clients = async (): Promise<Record<string, unknown>[]> => {
      const [answer] = JSON.parse((await command("status", "dev", "--json")).stdout) as {
        status: { clients: Record<string, unknown>[] };
      }[];
      return answer?.status.clients ?? [];
    };
    expect((await clients()).map(({ name, handed_over_at: at }) => [name, at !== null])).toEqual([
      ["sensor-1", true],
      ["dashboard", true],
      ["operator", false],
    ]);
    const audit = await command("audit", "dev");
    expect(audit.stdout).toMatch(
      /issued +server authority 1 +first issue .*handed over +connection bundle of sensor-1/s,
    );
    expect(JSON.parse((await command("audit", "dev", "--json")).stdout)).toHaveLength(1);
    expect((await command("convert", "dev")).stdout).toMatch(/records converted: 0/);
  });

  test("revokes a client, which a deploy then refuses, and which has another certificate", async () => {
    const bundle = async (): Promise<ConnectionBundle> =>
      JSON.parse(
        await mustRun(process.env.TERRAFORM_BINARY_NAME ?? "terraform", ["output", "-json", "connection_sensor-1"], {
          cwd: path.join(folder, "cdktf.out", "stacks", "dev"),
        }),
      ) as ConnectionBundle;
    const stolen = await bundle();
    const revoked = await run("npx", ["cdktf-mosquitto", "revoke", "dev", "sensor-1", "--reason", "keyCompromise"], {
      cwd: folder,
    });
    expect(revoked.stdout).toMatch(
      /revocation of client certificate sensor-1.*client certificate sensor-1: .*revoked/s,
    );
    expect(await refusal(stolen)).toBeUndefined();
    expect((await cdktf("deploy", "dev", "--auto-approve")).code).toBe(0);
    expect(await refusalByBroker(stolen)).toMatch(/revoked/i);
    expect(await refusal(await bundle())).toBeUndefined();
  });

  test("refuses to plan staging until its credentials are issued, and says how", async () => {
    const text = async (): Promise<string> => {
      const { stdout, stderr } = await cdktf("diff", "staging");
      // Without colours, frames and the line breaks that fit a terminal.
      return stripVTControlCharacters(stdout + stderr).replace(/[│\s]+/g, " ");
    };
    const refused = await text();
    expect(refused).toMatch(/are not on this machine/);
    expect(refused).toMatch(/npx cdktf-mosquitto issue staging/);
    const listed = await run("npx", ["cdktf-mosquitto", "issue", "staging", "--dry-run"], { cwd: folder });
    expect(listed.stdout).toMatch(/because it is missing:.*server certificate: first issue/s);
    expect(fs.readdirSync(path.join(folder, "credentials"))).toEqual(["dev"]);
    const issued = await run("npx", ["cdktf-mosquitto", "issue", "staging"], { cwd: folder });
    expect(issued.stdout).toMatch(/server certificate: first issue.*issued: \d+/s);
    expect(fs.readdirSync(path.join(folder, "credentials"))).toEqual(["dev", "staging"]);
    expect(await text()).not.toMatch(/are not on this machine/);
  });

  test("is taken away by cdktf destroy, and npm stop then has nothing to do", async () => {
    const destroyed = await cdktf("destroy", "dev", "--auto-approve");
    expect(destroyed.stdout).toMatch(/Destroy complete/);
    expect(await leftovers(container)).toEqual([]);
    expect((await run("npm", ["stop"], { cwd: folder, env: cacheOfThisCheckout })).stdout).toContain(
      "Nothing is deployed.",
    );
  });

  test("is taken away by npm stop after npm start", async () => {
    const started = await run("npm", ["start"], { cwd: folder, env: cacheOfThisCheckout });
    expect(started.code).toBe(0);
    const steps = started.stderr
      .split("\n")
      .filter((line) => line.startsWith("[set-up]") && !line.includes("terraform"));
    expect(steps.filter((line) => !line.includes("skipped"))).toEqual([]);
    expect(steps.length).toBeGreaterThanOrEqual(4);
    const stopped = await run("npm", ["stop"], { cwd: folder, env: cacheOfThisCheckout });
    expect(stopped.stdout).toContain("The broker is destroyed.");
    expect(await leftovers(container)).toEqual([]);
    expect(fs.existsSync(path.join(folder, "state", "dev-clients"))).toBe(false);
  });

  test("runs the commands of its CONTRIBUTING file and of the guide to performance", async () => {
    const env = { ...cacheOfThisCheckout, BENCH_CLIENTS: "10", BENCH_RSA_CLIENTS: "2", BENCH_ROUNDS: "1" };
    const types = await run("npm", ["test", "--", "types"], { cwd: folder, env });
    expect(types.stdout.trim().split("\n").at(-1)).toBe("1 passed, 0 failed");
    const format = await run("npm", ["run", "format"], { cwd: folder });
    expect({ code: format.code, said: format.code === 0 ? "" : format.stdout }).toEqual({ code: 0, said: "" });
    const bench = await run("npm", ["run", "bench"], { cwd: folder, env });
    expect(bench.stdout).toMatch(/times bare node:crypto.*times as fast.*cdktf deploy dev.* s$/ms);
    const load = await run("npm", ["run", "bench", "--", "load"], { cwd: folder, env: { ...env, BENCH_SECONDS: "1" } });
    expect({ code: load.code, said: load.code === 0 ? "" : load.stderr }).toEqual({ code: 0, said: "" });
    expect(load.stdout).toMatch(/^Connecting$.*^Memory$.*^10 clients$.*^QoS 0$.*^QoS 1$/ms);
    expect(await leftovers(container)).toEqual([]);
  });
});
