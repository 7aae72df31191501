import { BrokerSetFiles, readmitted } from "../../cli/broker-sets";
import { CommandResult } from "../support/command";
import { cdktfMosquitto, library, runApp, writeApp } from "../support/command-line";
import { makeFolder, removeFolder } from "../support/workspace";

jest.setTimeout(60_000);

const certificate = (text: string): string => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;

function set(files: Readonly<Record<string, string>> = {}): BrokerSetFiles {
  const all = {
    ended: "# Certificates that ended.\nsensor-1 0A\n",
    passwd: "operator:$7$1000$a$b\n",
    "client-ca.crt": certificate("one"),
    ...files,
  };
  return { name: "before", stagedAt: "", files: new Map(Object.entries(all)) };
}

describe("whom the set before lets in again", () => {
  test.each([
    ["nobody, where both are alike", {}, []],
    ["who was let in since", { ended: "# Certificates that ended.\n" }, []],
    ["whose certificate has ended since", { ended: "sensor-1 0A\nsensor-2 0B\n" }, ["certificate 0B of sensor-2"]],
    [
      "whose password is another one",
      { passwd: "operator:$7$1000$c$d\n" },
      ["operator with a password that has ended"],
    ],
    ["who is gone", { passwd: "" }, ["operator with a password that has ended"]],
    [
      "whom an authority has signed that is dropped",
      { "client-ca.crt": certificate("two") },
      ["all certificates of 1 authority no longer trusted"],
    ],
    [
      "nobody, where an authority is trusted in addition",
      { "client-ca.crt": certificate("one") + certificate("two") },
      [],
    ],
  ])("%s", (_, present, expected) => {
    expect(readmitted(set(), set(present))).toEqual(expected);
  });
});

describe("rollback", () => {
  const folder = makeFolder("cli-rollback");
  const docker = "unix:///nowhere/docker.sock";
  const rollback = (args: readonly string[], env: Record<string, string> = {}): Promise<CommandResult> =>
    cdktfMosquitto(["rollback", ...args], { cwd: folder, env });

  beforeAll(async () => {
    writeApp(
      folder,
      `
      const { DockerProvider } = require("@cdktf/provider-docker/lib/provider");
      const { App, TerraformStack } = require("cdktf");
      const { CredentialStore, MosquittoBroker } = require(${library});
      const app = new App();
      const stack = new TerraformStack(app, "prod");
      new DockerProvider(stack, "docker", {});
      const provider = new DockerProvider(stack, "other", { alias: "other", host: "${docker}" });
      const credentials = (name) => CredentialStore.folder(name, { issue: "never" });
      new MosquittoBroker(stack, "one", { hosts: ["one.example"], credentials: credentials("one"), provider });
      new MosquittoBroker(stack, "two", { hosts: ["two.example"], credentials: credentials("two"), outputPrefix: "two_" });
      new TerraformStack(app, "none");
      app.synth();`,
    );
    const { code, stderr } = await runApp(folder, { CDKTF_OUTDIR: "cdktf.out" });
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  });
  afterAll(() => removeFolder(folder));

  test("asks which broker is meant where the stack has several", async () => {
    for (const args of [["prod"], ["prod", "--broker", "prod/three"]]) {
      const { code, stderr } = await rollback(args);
      expect({ code, stderr }).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/prod\/one, prod\/two/) as string,
      });
    }
    expect(await rollback(["none"])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/has no broker/) as string,
    });
  });

  test("asks the Docker host that is declared for the broker, or the one of DOCKER_HOST", async () => {
    const one = ["prod", "--broker", "prod/one"];
    expect((await rollback(one, { DOCKER_HOST: "" })).stderr).toContain(docker);
    const elsewhere = await rollback(one, { DOCKER_HOST: "unix:///elsewhere/docker.sock" });
    expect(elsewhere).toMatchObject({ code: 1, stderr: expect.stringContaining("/elsewhere/docker.sock") as string });
    expect(elsewhere.stderr).toMatch(/prod-one does not run, or not on this Docker host.*remedy: set DOCKER_HOST/s);
  });
});
