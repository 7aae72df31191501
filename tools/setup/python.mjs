// @ts-check
import { mustRun, run } from "./command.mjs";
import { installSystemPackages } from "./system-packages.mjs";

/** @type {Promise<void> | undefined} */
let pip;

/**
 * Makes sure that there is pip: once, whoever asks.
 *
 * @param {boolean} interactive
 */
export function providePip(interactive) {
  return (pip ??= lookForPip(interactive));
}

/** @param {boolean} interactive */
async function lookForPip(interactive) {
  if (await hasPip()) return;
  await installSystemPackages(["python3-pip"], "The tests need Python's pip", interactive);
  if (await hasPip()) return;
  throw new Error(
    "python3 on PATH has no pip, and the distribution's python3-pip is for another Python. " +
      "Install pip for it (python3 -m ensurepip), or put the distribution's python3 first on PATH.",
  );
}

/** @returns {Promise<string>} Compiled modules fit one version of Python on one kind of machine. */
export async function pythonKind() {
  const code = "import sys, sysconfig; print(sys.implementation.cache_tag, sysconfig.get_platform(), sep='-')";
  return (await mustRun("ask Python for its version", "python3", ["-c", code])).trim();
}

async function hasPip() {
  return (await run("python3", ["-m", "pip", "--version"])).code === 0;
}

/**
 * Into a folder of its own: a Python that its distribution manages stays as it is.
 *
 * @param {string} requirements A file with the hashes of all that is installed.
 * @param {string} folder
 */
export async function installModules(requirements, folder) {
  await install(requirements, folder, ["--only-binary=:all:"]);
}

/**
 * One that has no wheel, built with what `installModules` has put into the same folder: pip would fetch tools of its own
 * choice.
 *
 * @param {string} requirements
 * @param {string} folder
 */
export async function buildModule(requirements, folder) {
  await install(requirements, folder, ["--no-binary=:all:", "--no-build-isolation"], { PYTHONPATH: folder });
}

/**
 * @param {string} requirements
 * @param {string} folder
 * @param {readonly string[]} how
 * @param {Record<string, string>} [env]
 */
async function install(requirements, folder, how, env = {}) {
  const options = ["--require-hashes", ...how, "--no-deps", "--no-user", "--target", folder];
  const args = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", ...options, "-r", requirements];
  await mustRun(`install the modules of ${requirements}`, "python3", args, { env });
}
