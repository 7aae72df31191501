const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);

/** @returns milliseconds */
export function time(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** The middle one of several measurements. */
export function median(measure: () => number, rounds = ROUNDS): number {
  const measured = Array.from({ length: rounds }, measure).sort((one, other) => one - other);
  return measured[Math.floor(rounds / 2)] as number;
}

export function ratio(one: number, other: number): string {
  return (one / other).toFixed(1);
}

export function row(what: string, milliseconds: number, comparison = ""): void {
  console.log(`${what.padEnd(64)} ${milliseconds.toFixed(0).padStart(7)} ms  ${comparison}`);
}
