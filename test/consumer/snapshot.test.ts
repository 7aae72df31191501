import * as fs from "node:fs";
import * as path from "node:path";
import { CommandResult, mustRun, run } from "../support/command";
import { checkout, fileOf, filesBelow, makeFolder, removeFolder } from "../support/workspace";

jest.setTimeout(120_000);

const example = path.join(checkout, "examples", "snapshot-test");
const later = path.join(__dirname, "later.js");

interface Manifest {
  readonly version: string;
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
  readonly overrides?: Record<string, string>;
}

/** A consumer's project, with the package as npm would publish it. The tests are its life, one after another. */
describe("the example of a snapshot test", () => {
  const workspace = makeFolder("snapshot");
  const tmp = path.join(workspace, "tmp");
  const home = path.join(workspace, "home");
  let project = path.join(workspace, "plant");
  const here = { HOME: home, TMPDIR: tmp, TZ: "Europe/Berlin" };
  const passed = { code: 0, snapshots: "1 passed, 1 total", changed: [] };

  beforeAll(async () => {
    for (const folder of [tmp, home]) fs.mkdirSync(folder);
    // What a person who tried the example left there is no part of it.
    const left = ["node_modules", "package-lock.json"];
    fs.cpSync(example, project, { recursive: true, filter: (file) => !left.includes(path.basename(file)) });
    // The library is built by the test run; building it again here would race with other tests.
    const packed = await mustRun("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", workspace], {
      cwd: checkout,
    });
    const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
    await install((manifest) => (manifest.dependencies["cdktf-mosquitto"] = `file:../${filename}`));
  });
  afterAll(() => removeFolder(workspace));

  function manifestOf(folder: string): Manifest {
    return JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8")) as Manifest;
  }

  async function install(change: (manifest: Manifest) => void): Promise<void> {
    const manifest = manifestOf(project);
    change(manifest);
    fs.writeFileSync(path.join(project, "package.json"), JSON.stringify(manifest, undefined, 2));
    await mustRun("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund"], { cwd: project });
  }

  /** Everything in the project, the home and the folder for temporary files, and when it was written. */
  function everything(): Map<string, number> {
    const found = [project, home, tmp].flatMap((folder) =>
      fs.readdirSync(folder, { withFileTypes: true, recursive: true }).map((entry): [string, number] => {
        const file = path.join(entry.parentPath, entry.name);
        // A folder changes with what is in it, which is listed itself.
        return [path.relative(workspace, file), entry.isDirectory() ? 0 : fs.lstatSync(file).mtimeMs];
      }),
    );
    // Every app of a test has these two, empty, from the framework.
    return new Map(found.filter(([name]) => !/^tmp\/cdktf\.outdir\.\w+(\/stacks)?$/.test(name)));
  }

  /** What was made, rewritten or taken away since. */
  function changedSince(before: Map<string, number>): string[] {
    const after = everything();
    const names = new Set([...before.keys(), ...after.keys()]);
    return [...names].filter((name) => before.get(name) !== after.get(name)).sort();
  }

  /** Runs the project's own test, and looks at what it leaves behind. */
  async function snapshotTest(
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ code: number; snapshots: string | undefined; changed: string[]; said: string }> {
    const before = everything();
    const jest = ["--ci", "--cacheDirectory", path.join(workspace, "jest"), ...args];
    const { code, stderr } = await run(path.join(project, "node_modules", ".bin", "jest"), jest, {
      cwd: project,
      env: { ...here, ...env },
    });
    const snapshots = /^Snapshots: +(.*)$/m.exec(stderr)?.[1];
    return { code, snapshots, changed: changedSince(before), said: stderr };
  }

  /** Compiles the project strictly and synthesises its stack, as a deploy does. */
  async function synth(
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<CommandResult> {
    const main = 'const app = new App();\nnew PlantStack(app, "plant");\napp.synth();\n';
    const imports = 'import { App } from "cdktf";\nimport { PlantStack } from "./plant-stack";\n';
    fs.writeFileSync(path.join(project, "main.ts"), imports + main);
    const tsc = path.join(project, "node_modules", ".bin", "tsc");
    await mustRun(tsc, ["--strict", "--noEmit", "false", "--outDir", "built"], { cwd: project });
    return run(process.execPath, [...args, "built/main.js"], { cwd: project, env: { ...here, ...env } });
  }

  /** The version of the framework that wrote the stack. */
  function frameworkOfStack(): string {
    const file = path.join(project, "cdktf.out", "stacks", "plant", "cdk.tf.json");
    const config = JSON.parse(fs.readFileSync(file, "utf8")) as { "//": { metadata: { version: string } } };
    return config["//"].metadata.version;
  }

  function installedFramework(): string {
    const file = path.join(project, "node_modules", "cdktf", "package.json");
    const { name, version } = JSON.parse(fs.readFileSync(file, "utf8")) as { name: string; version: string };
    return `${name} ${version}`;
  }

  test("names the versions of this package and of what it is developed with", () => {
    const own = manifestOf(checkout);
    const named = manifestOf(example);
    const versions = { ...own.devDependencies, "cdktf-mosquitto": own.version };
    expect(versions).toMatchObject({ ...named.dependencies, ...named.devDependencies });
  });

  test("passes from the committed snapshot, and leaves no file, store or output behind", async () => {
    expect(installedFramework()).toBe("cdktf 0.21.0");
    expect(await snapshotTest()).toMatchObject(passed);
  });

  test.each([
    ["another topic", '"plant/sensor-1/#"', '"plant/sensor-2/#"', /^\s+\+ topic write plant\/sensor-2\/#$/m],
    ["another port", "port: 8884", "port: 8894", /^\s+\+ +"external": 8894,$/m],
    ["another client", '"dashboard"', '"panel"', /^\s+\+ +"connection_panel": \{$/m],
  ])("fails for %s", async (_, from, to, shown) => {
    const file = path.join(project, "plant-stack.ts");
    const declared = fs.readFileSync(file, "utf8");
    expect(declared.split(from)).toHaveLength(2);
    fs.writeFileSync(file, declared.replace(from, to));
    try {
      const { said, ...result } = await snapshotTest();
      expect(result).toEqual({ code: 1, snapshots: "1 failed, 1 total", changed: [] });
      expect(said).toMatch(shown);
    } finally {
      fs.writeFileSync(file, declared);
    }
  });

  test("passes in another folder and time zone, 400 days later", async () => {
    const moved = path.join(workspace, "elsewhere", "a folder of another name");
    fs.mkdirSync(path.dirname(moved));
    fs.renameSync(project, moved);
    try {
      project = moved;
      const env = { LATER_DAYS: "400", TZ: "Pacific/Kiritimati" };
      const { said, ...result } = await snapshotTest(["--setupFiles", later], env);
      expect(result).toEqual(passed);
      const clock = /^It is (.*) in (.*)$/m.exec(said);
      expect((Date.parse(clock?.[1] ?? "") - Date.now()) / 86_400_000).toBeCloseTo(400, 1);
      expect(clock?.[2]).toBe("Pacific/Kiritimati");
    } finally {
      project = path.join(workspace, "plant");
      fs.renameSync(moved, project);
    }
  });

  test("passes beside a store of issued credentials, and leaves it as it is", async () => {
    const before = everything();
    expect(await synth()).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/issued into credentials/) as string,
    });
    expect(frameworkOfStack()).toBe("0.21.0");
    // So a snapshot test that opened a store or wrote an output would be noticed.
    expect(changedSince(before)).toEqual(
      expect.arrayContaining([
        path.relative(workspace, fileOf(path.join(project, "credentials", "plant-broker"), "client.sensor-1.v1.1")),
        "plant/cdktf.out/stacks/plant/cdk.tf.json",
        "plant/cdktf.out/stacks/plant/material/plant-broker/server.key",
      ]),
    );
    expect(await snapshotTest()).toMatchObject(passed);
  });

  test("passes after a certificate was renewed", async () => {
    const renewed = await synth(["--require", later], { LATER_DAYS: "300" });
    expect(renewed.stderr).toMatch(/issued into credentials.*server certificate/s);
    expect(await snapshotTest()).toMatchObject(passed);
    expect(await snapshotTest(["--setupFiles", later], { LATER_DAYS: "300" })).toMatchObject(passed);
  });

  test("passes on the community fork, set up as its README says, where the stack compiles and issues too", async () => {
    for (const folder of ["credentials", "cdktf.out", "built"]) {
      fs.rmSync(path.join(project, folder), { recursive: true, force: true });
    }
    const readme = fs.readFileSync(path.join(project, "README.md"), "utf8");
    const [, lines] = /^```json\n(.*?)^```$/ms.exec(readme) ?? [];
    const { dependencies, ...others } = JSON.parse(lines ?? "{}") as Partial<Manifest>;
    await install((manifest) => {
      Object.assign(manifest.dependencies, dependencies);
      Object.assign(manifest, others);
    });
    expect(installedFramework()).toBe("cdktn 0.24.0");
    // One copy for the project, the library and the provider's bindings.
    const manifests = filesBelow(path.join(project, "node_modules"));
    expect(manifests.filter((file) => /(^|\/)cdkt[fn]\/package\.json$/.test(file))).toEqual(["cdktf/package.json"]);
    expect(await snapshotTest()).toMatchObject(passed);

    const { code, stderr } = await synth();
    expect({ code, said: code === 0 ? "" : stderr }).toEqual({ code: 0, said: "" });
    expect(stderr).toMatch(/issued into credentials/);
    expect(frameworkOfStack()).toBe("0.24.0");
    for (const file of [
      path.relative(project, fileOf(path.join(project, "credentials", "plant-broker"), "client.sensor-1.v1.1")),
      "cdktf.out/stacks/plant/material/plant-broker/server.key",
    ]) {
      expect([file, fs.statSync(path.join(project, file)).mode & 0o777]).toEqual([file, 0o600]);
    }
    expect(await snapshotTest()).toMatchObject(passed);
  });
});
