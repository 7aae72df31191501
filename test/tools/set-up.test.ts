import * as fs from "node:fs";
import * as path from "node:path";
import { until } from "../../tools/until";
import { evaluate, withTool } from "../support/tool-module";
import { makeFolder, removeFolder } from "../support/workspace";

const folder = makeFolder("tools");
afterAll(() => removeFolder(folder));

/** A PATH on which only these programs are, as shell scripts. */
function pathWith(programs: Readonly<Record<string, string>>): string {
  const bin = fs.mkdtempSync(path.join(folder, "bin-"));
  for (const [name, script] of Object.entries(programs)) {
    fs.writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return bin;
}

describe("Terraform", () => {
  test("is missing: the error says what is needed and how to get it", async () => {
    const result = await withTool("setup/terraform.mjs", "await module.terraform();", { env: { PATH: pathWith({}) } });
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(
      /neither terraform nor tofu.*Terraform 1\.5 or later, or OpenTofu 1\.6.*Install one/s,
    );
  });

  test("is too old: the error says which version is there and which is needed", async () => {
    const PATH = pathWith({ terraform: `echo '{"terraform_version":"1.4.6"}'` });
    const result = await withTool("setup/terraform.mjs", "await module.terraform();", { env: { PATH } });
    expect(result.stderr).toMatch(/version 1\.4\.6, but 1\.5\.0 or later is needed/);
  });

  test("is not there but OpenTofu is: that one is taken", async () => {
    const PATH = pathWith({ tofu: `echo '{"terraform_version":"1.9.0"}'` });
    const result = await withTool("setup/terraform.mjs", "print(await module.terraform());", { env: { PATH } });
    expect(result.stdout).toBe('"tofu"');
  });

  test.each([
    ["1.5.0", "1.5.0", false],
    ["1.10.0", "1.5.0", false],
    ["1.4.99", "1.5.0", true],
    ["2.0.0", "1.5.0", false],
    ["1.6.0-beta1", "1.6.0", false],
  ])("%s is below %s: %s", async (version, minimum, below) => {
    expect(await evaluate("setup/terraform.mjs", `module.isBelow("${version}", "${minimum}")`)).toBe(below);
  });
});

describe("Docker", () => {
  test("is named by DOCKER_HOST and does not answer: nothing is installed, and the error names it", async () => {
    const env = { DOCKER_HOST: `unix://${folder}/nobody.sock` };
    const result = await withTool("setup/docker.mjs", "await module.docker(false);", { env });
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/DOCKER_HOST names unix:.*nobody\.sock.*unset DOCKER_HOST/s);
  });

  test("is there but not for this user: the error says how to join its group, and nothing is installed", async () => {
    const said = "permission denied while trying to connect to the Docker daemon socket";
    const env = { PATH: pathWith({ docker: `echo "${said}" >&2; exit 1` }), DOCKER_HOST: "" };
    const result = await withTool("setup/docker.mjs", "await module.docker(false);", { env });
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/this user may not use it.*usermod -aG docker/s);
  });

  test("is missing on a distribution without apt-get: the error says what to install", async () => {
    const env = { PATH: pathWith({}), DOCKER_HOST: "" };
    const result = await withTool("setup/docker.mjs", "await module.docker(false);", { env });
    expect(result.stderr).toMatch(/no apt-get.*Install the equivalent of docker\.io/s);
  });
});

describe("system packages", () => {
  test("are not installed when the person says no, and the error says how to do it by hand", async () => {
    const PATH = pathWith({ "apt-get": `[ "$1" = --version ] || touch ${folder}/installed` });
    const result = await withTool(
      "setup/system-packages.mjs",
      'await module.installSystemPackages(["docker.io"], "There is no Docker engine", true);',
      { env: { PATH }, input: "n\n" },
    );
    expect(result.stderr).toMatch(
      /There is no Docker engine\. Install docker\.io.*\[y\/N\].*Nothing was changed.*apt-get install docker\.io/s,
    );
    expect(fs.existsSync(path.join(folder, "installed"))).toBe(false);
  });

  test("are installed through sudo, which may not wait for a password when nobody is there", async () => {
    const command = (isRoot: boolean, interactive: boolean): Promise<string[]> =>
      evaluate("setup/system-packages.mjs", `module.rootCommand(["apt-get"], ${isRoot}, ${interactive})`);
    expect(await command(true, false)).toEqual(["apt-get"]);
    expect(await command(false, true)).toEqual(["sudo", "apt-get"]);
    expect(await command(false, false)).toEqual(["sudo", "-n", "apt-get"]);
  });
});

describe("a command of set-up", () => {
  test.each(["INT", "TERM"])("ends with set-up on SIG%s, which then takes away what it made", async (signal) => {
    const mark = path.join(folder, signal);
    // The command's child counts too: debootstrap and Go start their own.
    const command = `["sh", ["-c", "sleep 60 & echo $! >${mark}; kill -${signal} $PPID; wait"]]`;
    const code = `try { await module.run(...${command}); } finally { print("cleaned up"); }`;
    const result = await withTool("setup/command.mjs", code);
    expect(result).toMatchObject({ code: 1, stdout: '"cleaned up"' });
    expect(result.stderr).toContain(`Interrupted (SIG${signal})`);
    const grandchild = fs.readFileSync(mark, "utf8").trim();
    await until("the command's child has ended", () => !fs.existsSync(`/proc/${grandchild}`));
  });
});

describe("the docker provider", () => {
  test("cannot be had from a registry nor built without Go: the error gives both remedies", async () => {
    const env = { PATH: pathWith({ terraform: "exit 1" }), CDKTF_MOSQUITTO_CACHE: path.join(folder, "cache") };
    const result = await withTool("setup/provider.mjs", 'await module.provider("terraform");', { env });
    expect(result.stderr).toMatch(/registry cannot be reached.*Go.*Either give this machine access.*or install Go/s);
  });

  test("is taken from the registry where that works, and asked for once only", async () => {
    const asked = path.join(folder, "asked");
    const env = {
      PATH: pathWith({ terraform: `echo x >>${asked}` }),
      CDKTF_MOSQUITTO_CACHE: path.join(folder, "registry"),
    };
    const code = 'print(await module.provider("terraform"));';
    const first = await withTool("setup/provider.mjs", code, { env });
    const second = await withTool("setup/provider.mjs", code, { env });
    expect(JSON.parse(first.stdout)).toMatchObject({ cdktfArguments: [] });
    expect(second.stdout).toBe(first.stdout);
    expect(second.stderr).toMatch(/skipped/);
    expect(fs.readFileSync(asked, "utf8")).toBe("x\n");
  });

  test("that was built is found again after the checkout was moved", async () => {
    const cache = path.join(folder, "moved");
    fs.mkdirSync(path.join(cache, "providers"), { recursive: true });
    fs.writeFileSync(path.join(cache, "terraform.rc"), "of another folder");
    const stamp = await evaluate<string>(
      "setup/stamp.mjs",
      `module.hashOf(["tools/docker-provider/go.mod", "tools/docker-provider/go.sum"])`,
    );
    fs.writeFileSync(path.join(cache, "provider.stamp"), `built ${stamp}`);
    const env = { PATH: pathWith({}), CDKTF_MOSQUITTO_CACHE: cache };
    const result = await withTool("setup/provider.mjs", 'await module.provider("terraform");', { env });
    expect(result.stderr).toMatch(/built before, skipped/);
    expect(fs.readFileSync(path.join(cache, "terraform.rc"), "utf8")).toContain(path.join(cache, "providers"));
  });

  test("comes from the folder for Terraform and OpenTofu alike, and every other provider as usual", async () => {
    const config = await evaluate<string>("setup/provider.mjs", 'module.renderConfig("/mirror")');
    expect(config).toMatch(
      /filesystem_mirror \{\s+path {4}= "\/mirror"\s+include = \["registry\.terraform\.io\/kreuzwerker\/docker","registry\.opentofu\.org\/kreuzwerker\/docker"\]/,
    );
    expect(config).toMatch(/direct \{\s+exclude/);
  });
});

describe("an image", () => {
  test("of a version that is unknown is refused", async () => {
    const result = await withTool("setup/image.mjs", 'await module.image("1.6.15", false);');
    expect(result.stderr).toMatch(/no image of Mosquitto 1\.6\.15/);
  });
});

describe("the closing line of npm test", () => {
  const count = (report: object | string, exitCode: number): Promise<{ passed: number; failed: number }> =>
    evaluate(
      "test-count.mjs",
      `module.countJest(${JSON.stringify(typeof report === "string" ? report : JSON.stringify(report))}, ${exitCode})`,
    );

  test("counts what passed and what failed", async () => {
    expect(await count({ numPassedTests: 5, numFailedTests: 2 }, 1)).toEqual({ passed: 5, failed: 2 });
    expect(await evaluate("test-count.mjs", "module.closingLine({ passed: 5, failed: 2 })")).toBe("5 passed, 2 failed");
  });

  test("counts as failed what was skipped, left to do, or never loaded", async () => {
    const report = { numPassedTests: 1, numPendingTests: 1, numTodoTests: 1, numRuntimeErrorTestSuites: 1 };
    expect(await count(report, 0)).toEqual({ passed: 1, failed: 3 });
  });

  test("comes after the names of what failed, was skipped, or did not run", async () => {
    const suite = (name: string, status: string, ...assertionResults: object[]): object => ({
      name: `/checkout/test/${name}.test.ts`,
      status,
      assertionResults,
    });
    const report = {
      testResults: [
        suite("whole", "passed", { fullName: "a", status: "passed" }),
        suite("part", "failed", { fullName: "b", status: "failed" }, { fullName: "c", status: "pending" }),
        suite("broken", "failed"),
        suite("after", "failed", { fullName: "d", status: "passed" }),
      ],
    };
    const failures = (text: string, exitCode = 1): Promise<string[]> =>
      evaluate("test-count.mjs", `module.failuresOf(${JSON.stringify(text)}, ${exitCode}, "/checkout")`);
    expect(await failures(JSON.stringify(report))).toEqual([
      "test/part.test.ts: b (failed)",
      "test/part.test.ts: c (pending)",
      "test/broken.test.ts: it did not run",
      "test/after.test.ts: it failed outside of its tests",
    ]);
    expect(await failures("")).toEqual(["jest wrote no report"]);
    const passed = JSON.stringify({ numPassedTests: 1, testResults: [suite("whole", "passed")] });
    expect(await failures(passed)).toEqual(["jest ended with 1"]);
    expect(await failures(passed, 0)).toEqual([]);
  });

  test.each([
    ["no report", "", 0],
    ["no test", { numPassedTests: 0 }, 0],
    ["an exit code of its own", { numPassedTests: 3 }, 1],
  ])("counts a run with %s as a failure", async (_, report, exitCode) => {
    expect((await count(report, exitCode)).failed).toBe(1);
  });
});
