import { mustRun, run } from "./command";

/** The part of `docker inspect` that tests look at. */
export interface Inspected {
  readonly Id: string;
  readonly RestartCount: number;
  readonly State: {
    readonly Running: boolean;
    readonly StartedAt: string;
    readonly Health?: { readonly Status: string };
  };
  readonly Config: { readonly User: string; readonly Env: readonly string[] };
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly CapDrop: readonly string[] | null;
    readonly CapAdd: readonly string[] | null;
    readonly SecurityOpt: readonly string[] | null;
    readonly Memory: number;
    readonly MemorySwap: number;
    readonly Ulimits: readonly { Name: string; Soft: number; Hard: number }[] | null;
    readonly LogConfig: { readonly Type: string; readonly Config: Readonly<Record<string, string>> };
    readonly Privileged: boolean;
    readonly PidMode: string;
    readonly NetworkMode: string;
    readonly Binds: readonly string[] | null;
    readonly PortBindings: Readonly<Record<string, readonly { HostIp: string; HostPort: string }[]>>;
  };
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, unknown>>;
    /** `null` where a port is not published. */
    readonly Ports: Readonly<Record<string, unknown>>;
  };
}

export async function inspect(container: string): Promise<Inspected> {
  return (JSON.parse(await mustRun("docker", ["inspect", container])) as [Inspected])[0];
}

export async function logs(container: string): Promise<string> {
  const { stdout, stderr } = await run("docker", ["logs", container]);
  return stdout + stderr;
}

export function inside(container: string, ...command: string[]): Promise<string> {
  return mustRun("docker", ["exec", container, ...command]);
}

/** Containers, volumes and networks whose name begins with this one's. `docker ps --filter` would match more. */
export async function leftovers(name: string): Promise<string[]> {
  const listed = await Promise.all([
    mustRun("docker", ["ps", "-a", "--format", "{{.Names}}"]),
    mustRun("docker", ["volume", "ls", "--format", "{{.Name}}"]),
    mustRun("docker", ["network", "ls", "--format", "{{.Name}}"]),
  ]);
  return listed
    .join("\n")
    .split("\n")
    .filter((line) => line === name || line.startsWith(`${name}-`));
}

/** Takes away what a failed test left, by exact name. */
export async function removeLeftovers(name: string): Promise<void> {
  await run("docker", ["rm", "-f", ...[`${name}-reloader`, name, `${name}-writer`]]);
  await run("docker", ["volume", "rm", "-f", `${name}-config`, `${name}-data`]);
  await run("docker", ["network", "rm", name]);
}
