// @ts-check
/**
 * `npm test`: sets this machine up, checks types, lint and format, runs all tests, and takes away what it started.
 *
 *     npm test -- unit        one step only; further words are a pattern for jest
 */
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mustRun, run } from "./setup/command.mjs";
import { stopStartedDocker } from "./setup/docker.mjs";
import { setUp } from "./setup/index.mjs";
import { checkout } from "./setup/paths.mjs";
import { closingLine, countJest, failuresOf } from "./test-count.mjs";

// CDKTF's own folders for tests are never taken away otherwise. Not below the checkout: paths of sockets have to be short.
const temporary = await mkdtemp(join(tmpdir(), "cdktf-mosquitto-test-"));
const reports = join(checkout, ".work", `reports-${process.pid}`);
const [only, ...patterns] = process.argv.slice(2);

/** @typedef {import("./test-count.mjs").Count} Count */

/** @type {Record<string, readonly string[]>} */
const checks = {
  types: ["tsc", "--noEmit"],
  lint: ["eslint", "."],
  format: ["prettier", "--check", "--log-level", "warn", "."],
};

/** @type {Record<string, (env: Record<string, string>) => Promise<Count>>} */
const tests = {
  // Jest would leave one core idle.
  unit: (env) => jest("unit", ["--maxWorkers=100%"], env),
  // Four at once: a deploy waits half of its time, for Terraform, Docker and the broker.
  deploy: (env) => jest("deploy", ["--maxWorkers=4"], env),
};

const names = [...Object.keys(checks), ...Object.keys(tests)];

/** @type {Count} */
const total = { passed: 0, failed: 0 };
/** @type {string[]} */
const failures = [];
let startedDocker = false;
process.umask(0o077);
try {
  if (only !== undefined && !names.includes(only)) {
    throw new Error(`There is no step "${only}". Steps: ${names.join(", ")}.`);
  }
  const environment = await setUp({ images: ["2.1.2", "2.0.21"], forTests: true });
  ({ startedDocker } = environment);
  // Its variables decide what the tests see, so a person's own must not.
  delete process.env.TF_CLI_CONFIG_FILE;
  await mkdir(reports, { recursive: true });
  await mustRun("build the library", "node", ["tools/build.mjs"], { cwd: checkout });
  const env = { ...environment.env, TMPDIR: temporary };
  // Each has work for one core.
  const checking = Object.entries(checks)
    .filter(([name]) => only === undefined || only === name)
    .map(([name, args]) => /** @type {const} */ ([name, run("npx", args, { cwd: checkout, env })]));
  for (const [name, running] of checking) {
    const { code, stdout, stderr } = await running;
    console.log(`\n== ${name}`);
    process.stdout.write(stdout + stderr);
    count(code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });
    if (code !== 0) failures.push(name);
  }
  for (const [name, test] of Object.entries(tests)) {
    if (only !== undefined && only !== name) continue;
    console.log(`\n== ${name}`);
    count(await test(env));
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  total.failed += 1;
} finally {
  await rm(reports, { recursive: true, force: true });
  await rm(temporary, { recursive: true, force: true });
  if (startedDocker) {
    const engine = await stopStartedDocker();
    if (engine !== undefined) console.log(`\n${engine}`);
  }
}
for (const one of failures) console.log(`failed: ${one}`);
console.log(`\n${closingLine(total)}`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;

/** @param {Count} more */
function count({ passed, failed }) {
  total.passed += passed;
  total.failed += failed;
}

/**
 * @param {string} project
 * @param {readonly string[]} args
 * @param {Record<string, string>} env
 * @returns {Promise<Count>}
 */
async function jest(project, args, env) {
  const report = join(reports, `${project}.json`);
  const jestArguments = ["jest", `--selectProjects=${project}`, "--ci", "--json", "--outputFile", report, ...args];
  const { code } = await run("npx", [...jestArguments, ...patterns], { cwd: checkout, env, output: "stderr" });
  const written = await readFile(report, "utf8").catch(() => "");
  failures.push(...failuresOf(written, code, checkout));
  return countJest(written, code);
}
