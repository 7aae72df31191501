import * as fs from "node:fs";
import * as path from "node:path";

/** The shell scripts that run inside the containers, kept as files so that a shell can check them. */
function load(name: string): string {
  return fs.readFileSync(path.join(__dirname, "scripts", name), "utf8");
}

export const WRITER_SCRIPT = load("writer.sh");
export const RELOADER_SCRIPT = load("reloader.sh");
export const PROBE_SCRIPT = load("probe.sh");
export const HEALTHCHECK_SCRIPT = load("healthcheck.sh");
