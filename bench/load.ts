/** `npm run bench -- load`: what connections and messages cost a broker, beside the same ones without TLS. */
import * as fs from "node:fs";
import * as path from "node:path";
import { KeyAlgorithm } from "../constructs";
import { Bench, measureConnecting, measureDisturbance, measureResuming, Variant, VARIANTS } from "./load/connections";
import { makeMaterial } from "./load/material";
import { measureTalking } from "./load/messages";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const CLIENTS = Number(process.env.BENCH_CLIENTS ?? 2000);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 3);

const [PLAIN, MODERN, OLDER, RSA] = VARIANTS as readonly [Variant, Variant, Variant, Variant];
const DISTURBED = [PLAIN, MODERN, RSA];
const TALKING = [PLAIN, MODERN, OLDER];

/** Prints the tables of docs/performance.md. */
export async function reportLoad(folder: string): Promise<void> {
  const bench: Bench = {
    program: variable("LOAD_CLIENT"),
    image: variable("MOSQUITTO_IMAGE_2_1"),
    clients: CLIENTS,
    folderOf: (algorithm) => path.join(folder, algorithm.id),
  };
  for (const algorithm of new Map(VARIANTS.map(({ algorithm: one }) => [one.id, one])).values())
    prepare(bench, algorithm);
  await reportConnecting(bench);
  await reportDisturbance(bench);
  await reportTalking(bench);
}

function prepare(bench: Bench, algorithm: KeyAlgorithm): void {
  const folder = bench.folderOf(algorithm);
  // The broker's user reads it, whatever this process keeps to itself.
  const mask = process.umask(0o022);
  makeMaterial(folder, algorithm, bench.clients);
  process.umask(mask);
  fs.chmodSync(path.dirname(folder), 0o755);
}

async function reportConnecting(bench: Bench): Promise<void> {
  const measured = await inRounds(VARIANTS, (variant) => measureConnecting(bench, variant));
  const resuming = await inRounds([MODERN], () => measureResuming(bench));
  const milliseconds = (processor: number): number => (processor / CLIENTS) * 1000;
  const rows = VARIANTS.map(({ title }, index) => {
    const rounds = measured[index] ?? [];
    return { title, rounds, cost: milliseconds(median(rounds.map(({ processor }) => processor))) };
  });
  const [plain] = rows;
  heading("Connecting", [
    "Clients",
    "Connections a second",
    "Processor time of the broker",
    "To the first row",
    "One core",
  ]);
  for (const { title, rounds, cost } of rows) {
    const rate = CLIENTS / median(rounds.map(({ seconds }) => seconds));
    const ratio = cost / (plain?.cost ?? 1);
    row([title, rate.toFixed(0), `${cost.toFixed(2)} ms`, ratio.toFixed(1), `${(1000 / cost).toFixed(0)} a second`]);
  }
  const resumed = milliseconds(median((resuming[0] ?? []).map((one) => one.resumed)));
  const share = resumed / milliseconds(median((resuming[0] ?? []).map((one) => one.whole)));
  console.log(
    `\nA client of the second row that resumes its TLS session costs the broker ${resumed.toFixed(2)} ms: ` +
      `${share.toFixed(2)} of a whole handshake beside it.`,
  );

  const half = CLIENTS / 2;
  heading("Memory", ["Clients", "None", `${half}`, `${CLIENTS}`, "Each"]);
  for (const { title, rounds } of rows) {
    const [none, some, all] = [0, 1, 2].map((index) => median(rounds.map(({ memory }) => memory[index] as number)));
    const each = (((all as number) - (none as number)) * 1024) / CLIENTS;
    row([title, ...[none, some, all].map((value) => `${(value as number).toFixed(0)} MiB`), `${each.toFixed(1)} KiB`]);
  }
}

async function reportDisturbance(bench: Bench): Promise<void> {
  const measured = await inRounds(DISTURBED, (variant) => measureDisturbance(bench, variant));
  heading(`${CLIENTS} clients`, ["Clients", "Longest answer", "Longest with a reload", "All back after a restart"]);
  DISTURBED.forEach(({ title }, index) => {
    const of = (what: "quiet" | "reload" | "storm"): number => median((measured[index] ?? []).map((one) => one[what]));
    row([title, `${of("quiet").toFixed(0)} ms`, `${of("reload").toFixed(0)} ms`, `${of("storm").toFixed(1)} s`]);
  });
}

async function reportTalking(bench: Bench): Promise<void> {
  for (const qos of [0, 1] as const) {
    const measured = await inRounds(TALKING, (variant) => measureTalking(bench, variant, qos, SECONDS));
    heading(`QoS ${qos}`, [
      "Clients",
      "Messages a second",
      "Processor time of the broker",
      "To the first row",
      "One core",
    ]);
    const costs = measured.map((rounds) => median(rounds.map(({ processor }) => processor)) * 1e6);
    TALKING.forEach(({ title }, index) => {
      const rate = median((measured[index] ?? []).map((one) => one.rate));
      const cost = costs[index] as number;
      const ratio = (cost / (costs[0] as number)).toFixed(1);
      row([title, rate.toFixed(0), `${cost.toFixed(0)} µs`, ratio, `${(1e6 / cost).toFixed(0)} a second`]);
    });
  }
}

/** One round of each after the other, so that what else the machine does touches all alike. */
async function inRounds<V, T>(variants: readonly V[], measure: (variant: V) => Promise<T>): Promise<T[][]> {
  const measured: T[][] = variants.map(() => []);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, variant] of variants.entries()) (measured[index] as T[]).push(await measure(variant));
  }
  return measured;
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] as number;
}

function heading(title: string, columns: readonly string[]): void {
  console.log(`\n${title}\n`);
  row(columns);
  row(columns.map((_, index) => (index === 0 ? "---" : "---:")));
}

function row(cells: readonly string[]): void {
  console.log(`| ${cells.join(" | ")} |`);
}

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set; run this through npm run bench -- load`);
  return value;
}
