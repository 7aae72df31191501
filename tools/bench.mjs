// @ts-check
/**
 * `npm run bench`: sets the machine up and measures. Takes the environment dev away.
 *
 *     npm run bench -- load        only what is named: certificates, synth, deploy, load
 */
import { inherit } from "./setup/inherit.mjs";
import { setUp } from "./setup/index.mjs";
import { loadClient } from "./setup/load-client.mjs";

process.umask(0o077);

try {
  const { env, cdktfArguments } = await setUp({ images: ["2.1.2"] });
  const names = process.argv.slice(2);
  await inherit("npx", ["tsx", "bench/bench.ts", ...names], {
    ...env,
    CDKTF_ARGUMENTS: cdktfArguments.join(" "),
    ...(names.includes("load") && { LOAD_CLIENT: await loadClient() }),
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
