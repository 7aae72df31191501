import { execFileSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import { Worker } from "node:worker_threads";
import { CredentialStore, fulfil, RecordFolder, WantedCredentials } from "../../constructs/credentials";
import { TextSource } from "../../constructs/text-source";
import { parseRevocationList } from "../../constructs/pki";
import { certificate, password, plain, server, wanted } from "./support";

/** A store as a process of its own opens it. */
export interface Store {
  readonly folder: string;
  readonly passphrase?: string;
  readonly previous?: string;
  /** Derives keys from passphrases at once. That takes half a second otherwise, in which nothing is written. */
  readonly quick?: boolean;
}

/** A declaration small enough for a command line. */
export interface Declared {
  /** Clients with a certificate and a password each. */
  readonly clients: readonly string[];
  readonly version?: number;
  readonly hosts?: readonly string[];
}

/** When a process is killed in the middle of its work. */
export type Kill =
  | {
      /** So many files are in the store, with or without their names. */
      readonly files: number;
      /** And so many milliseconds have gone by since. */
      readonly after: number;
    }
  /** It would give a file its name, after so many others: sure to come, on the busiest machine. */
  | { readonly named: number };

/** What a process is to do. */
export type Step =
  | { readonly do: "issue" | "read"; readonly store: Store; readonly declared: Declared; readonly kill?: Kill }
  | { readonly do: "convert"; readonly store: Store; readonly kill?: Kill }
  /** Reads again and again until a file is there. */
  | { readonly do: "watch"; readonly store: Store; readonly declared: Declared; readonly until: string }
  /** All that the records say. */
  | { readonly do: "list"; readonly store: Store }
  /** Goes on when the test says so, together with others. */
  | { readonly do: "wait" }
  | { readonly do: "run"; readonly program: string; readonly args: readonly string[] };

/** What came of a step. */
export interface Outcome {
  readonly error?: string;
  /** Milliseconds that it took, without opening the store. */
  readonly took?: number;
  readonly issued?: readonly string[];
  readonly missing?: number;
  /** Tells whether credentials are the same. */
  readonly credentials?: string;
  /** How many certificates the clients' authority refuses. */
  readonly refused?: number;
  readonly converted?: number;
  readonly records?: string;
  readonly rounds?: number;
}

export function names(count: number, prefix = "sensor"): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}

export function fleet({ clients, version = 1, hosts = ["broker.example"] }: Declared): WantedCredentials {
  return wanted({
    server: server(...hosts),
    certificates: clients.map((name) => certificate(name, { credentialVersion: version })),
    passwords: clients.map((name) => password(name, { credentialVersion: version })),
  });
}

export function perform(step: Step): Outcome {
  switch (step.do) {
    case "issue":
    case "read":
      return issue(step.store, step.declared, step.do === "issue", step.kill);
    case "convert": {
      const store = storeOf(step.store);
      const { result, took } = timed(store.directory, step.kill, () => store.convert(new Date()));
      return { converted: result, took };
    }
    case "watch":
      return watch(step.store, step.declared, step.until);
    case "list":
      return { records: JSON.stringify(recordsIn(storeOf(step.store).open(new Date()))) };
    case "wait":
      process.stdout.write("ready\n");
      fs.readSync(0, Buffer.alloc(1));
      return {};
    case "run":
      execFileSync(step.program, step.args, { stdio: ["ignore", "ignore", "pipe"] });
      return {};
  }
}

function issue(store: Store, declared: Declared, mayIssue: boolean, kill?: Kill): Outcome {
  const now = new Date();
  const folder = storeOf(store).open(now);
  const { result, took } = timed(store.folder, kill, () => fulfil(folder, fleet(declared), mayIssue, now));
  const { credentials, issued, missing } = result;
  const [clients = ""] = credentials?.revocationListsPem.split(/(?<=-----END X509 CRL-----\n)/) ?? [];
  return {
    took,
    issued: issued.map(({ what }) => what),
    missing: missing.length,
    ...(credentials && {
      credentials: digest(JSON.stringify(plain(credentials), (_, value: unknown) => unfold(value))),
      refused: parseRevocationList(clients).serials.length,
    }),
  };
}

function watch(store: Store, declared: Declared, until: string): Outcome {
  let rounds = 0;
  let missing = Infinity;
  do {
    const now = issue(store, declared, false).missing as number;
    if (now > missing) throw new Error(`${missing} were missing, and then ${now}`);
    missing = now;
    rounds += 1;
  } while (!fs.existsSync(until));
  return { rounds, missing };
}

function storeOf({ folder, passphrase, previous, quick }: Store): CredentialStore {
  if (quick === true) deriveAtOnce();
  const previousPassphrase = previous === undefined ? {} : { previousPassphrase: TextSource.text(previous) };
  return passphrase === undefined
    ? CredentialStore.folder(folder, previousPassphrase)
    : CredentialStore.sealed(folder, { passphrase: TextSource.text(passphrase), ...previousPassphrase });
}

const { scryptSync } = crypto;

function deriveAtOnce(): void {
  crypto.scryptSync = (secret, salt, octets) => scryptSync(secret, salt, octets, { N: 2 });
}

function recordsIn(folder: RecordFolder): unknown[] {
  const kinds = [
    "authority",
    "cross",
    "server",
    "control",
    "client",
    "password",
    "crl",
    "revocation",
    "handover",
  ] as const;
  return kinds.flatMap((kind) => [...folder.all(kind)]);
}

function unfold(value: unknown): unknown {
  return value instanceof Map ? [...(value as ReadonlyMap<unknown, unknown>)] : value;
}

function digest(text: string): string {
  return crypto.createHash("sha256").update(text).digest("hex");
}

/** @param kill when this process is killed, if the work takes that long */
function timed<R>(
  folder: string,
  kill: Kill | undefined,
  work: () => R,
): { readonly result: R; readonly took: number } {
  const begin =
    kill === undefined ? () => undefined : "named" in kill ? () => killAtName(kill.named) : armKill(folder, kill);
  const began = performance.now();
  begin();
  const result = work();
  return { result, took: performance.now() - began };
}

function killAtName(named: number): void {
  const { linkSync } = fs;
  let count = 0;
  fs.linkSync = (...names) => {
    if (count === named) process.kill(process.pid, "SIGKILL");
    count += 1;
    linkSync(...names);
  };
}

/** A thread watches and kills: another process would come too early or too late on a busy machine. */
function armKill(folder: string, { files, after }: Exclude<Kill, { readonly named: number }>): () => void {
  const flags = new Int32Array(new SharedArrayBuffer(8));
  const script = `
    const fs = require("node:fs");
    const { flags, folder, files, after } = require("node:worker_threads").workerData;
    const count = () => fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => /json(.pending)?$/.test(name)).length : 0;
    Atomics.store(flags, 0, 1);
    Atomics.notify(flags, 0);
    Atomics.wait(flags, 1, 0);
    while (count() < files) Atomics.wait(flags, 1, 1, 0.2);
    Atomics.wait(flags, 1, 1, after);
    process.kill(process.pid, "SIGKILL");`;
  new Worker(script, { eval: true, workerData: { flags, folder, files, after } }).unref();
  Atomics.wait(flags, 0, 0);
  return () => {
    Atomics.store(flags, 1, 1);
    Atomics.notify(flags, 1);
  };
}
