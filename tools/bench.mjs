// @ts-check
/** `npm run bench`: sets the machine up and measures. Takes the environment dev away. */
import { inherit } from "./setup/inherit.mjs";
import { setUp } from "./setup/index.mjs";

process.umask(0o077);

try {
  const { env, cdktfArguments } = await setUp({ images: ["2.1.2"] });
  await inherit("npx", ["tsx", "bench/bench.ts"], { ...env, CDKTF_ARGUMENTS: cdktfArguments.join(" ") });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
