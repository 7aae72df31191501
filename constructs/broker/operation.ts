import * as fs from "node:fs";
import type { ConnectionBundle } from "../client/connection-bundle";
import { AuditEntry, IssuanceNote } from "../credentials";
import type { RevocationReason } from "../pki";

/**
 * What the `cdktf-mosquitto` command asks of the brokers of one stack. The command runs the app, because the app alone
 * knows its stores and their passphrases; the brokers answer, and write nothing else.
 */
export type Operation = OperationTarget &
  (
    | { readonly name: "plan" | "issue" | "status" | "audit" | "convert" }
    | { readonly name: "revoke"; readonly client: string; readonly reason: RevocationReason }
    | { readonly name: "handover"; readonly clients: readonly string[] }
    | BundleOperation
  );

/** To show clients' bundles, and to note that they were handed over. */
export interface BundleOperation {
  readonly name: "bundle";
  /** @default - every one */
  readonly clients?: readonly string[];
  /** Construct path of the broker that is asked. @default - every one */
  readonly broker?: string;
  /** Fingerprints of the bundles that clients were handed, by name; another one than the store's is not noted. */
  readonly handed?: Readonly<Record<string, string>>;
}

interface OperationTarget {
  readonly stack: string;
  /** File that gets one line of JSON from each broker. */
  readonly answers: string;
}

export interface OperationAnswer {
  /** The broker's construct path. */
  readonly broker: string;
  /** The store's folder, as it was declared. */
  readonly store: string;
  /** Why this broker could not do it. */
  readonly error?: string;
  /** The broker has no such client, which is no news where the stack has another broker. */
  readonly unknownClient?: boolean;
  readonly issued?: readonly IssuanceNote[];
  readonly missing?: readonly IssuanceNote[];
  readonly due?: readonly IssuanceNote[];
  readonly warnings?: readonly string[];
  readonly audit?: readonly AuditEntry[];
  readonly status?: BrokerStatus;
  /** How many records were converted. */
  readonly converted?: number;
  /** The bundles that were asked for, as far as this broker has such clients. */
  readonly bundles?: readonly ConnectionBundle[];
  /** What the server's certificate names. */
  readonly hosts?: readonly string[];
}

export interface BrokerStatus {
  readonly authorities: readonly CertificateStatus[];
  readonly server: CertificateStatus;
  readonly clients: readonly ClientStatus[];
  readonly next_action: { readonly at: string; readonly what: string };
}

export interface CertificateStatus {
  readonly name: string;
  readonly serial: string;
  readonly not_after: string;
}

export interface ClientStatus {
  readonly name: string;
  readonly method: string;
  readonly credential_version: number;
  readonly not_after?: string;
  /** When the present credential was handed over, as far as was told; `null` when it was not. */
  readonly handed_over_at: string | null;
  /** Whether the bundle that was handed over last lets the client trust every server authority. */
  readonly trusts_every_authority: boolean;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  readonly deny: readonly string[];
}

const VARIABLE = "CDKTF_MOSQUITTO_REQUEST";

/** The environment in which an app does what is asked. */
export function operationEnvironment(operation: Operation): Record<string, string> {
  return { [VARIABLE]: JSON.stringify(operation) };
}

/** What this process was asked to do, if it was. */
export function currentOperation(): Operation | undefined {
  const text = process.env[VARIABLE];
  return text === undefined || text === "" ? undefined : (JSON.parse(text) as Operation);
}

export function answer({ answers }: Operation, line: OperationAnswer): void {
  fs.appendFileSync(answers, `${JSON.stringify(line)}\n`, { mode: 0o600 });
}

export function readAnswers({ answers }: Operation): OperationAnswer[] {
  return fs
    .readFileSync(answers, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as OperationAnswer);
}
