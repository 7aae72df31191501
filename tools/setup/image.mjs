// @ts-check
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { debianKeys, imageVersions } from "../image/versions.mjs";
import { mustRun, run } from "./command.mjs";
import { cache, checkout } from "./paths.mjs";
import { step, whileWaiting } from "./progress.mjs";
import { asRoot, installSystemPackages, isMissing } from "./system-packages.mjs";

/** How long an image registry that does not answer is waited for. */
const pullSeconds = 120;

/**
 * The image of one Mosquitto version: the official one, or one built from Debian's packages where no image registry
 * can be reached.
 *
 * @param {string} version
 * @param {boolean} interactive
 * @returns {Promise<string>} The image's name.
 */
export function image(version, interactive) {
  return step(`image of Mosquitto ${version}`, async (say) => {
    const known = imageVersions[version];
    if (known === undefined) throw new Error(`Set-up knows no image of Mosquitto ${version}`);
    for (const name of [known.official, known.built]) {
      if ((await run("docker", ["image", "inspect", name])).code === 0)
        return { result: name, summary: "present, skipped" };
    }
    const pull = run("docker", ["pull", "-q", known.official], { timeoutSeconds: pullSeconds });
    if ((await whileWaiting(say, "pulling the official one", pull)).code === 0) {
      return { result: known.official, summary: "pulled" };
    }
    // Ubuntu has debootstrap without Debian's keys, and would then check no signature.
    if ((await isMissing("debootstrap")) || !existsSync(debianKeys)) {
      const packages = ["debootstrap", "debian-archive-keyring"];
      await installSystemPackages(packages, "No image registry can be reached", interactive);
    }
    const archive = join(cache, `mosquitto-${version}.tar`);
    try {
      const script = join(checkout, "tools", "image", "build.mjs");
      const build = asRoot("build the image", [process.execPath, script, version, archive], interactive);
      await whileWaiting(say, "no image registry can be reached; building it from Debian's packages", build);
      await importArchive(archive, known);
    } finally {
      await rm(archive, { force: true });
    }
    return { result: known.built, summary: `built ${known.built}` };
  });
}

/**
 * @param {string} archive
 * @param {import("../image/versions.mjs").ImageVersion} known
 */
async function importArchive(archive, known) {
  const changes = [
    'CMD ["/usr/sbin/mosquitto", "-c", "/mosquitto/config/mosquitto.conf"]',
    "EXPOSE 1883",
    `LABEL org.opencontainers.image.version=${known.builtVersion}`,
  ];
  const args = ["import", ...changes.flatMap((change) => ["--change", change]), archive, known.built];
  await mustRun("import the image", "docker", args);
}
