import { ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { until } from "../../tools/until";
import { mustRun, run } from "./command";
import { makeFolder, removeFolder, uniqueName } from "./workspace";

/**
 * A second Docker engine beside the machine's own, to be killed: in a network namespace, since it would take the first
 * one's bridge. What it publishes answers on `address`.
 */
export class Engine {
  readonly folder = makeFolder("engine");
  readonly namespace = uniqueName("ns");
  readonly host = `unix://${this.folder}/docker.sock`;
  private readonly subnet = `10.${randomInt(64, 128)}.${randomInt(256)}`;
  readonly address = `${this.subnet}.2`;
  /** An interface's name has 15 characters at most. */
  private readonly outer = `v${this.namespace.slice(-8)}`;
  private daemon: ChildProcess | undefined;

  /** Makes the namespace, and a cable into it. */
  async connect(): Promise<void> {
    const { outer } = this;
    await mustRun("ip", ["netns", "add", this.namespace]);
    await mustRun("ip", ["link", "add", outer, "type", "veth", "peer", "name", "outside", "netns", this.namespace]);
    await mustRun("ip", ["addr", "add", `${this.subnet}.1/30`, "dev", outer]);
    await mustRun("ip", ["link", "set", outer, "up"]);
    const within = ["-n", this.namespace];
    await mustRun("ip", [...within, "addr", "add", `${this.address}/30`, "dev", "outside"]);
    for (const device of ["outside", "lo"]) await mustRun("ip", [...within, "link", "set", device, "up"]);
  }

  /** The program that runs it, with its arguments. */
  get command(): readonly [program: string, ...args: string[]] {
    const paths = ["data-root", "exec-root", "pidfile"].map((name) => `--${name}=${path.join(this.folder, name)}`);
    // A cgroup of its own, which nobody else takes away.
    const group = ["--exec-opt=native.cgroupdriver=cgroupfs", `--cgroup-parent=/${this.namespace}`];
    return ["nsenter", `--net=/run/netns/${this.namespace}`, "dockerd", ...paths, ...group, "-H", this.host];
  }

  /** Starts it, and waits until it answers. */
  async start(): Promise<void> {
    const [program, ...args] = this.command;
    const log = fs.openSync(path.join(this.folder, "log"), "a", 0o600);
    // What was killed leaves its pid file, and nobody may have taken the dead process away, or another has its number.
    for (const name of ["pidfile", "exec-root/containerd/containerd.pid"]) {
      const file = path.join(this.folder, name);
      if (fs.existsSync(file) && !isRunning(Number(fs.readFileSync(file, "utf8")))) fs.rmSync(file);
    }
    this.daemon = spawn(program, args, { detached: true, stdio: ["ignore", log, log] });
    fs.closeSync(log);
    await until("the engine answers", async () => (await run("docker", ["-H", this.host, "version"])).code === 0, 60);
  }

  /** Brings an image from the machine's own engine. */
  async bring(image: string): Promise<void> {
    await mustRun("sh", ["-c", 'docker save "$1" | docker -H "$2" load', "sh", image, this.host], {
      env: { DOCKER_HOST: "" },
    });
  }

  /** Ends the daemon alone; with SIGKILL its containers run on. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const { daemon } = this;
    if (daemon === undefined) return;
    this.daemon = undefined;
    daemon.kill(signal);
    await until("the engine has ended", () => daemon.exitCode !== null || daemon.signalCode !== null, 60);
  }

  /** What a power cut does: all processes end at once, and what was in memory is gone. What was written is not. */
  async cutPower(): Promise<void> {
    const containers = await this.containers();
    await this.end("SIGKILL");
    const rest = (await mustRun("ip", ["netns", "pids", this.namespace])).split("\n").filter(Boolean).map(Number);
    // The shims first: they would note how a container ended.
    for (const pid of [...rest, ...containers]) kill(pid);
    const all = [...rest, ...containers];
    await until("no process is left", () => !all.some(isRunning));
    const mounts = fs.readFileSync("/proc/self/mounts", "utf8").split("\n");
    const own = mounts.map((line) => line.split(" ")[1] ?? "").filter((mount) => mount.startsWith(`${this.folder}/`));
    for (const mount of own.reverse()) await run("umount", ["-l", mount]);
    fs.rmSync(path.join(this.folder, "exec-root"), { recursive: true, force: true });
    // The kernel takes a namespace's cables away some time later.
    await run("ip", ["link", "del", this.outer]);
    await run("ip", ["netns", "del", this.namespace]);
  }

  /** Takes everything away, also after a failure. */
  async remove(): Promise<void> {
    await this.cutPower();
    // Only empty groups can be removed, and the inner ones first.
    await run("find", [
      "/sys/fs/cgroup",
      "-depth",
      "-type",
      "d",
      "-path",
      `*/${this.namespace}*`,
      "-exec",
      "rmdir",
      "{}",
      ";",
    ]);
    removeFolder(this.folder);
  }

  /** The first process of each running container. */
  private async containers(): Promise<number[]> {
    const docker = (...args: string[]): Promise<string> =>
      run("docker", ["-H", this.host, ...args]).then(({ stdout }) => stdout);
    const ids = (await docker("ps", "-q")).split("\n").filter(Boolean);
    if (ids.length === 0) return [];
    return (await docker("inspect", "-f", "{{.State.Pid}}", ...ids)).split("\n").filter(Boolean).map(Number);
  }
}

/** Whether it is a process, and not only waits for its parent to take notice of its end. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[XZ]/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
