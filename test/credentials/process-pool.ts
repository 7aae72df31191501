import { ChildProcess, spawn } from "node:child_process";
import { buildSync } from "esbuild";
import * as fs from "node:fs";
import * as path from "node:path";
import { parseRecord, subjectOfFileName } from "../../constructs/credentials/record";
import { isKeyFileName } from "../../constructs/credentials/record-codec";
import { parseKeyFile, parseSealedRecord } from "../../constructs/credentials/sealing";
import { checkout } from "../support/workspace";
import type { Outcome, Step } from "./process-steps";

/** Starts processes that work on stores. */
export class ProcessPool {
  private constructor(private readonly script: string) {}

  /** Makes one file of all that the processes run, once: they start in a fraction of the time. */
  static build(folder: string): ProcessPool {
    const outfile = path.join(folder, "process-worker.js");
    const entry = path.join(checkout, "test", "credentials", "process-worker.ts");
    buildSync({ entryPoints: [entry], outfile, bundle: true, platform: "node", target: "node20", logLevel: "warning" });
    return new ProcessPool(outfile);
  }

  start(steps: readonly Step[]): StoreProcess {
    return new StoreProcess(spawn(process.execPath, [this.script, JSON.stringify(steps)]), steps.length);
  }

  /** Starts one that may mount, and sees its own mounts alone; what it owns here belongs to its root. */
  startApart(steps: readonly Step[]): StoreProcess {
    const args = ["--user", "--map-root-user", "--mount", process.execPath, this.script, JSON.stringify(steps)];
    return new StoreProcess(spawn("unshare", args), steps.length);
  }

  async run(...steps: Step[]): Promise<readonly Outcome[]> {
    return this.start(steps).outcomes();
  }

  async runApart(...steps: Step[]): Promise<readonly Outcome[]> {
    return this.startApart(steps).outcomes();
  }

  /** Lets processes begin at the same moment. @returns for each what came of its last step */
  async atOnce(steps: readonly Step[]): Promise<readonly Outcome[]> {
    const processes = steps.map((step) => this.start([{ do: "wait" }, step]));
    await Promise.all(processes.map((one) => one.ready()));
    for (const one of processes) one.goOn();
    return Promise.all(processes.map(async (one) => (await one.outcomes()).at(-1) as Outcome));
  }
}

/** One such process. */
export class StoreProcess {
  private printed = "";
  private readonly end: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  private said = "";
  private onPrint: () => void = () => undefined;

  constructor(
    private readonly child: ChildProcess,
    private readonly steps: number,
  ) {
    child.stdout?.on("data", (text: Buffer) => {
      this.printed += text.toString();
      this.onPrint();
    });
    child.stderr?.on("data", (text: Buffer) => (this.said += text.toString()));
    this.end = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve({ code, signal }));
    });
  }

  async ready(): Promise<void> {
    const isReady = new Promise<void>((resolve) => {
      this.onPrint = () => {
        if (this.printed.includes("ready\n")) resolve();
      };
      this.onPrint();
    });
    await Promise.race([isReady, this.end]);
  }

  goOn(): void {
    this.child.stdin?.end("\n");
  }

  /** @throws {Error} when it did not do every step */
  async outcomes(): Promise<readonly Outcome[]> {
    const { killed, outcomes } = await this.outcomesOrKill();
    if (killed) throw new Error(`it was killed after ${outcomes.length} steps`);
    return outcomes;
  }

  /** What came of the steps that it did before it was killed, if it was. */
  async outcomesOrKill(): Promise<{ readonly killed: boolean; readonly outcomes: readonly Outcome[] }> {
    const { code, signal } = await this.end;
    const lines = this.printed.split("\n").filter((line) => line.startsWith("{"));
    const outcomes = lines.map((line) => JSON.parse(line) as Outcome);
    const isWhole = outcomes.length === this.steps;
    if (this.said !== "" || (signal !== "SIGKILL" && !(code === 0 && isWhole))) {
      throw new Error(`it ended with ${signal ?? code} after ${outcomes.length} steps: ${this.said}`);
    }
    return { killed: !isWhole, outcomes };
  }
}

/** Names of the record and key files of a store, once all that lies in it is found to be whole. */
export function wholeFiles(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  const all = fs.readdirSync(folder).sort();
  const files = all.filter((name) => name.endsWith(".json") && !name.startsWith("."));
  expect(all.filter((name) => !files.includes(name) && !isKnownDotFile(name))).toEqual([]);
  for (const name of files) checkWhole(name, fs.readFileSync(path.join(folder, name), "utf8"));
  const subjects = files.filter((name) => !isKeyFileName(name)).map(subjectOfFileName);
  expect(subjects.filter((subject, index) => subjects.indexOf(subject) !== index)).toEqual([]);
  return files;
}

function isKnownDotFile(name: string): boolean {
  return name === ".gitignore" || /^\..+\.(claim|new|pending)$/.test(name);
}

function checkWhole(name: string, text: string): void {
  if (isKeyFileName(name)) return void parseKeyFile(text);
  const sealed = parseSealedRecord(text);
  if (sealed === undefined) parseRecord(name, text);
  else expect(sealed.name).toBe(name);
}

/** The files with these names, with their content. */
export function textsOf(folder: string, files: readonly string[]): Record<string, string> {
  return Object.fromEntries(files.map((name) => [name, fs.readFileSync(path.join(folder, name), "utf8")]));
}

/** A folder in memory where there is such a place: copies of stores are sooner worked on there. */
export function memoryFolder(otherwise: string): string {
  const shared = "/dev/shm";
  return fs.mkdtempSync(path.join(fs.existsSync(shared) ? shared : otherwise, "cdktf-mosquitto-"));
}

export function copyStore(from: string, to: string): void {
  if (!fs.existsSync(from)) return;
  fs.mkdirSync(to, { recursive: true, mode: 0o700 });
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isSymbolicLink()) fs.symlinkSync(fs.readlinkSync(source), target);
    else fs.copyFileSync(source, target);
  }
}
