import * as fs from "node:fs";
import * as path from "node:path";
import { withTool } from "../support/tool-module";
import { makeFolder, removeFolder } from "../support/workspace";

// How set-up gets the judges, with programs that only note what they are asked to do.

const folder = makeFolder("judges");
afterAll(() => removeFolder(folder));

const PIP_IS_THERE = `[ "$2" = pip ] && [ "$3" = --version ] && exit 0`;
const PIP_IS_MISSING = `[ "$2" = pip ] && exit 1`;
const python = (pip: string): string =>
  `[ "$1" = -c ] && echo cpython-399-test && exit 0\n${pip}\necho "$@" >>"$ASKED"`;
/** Its last argument but one is where the program goes. */
const GO = `echo go "$1" >>"$ASKED"\n[ "$1" = build ] && echo built >"$6"\nexit 0`;

interface Run {
  readonly code: number;
  readonly said: string;
  readonly asked: string[];
}

let runs = 0;
/** Runs code of the set-up where only these programs are, and nothing in the cache. */
async function setUp(programs: Readonly<Record<string, string>>, code: string): Promise<Run> {
  const own = path.join(folder, String(++runs));
  const bin = path.join(own, "bin");
  fs.mkdirSync(bin, { recursive: true });
  for (const [name, script] of Object.entries(programs)) {
    fs.writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  const ASKED = path.join(own, "asked");
  const env = { PATH: bin, ASKED, CDKTF_MOSQUITTO_CACHE: path.join(own, "cache") };
  const { code: exitCode, stderr } = await withTool("setup/judges.mjs", code, { env });
  const asked = fs.existsSync(ASKED) ? fs.readFileSync(ASKED, "utf8").trim().split("\n") : [];
  return { code: exitCode, said: stderr, asked };
}

test("the judges are built and installed once, from exactly what the repository vouches for, and found afterwards", async () => {
  const programs = { go: GO, python3: python(PIP_IS_THERE) };
  const code = "await module.judges(false); await module.judges(false); print(await module.presentJudges());";
  const { code: exitCode, said, asked } = await setUp(programs, code);
  expect({ exitCode, said }).toMatchObject({
    exitCode: 0,
    said: expect.stringMatching(/built.*present, skipped/s) as string,
  });
  expect(asked).toEqual([
    "go build",
    expect.stringMatching(/^-m pip install .*--require-hashes --only-binary=:all: .*--target .*requirements\.txt$/),
  ]);
});

test("without Go, the error says which one to install", async () => {
  const { code, said } = await setUp({ python3: python(PIP_IS_THERE) }, "await module.judges(false);");
  expect(code).toBe(1);
  expect(said).toMatch(/Go, which builds the judges.*not on PATH\. Install Go 1\.25 or later/);
});

test("without pip and apt-get, the error says what to install", async () => {
  const { code, said } = await setUp({ go: GO, python3: python(PIP_IS_MISSING) }, "await module.judges(false);");
  expect(code).toBe(1);
  expect(said).toMatch(/Python's pip, but .* no apt-get.*Install the equivalent of python3-pip/);
});

test("without pip, the distribution's is installed; where that is another Python's, the error says so", async () => {
  const programs = {
    go: GO,
    python3: python(PIP_IS_MISSING),
    "apt-get": 'echo apt-get "$@" >>"$ASKED"',
    // For who is not root.
    sudo: 'shift\nexec "$@"',
  };
  const { said, asked } = await setUp(programs, "await module.judges(false);");
  expect(asked.filter((line) => line.startsWith("apt-get install"))).toEqual([expect.stringMatching(/ python3-pip$/)]);
  expect(said).toMatch(/no pip, and the distribution's python3-pip is for another Python/);
});

test("tests that find no judges say how to get them, and install nothing", async () => {
  const { code, said, asked } = await setUp({ go: GO, python3: python(PIP_IS_THERE) }, "await module.presentJudges();");
  expect(code).toBe(1);
  expect(said).toMatch(/judges of the tests are not there.*npm test -- unit/);
  expect(asked).toEqual([]);
});
