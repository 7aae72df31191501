import { ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import { until } from "../../tools/until";

/** What goes over the loopback interface to and from one port, as tcpdump sees it. */
export class Capture {
  private constructor(
    private readonly tcpdump: ChildProcess,
    private readonly file: string,
  ) {}

  static async start(port: number, file: string): Promise<Capture> {
    // As root tcpdump would give its rights away and could not write into a private folder.
    const args = ["-i", "lo", "--immediate-mode", "-U", "-Z", "root", "-w", file, "tcp", "port", String(port)];
    const tcpdump = spawn("tcpdump", args, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    tcpdump.stderr?.on("data", (text: Buffer) => (said += text.toString()));
    await until("tcpdump listens", () => {
      if (tcpdump.exitCode !== null) throw new Error(`tcpdump ended: ${said}`);
      return said.includes("listening on");
    });
    return new Capture(tcpdump, file);
  }

  /** Ends it. @returns all bytes that were seen */
  async stop(): Promise<Buffer> {
    const ended = new Promise((resolve) => this.tcpdump.once("exit", resolve));
    this.tcpdump.kill("SIGINT");
    await ended;
    const bytes = fs.readFileSync(this.file);
    fs.rmSync(this.file);
    return bytes;
  }
}
