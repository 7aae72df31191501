// @ts-check

/** @typedef {{ passed: number, failed: number }} Count */

/**
 * Counts one run of jest. What did not run has failed: a skipped test, a suite that does not load, an empty run.
 *
 * @param {string} report What jest wrote as JSON; empty when it wrote nothing.
 * @param {number} exitCode
 * @returns {Count}
 */
export function countJest(report, exitCode) {
  /** @type {Record<string, unknown>} */
  let result = {};
  try {
    result = JSON.parse(report);
  } catch {
    return { passed: 0, failed: 1 };
  }
  const number = (/** @type {string} */ name) => Number(result[name] ?? 0);
  const passed = number("numPassedTests");
  const failed =
    number("numFailedTests") + number("numPendingTests") + number("numTodoTests") + number("numRuntimeErrorTestSuites");
  if (failed === 0 && (passed === 0 || exitCode !== 0)) return { passed, failed: 1 };
  return { passed, failed };
}

/** @param {Count} count */
export function closingLine({ passed, failed }) {
  return `${passed} passed, ${failed} failed`;
}
