/** @returns milliseconds */
export function time(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}
