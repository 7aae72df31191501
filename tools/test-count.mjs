// @ts-check
import { relative } from "node:path";

/** @typedef {{ passed: number, failed: number }} Count */
/** @typedef {{ fullName: string, status: string }} Test */
/** @typedef {{ name: string, status: string, assertionResults: readonly Test[] }} Suite */

/**
 * Counts one run of jest. What did not run has failed: a skipped test, a suite that does not load, an empty run.
 *
 * @param {string} report What jest wrote as JSON; empty when it wrote nothing.
 * @param {number} exitCode
 * @returns {Count}
 */
export function countJest(report, exitCode) {
  const result = parse(report);
  if (result === undefined) return { passed: 0, failed: 1 };
  const number = (/** @type {string} */ name) => Number(result[name] ?? 0);
  const passed = number("numPassedTests");
  const failed =
    number("numFailedTests") + number("numPendingTests") + number("numTodoTests") + number("numRuntimeErrorTestSuites");
  if (failed === 0 && (passed === 0 || exitCode !== 0)) return { passed, failed: 1 };
  return { passed, failed };
}

/**
 * Names what failed in one run of jest: thousands of lines may lie between a failure and the closing line.
 *
 * @param {string} report What jest wrote as JSON; empty when it wrote nothing.
 * @param {number} exitCode
 * @param {string} checkout The folder that files are named from.
 * @returns {readonly string[]} Empty when `countJest` counts no failure.
 */
export function failuresOf(report, exitCode, checkout) {
  const result = parse(report);
  if (result === undefined) return ["jest wrote no report"];
  const suites = /** @type {readonly Suite[]} */ (result["testResults"] ?? []);
  const names = suites.flatMap(({ name, status, assertionResults }) => {
    const file = relative(checkout, name);
    const failed = assertionResults.filter((one) => one.status !== "passed");
    if (failed.length === 0 && status === "failed") {
      return [`${file}: it ${assertionResults.length === 0 ? "did not run" : "failed outside of its tests"}`];
    }
    return failed.map((one) => `${file}: ${one.fullName} (${one.status})`);
  });
  if (names.length === 0 && countJest(report, exitCode).failed > 0) return [`jest ended with ${exitCode}`];
  return names;
}

/** @param {Count} count */
export function closingLine({ passed, failed }) {
  return `${passed} passed, ${failed} failed`;
}

/**
 * @param {string} report
 * @returns {Record<string, unknown> | undefined}
 */
function parse(report) {
  try {
    return JSON.parse(report);
  } catch {
    return undefined;
  }
}
