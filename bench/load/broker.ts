/** A broker of the load benchmark: the hardened container of a deploy, on a configuration that this library renders. */
import * as path from "node:path";
import { BROKER_USER, CONFIG_FOLDER, DATA_FOLDER } from "../../constructs/broker/container-paths";
import { LoadClient, LoadOptions } from "../../tools/load-client";
import { until } from "../../tools/until";
import { mustRun, run } from "../../test/support/command";
import { inside, logs } from "../../test/support/docker";
import { uniqueName } from "../../test/support/workspace";
import { CONF, Route } from "./material";

/** What the machine is asked of the broker's process. */
export interface Usage {
  /** Mebibytes that are resident. */
  readonly memory: number;
  /** Seconds of processor time so far. */
  readonly processor: number;
}

/** @returns what the first process of a container uses now */
export async function usage(container: string): Promise<Usage> {
  // Mosquitto has one thread. The first number is of nanoseconds; /proc/1/stat counts whole ticks of 10 ms.
  const text = await inside(container, "/bin/sh", "-c", "cat /proc/1/schedstat; grep VmRSS /proc/1/status");
  const [nanoseconds] = text.split(" ");
  const kibibytes = /VmRSS:\s*(\d+)/.exec(text)?.[1];
  return { memory: Number(kibibytes) / 1024, processor: Number(nanoseconds) / 1e9 };
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
    `${path.join(folder, "config")}:${CONFIG_FOLDER}:ro`,
    "--tmpfs",
    `${DATA_FOLDER}:uid=1883,gid=1883`,
  ];
  // On a network of its own, it keeps its address when it is restarted.
  const options = [
    "--name",
    name,
    "--network",
    name,
    "--user",
    BROKER_USER,
    ...hardening,
    ...mounts,
    "--log-opt=max-size=10m",
  ];
  try {
    await mustRun("docker", ["network", "create", name]);
    await mustRun("docker", ["run", "-d", ...options, "--entrypoint", "/usr/sbin/mosquitto", image, "-c", CONF]);
    await until("the broker runs", async () => {
      const said = await logs(name);
      if (/Error/.test(said)) throw new Error(said);
      return /mosquitto version \S+ running/.test(said);
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
