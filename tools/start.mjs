// @ts-check
/** `npm start`: sets this machine up, deploys the environment dev and shows that it works. */
import { inherit } from "./setup/inherit.mjs";
import { setUp } from "./setup/index.mjs";

// Terraform writes its state, which holds the clients' keys, with this mask.
process.umask(0o077);

try {
  const { env, cdktfArguments } = await setUp({ images: ["2.1.2"] });
  await inherit("npx", ["cdktf", "deploy", "dev", "--auto-approve", ...cdktfArguments], env);
  await inherit("npx", ["tsx", "tools/proof.ts"], env);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
