// @ts-check
import { imageVersions } from "../image/versions.mjs";
import { docker, stopStartedDocker } from "./docker.mjs";
import { image } from "./image.mjs";
import { npmPackages } from "./npm.mjs";
import { provider } from "./provider.mjs";
import { terraform } from "./terraform.mjs";
import { testTools } from "./test-tools.mjs";

/**
 * What set-up found or made.
 *
 * @typedef {object} Environment
 * @property {string} terraform The program, `terraform` or `tofu`.
 * @property {Record<string, string>} env Variables for cdktf, Terraform and the tests.
 * @property {string[]} cdktfArguments Arguments for `cdktf deploy` and `cdktf destroy`.
 * @property {boolean} startedDocker Whether a Docker engine was started in the background.
 */

/**
 * Makes everything ready that a deploy needs, and skips what is there.
 *
 * @param {object} options
 * @param {readonly string[]} options.images The Mosquitto versions.
 * @param {boolean} [options.forTests] Whether the tests' own tools are needed too.
 * @param {boolean} [options.interactive] Whether a person is there to be asked. Default: whether there is a terminal.
 * @returns {Promise<Environment>}
 */
export async function setUp(options) {
  const interactive = options.interactive ?? (process.stdin.isTTY === true && process.env.CI === undefined);
  await npmPackages();
  if (options.forTests === true) await testTools(interactive);
  const program = await terraform();
  const startedDocker = await docker(interactive);
  try {
    return { ...(await providerAndImages(program, options.images, interactive)), terraform: program, startedDocker };
  } catch (error) {
    if (startedDocker) await stopStartedDocker();
    throw error;
  }
}

/**
 * @param {string} program
 * @param {readonly string[]} versions
 * @param {boolean} interactive
 */
async function providerAndImages(program, versions, interactive) {
  const { env, cdktfArguments } = await provider(program);
  /** @type {Record<string, string>} */
  const images = {};
  for (const version of versions) {
    const name = await image(version, interactive);
    images[/** @type {import("../image/versions.mjs").ImageVersion} */ (imageVersions[version]).environmentVariable] =
      name;
    // The default of the app's variable is the official image; this is the one that is here.
    if (version === versions[0]) images.TF_VAR_mosquitto_image = name;
  }
  return {
    env: {
      ...env,
      ...images,
      CHECKPOINT_DISABLE: "1",
      ...(program === "terraform" ? {} : { TERRAFORM_BINARY_NAME: program }),
    },
    cdktfArguments,
  };
}
