// @ts-check
import { spawn } from "node:child_process";
import { existsSync, openSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lastLines, run } from "./command.mjs";
import { forgetInterruption } from "./interruption.mjs";
import { own } from "./paths.mjs";
import { step, whileWaiting } from "./progress.mjs";
import { agree, asRoot, installSystemPackages, isMissing } from "./system-packages.mjs";

const pidFile = join(own, "dockerd.pid");
const logFile = join(own, "dockerd.log");
const startSeconds = 60;

/**
 * A Docker engine: the running one, else one that is started, else one that is installed first.
 *
 * @param {boolean} interactive
 * @returns {Promise<boolean>} Whether a daemon was started in the background.
 */
export function docker(interactive) {
  return step("docker engine", async (say) => {
    const running = await serverVersion();
    if (running !== undefined) return { result: false, summary: `${running} is running, skipped` };
    const host = process.env.DOCKER_HOST;
    if (host !== undefined && host !== "") {
      throw new Error(
        `DOCKER_HOST names ${host}, where no Docker engine answers. ` +
          "Start that engine, or unset DOCKER_HOST to use this machine's own.",
      );
    }
    if ((await isMissing("dockerd")) || (await isMissing("docker"))) {
      const install = installSystemPackages(["docker.io", "iptables"], "There is no Docker engine", interactive);
      await (interactive ? install : whileWaiting(say, "installing it from the distribution", install));
    }
    // From Debian 13 on the command is a package of its own.
    if (await isMissing("docker")) {
      await installSystemPackages(["docker-cli"], "There is no docker command", interactive);
    }
    // Installing may have started it already.
    const started = (await serverVersion()) !== undefined ? false : await start(say, interactive);
    return { result: started, summary: `${await serverVersion()} ${started ? "was started" : "is running"}` };
  });
}

/**
 * @param {(text: string) => void} say
 * @param {boolean} interactive
 */
async function start(say, interactive) {
  if (existsSync("/run/systemd/system")) {
    await agree("The Docker engine is stopped. Start it?", interactive, "systemctl start docker");
    await asRoot("start the Docker engine", ["systemctl", "start", "docker"], interactive);
    await answering(say);
    return false;
  }
  if (process.getuid?.() !== 0) {
    throw new Error(
      "The Docker engine is stopped, this machine does not run systemd, and only root may start dockerd. " +
        "Run `sudo dockerd` in another terminal, then this again.",
    );
  }
  await mkdir(own, { recursive: true });
  const log = openSync(logFile, "a", 0o600);
  const daemon = spawn("dockerd", [], { detached: true, stdio: ["ignore", log, log] });
  await new Promise((resolve, reject) => {
    daemon.once("spawn", () => resolve(undefined));
    daemon.once("error", reject);
  });
  await writeFile(pidFile, String(daemon.pid));
  daemon.unref();
  try {
    await answering(say);
  } catch (error) {
    daemon.kill();
    await rm(pidFile, { force: true });
    throw error;
  }
  return true;
}

/** @param {(text: string) => void} say */
async function answering(say) {
  const end = Date.now() + startSeconds * 1000;
  say("starting it");
  while ((await serverVersion()) === undefined) {
    if (Date.now() > end) {
      const log = await readFile(logFile, "utf8").catch(() => "");
      throw new Error(
        `The Docker engine was started but does not answer after ${startSeconds} s. Its log ends:\n${lastLines(log, 12)}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** @returns {Promise<string | undefined>} The engine's version; nothing where none answers. */
async function serverVersion() {
  const result = await run("docker", ["version", "--format", "{{.Server.Version}}"], { timeoutSeconds: 20 });
  if (result.code === 0) return result.stdout.trim();
  if (/permission denied while trying to connect/i.test(result.stderr)) {
    throw new Error(
      "The Docker engine is there, but this user may not use it. " +
        "Join its group (`sudo usermod -aG docker $USER`), log in again, and run this again.",
    );
  }
  return undefined;
}

/**
 * Stops the daemon that an earlier set-up started in the background, unless containers run on it.
 *
 * @returns {Promise<string | undefined>} What was done, if there was anything to do.
 */
export async function stopStartedDocker() {
  forgetInterruption();
  const pid = Number(await readFile(pidFile, "utf8").catch(() => ""));
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  // The number may have gone to another program since.
  const program = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
  if (program.trim() !== "dockerd") {
    await rm(pidFile, { force: true });
    return undefined;
  }
  const containers = await run("docker", ["ps", "-q"]);
  if (containers.stdout.trim() !== "") return "the Docker engine stays: other containers run on it";
  process.kill(pid, "SIGTERM");
  const end = Date.now() + startSeconds * 1000;
  while (existsSync(`/proc/${pid}`)) {
    if (Date.now() > end) throw new Error(`The Docker engine (process ${pid}) does not stop; its log is ${logFile}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await rm(pidFile, { force: true });
  await rm(logFile, { force: true });
  return "the Docker engine that set-up started is stopped";
}
