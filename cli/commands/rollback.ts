import { BROKER_USER, CONFIG_FOLDER } from "../../constructs/broker/container-paths";
import { BrokerSets, brokerSets, readmitted } from "../broker-sets";
import { BrokerContainers, brokerContainers } from "../deployed-containers";
import { Docker, DockerError } from "../docker";
import { table } from "../report";
import { UsageError } from "../usage-error";

export interface RollbackOptions {
  readonly broker?: string;
  readonly dryRun?: boolean;
  readonly readmit?: boolean;
  readonly json?: boolean;
}

/**
 * Puts a broker back on the set of files before the one that it runs on, by that set's own reloader, and takes the
 * reloader's container away: so Terraform sees that what is declared is not live, and the next deploy goes on from there.
 */
export function rollback(stack: string, options: RollbackOptions): number {
  const { dryRun = false, readmit = false, json = false } = options;
  const containers = theOnly(brokerContainers(stack), stack, options.broker);
  const docker = new Docker(containers.dockerHost);
  const sets = lookedAt(docker, containers, stack);
  const { live, previous } = sets;
  const readmits = previous === undefined ? [] : readmitted(previous, live);
  const obstacle = obstacleTo(sets, readmit ? [] : readmits, docker, containers, stack);
  const said = dryRun || obstacle !== undefined ? undefined : goBack(docker, containers, previous?.name ?? "");
  if (json) {
    const shown = (set: BrokerSets["previous"]): object | null =>
      set ? { set: set.name, staged_at: set.stagedAt } : null;
    const answer = {
      broker: containers.broker,
      live: shown(said === undefined ? live : previous),
      previous: shown(said === undefined ? previous : live),
      rolled_back: said !== undefined,
      readmits,
      ...(obstacle !== undefined && { error: obstacle }),
    };
    process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
    return obstacle === undefined ? 0 : 1;
  }
  if (obstacle !== undefined) throw new Error(`${containers.broker}: ${obstacle}`);
  const rows = [live, ...(previous ? [previous] : [])].map(({ name, stagedAt }, index) => [
    name,
    (index === 0) === (said === undefined) ? "live" : "before",
    stagedAt,
  ]);
  const lines = [
    ...(said ?? []),
    `${containers.broker} (${containers.name})`,
    table(["SET", "IS", "STAGED"], rows),
    ...readmits.map((who) => `lets in again: ${who}`),
    said === undefined
      ? `it can be rolled back: npx cdktf-mosquitto rollback ${stack}${readmits.length > 0 ? " --readmit" : ""}`
      : `the next deploy makes live what is declared then: mend it, and npx cdktf deploy ${stack}`,
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  return 0;
}

function theOnly(all: readonly BrokerContainers[], stack: string, wanted: string | undefined): BrokerContainers {
  const found = all.filter(({ broker }) => wanted === undefined || broker === wanted);
  if (found.length === 1) return found[0] as BrokerContainers;
  const known = all.map(({ broker }) => broker).join(", ");
  if (known === "") throw new Error(`stack ${JSON.stringify(stack)} has no broker; nothing was done`);
  throw new UsageError(
    `${wanted === undefined ? "which broker?" : `there is no broker ${wanted};`} allowed: ${known}; remedy: name it by --broker`,
  );
}

/** @throws {Error} when the broker does not run, or not on the host that was asked */
function lookedAt(docker: Docker, { broker, name }: BrokerContainers, stack: string): BrokerSets {
  try {
    return brokerSets(docker, name);
  } catch (error) {
    if (!(error instanceof DockerError)) throw error;
    throw new Error(
      `${broker}: container ${name} does not run, or not on this Docker host: ${error.message}; nothing was done; remedy: ` +
        `set DOCKER_HOST, or, where the broker is stopped, docker start ${name}; where it was never deployed, npx cdktf deploy ${stack}`,
      { cause: error },
    );
  }
}

/** Why there is no way back now, if there is none. */
function obstacleTo(
  { live, previous }: BrokerSets,
  readmits: readonly string[],
  docker: Docker,
  { reloader, liveChanges }: BrokerContainers,
  stack: string,
): string | undefined {
  const instead = `deploy the declaration from before: npx cdktf deploy ${stack}`;
  if (!liveChanges) {
    return (
      `the broker is declared with liveChanges: false, and a rollback is a change that it reads while it runs; nothing was done; ` +
      `remedy: ${instead}`
    );
  }
  if (previous === undefined) {
    return `there is no set before ${live.name} on its config volume; nothing was done; remedy: ${instead}`;
  }
  if (previous.files.get("conf") !== live.files.get("conf")) {
    return (
      `set ${previous.name}, the one before, is of another container of the broker, which was replaced since; nothing was done; ` +
      `remedy: ${instead}`
    );
  }
  if (docker.run("ps", "-aq", "--filter", `name=^/${reloader}$`).stdout.trim() === "") {
    return (
      `container ${reloader} is not there: the broker was rolled back already, or somebody took it away; nothing was done; ` +
      `remedy: npx cdktf deploy ${stack}, which makes live what is declared`
    );
  }
  if (readmits.length === 0) return undefined;
  return (
    `set ${previous.name}, the one before, would let in again whom the present one shuts out: ${readmits.join(", ")}; ` +
    `nothing was done; remedy: mend the declaration and npx cdktf deploy ${stack}, or allow it by --readmit`
  );
}

/** @returns what the reloader said @throws {Error} with its words when it failed */
function goBack(docker: Docker, { broker, name, reloader }: BrokerContainers, set: string): string[] {
  const [inspected] = JSON.parse(docker.run("inspect", reloader).stdout) as [
    { Image: string; Config: { Env: readonly string[] } },
  ];
  const env = inspected.Config.Env.filter((one) => !/^(SET|PATH)=/.test(one)).flatMap((one) => ["--env", one]);
  try {
    const { stdout, stderr } = docker.run(
      ...["run", "--rm", "--name", `${name}-rollback`],
      ...["--pid", `container:${name}`, "--network", `container:${name}`, "--volumes-from", reloader],
      ...["--user", BROKER_USER, "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
      ...[...env, "--env", `SET=${set}`, "--entrypoint", "/bin/sh", inspected.Image],
      ...[`${CONFIG_FOLDER}/sets/${set}/reloader.sh`],
    );
    docker.run("rm", reloader);
    return `${stdout}${stderr}`.trim().split("\n");
  } catch (error) {
    throw new Error(`${broker}: it was not rolled back: ${(error as Error).message}`, { cause: error });
  }
}
