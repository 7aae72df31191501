import { ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { until } from "../../tools/until";
import { mustRun, run } from "./command";
import { makeFolder, removeFolder, uniqueName } from "./workspace";

/** A second Docker engine, as of another host: in a network namespace, since it would take the first one's bridge. */
export class SecondEngine {
  private readonly folder = makeFolder("host");
  private readonly namespace = uniqueName("host");
  private engine: ChildProcess | undefined;

  /** What `DOCKER_HOST` is for it. */
  get host(): string {
    return `unix://${this.folder}/docker.sock`;
  }

  /** Starts it, with some images of the first engine on it. */
  async start(images: readonly string[]): Promise<void> {
    await mustRun("ip", ["netns", "add", this.namespace]);
    await mustRun("ip", ["-n", this.namespace, "link", "set", "lo", "up"]);
    const { folder, host } = this;
    const own = ["--data-root", `${folder}/data`, "--exec-root", `${folder}/exec`, "--pidfile", `${folder}/pid`];
    const log = fs.openSync(path.join(folder, "log"), "a");
    this.engine = spawn("nsenter", [...this.network.slice(1), "dockerd", ...own, "-H", host], {
      stdio: ["ignore", log, log],
    });
    fs.closeSync(log);
    await until("the second engine answers", async () => (await run("docker", ["-H", host, "version"])).code === 0, 60);
    await mustRun("bash", ["-o", "pipefail", "-c", `docker save ${images.join(" ")} | docker -H ${host} load`]);
  }

  /** Runs a program, whose arguments follow, in that host's network. */
  get network(): readonly string[] {
    return ["nsenter", `--net=/run/netns/${this.namespace}`];
  }

  async stop(): Promise<void> {
    const { engine } = this;
    if (engine !== undefined && engine.exitCode === null) {
      const ended = new Promise((resolve) => engine.once("exit", resolve));
      engine.kill("SIGTERM");
      await ended;
    }
    // What it mounts for containers in the host's network, and leaves.
    await run("umount", [`${this.folder}/exec/netns/default`]);
    await run("ip", ["netns", "del", this.namespace]);
    removeFolder(this.folder);
  }
}
