import * as path from "node:path";
import { CredentialStore, fulfil, IssuanceNote, WantedCredentials } from "../credentials";
import { performOperation } from "./broker-operations";
import type { BundleClient } from "./bundle-proof/bundle-proof";
import { removeMaterial, writeMaterial } from "./material-folder";
import { answer, currentOperation } from "./operation";
import { declaredFilesFaults, ExpectedSet, SetFiles } from "./preflight";
import { provedMaterial } from "./proved-material";

/** A client as it was declared. */
export interface DeliveredClient extends BundleClient {
  readonly credentialVersion: number;
}

export interface Delivery {
  readonly stackDirectory: string;
  readonly materialFolder: string;
  readonly stackId: string;
  readonly brokerPath: string;
  readonly store: CredentialStore;
  readonly wanted: WantedCredentials;
  /** The files of the set that need no credentials. */
  readonly declaredFiles: SetFiles;
  readonly expected: ExpectedSet;
  readonly clients: readonly DeliveredClient[];
}

/** Lines of notes, or of faults, before they are only counted. */
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
  const { store, wanted, brokerPath, stackId, declaredFiles, expected } = delivery;
  const directory = path.join(delivery.stackDirectory, delivery.materialFolder);
  const mayIssue = store.issue === "whenMissing";
  let fulfilment;
  let isEmpty;
  let material;
  refuse(brokerPath, directory, declaredFilesFaults(declaredFiles, expected));
  try {
    const now = new Date();
    const folder = store.open(now);
    ({ isEmpty } = folder);
    fulfilment = fulfil(folder, wanted, mayIssue, now);
    const { credentials } = fulfilment;
    if (credentials) {
      const proved = provedMaterial(credentials, delivery, now);
      refuse(brokerPath, directory, proved.faults);
      ({ material } = proved);
    }
  } catch (error) {
    removeMaterial(directory);
    // A store that is only read may be another environment's: it must not keep this one from its work.
    if (mayIssue) throw error;
    report(`${brokerPath}: ${(error as Error).message}; this stack will refuse to plan`, []);
    return;
  }
  const { issued, missing, due, warnings } = fulfilment;
  if (issued.length > 0) report(`${brokerPath}: issued into ${store.location}`, issued);
  for (const warning of warnings) report(`${brokerPath}: ${warning}`, []);
  if (material === undefined) {
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
  writeMaterial(directory, material);
}

/** What fails here never reaches a broker. */
function refuse(brokerPath: string, directory: string, faults: readonly string[]): void {
  if (faults.length === 0) return;
  removeMaterial(directory);
  const lines = faults.slice(0, MAXIMUM_LINES).map((fault) => `  - ${fault}`);
  if (faults.length > MAXIMUM_LINES) lines.push(`  and ${faults.length - MAXIMUM_LINES} more`);
  const remedy = faults.every((fault) => fault.includes("it is valid only from"))
    ? `set this machine's clock, which says ${new Date().toISOString()}`
    : "if the store was edited by hand, bring back its files; otherwise it is a fault of cdktf-mosquitto: please report it " +
      "with this message";
  throw new Error(
    `what would be deployed for ${brokerPath} is not as it was declared, or does not fit together:\n${lines.join("\n")}\n` +
      `allowed: files that agree with each other and the declaration, and are good now; remedy: ${remedy}`,
  );
}

function report(title: string, notes: readonly IssuanceNote[]): void {
  const lines = notes.slice(0, MAXIMUM_LINES).map(({ what, reason }) => `  ${what}: ${reason}`);
  if (notes.length > MAXIMUM_LINES) lines.push(`  and ${notes.length - MAXIMUM_LINES} more`);
  // Standard error: the CLI shows it, and standard output belongs to the app.
  process.stderr.write([title, ...lines, ""].join("\n"));
}
