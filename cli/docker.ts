import { spawnSync } from "node:child_process";

/** The docker command, for the host that one broker runs on. */
export class Docker {
  /** @param declaredHost where `DOCKER_HOST` says nothing else */
  constructor(private readonly declaredHost: string | undefined) {}

  /**
   * Runs it to its end.
   *
   * @returns what it said, on standard output and on standard error
   * @throws {DockerError} when it fails
   */
  run(...args: string[]): { readonly stdout: string; readonly stderr: string } {
    const host = process.env.DOCKER_HOST || this.declaredHost;
    const { status, stdout, stderr, error } = spawnSync("docker", args, {
      encoding: "utf8",
      env: { ...process.env, ...(host !== undefined && { DOCKER_HOST: host }) },
      maxBuffer: 64 * 1024 * 1024,
    });
    if (error !== undefined) {
      throw new DockerError(
        `the docker command cannot be run: ${error.message}; remedy: run this where it is installed`,
      );
    }
    if (status !== 0) throw new DockerError(stderr.trim() || stdout.trim() || `docker ${args[0]} ended with ${status}`);
    return { stdout, stderr };
  }
}

export class DockerError extends Error {}
