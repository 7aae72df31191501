// @ts-check
/** `npm stop`: destroys what `npm start` made, and stops the Docker engine if it started one. */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { stopStartedDocker } from "./setup/docker.mjs";
import { inherit } from "./setup/inherit.mjs";
import { setUp } from "./setup/index.mjs";
import { checkout } from "./setup/paths.mjs";

process.umask(0o077);

try {
  if (await isDeployed()) {
    const { env, cdktfArguments } = await setUp({ images: ["2.1.2"] });
    await inherit("npx", ["cdktf", "destroy", "dev", "--auto-approve", ...cdktfArguments], env);
    await rm(join(checkout, "state", "dev-clients"), { recursive: true, force: true });
    console.log("The broker is destroyed. Its keys stay in credentials/dev, for the next npm start.");
  } else {
    console.log("Nothing is deployed.");
  }
  const engine = await stopStartedDocker();
  if (engine !== undefined) console.log(`And ${engine}.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function isDeployed() {
  const state = await readFile(join(checkout, "state", "dev.tfstate"), "utf8").catch(() => "");
  return state !== "" && JSON.parse(state).resources?.length > 0;
}
