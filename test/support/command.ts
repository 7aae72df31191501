import { execFile, spawn } from "node:child_process";

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads on standard input. */
  readonly input?: string;
  /** Seconds before it is ended. */
  readonly limit?: number;
}

/** Runs a program to its end, whatever its exit code. */
export function run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = execFile(
      program,
      args,
      {
        ...(options.cwd !== undefined && { cwd: options.cwd }),
        env: { ...process.env, ...options.env },
        timeout: (options.limit ?? 180) * 1000,
        maxBuffer: 64 * 1024 * 1024,
      },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
        resolve({ code, stdout, stderr: error !== null && stderr === "" ? error.message : stderr });
      },
    );
    // A program that reads nothing may have ended before.
    child.stdin?.on("error", () => undefined).end(options.input ?? "");
  });
}

/** Runs a program that must succeed. @returns its standard output */
export async function mustRun(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await run(program, args, options);
  if (result.code !== 0) {
    throw new Error(`${program} ${args.join(" ")} ended with ${result.code}\n${result.stdout}\n${result.stderr}`);
  }
  return result.stdout;
}

/** A program that runs, as the leader of a process group of its own: what a terminal sends its signals to. */
export interface Running {
  /** What it has said so far, on standard output and standard error. */
  said(): string;
  hasEnded(): boolean;
  /** Sends a signal to all its processes, as Ctrl-C in a terminal does. */
  signal(signal: "SIGINT" | "SIGKILL"): void;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

export function start(
  program: string,
  args: readonly string[],
  options: Pick<CommandOptions, "cwd" | "env"> = {},
): Running {
  const child = spawn(program, args, {
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let said = "";
  let hasEnded = false;
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (said += data.toString()));
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      hasEnded = true;
      resolve({ code, signal });
    });
  });
  return {
    said: () => said,
    hasEnded: () => hasEnded,
    ended,
    signal: (signal) => {
      if (hasEnded) return;
      process.kill(-(child.pid as number), signal);
    },
  };
}
