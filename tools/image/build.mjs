// @ts-check
/**
 * Builds the file system of a Mosquitto image from Debian's packages, laid out like the official image, as one tar
 * archive for `docker import`. Needs root, debootstrap and a Debian package mirror.
 *
 *     node tools/image/build.mjs 2.1.2 mosquitto.tar
 */
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { mustRun, run } from "../setup/command.mjs";
import { forgetInterruption } from "../setup/interruption.mjs";
import { debianKeys, imageVersions } from "./versions.mjs";

/** User and group of the broker, as in the official image. */
const brokerId = "1883";

/** Not needed to run a broker, or different on every machine. */
const leftOut = [
  "./dev/*",
  "./proc/*",
  "./sys/*",
  "./run/*",
  "./tmp/*",
  "./etc/hostname",
  "./etc/machine-id",
  "./etc/resolv.conf",
  "./etc/apt",
  "./usr/share/doc/*",
  "./usr/share/info/*",
  "./usr/share/locale/*",
  "./usr/share/man/*",
  "./var/cache/*",
  "./var/lib/apt/lists/*",
  "./var/log/*",
];

/**
 * @param {string} version A key of `imageVersions`.
 * @param {string} archive Path of the archive to write.
 */
async function buildArchive(version, archive) {
  const wanted = imageVersions[version];
  if (wanted === undefined) {
    throw new Error(`Unknown Mosquitto version "${version}". Known: ${Object.keys(imageVersions).join(", ")}.`);
  }
  if (process.getuid?.() !== 0) {
    throw new Error("Building an image needs root, because debootstrap does. Run this with sudo.");
  }
  const folder = dirname(resolve(archive));
  await mkdir(folder, { recursive: true });
  const work = await mkdtemp(join(folder, "image-"));
  // mkdtemp makes it 0700, and the broker's own user must get through when the version is asked for.
  await chmod(work, 0o755);
  const root = join(work, "root");
  try {
    await fetchPackages(wanted.suite, root);
    await checkVersion(root, wanted);
    await layOut(root);
    const partial = join(work, "partial.tar");
    const excludes = leftOut.map((pattern) => `--exclude=${pattern}`);
    await mustRun("pack the image", "tar", ["--numeric-owner", ...excludes, "-C", root, "-cf", partial, "."]);
    await rename(partial, archive);
  } finally {
    await remove(work);
  }
}

/**
 * @param {string} suite
 * @param {string} root
 */
async function fetchPackages(suite, root) {
  // An empty mirror means debootstrap's own. Every Debian suite is made by the script "sid"; named, because an older
  // debootstrap does not know the newest suites.
  const script = "/usr/share/debootstrap/scripts/sid";
  const packages = "mosquitto,mosquitto-clients";
  const signed = ["--force-check-gpg", `--keyring=${debianKeys}`];
  const args = ["--variant=minbase", ...signed, `--include=${packages}`, suite, root, "", script];
  const result = await run("debootstrap", args);
  if (result.code === 0) return;
  const log = await readFile(join(root, "debootstrap", "debootstrap.log"), "utf8").catch(() => "");
  const printed = `${log}\n${result.stdout}\n${result.stderr}`.trim().split("\n").slice(-10);
  throw new Error(
    `debootstrap could not fetch Debian ${suite} (exit code ${result.code}). ` +
      "It needs root, a file system that allows devices, and a Debian package mirror that can be reached. It said last:\n" +
      printed.map((line) => `    ${line}`).join("\n"),
  );
}

/**
 * @param {string} root
 * @param {import("./versions.mjs").ImageVersion} wanted
 */
async function checkVersion(root, wanted) {
  const { stdout } = await run("chroot", [root, "/usr/sbin/mosquitto", "-h"]);
  const found = /mosquitto version (\S+)/.exec(stdout)?.[1] ?? "no version";
  if (found !== wanted.builtVersion) {
    throw new Error(
      `Debian ${wanted.suite} holds Mosquitto ${found}, but ${wanted.builtVersion} is wanted. ` +
        "Debian has moved on: change builtVersion and built in tools/image/versions.mjs, and run the tests.",
    );
  }
}

/** @param {string} root */
async function layOut(root) {
  /** @param {string[]} command */
  const inside = (...command) => mustRun("lay out the image", "chroot", [root, ...command]);
  const debianId = (await inside("id", "-u", "mosquitto")).trim();
  await inside("groupmod", "-g", brokerId, "mosquitto");
  await inside("usermod", "-u", brokerId, "-g", brokerId, "-d", "/mosquitto", "mosquitto");
  // Before /mosquitto is there: what Debian's package gave to its own user id follows the user.
  await inside("find", "/", "-xdev", "-uid", debianId, "-exec", "chown", "-h", `${brokerId}:${brokerId}`, "{}", "+");
  await inside("install", "-d", "-o", brokerId, "-g", brokerId, "/mosquitto", "/mosquitto/config", "/mosquitto/data");
  await inside("install", "-d", "-o", brokerId, "-g", brokerId, "/mosquitto/log");
  // Debian's own logs to a folder that the image does not have.
  await writeFile(join(root, "mosquitto", "config", "mosquitto.conf"), "# Put the configuration here.\n");
  // Nothing in the container has a use for another user's rights.
  await inside("find", "/", "-xdev", "-perm", "/6000", "-type", "f", "-exec", "chmod", "a-s", "{}", "+");
  // Empty, because Docker mounts its own over it.
  await writeFile(join(root, "etc", "hosts"), "");
}

/**
 * Removes the work folder, after unmounting what an interrupted debootstrap left mounted in it: removing through a
 * mount would reach the machine's own files.
 *
 * @param {string} work
 */
async function remove(work) {
  forgetInterruption();
  const mounts = (await readFile("/proc/self/mounts", "utf8"))
    .split("\n")
    .map((line) => (line.split(" ")[1] ?? "").replaceAll("\\040", " "))
    .filter((path) => path.startsWith(`${work}/`))
    .reverse();
  for (const path of mounts) await mustRun(`unmount ${path}`, "umount", [path]);
  await rm(work, { recursive: true, force: true });
}

// The image's files are for everybody; whoever started this may keep its own to itself.
process.umask(0o022);
const [version, archive, ...others] = process.argv.slice(2);
if (version === undefined || archive === undefined || others.length > 0) {
  console.error("Usage: node tools/image/build.mjs VERSION ARCHIVE.tar");
  process.exitCode = 2;
} else {
  await buildArchive(version, archive).catch((error) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
