/** `npm run bench`: what issuing, synthesising and deploying cost, as ratios against baselines that run beside them. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { reportCertificates } from "./certificates";
import { deployReport } from "./deploy";
import { reportSynth } from "./synth";

/** Smaller in the test that the benchmark still runs. */
const CLIENTS = Number(process.env.BENCH_CLIENTS ?? 1000);
const RSA_CLIENTS = Number(process.env.BENCH_RSA_CLIENTS ?? 200);

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cdktf-mosquitto-bench-"));
try {
  console.log(`Node ${process.version}, ${os.availableParallelism()} cores; medians\n`);
  reportCertificates(folder, CLIENTS, RSA_CLIENTS);
  console.log("");
  reportSynth(folder, CLIENTS);
  console.log(`\n${deployReport().join("\n")}`);
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
