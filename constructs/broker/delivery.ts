import * as path from "node:path";
import { CredentialStore, fulfil, IssuanceNote, WantedCredentials } from "../credentials";
import { MaterialClient, renderMaterial } from "./material";
import { removeMaterial, writeMaterial } from "./material-folder";

export interface Delivery {
  readonly stackDirectory: string;
  readonly materialFolder: string;
  readonly stackId: string;
  readonly brokerPath: string;
  readonly store: CredentialStore;
  readonly wanted: WantedCredentials;
  readonly clients: readonly MaterialClient[];
}

/** Lines of notes before they are only counted. */
const MAXIMUM_LINES = 12;

/**
 * Opens the store, issues what is missing and allowed, and puts the material of the next deploy beside the config.
 * Where something is missing it says so and leaves no material, so that the stack refuses to plan.
 *
 * @throws {Error} when the store may issue and cannot be opened
 */
export function deliverMaterial(delivery: Delivery): void {
  const { store, wanted, brokerPath, stackId } = delivery;
  const directory = path.join(delivery.stackDirectory, delivery.materialFolder);
  const mayIssue = store.mayIssue(stackId);
  let fulfilment;
  let isEmpty;
  try {
    const folder = store.open();
    ({ isEmpty } = folder);
    fulfilment = fulfil(folder, wanted, mayIssue, new Date());
  } catch (error) {
    removeMaterial(directory);
    // A store that is only read may be another environment's: it must not keep this one from its work.
    if (mayIssue) throw error;
    report(`${brokerPath}: ${(error as Error).message}; this stack will refuse to plan`, []);
    return;
  }
  if (fulfilment.issued.length > 0) report(`${brokerPath}: issued into ${store.location}`, fulfilment.issued);
  if (fulfilment.credentials === undefined) {
    removeMaterial(directory);
    // An environment that is kept elsewhere is no news on this machine; its own plan says what to do.
    if (isEmpty) return;
    report(
      `${brokerPath}: missing in ${store.location}, which is only read; this stack will refuse to plan ` +
        `(to issue: npx cdktf-mosquitto issue ${stackId})`,
      fulfilment.missing,
    );
    return;
  }
  writeMaterial(directory, renderMaterial(fulfilment.credentials, delivery.clients));
}

function report(title: string, notes: readonly IssuanceNote[]): void {
  const lines = notes.slice(0, MAXIMUM_LINES).map(({ what, reason }) => `  ${what}: ${reason}`);
  if (notes.length > MAXIMUM_LINES) lines.push(`  and ${notes.length - MAXIMUM_LINES} more`);
  // Standard error: the CLI shows it, and standard output belongs to the app.
  process.stderr.write([title, ...lines, ""].join("\n"));
}
