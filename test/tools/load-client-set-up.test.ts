import * as fs from "node:fs";
import * as path from "node:path";
import { withTool } from "../support/tool-module";
import { makeFolder, removeFolder } from "../support/workspace";

// How set-up makes the load client, with a Go that only notes what it is asked to do.

const folder = makeFolder("load-client-set-up");
afterAll(() => removeFolder(folder));

let runs = 0;
async function setUp(code: string, go?: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const own = path.join(folder, String(++runs));
  fs.mkdirSync(own);
  if (go !== undefined) fs.writeFileSync(path.join(own, "go"), `#!/bin/sh\n${go}\n`, { mode: 0o755 });
  return withTool("setup/load-client.mjs", code, {
    env: { PATH: own, CDKTF_MOSQUITTO_CACHE: path.join(own, "cache") },
  });
}

test("the load client is built once, from exactly what the repository pins, and found afterwards", async () => {
  const code = "await module.loadClient(); await module.loadClient(); print(await module.presentLoadClient());";
  const { stdout, stderr } = await setUp(code, 'echo asked "$@" >&2; [ "$2" = -mod=readonly ] && echo built >"$6"');
  expect(stderr).toMatch(/built.*present, skipped/s);
  expect(fs.readFileSync(JSON.parse(stdout) as string, "utf8")).toBe("built\n");
});

test("without Go, or where it fails, the error says so", async () => {
  const code = "await module.loadClient();";
  expect((await setUp(code)).stderr).toMatch(
    /Go, which builds the load client.*not on PATH\. Install Go 1\.25 or later/,
  );
  expect((await setUp(code, "echo wrong sum >&2; exit 1")).stderr).toMatch(
    /Could not build the load client:.*wrong sum/s,
  );
});

test("tests that find none say how to get it, and build nothing", async () => {
  const { code, stderr } = await setUp("await module.presentLoadClient();", "echo built");
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/load client is not there.*npm test/) as string,
  });
});
