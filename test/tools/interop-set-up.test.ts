import * as fs from "node:fs";
import * as path from "node:path";
import { withTool } from "../support/tool-module";
import { makeFolder, removeFolder } from "../support/workspace";

// How set-up makes the clients in other languages, with programs that only note what they are asked to do.

const folder = makeFolder("interop-set-up");
afterAll(() => removeFolder(folder));

const CARGO = `[ "$1" = --version ] && echo "cargo $CARGO_VERSION" && exit 0
echo cargo "$@" >>"$ASKED"
mkdir -p "$5/debug" && echo built >"$5/debug/client"`;
const NOTES = (name: string): string => `echo ${name} "$@" >>"$ASKED"`;
const PROGRAMS = { cargo: CARGO, go: NOTES("go"), mvn: NOTES("mvn"), python3: NOTES("python3") };

let runs = 0;
/** Runs code of the set-up with these programs before all others, and nothing in the cache. */
async function setUp(code: string, cargoVersion = "1.85.0"): Promise<{ code: number; said: string; asked: string[] }> {
  const own = path.join(folder, String(++runs));
  const bin = path.join(own, "bin");
  fs.mkdirSync(bin, { recursive: true });
  for (const [name, script] of Object.entries(PROGRAMS)) {
    fs.writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  const ASKED = path.join(own, "asked");
  const PATH = `${bin}:${process.env.PATH ?? ""}`;
  const env = { PATH, ASKED, CARGO_VERSION: cargoVersion, CDKTF_MOSQUITTO_CACHE: path.join(own, "cache") };
  const { code: exitCode, stderr } = await withTool("setup/interop.mjs", code, { env });
  const asked = fs.existsSync(ASKED) ? fs.readFileSync(ASKED, "utf8").trim().split("\n") : [];
  return { code: exitCode, said: stderr, asked };
}

test("each client is built once, from exactly the dependencies that the repository pins, and found afterwards", async () => {
  const code =
    "await module.interopClients(false); await module.interopClients(false); await module.presentInteropClients();";
  const { code: exitCode, said, asked } = await setUp(code);
  expect({ exitCode, said }).toMatchObject({
    exitCode: 0,
    said: expect.stringMatching(/built.*present, skipped/s) as string,
  });
  expect(asked.filter((line) => !line.includes("pip --version")).sort()).toEqual([
    expect.stringMatching(/^cargo build .*--locked/),
    expect.stringMatching(/^go build -mod=readonly/),
    expect.stringMatching(/^mvn .*--strict-checksums/),
    expect.stringMatching(/^python3 -m pip install .*--require-hashes/),
  ]);
});

test("with a Rust that is too old for the client, the error says which one to install", async () => {
  const { code, said } = await setUp("await module.interopClients(false);", "1.84.1");
  expect(code).toBe(1);
  expect(said).toMatch(/Rust 1\.85 or later, not cargo 1\.84\.1.*rustup/);
});

test("tests that find no clients say how to get them, and build nothing", async () => {
  const { code, said, asked } = await setUp("await module.presentInteropClients();");
  expect(code).toBe(1);
  expect(said).toMatch(/clients in other languages are not there.*npm test/);
  expect(asked).toEqual([]);
});
