/** `npm run bench`: what issuing, synthesising and deploying cost, as ratios against baselines that run beside them. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { reportCertificates } from "./certificates";
import { deployReport } from "./deploy";
import { reportLoad } from "./load";
import { reportSynth } from "./synth";

/** Smaller in the test that the benchmark still runs. */
const CLIENTS = Number(process.env.BENCH_CLIENTS ?? 1000);
const RSA_CLIENTS = Number(process.env.BENCH_RSA_CLIENTS ?? 200);

type Report = (folder: string) => void | Promise<void>;
const DEFAULT: Readonly<Record<string, Report>> = {
  certificates: (folder) => reportCertificates(folder, CLIENTS, RSA_CLIENTS),
  synth: (folder) => reportSynth(folder, CLIENTS),
  deploy: () => console.log(deployReport().join("\n")),
};
/** `load` takes minutes, and only on demand. */
const REPORTS: Readonly<Record<string, Report>> = { ...DEFAULT, load: reportLoad };

async function main(asked: readonly string[]): Promise<void> {
  const unknown = asked.find((name) => !Object.hasOwn(REPORTS, name));
  if (unknown !== undefined) {
    throw new Error(`There is no benchmark "${unknown}". Benchmarks: ${Object.keys(REPORTS).join(", ")}.`);
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cdktf-mosquitto-bench-"));
  try {
    console.log(`Node ${process.version}, ${os.availableParallelism()} cores; medians`);
    for (const name of asked.length > 0 ? asked : Object.keys(DEFAULT)) {
      console.log("");
      await REPORTS[name]?.(folder);
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
