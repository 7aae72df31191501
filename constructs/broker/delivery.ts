import * as path from "node:path";
import { CredentialStore, fulfil, IssuanceNote, WantedCredentials } from "../credentials";
import { performOperation } from "./broker-operations";
import { MaterialClient, renderMaterial } from "./material";
import { removeMaterial, writeMaterial } from "./material-folder";
import { answer, currentOperation } from "./operation";

/** A client as it was declared. */
export interface DeliveredClient extends MaterialClient {
  readonly method: string;
  readonly credentialVersion: number;
}

export interface Delivery {
  readonly stackDirectory: string;
  readonly materialFolder: string;
  readonly stackId: string;
  readonly brokerPath: string;
  readonly store: CredentialStore;
  readonly wanted: WantedCredentials;
  readonly clients: readonly DeliveredClient[];
}

/** Lines of notes before they are only counted. */
const MAXIMUM_LINES = 12;

/**
 * Opens the store, issues what is missing and allowed, and puts the material of the next deploy beside the config.
 * Where something is missing it says so and leaves no material, so that the stack refuses to plan. Where the command asks
 * for something else, that is done instead.
 *
 * @throws {Error} when the store may issue and cannot be opened
 */
export function deliverMaterial(delivery: Delivery): void {
  const operation = currentOperation();
  if (operation === undefined) deliver(delivery);
  else if (operation.stack === delivery.stackId) answer(operation, performOperation(operation, delivery));
}

function deliver(delivery: Delivery): void {
  const { store, wanted, brokerPath, stackId } = delivery;
  const directory = path.join(delivery.stackDirectory, delivery.materialFolder);
  const mayIssue = store.issue === "whenMissing";
  let fulfilment;
  let isEmpty;
  try {
    const now = new Date();
    const folder = store.open(now);
    ({ isEmpty } = folder);
    fulfilment = fulfil(folder, wanted, mayIssue, now);
  } catch (error) {
    removeMaterial(directory);
    // A store that is only read may be another environment's: it must not keep this one from its work.
    if (mayIssue) throw error;
    report(`${brokerPath}: ${(error as Error).message}; this stack will refuse to plan`, []);
    return;
  }
  const { issued, missing, due, warnings, credentials } = fulfilment;
  if (issued.length > 0) report(`${brokerPath}: issued into ${store.location}`, issued);
  for (const warning of warnings) report(`${brokerPath}: ${warning}`, []);
  if (credentials === undefined) {
    removeMaterial(directory);
    // An environment that is kept elsewhere is no news on this machine; its own plan says what to do.
    if (isEmpty) return;
    report(
      `${brokerPath}: missing in ${store.location}, which is only read; this stack will refuse to plan ` +
        `(to issue: npx cdktf-mosquitto issue ${stackId})`,
      missing,
    );
    return;
  }
  if (due.length > 0) {
    report(`${brokerPath}: due in ${store.location} (to issue: npx cdktf-mosquitto issue ${stackId})`, due);
  }
  writeMaterial(directory, renderMaterial(credentials, delivery.clients));
}

function report(title: string, notes: readonly IssuanceNote[]): void {
  const lines = notes.slice(0, MAXIMUM_LINES).map(({ what, reason }) => `  ${what}: ${reason}`);
  if (notes.length > MAXIMUM_LINES) lines.push(`  and ${notes.length - MAXIMUM_LINES} more`);
  // Standard error: the CLI shows it, and standard output belongs to the app.
  process.stderr.write([title, ...lines, ""].join("\n"));
}
