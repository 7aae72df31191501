// @ts-check

/**
 * Runs one step of set-up and says on standard error how it went and how long it took.
 *
 * @template T
 * @param {string} name
 * @param {(say: (text: string) => void) => Promise<{ result: T, summary: string }>} work
 * @returns {Promise<T>}
 */
export async function step(name, work) {
  const start = Date.now();
  const seconds = () => ((Date.now() - start) / 1000).toFixed(1);
  /** @param {string} text */
  const say = (text) => process.stderr.write(`[set-up] ${name}: ${text}\n`);
  const { result, summary } = await work(say);
  say(`${summary} (${seconds()} s)`);
  return result;
}

/**
 * Repeats a line while something long goes on, so that nobody takes it for hanging.
 *
 * @template T
 * @param {(text: string) => void} say
 * @param {string} text
 * @param {Promise<T>} work
 * @returns {Promise<T>}
 */
export async function whileWaiting(say, text, work) {
  const start = Date.now();
  say(text);
  const timer = setInterval(() => say(`${text} (${Math.round((Date.now() - start) / 1000)} s so far)`), 15_000);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
