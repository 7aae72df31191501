// @ts-check
/** Prints the variables that cdktf needs where the registries cannot be reached: eval "$(node tools/environment.mjs)" */
import { setUp } from "./setup/index.mjs";

try {
  const { env } = await setUp({ images: ["2.1.2"] });
  for (const [name, value] of Object.entries(env)) {
    console.log(`export ${name}='${value.replaceAll("'", "'\\''")}'`);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
