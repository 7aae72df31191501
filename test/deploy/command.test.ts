import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import * as tls from "node:tls";
import { ConnectionBundle, KeyAlgorithm } from "../../constructs";
import { issueAuthority, issueServer, Issuer, parseHost } from "../../constructs/pki";
import { Session } from "../../tools/mqtt-session";
import { CommandResult, mustRun, run } from "../support/command";
import { cdktfMosquitto, library } from "../support/command-line";
import { images } from "../support/deployment";
import { leftovers, removeLeftovers } from "../support/docker";
import { checkout, freePorts, makeFolder, removeFolder, uniqueName } from "../support/workspace";

jest.setTimeout(180_000);

const tsx = path.join(checkout, "node_modules", ".bin", "tsx");

/** The command beside a deployed broker, as an operator uses it. The tests are a day of it, one after another. */
describe("cdktf-mosquitto", () => {
  const folder = makeFolder("command");
  const name = uniqueName("command");
  const stackFolder = path.join(folder, "cdktf.out", "stacks", "plant");
  const terraform = process.env.TERRAFORM_BINARY_NAME ?? "terraform";
  let ports: number[];

  const app = (): string => `
    import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
    import { App, LocalBackend, TerraformStack } from "cdktf";
    import { Authentication, ConnectionOutputs, CredentialStore, Listener, MosquittoBroker, MosquittoImage }
      from ${library};
    const app = new App();
    const stack = new TerraformStack(app, "plant");
    new DockerProvider(stack, "docker", {});
    stack.addOverride("terraform.required_providers.docker.version", ">= 3.6.2, < 5.0.0");
    new LocalBackend(stack, { path: ${JSON.stringify(path.join(folder, "plant.tfstate"))} });
    const broker = new MosquittoBroker(stack, "broker", {
      name: ${JSON.stringify(name)},
      hosts: ["localhost", "127.0.0.1"],
      image: MosquittoImage.named(${JSON.stringify(images["2.1.2"]().name)}, "2.1.2"),
      listeners: [Listener.mutualTls({ port: ${ports[0]} }), Listener.passwordOverTls({ port: ${ports[1]} })],
      credentials: CredentialStore.folder("store"),
      connectionOutputs: process.env.SECRETS === "no" ? ConnectionOutputs.withoutSecrets() : ConnectionOutputs.withSecrets(),
      outputPrefix: "plant_",
      protectData: false,
    });
    broker.addClient("sensor.1", { publishAndSubscribe: ["plant/sensor/#"] });
    broker.addClient("either", { authentication: Authentication.certificateOrPassword(), publish: ["a"], subscribe: ["b"] });
    broker.addClients(["press-1"], { each: () => ({ publish: ["plant/press-1/#"] }) });
    app.synth();`;

  const command = (args: readonly string[], env: Record<string, string> = {}): Promise<CommandResult> =>
    cdktfMosquitto(args, { cwd: folder, env });
  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await command(args);
    expect({ code, said: code === 0 ? "" : stderr }).toEqual({ code: 0, said: "" });
    return stdout;
  };
  const deploy = async (env: Record<string, string> = {}): Promise<void> => {
    await mustRun(tsx, ["app.ts"], {
      cwd: folder,
      env: { ...env, CDKTF_OUTDIR: path.dirname(path.dirname(stackFolder)) },
    });
    await mustRun(terraform, ["init", "-input=false"], { cwd: stackFolder });
    await mustRun(terraform, ["apply", "-auto-approve", "-input=false"], { cwd: stackFolder });
  };
  const inOutput = async (client: string): Promise<ConnectionBundle> =>
    JSON.parse(
      await mustRun(terraform, ["output", "-json", `plant_connection_${client}`], { cwd: stackFolder }),
    ) as ConnectionBundle;
  const handedOver = async (client: string): Promise<unknown> => {
    const [answer] = JSON.parse(await ok("status", "plant", "--json")) as [
      { status: { clients: { name: string; handed_over_at: string | null }[] } },
    ];
    return answer.status.clients.find((one) => one.name === client)?.handed_over_at;
  };

  beforeAll(async () => {
    ports = await freePorts(2);
    fs.writeFileSync(path.join(folder, "app.ts"), app());
    fs.writeFileSync(path.join(folder, "cdktf.json"), JSON.stringify({ language: "typescript", app: `${tsx} app.ts` }));
    await deploy();
  });
  afterAll(async () => {
    await run(terraform, ["destroy", "-auto-approve", "-input=false"], { cwd: stackFolder });
    await removeLeftovers(name);
    removeFolder(folder);
  });

  test("verify finds everything as it should be, and says so to a program, too", async () => {
    expect(await ok("verify", "plant")).toMatch(/\n25 checks, 0 surprises\n$/);
    expect(await ok("verify", "plant", "--host", "127.0.0.1", "--broker", "plant/broker")).toMatch(
      /127\.0\.0\.1.* proves to be 127\.0\.0\.1 +ok[^]*25 checks, 0 surp/,
    );
    const findings = JSON.parse(await ok("verify", "plant", "--json")) as { result: string; endpoint: string }[];
    expect(new Set(findings.map(({ result }) => result))).toEqual(new Set(["ok"]));
    expect(new Set(findings.map(({ endpoint }) => endpoint)).size).toBe(3);
  });

  test("verify of a client finds nothing wrong, or names the cause and what helps, and knows wrong use", async () => {
    const either = await inOutput("either");
    const write = (file: string, bundle: unknown): void =>
      fs.writeFileSync(path.join(folder, file), JSON.stringify(bundle));
    write("other.json", { ...either, password: "not the password" });
    write("broken.json", { ...either, url: "mqtts://elsewhere.example" });
    const verifying = (...args: string[]): Promise<CommandResult> => command(["verify", "plant", ...args]);
    const [fine, other, broken, foreign, nobody, ...wrong] = await Promise.all([
      verifying("sensor.1", "--topic", "plant/sensor/1", "--host", "127.0.0.1"),
      verifying("either", "--bundle", "other.json", "--port", String(ports[1]), "--json"),
      verifying("either", "--bundle", "broken.json"),
      verifying("sensor.1", "--bundle", "other.json"),
      verifying("nobody"),
      verifying("--topic", "plant/sensor/1"),
      verifying("sensor.1", "--bundle", "none.json"),
    ]);
    expect(fine).toMatchObject({
      code: 0,
      stderr: "",
      stdout: expect.stringMatching(/own certificate +ok [^]*\nnothing is wrong that can be seen from here/) as string,
    });
    expect(fine.stdout).toMatch(/rules +ok +plant\/sensor\/1: may publish: yes, may receive: yes/);
    expect([other.code, JSON.parse(other.stdout)]).toMatchObject([1, { cause: { id: "password-other" } }]);
    expect([broken, foreign, nobody].map(({ code, stdout }) => [code, stdout])).toEqual([
      [
        1,
        expect.stringMatching(/\ncause \(bundle-unreadable\): .*remedy: hand over the present bundle: npx cdktf-mosq/),
      ],
      [
        1,
        expect.stringMatching(
          /\ncause \(bundle-of-another-client\): it is the bundle of either, not of sensor\.1; rem/,
        ),
      ],
      [1, expect.stringMatching(/\ncause \(client-not-declared\): nobody is not declared; remedy: declare it/)],
    ]);
    expect(wrong.map((one) => one.code)).toEqual([2, 2]);
  });

  test("bundle prints what the outputs say, which connects, and notes that it was handed over", async () => {
    expect(await handedOver("sensor.1")).toBeNull();
    const bundle = JSON.parse(await ok("bundle", "plant", "sensor.1")) as ConnectionBundle;
    expect(bundle).toEqual(await inOutput("sensor_1"));
    const session = await Session.open(bundle);
    await session.close();
    expect(await handedOver("sensor.1")).toMatch(/^20/);
  });

  test("bundle of a client without an output comes from the store", async () => {
    const answer = JSON.parse(await ok("bundle", "plant", "press-1", "--no-note", "--json")) as {
      source: string;
      broker: string;
      files: { content: string }[];
    };
    expect(answer).toMatchObject({ source: "store", broker: "plant/broker" });
    const session = await Session.open(JSON.parse(answer.files[0]?.content ?? "") as ConnectionBundle);
    await session.close();
    expect(await handedOver("press-1")).toBeNull();
  });

  test("bundle of several, or of all, gives each a folder of its own, and notes each", async () => {
    const several = await command(["bundle", "plant", "either", "press-1"]);
    expect(several).toMatchObject({ code: 2, stderr: expect.stringMatching(/2 bundles; .*by --out/) as string });
    const written = await ok("bundle", "plant", "--all", "--format", "url", "--out", "urls");
    expect(written.split("\n").sort()).toEqual([
      "",
      ...["either", "press-1", "sensor.1"].flatMap((client) =>
        ["ca.crt", "client.crt", "client.key", "connection.url"].map((file) => `urls/${client}/${file}`),
      ),
    ]);
    expect(fs.readFileSync(path.join(folder, "urls/either/connection.url"), "utf8")).toBe(
      `${(await inOutput("either")).url}\n`,
    );
    // Of the other one, which has a password, too, this is a part.
    expect(await handedOver("press-1")).toMatch(/^20/);
    expect(await handedOver("either")).toBeNull();
    expect((await command(["bundle", "plant"])).stderr).toMatch(/whose bundle\? allowed: names of clients, or --all/);
  });

  test("bundle leads to the listener and host that are asked for, and proves itself as that asks", async () => {
    const text = await ok("bundle", "plant", "either", "--no-note", "--port", String(ports[1]), "--host", "127.0.0.1");
    const bundle = JSON.parse(text) as ConnectionBundle;
    expect(bundle).toMatchObject({
      url: `mqtts://127.0.0.1:${ports[1]}`,
      server_name: "127.0.0.1",
      username: "either",
    });
    expect(bundle).not.toHaveProperty("cert_pem");
    const session = await Session.open(bundle);
    await session.close();
    const wrong = await command(["bundle", "plant", "either", "--server-name", "elsewhere.example", "--no-note"]);
    expect(wrong).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/allowed: what the server's certificate names: localhost/) as string,
    });
    const closed = await command(["bundle", "plant", "either", "--port", "1"]);
    expect(closed.stderr).toMatch(/port of an endpoint of either, got 1; allowed: \d+, \d+/);
  });

  test("where the store is elsewhere, the outputs do, and what only the store knows is said to be missing", async () => {
    fs.renameSync(path.join(folder, "store"), path.join(folder, "elsewhere"));
    fs.writeFileSync(
      path.join(folder, "app.ts"),
      app().replace('folder("store")', 'folder("store", { issue: "never" })'),
    );
    try {
      const found = await command(["bundle", "plant", "sensor.1"]);
      expect(JSON.parse(found.stdout)).toEqual(await inOutput("sensor_1"));
      expect(found.stderr).toMatch(
        /not noted as handed over: .*where the store is kept: npx cdktf-mosquitto handed-over/,
      );
      const missing = await command(["bundle", "plant", "press-1"]);
      expect(missing).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /outputs: Terraform's outputs have no such client\n {2}store: .*not everything is issued/,
        ) as string,
      });
      const status = await ok("status", "plant");
      expect(status).toMatch(/plant\/broker \(as deployed, from Terraform's outputs\)[^]*sensor\.1 +20\d\d-/);
      expect(JSON.parse(await ok("status", "plant", "--json"))).toMatchObject([
        { deployed: { clients: [{ client_id: "either" }, { client_id: "sensor.1" }] } },
      ]);
      expect(fs.existsSync(path.join(folder, "store"))).toBe(false);
    } finally {
      fs.renameSync(path.join(folder, "elsewhere"), path.join(folder, "store"));
      fs.writeFileSync(path.join(folder, "app.ts"), app());
    }
  });

  test("a credential that is revoked, and still deployed, is handed to nobody", async () => {
    fs.cpSync(path.join(folder, "store"), path.join(folder, "before"), { recursive: true, verbatimSymlinks: true });
    try {
      for (const client of ["sensor.1", "either"]) {
        await ok("revoke", "plant", client);
        expect(await command(["bundle", "plant", client])).toMatchObject({
          code: 1,
          stdout: "",
          stderr: expect.stringMatching(
            /that is deployed is revoked or replaced; remedy: npx cdktf deploy plant/,
          ) as string,
        });
      }
    } finally {
      fs.rmSync(path.join(folder, "store"), { recursive: true });
      fs.renameSync(path.join(folder, "before"), path.join(folder, "store"));
    }
  });

  test("where the outputs carry no secrets, the bundle comes from the store, and one that is not deployed says so", async () => {
    const before = await ok("bundle", "plant", "sensor.1", "--no-note");
    await deploy({ SECRETS: "no" });
    expect(await inOutput("sensor_1")).not.toHaveProperty("key_pem");
    const after = await command(["bundle", "plant", "sensor.1", "--no-note"]);
    expect([JSON.parse(after.stdout), after.stderr]).toEqual([JSON.parse(before), ""]);
    expect(await ok("verify", "plant")).toMatch(/\n25 checks, 0 surprises\n$/);
    fs.writeFileSync(path.join(folder, "app.ts"), app().replace('("sensor.1", {', "$& credentialVersion: 2,"));
    await ok("issue", "plant", "--yes");
    const newer = await command(["bundle", "plant", "sensor.1", "--no-note"]);
    expect(newer.stderr).toMatch(/the bundle of sensor\.1 is not deployed yet; it works after: npx cdktf deploy plant/);
  });

  test("an unknown client, and an unknown stack, are named with those there are", async () => {
    const client = await command(["bundle", "plant", "nobody"]);
    expect(client).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/allowed: sensor\.1, either, press-1/) as string,
    });
    expect((await command(["verify", "typo"])).stderr).toMatch(
      /stack "typo" is not synthesized .*allowed: plant; remedy: npx cdktf synth/,
    );
  });

  test("purge asks, and removes what synths left here; the store only of what is destroyed", async () => {
    const material = path.join(stackFolder, "material");
    const refused = await command(["purge", "plant"]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("Nothing was removed") as string });
    expect(fs.existsSync(material)).toBe(true);
    const deployed = await command(["purge", "plant", "--store", "--yes"]);
    expect(deployed).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/plant is deployed \(workspace default\).*destroy plant first/) as string,
    });
    const elsewhere = await command(["purge", "plant", "--store", "--yes"], { TF_WORKSPACE: "other" });
    expect(elsewhere.code).toBe(1);
    expect(JSON.parse(await ok("purge", "plant", "--yes", "--json"))).toEqual({ removed: [material] });
    expect([fs.existsSync(material), fs.existsSync(path.join(folder, "store"))]).toEqual([false, true]);
    expect(await ok("purge", "plant", "--yes")).toBe("");
    expect((await command(["purge", "..", "--yes"])).code).toBe(1);
  });

  test("verify ends with 1 when another server answers, and when none does", async () => {
    await mustRun("docker", ["stop", name]);
    const impostor = tls.createServer(foreignServer());
    const sockets = new Set<net.Socket>();
    impostor.on("connection", (socket: net.Socket) => sockets.add(socket));
    await new Promise<void>((resolve) => impostor.listen(ports[0], "127.0.0.1", resolve));
    try {
      const { code, stdout } = await command(["verify", "plant"]);
      expect(code).toBe(1);
      expect(stdout).toMatch(/proves to be localhost +SURPRISE +it leads to no authority of the broker/);
      expect(stdout).toMatch(/can be reached +SURPRISE +connect ECONNREFUSED/);
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => impostor.close(resolve));
    }
  });

  test("with its store, purge leaves nothing of what is destroyed", async () => {
    await mustRun(tsx, ["app.ts"], { cwd: folder, env: { CDKTF_OUTDIR: path.join(folder, "cdktf.out") } });
    await mustRun(terraform, ["destroy", "-auto-approve", "-input=false"], { cwd: stackFolder });
    expect(await leftovers(name)).toEqual([]);
    fs.writeFileSync(path.join(folder, "store", "notes.txt"), "mine");
    await ok("purge", "plant", "--store", "--yes");
    expect(fs.readdirSync(path.join(folder, "store"))).toEqual(["notes.txt"]);
  });
});

function foreignServer(): { cert: string; key: string } {
  const algorithm = KeyAlgorithm.ecdsaP256();
  const day = 24 * 60 * 60 * 1000;
  const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
  const authority = issueAuthority({ commonName: "Foreign authority", algorithm, ...validity });
  const issuer = Issuer.fromPem(authority.certificatePem, authority.privateKeyPem);
  const { certificatePem, privateKeyPem } = issueServer(issuer, {
    commonName: "impostor",
    hosts: [parseHost("localhost")],
    algorithm,
    ...validity,
  });
  return { cert: certificatePem, key: privateKeyPem };
}
