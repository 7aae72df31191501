import * as fs from "node:fs";
import * as path from "node:path";
import { withTool } from "../support/tool-module";
import { makeFolder, removeFolder } from "../support/workspace";

// How set-up gets sslyze, with a Python that only notes what it is asked to do.

const folder = makeFolder("tls-scanner");
afterAll(() => removeFolder(folder));

const PYTHON = `[ "$1" = -c ] && echo cpython-399-test && exit 0
echo "PYTHONPATH=\${PYTHONPATH##*/}" "$@" >>"$ASKED"`;

let runs = 0;
/** Runs code of the set-up where only this Python is, and nothing in the cache. */
async function setUp(code: string): Promise<{ code: number; said: string; asked: string[] }> {
  const own = path.join(folder, String(++runs));
  const bin = path.join(own, "bin");
  fs.mkdirSync(bin, { recursive: true });
  fs.writeFileSync(path.join(bin, "python3"), `#!/bin/sh\n${PYTHON}\n`, { mode: 0o755 });
  const ASKED = path.join(own, "asked");
  const env = { PATH: bin, ASKED, PYTHONPATH: "", CDKTF_MOSQUITTO_CACHE: path.join(own, "cache") };
  const { code: exitCode, stderr } = await withTool("setup/tls-scanner.mjs", code, { env });
  const asked = fs.existsSync(ASKED) ? fs.readFileSync(ASKED, "utf8").trim().split("\n") : [];
  return { code: exitCode, said: stderr, asked };
}

test("sslyze is built once, with exactly the tools that the repository vouches for, and found afterwards", async () => {
  const code = "await module.tlsScanner(false); await module.tlsScanner(false); await module.presentTlsScanner();";
  const { code: exitCode, said, asked } = await setUp(code);
  expect({ exitCode, said }).toMatchObject({
    exitCode: 0,
    said: expect.stringMatching(/installed.*present, skipped/s) as string,
  });
  expect(asked.filter((line) => !line.includes("pip --version"))).toEqual([
    expect.stringMatching(/^PYTHONPATH= .*--require-hashes --only-binary=:all: .*sslyze\/requirements\.txt$/),
    expect.stringMatching(
      /^PYTHONPATH=sslyze-.* --require-hashes --no-binary=:all: --no-build-isolation .*sslyze\/sslyze\.txt$/,
    ),
  ]);
});

test("tests that find no sslyze say how to get it, and install nothing", async () => {
  const { code, said, asked } = await setUp("await module.presentTlsScanner();");
  expect(code).toBe(1);
  expect(said).toMatch(/sslyze.* is not there.*npm test/);
  expect(asked).toEqual([]);
});
