import * as fs from "node:fs";
import * as path from "node:path";
import { mustRun, run } from "../support/command";
import { Engine } from "../support/engine";
import { withTool } from "../support/tool-module";
import { checkout } from "../support/workspace";

jest.setTimeout(120_000);

describe("a Docker engine that is installed and stopped", () => {
  const engine = new Engine();
  const { folder } = engine;
  let env: Record<string, string>;

  beforeAll(async () => {
    await engine.connect();
    const bin = path.join(folder, "bin");
    fs.mkdirSync(bin);
    const docker = (await mustRun("sh", ["-c", "command -v docker"])).trim();
    const scripts = {
      docker: `exec ${docker} -H ${engine.host} "$@"`,
      dockerd: `exec ${engine.command.join(" ")} "$@"`,
    };
    // The engine's own programs are looked for where these are not.
    const outside = `PATH=\${PATH#${bin}:}`;
    for (const [name, script] of Object.entries(scripts)) {
      fs.writeFileSync(path.join(bin, name), `#!/bin/sh\n${outside}\n${script}\n`, { mode: 0o755 });
    }
    env = { PATH: `${bin}:${process.env.PATH}`, DOCKER_HOST: "" };
    // A checkout of its own: the engine that runs these tests may have been started by this one.
    fs.cpSync(path.join(checkout, "tools", "setup"), path.join(folder, "tools", "setup"), { recursive: true });
  });
  afterAll(async () => {
    await withTool("setup/docker.mjs", "await module.stopStartedDocker();", { env, checkout: folder });
    await engine.remove();
  });

  test("is started by set-up, which waits until it answers", async () => {
    const started = await withTool("setup/docker.mjs", "print(await module.docker(false));", { env, checkout: folder });
    expect(started).toMatchObject({ code: 0, stdout: "true" });
    expect(started.stderr).toMatch(/was started/);
    expect((await run("docker", ["version"], { env })).code).toBe(0);
  });

  test("is used, not started again, by the next set-up", async () => {
    const again = await withTool("setup/docker.mjs", "print(await module.docker(false));", { env, checkout: folder });
    expect(again).toMatchObject({ code: 0, stdout: "false" });
    expect(again.stderr).toMatch(/is running, skipped/);
  });

  test("is stopped again, with nothing left running", async () => {
    const stopped = await withTool("setup/docker.mjs", "print(await module.stopStartedDocker());", {
      env,
      checkout: folder,
    });
    expect(stopped.stdout).toMatch(/is stopped/);
    expect((await run("docker", ["version"], { env })).code).not.toBe(0);
    const processes = await mustRun("ip", ["netns", "pids", engine.namespace]);
    expect(processes.trim()).toBe("");
    expect(
      (await withTool("setup/docker.mjs", "print(await module.stopStartedDocker());", { env, checkout: folder }))
        .stdout,
    ).toBe("null");
  });
});
