import * as fs from "node:fs";
import * as path from "node:path";
import { askBrokers } from "../app";
import { terraform } from "../outputs";
import { stackFolder } from "../project";
import { confirmed, isAttended } from "../terminal";

export interface PurgeOptions {
  readonly store?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/**
 * Removes the key material that synths and plans of a stack left here. What is deployed goes on; the next synth writes it
 * again. With its store, the keys are gone for good.
 */
export async function purge(stack: string, options: PurgeOptions): Promise<number> {
  const { store = false, yes = false, json = false } = options;
  const folder = stackFolder(stack);
  // A plan file has the state in it, too.
  const left = ["material", "plan"].map((name) => path.join(folder, name)).filter((one) => fs.existsSync(one));
  const storeFiles = store ? filesOfStores(stack, folder) : [];
  const stores = [...new Set(storeFiles.map((file) => path.dirname(file)))];
  const listed = [
    ...left,
    ...stores.map((one) => `${one} (${storeFiles.filter((file) => path.dirname(file) === one).length} files)`),
  ];
  const text = listed.length === 0 ? "there is no key material here" : ["to be removed:", ...listed].join("\n  ");
  process.stderr.write(`${text}\n`);
  if (listed.length > 0 && !yes) {
    const question = store ? "Remove it, and the only copy of these keys?" : "Remove it?";
    if (!isAttended() || !(await confirmed(question))) {
      process.stderr.write("Nothing was removed. Without a terminal, allow it by --yes.\n");
      return 1;
    }
  }
  for (const one of left) fs.rmSync(one, { recursive: true });
  for (const file of storeFiles) fs.rmSync(file);
  // Whatever else is in a store's folder is somebody's.
  for (const one of stores) if (fs.readdirSync(one).length === 0) fs.rmdirSync(one);
  const removed = [...left, ...stores];
  process.stdout.write(json ? `${JSON.stringify({ removed }, null, 2)}\n` : removed.map((one) => `${one}\n`).join(""));
  return 0;
}

/**
 * @throws {Error} while anything of the stack is deployed, or where nobody can tell: without its store it can never be
 *   deployed again
 */
function filesOfStores(stack: string, folder: string): string[] {
  const states = workspaces(folder).map((workspace) => ({
    workspace,
    state: terraform(folder, ["state", "pull"], { TF_WORKSPACE: workspace }).trim(),
  }));
  const known = states.filter(({ state }) => state !== "");
  if (known.length === 0) {
    throw new Error(
      `no state of ${stack} is known here, so nobody can tell that it is destroyed; nothing was removed; remedy: run this ` +
        "where it was deployed from, or remove the store by hand",
    );
  }
  const deployed = known.filter(
    ({ state }) => (JSON.parse(state) as { resources?: unknown[] }).resources?.length !== 0,
  );
  if (deployed.length > 0) {
    throw new Error(
      `${stack} is deployed (workspace ${deployed.map(({ workspace }) => workspace).join(", ")}), and can never be ` +
        `deployed again without its store; nothing was removed; remedy: npx cdktf destroy ${stack} first`,
    );
  }
  const answers = askBrokers({ name: "storeFiles", stack });
  const failed = answers.find(({ error }) => error !== undefined);
  if (failed !== undefined) throw new Error(`${failed.broker}: ${failed.error}; nothing was removed`);
  return answers.flatMap(({ storeFiles = [] }) => storeFiles);
}

function workspaces(folder: string): string[] {
  const list = terraform(folder, ["workspace", "list"]);
  return list
    .split("\n")
    .map((line) => line.replace(/^\*/, "").trim())
    .filter((name) => name !== "");
}
