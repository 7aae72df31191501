import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import type { ConnectionBundle } from "../client/connection-bundle";
import { AuditEntry, IssuanceNote } from "../credentials";
import type { RevocationReason } from "../pki";
import type { Verification } from "./verification";

/**
 * What the `cdktf-mosquitto` command asks of the brokers of one stack. The command runs the app, because the app alone
 * knows its stores and their passphrases; the brokers answer, and write nothing else.
 */
export type Operation = OperationTarget &
  (
    | { readonly name: "plan" | "issue" | "status" | "audit" | "convert" | "storeFiles" | "verification" }
    | { readonly name: "revoke"; readonly client: string; readonly reason: RevocationReason }
    | { readonly name: "handover"; readonly clients: readonly string[]; readonly broker?: string }
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
  /** File that gets a line from each broker. */
  readonly answers: string;
  /** AES-256 key of the lines, in base64: there are keys of clients in them, and an interrupted command leaves the file. */
  readonly key: string;
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
  readonly verification?: Verification;
  /** What the server's certificate names. */
  readonly hosts?: readonly string[];
  /** Serial numbers of the certificates that have ended, of the clients that were asked for. */
  readonly ended?: readonly string[];
  /** Paths of the store's files, where it is a store and nothing else. */
  readonly storeFiles?: readonly string[];
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

export function answer({ answers, key }: Operation, line: OperationAnswer): void {
  const vector = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", Buffer.from(key, "base64"), vector);
  const octets = Buffer.concat([cipher.update(JSON.stringify(line)), cipher.final()]);
  const sealed = Buffer.concat([vector, cipher.getAuthTag(), octets]);
  fs.appendFileSync(answers, `${sealed.toString("base64")}\n`, { mode: 0o600 });
}

export function readAnswers({ answers, key }: Operation): OperationAnswer[] {
  const lines = fs.readFileSync(answers, "utf8").split("\n");
  return lines
    .filter((line) => line !== "")
    .map((line) => {
      const sealed = Buffer.from(line, "base64");
      const decipher = createDecipheriv("aes-256-gcm", Buffer.from(key, "base64"), sealed.subarray(0, 12));
      decipher.setAuthTag(sealed.subarray(12, 28));
      const text = Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]);
      return JSON.parse(text.toString()) as OperationAnswer;
    });
}
