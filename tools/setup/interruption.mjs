// @ts-check

/** @type {NodeJS.Signals | undefined} */
let interruption;
/** @type {Set<(name: NodeJS.Signals) => void>} */
const listeners = new Set();

/**
 * Calls back when this process is asked to end. It does not end at once then, so that what it started is taken away
 * first; but no further command is run.
 *
 * @param {(name: NodeJS.Signals) => void} listener
 * @returns {() => void} Stops listening.
 */
export function onInterruption(listener) {
  listeners.add(listener);
  if (listeners.size === 1) {
    process.on("SIGINT", interrupt);
    process.on("SIGTERM", interrupt);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    process.removeListener("SIGINT", interrupt);
    process.removeListener("SIGTERM", interrupt);
  };
}

/** Whoever takes things away at the end still needs to run commands. */
export function forgetInterruption() {
  interruption = undefined;
}

export function refuseAfterInterruption() {
  if (interruption !== undefined) throw new Error(`Interrupted (${interruption}).`);
}

/** @param {NodeJS.Signals} name */
function interrupt(name) {
  interruption = name;
  for (const listener of listeners) listener(name);
}
