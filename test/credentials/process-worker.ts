import * as fs from "node:fs";
import { Outcome, perform, Step } from "./process-steps";

/** Does the steps that it is told to, and prints what came of each. An error ends the step, not the process. */
for (const step of JSON.parse(process.argv[2] as string) as Step[]) {
  // Written at once: what is still in a buffer dies with the process.
  fs.writeSync(1, `${JSON.stringify(outcomeOf(step))}\n`);
}
process.exit();

function outcomeOf(step: Step): Outcome {
  try {
    return perform(step);
  } catch (error) {
    return { error: (error as Error).message };
  }
}
