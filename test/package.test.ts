import * as fs from "node:fs";
import * as path from "node:path";
import { mustRun } from "./support/command";
import { checkout, filesBelow, makeFolder, removeFolder } from "./support/workspace";

jest.setTimeout(120_000);

/** What npm would publish, unpacked where a consumer's project finds it. */
describe("the npm package", () => {
  const consumer = makeFolder("consumer");
  const installed = path.join(consumer, "node_modules", "cdktf-mosquitto");
  let files: string[];

  beforeAll(async () => {
    // The library is built by the test run; building it again here would race with other tests.
    const packed = await mustRun("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", consumer], {
      cwd: checkout,
    });
    const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
    fs.mkdirSync(installed, { recursive: true });
    await mustRun("tar", ["-xzf", path.join(consumer, filename), "-C", installed, "--strip-components=1"]);
    files = filesBelow(installed);
  });
  afterAll(() => removeFolder(consumer));

  test("holds the library, its scripts and its papers, and nothing else", () => {
    const other = files.filter(
      (file) =>
        !/^lib\/(constructs|cli)\/.*\.(js|d\.ts)$/.test(file) &&
        ![
          "lib/constructs/broker/scripts/healthcheck.sh",
          "lib/constructs/broker/scripts/probe.sh",
          "lib/constructs/broker/scripts/reloader.sh",
          "lib/constructs/broker/scripts/writer.sh",
        ].includes(file),
    );
    expect(other.sort()).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "package.json"]);
    expect(files).toContain("lib/constructs/index.js");
    expect(files).toContain("lib/cli/main.js");
  });

  test("compiles and runs every example of the README and the guides, in a project that has only the package", async () => {
    const guides = fs.readdirSync(path.join(checkout, "docs")).map((name) => path.join("docs", name));
    const texts = ["README.md", ...guides].map((file) => fs.readFileSync(path.join(checkout, file), "utf8"));
    const examples = [...texts.join("\n").matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code as string);
    expect(examples.length).toBeGreaterThanOrEqual(4);
    examples.forEach((code, index) => fs.writeFileSync(path.join(consumer, `example-${index}.ts`), code));
    const run = examples.map((code, index) => {
      const calls = ["declare", "snapshot"].filter((name) => code.includes(`export function ${name}(`));
      if (calls.length === 0) return "";
      const argument = calls[0] === "declare" ? `stack(${index})` : "";
      return `import { ${calls[0]} as run${index} } from "./example-${index}";\nvoid run${index}(${argument});\n`;
    });
    const stack = `import { App, TerraformStack } from "cdktf";\nfunction stack(index: number): TerraformStack { return new TerraformStack(new App(), "s" + index); }\n`;
    fs.writeFileSync(path.join(consumer, "all.ts"), stack + run.join(""));
    const compilerOptions = {
      strict: true,
      noEmit: true,
      module: "NodeNext",
      target: "ES2022",
      types: ["node"],
      skipLibCheck: true,
    };
    fs.writeFileSync(path.join(consumer, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));

    await mustRun("npx", ["tsc", "-p", "."], { cwd: consumer });
    await mustRun("npx", ["tsx", "all.ts"], { cwd: consumer });
    await mustRun("npx", ["tsx", "example-0.ts"], { cwd: consumer });
    expect(fs.existsSync(path.join(consumer, "cdktf.out", "stacks", "plant", "cdk.tf.json"))).toBe(true);
    expect(fs.readdirSync(path.join(consumer, "credentials", "plant-broker"))).toContainEqual(
      expect.stringMatching(/^client\.sensor-1\.v1\.1-[0-9a-f]{8}\.json$/),
    );
  });
});
