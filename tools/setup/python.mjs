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
  const options = ["--require-hashes", "--only-binary=:all:", "--no-deps", "--no-user", "--target", folder];
  const args = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", ...options, "-r", requirements];
  await mustRun(`install the modules of ${requirements}`, "python3", args);
}
