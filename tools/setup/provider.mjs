// @ts-check
import { existsSync } from "node:fs";
import { link, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mustRun, run } from "./command.mjs";
import { cache, checkout } from "./paths.mjs";
import { step, whileWaiting } from "./progress.mjs";
import { hashOf, recall, remember, replaceFile } from "./stamp.mjs";

const source = "kreuzwerker/docker";
const constraint = ">= 3.6.2, < 5.0.0";
/** What the module is labelled: two weeks of commits past that release. */
const builtVersion = "4.6.0";
const registries = ["registry.terraform.io", "registry.opentofu.org"];
const moduleFolder = join(checkout, "tools", "docker-provider");
const mirror = join(cache, "providers");
const plugins = join(cache, "plugins");
const configFile = join(cache, "terraform.rc");

/**
 * How Terraform gets the docker provider.
 *
 * @typedef {object} Provider
 * @property {Record<string, string>} env Variables for Terraform.
 * @property {string[]} cdktfArguments Arguments for `cdktf deploy`.
 */

/**
 * The docker provider: from the provider registry, or built from its Go module where that cannot be reached.
 *
 * @param {string} terraform
 * @returns {Promise<Provider>}
 */
export function provider(terraform) {
  return step("docker provider", async (say) => {
    const built = `built ${await hashOf([join(moduleFolder, "go.mod"), join(moduleFolder, "go.sum")])}`;
    const remembered = await recall("provider");
    if (remembered === "registry") return { result: await fromRegistry(), summary: "from the registry, skipped" };
    if (remembered === built && existsSync(mirror)) {
      // Written again, because it holds the cache folder's path, and a checkout may have been moved.
      await replaceFile(configFile, renderConfig(mirror));
      return { result: fromMirror(), summary: "built before, skipped" };
    }
    if (await whileWaiting(say, "asking the provider registry", registryWorks(terraform))) {
      await remember("provider", "registry");
      return { result: await fromRegistry(), summary: "from the registry" };
    }
    await build(say);
    await remember("provider", built);
    return { result: fromMirror(), summary: `built ${source} ${builtVersion} from its Go module` };
  });
}

/** @returns {Promise<Provider>} */
async function fromRegistry() {
  await mkdir(plugins, { recursive: true });
  return { env: { TF_PLUGIN_CACHE_DIR: plugins }, cdktfArguments: [] };
}

/** @returns {Provider} */
function fromMirror() {
  // The mirror holds this platform only, so there is nothing to lock for others.
  return { env: { TF_CLI_CONFIG_FILE: configFile }, cdktfArguments: ["--skip-provider-lock"] };
}

/** @param {string} terraform */
async function registryWorks(terraform) {
  const folder = await mkdtemp(join(tmpdir(), "cdktf-mosquitto-"));
  try {
    const required = { docker: { source, version: constraint } };
    await writeFile(join(folder, "main.tf.json"), JSON.stringify({ terraform: { required_providers: required } }));
    const { env } = await fromRegistry();
    const args = ["init", "-input=false", "-no-color"];
    return (await run(terraform, args, { cwd: folder, env, timeoutSeconds: 90 })).code === 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param {(text: string) => void} say */
async function build(say) {
  if ((await run("go", ["version"])).missing) {
    throw new Error(
      "The provider registry cannot be reached, and Go, which builds the docker provider from its module, is not on " +
        "PATH. Either give this machine access to the provider registry, or install Go 1.25 or later.",
    );
  }
  const [system, architecture] = (await mustRun("ask Go for this platform", "go", ["env", "GOOS", "GOARCH"]))
    .trim()
    .split("\n");
  const folder = join(mirror, /** @type {string} */ (registries[0]), source, builtVersion, `${system}_${architecture}`);
  const binary = join(folder, `terraform-provider-docker_v${builtVersion}`);
  await rm(join(cache, "provider.stamp"), { force: true });
  await rm(mirror, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  // -mod=readonly: what is built is exactly what go.sum vouches for, or nothing.
  const module = "github.com/terraform-providers/terraform-provider-docker";
  const args = ["build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o", `${binary}.new`, module];
  const work = mustRun("build the docker provider from its Go module", "go", args, {
    cwd: moduleFolder,
    env: { CGO_ENABLED: "0" },
  });
  await whileWaiting(say, "the registry cannot be reached; building it from its Go module (some minutes)", work);
  await rename(`${binary}.new`, binary);
  for (const registry of registries.slice(1)) {
    const twin = join(mirror, registry, source, builtVersion, `${system}_${architecture}`);
    await mkdir(twin, { recursive: true });
    await link(binary, join(twin, `terraform-provider-docker_v${builtVersion}`));
  }
  await replaceFile(configFile, renderConfig(mirror));
  await forgetLocks();
}

/** Another build has another checksum than the one that an earlier deploy locked. */
async function forgetLocks() {
  const stacks = join(checkout, "cdktf.out", "stacks");
  for (const stack of await readdir(stacks).catch(() => [])) {
    await rm(join(stacks, stack, ".terraform.lock.hcl"), { force: true });
  }
}

/**
 * @param {string} folder
 * @returns {string} A CLI configuration that takes the docker provider from a folder and all others as usual.
 */
export function renderConfig(folder) {
  const list = JSON.stringify(registries.map((registry) => `${registry}/${source}`));
  return `provider_installation {
  filesystem_mirror {
    path    = ${JSON.stringify(folder)}
    include = ${list}
  }
  direct {
    exclude = ${list}
  }
}
`;
}
