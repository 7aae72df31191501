/** A broker of the load benchmark: the hardened container of a deploy, on a configuration that this library renders. */
import * as path from "node:path";
import { BROKER_USER, DATA_FOLDER, LIVE_FOLDER } from "../../constructs/broker/container-paths";
import { LoadClient, LoadOptions } from "../../tools/load-client";
import { until } from "../../tools/until";
import { mustRun, run } from "../../test/support/command";
import { inside } from "../../test/support/docker";
import { uniqueName } from "../../test/support/workspace";
import { CONF, Route } from "./material";

/** Of Linux, for user processes. */
const TICKS_PER_SECOND = 100;

/** What the machine is asked of the broker's process. */
export interface Usage {
  /** Mebibytes that are resident. */
  readonly memory: number;
  /** Seconds of processor time so far. */
  readonly processor: number;
}

/** @returns what the first process of a container uses now */
export async function usage(container: string): Promise<Usage> {
  const text = await inside(container, "/bin/sh", "-c", "cat /proc/1/stat; grep VmRSS /proc/1/status");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  const kibibytes = Number(/VmRSS:\s*(\d+)/.exec(text)?.[1]);
  return { memory: kibibytes / 1024, processor: (user + system) / TICKS_PER_SECOND };
}

/** Where a container answers without a proxy between. */
async function addressOf(container: string): Promise<string> {
  const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
  return (await mustRun("docker", ["inspect", "--format", format, container])).trim();
}

/** Starts a fresh broker, lets `work` measure, and takes the broker away. */
export async function withBroker<T>(
  image: string,
  folder: string,
  work: (broker: { readonly container: string; readonly address: string }) => Promise<T>,
): Promise<T> {
  const name = uniqueName("cdktf-mosquitto-bench");
  const hardening = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--ulimit=nofile=10000"];
  const mounts = [
    "-v",
    `${path.join(folder, "live")}:${LIVE_FOLDER}:ro`,
    "--tmpfs",
    `${DATA_FOLDER}:uid=1883,gid=1883`,
  ];
  const logs = ["--log-opt=max-size=10m"];
  // On a network of its own, it keeps its address when it is restarted.
  const options = ["--name", name, "--network", name, "--user", BROKER_USER, ...hardening, ...mounts, ...logs];
  try {
    await mustRun("docker", ["network", "create", name]);
    await mustRun("docker", ["run", "-d", ...options, "--entrypoint", "/usr/sbin/mosquitto", image, "-c", CONF]);
    await until("the broker runs", async () => {
      const { stdout, stderr } = await run("docker", ["logs", name]);
      return /mosquitto version \S+ running/.test(stdout + stderr);
    });
    return await work({ container: name, address: await addressOf(name) });
  } finally {
    await run("docker", ["rm", "-f", name]);
    await run("docker", ["network", "rm", name]);
  }
}

/** Clients by one route to a broker, for as long as `work` takes. */
export async function withClients<T>(
  program: string,
  folder: string,
  route: Route,
  work: (load: LoadClient) => Promise<T>,
): Promise<T> {
  const load = new LoadClient(program, path.join(folder, route));
  try {
    return await work(load);
  } finally {
    await load.end();
  }
}

/** @throws {Error} when one does not get in */
export async function mustConnect(load: LoadClient, clients: string, options: LoadOptions): Promise<number> {
  const { refused, seconds } = await load.connect(clients, options);
  const [first] = Object.entries(refused);
  if (first !== undefined) throw new Error(`${Object.keys(refused).length} clients were refused: ${first.join(": ")}`);
  return seconds;
}
