import * as fs from "node:fs";
import * as path from "node:path";
import { askBrokers } from "../app";
import { readOutputs } from "../outputs";
import { stackFolder } from "../project";
import { confirmed, isAttended } from "../terminal";

export interface PurgeOptions {
  readonly store?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/**
 * Removes the key material that synths of a stack left here. What is deployed goes on; the next synth writes it again.
 * With its store, the keys are gone for good.
 */
export async function purge(stack: string, options: PurgeOptions): Promise<number> {
  const { store = false, yes = false, json = false } = options;
  const material = path.join(stackFolder(stack), "material");
  const folders = [...(fs.existsSync(material) ? [material] : []), ...(store ? storesOf(stack) : [])];
  const listed = folders.map((folder) => ({ folder, files: fs.readdirSync(folder, { recursive: true }).length }));
  if (!json) {
    const lines = listed.map(({ folder, files }) => `  ${folder} (${files} files and folders)\n`);
    process.stderr.write(listed.length === 0 ? "there is no key material here\n" : `to be removed:\n${lines.join("")}`);
  }
  if (listed.length > 0 && !yes) {
    const question = store ? "Remove it, and the only copy of these keys?" : "Remove it?";
    if (!isAttended() || !(await confirmed(question))) {
      process.stderr.write("Nothing was removed. At no terminal, allow it by --yes.\n");
      return 1;
    }
  }
  for (const { folder } of listed) fs.rmSync(folder, { recursive: true, force: true });
  const removed = listed.map(({ folder }) => folder);
  process.stdout.write(json ? `${JSON.stringify({ removed }, null, 2)}\n` : removed.map((one) => `${one}\n`).join(""));
  return 0;
}

/** @throws {Error} while a broker is deployed: without its store it can never be deployed again */
function storesOf(stack: string): string[] {
  let deployed: string[];
  try {
    deployed = readOutputs(stack).map(({ broker }) => broker);
  } catch (error) {
    // Then nobody can say that it is destroyed.
    throw new Error(`a store is removed only of what is destroyed, and: ${(error as Error).message}`, { cause: error });
  }
  if (deployed.length > 0) {
    throw new Error(
      `${deployed.join(", ")} is deployed, and can never be deployed again without its store; nothing was removed; ` +
        `remedy: npx cdktf destroy ${stack} first`,
    );
  }
  const stores = askBrokers({ name: "audit", stack }).map((answer) => path.resolve(answer.store));
  return [...new Set(stores)].filter((folder) => fs.existsSync(folder));
}
