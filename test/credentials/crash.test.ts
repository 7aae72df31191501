import * as fs from "node:fs";
import * as path from "node:path";
import { makeFolder, removeFolder } from "../support/workspace";
import { copyStore, memoryFolder, ProcessPool, textsOf, wholeFiles } from "./process-pool";
import { Declared, names, Outcome, Step, Store } from "./process-steps";

jest.setTimeout(300_000);

const parent = makeFolder("crash");
const memory = memoryFolder(parent);
const discard = (folder: string): void => fs.rmSync(folder, { recursive: true, force: true });
afterAll(() => {
  discard(memory);
  removeFolder(parent);
});
const pool = ProcessPool.build(path.join(parent, "code"));
let stores = 0;
/** By turns on the disk and in memory: the disk's own waits make other moments to be killed in, and take their time. */
const newFolder = (place = stores % 2 === 0 ? parent : memory): string => path.join(place, `store-${(stores += 1)}`);

const clients = names(25);
const FIRST: Declared = { clients };
const RAISED: Declared = { clients, version: 2 };
/** Three authorities, two certificates and two revocation lists, beside what the clients get. */
/** Files of a whole store: what is noted as issued, and the steps of two authorities. */
const ALL = 9 + 2 * clients.length;
/** Certificates and passwords of another version, a tombstone for each of the first, and one list. */
const ALL_RAISED = ALL + 4 * clients.length + 1;
const PASSPHRASE = "seven random words of a test";
const ANOTHER = "another seven words of a test";

/** Numbers from 0 to 1 that lie evenly between them, however many are taken. */
class Even {
  private taken = 0;

  next(): number {
    this.taken += 1;
    return (this.taken * 0.618034) % 1;
  }
}

/** Two chains of work at once, one for each core. */
async function inTwo(chain: () => Promise<void>): Promise<void> {
  await Promise.all([chain(), chain()]);
}

interface Rounds {
  /** How many kills. */
  readonly kills: number;
  /** How a store is before the work. */
  readonly base?: string;
  readonly declared: Declared;
  /** How many files it has when the work is done. */
  readonly whole: number;
  readonly open?: Omit<Store, "folder">;
}

/** Kills processes that issue, each store up to three times. @returns how much of the work was done at each kill */
async function killWhileIssuing({ kills, base, declared, whole, open = {} }: Rounds): Promise<number[]> {
  const before = base === undefined ? 0 : wholeFiles(base).length;
  const moments = new Even();
  const done: number[] = [];
  await inTwo(async () => {
    let unfinished = new Completion({ declared, whole, open });
    while (done.length < kills) {
      const folder = newFolder();
      if (base !== undefined) copyStore(base, folder);
      const chosen = [moments.next(), moments.next(), moments.next()].sort();
      for (const share of chosen) {
        const kill = { files: before + Math.floor(share * (whole - before)), after: 2 * Math.random() };
        // The kill before came later than it should.
        if (written(folder) > kill.files) continue;
        const step: Step = { do: "issue", store: { folder, ...open }, declared, kill };
        // A process completes what the one before it left, and is killed in its own work.
        const { killed, outcomes } = await pool.start([...unfinished.steps, step]).outcomesOrKill();
        unfinished.check(outcomes);
        const files = wholeFiles(folder);
        expect(outcomes.flatMap(({ error }) => error ?? [])).toEqual([]);
        if (!killed) expect(files).toHaveLength(whole);
        unfinished = new Completion({ declared, whole, open }, killed ? folder : undefined);
        if (killed) done.push((written(folder) - before) / (whole - before));
        else break;
      }
      discard(folder);
    }
    unfinished.check(await pool.run(...unfinished.steps));
  });
  return done;
}

/** How many records and keys were written, whether or not they have their names yet. */
function written(folder: string): number {
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  const ends = names.flatMap((name) => /^\.?(.*\.json)(\.pending)?$/.exec(name)?.[1] ?? []);
  return new Set(ends).size;
}

/** Completes a copy of a half-finished store: what was there stays, and what was missing comes once. */
class Completion {
  readonly steps: readonly Step[];
  private readonly copy = newFolder(memory);
  private readonly texts: Readonly<Record<string, string>>;

  constructor(
    private readonly rounds: Pick<Rounds, "declared" | "whole" | "open">,
    unfinished?: string,
  ) {
    const { declared, open } = rounds;
    if (unfinished !== undefined) copyStore(unfinished, this.copy);
    this.texts = textsOf(this.copy, wholeFiles(this.copy));
    const issue: Step = { do: "issue", store: { folder: this.copy, ...open }, declared };
    this.steps = unfinished === undefined ? [] : [issue, issue];
  }

  check(outcomes: readonly Outcome[]): void {
    if (this.steps.length === 0) return;
    const { declared, whole } = this.rounds;
    const [first, second] = outcomes as [Outcome, Outcome];
    expect([first.error, second.error]).toEqual([undefined, undefined]);
    expect(second.issued).toEqual([]);
    expect(second.credentials).toBe(first.credentials);
    expect(first.refused).toBe(declared.version === 2 ? clients.length : 0);
    expect(wholeFiles(this.copy)).toHaveLength(whole);
    expect(textsOf(this.copy, Object.keys(this.texts))).toEqual(this.texts);
    discard(this.copy);
  }
}

/** How many kills fell on each fifth of the work. */
function fifths(done: readonly number[]): number[] {
  const counts = [0, 0, 0, 0, 0];
  for (const share of done) counts[Math.min(4, Math.floor(share * 5))]! += 1;
  return counts;
}

/** A dozen kills may miss some parts on a busy machine. */
function expectSpread(done: readonly number[]): void {
  expect(fifths(done).filter((count) => count > 0).length).toBeGreaterThanOrEqual(2);
}

test("killed 300 times while it issues, a store is whole each time, and the next run completes it", async () => {
  const done = await killWhileIssuing({ kills: 300, declared: FIRST, whole: ALL });
  expect(done.length).toBeGreaterThanOrEqual(300);
  expect(fifths(done).filter((count) => count >= 10).length).toBeGreaterThanOrEqual(2);
});

test("killed while it raises every credentialVersion, it ends each version before for good, and once", async () => {
  const base = newFolder();
  await pool.run({ do: "issue", store: { folder: base }, declared: FIRST });
  const done = await killWhileIssuing({ kills: 24, base, declared: RAISED, whole: ALL_RAISED });
  expectSpread(done);
});

test("killed while it issues, a sealed store is whole each time, and has one key in the end", async () => {
  // With its one key file.
  const whole = ALL + 1;
  const slow = await killWhileIssuing({ kills: 5, declared: FIRST, whole, open: { passphrase: PASSPHRASE } });
  const quick = await killWhileIssuing({
    kills: 30,
    declared: FIRST,
    whole,
    open: { passphrase: PASSPHRASE, quick: true },
  });
  expectSpread([...slow, ...quick]);
});

describe("killed while a store is converted, it says the same as before once that is run again:", () => {
  const plain = { quick: true };
  const sealed = { passphrase: PASSPHRASE, quick: true };

  test.each<[string, Omit<Store, "folder">, Omit<Store, "folder">, number]>([
    ["from plain to sealed", plain, sealed, 1],
    ["to another passphrase", sealed, { passphrase: ANOTHER, previous: PASSPHRASE, quick: true }, 1],
    ["from sealed to plain", sealed, { previous: PASSPHRASE, quick: true }, 0],
  ])("%s", async (_, from, to, keys) => {
    const base = newFolder(parent);
    const [, listed] = await pool.run(
      { do: "issue", store: { folder: base, ...from }, declared: FIRST },
      { do: "list", store: { folder: base, ...from } },
    );
    // Measured on a copy, so that the kills fall evenly on all of it.
    const measured = { folder: newFolder(parent), ...to };
    copyStore(base, measured.folder);
    const [{ took }] = (await pool.run({ do: "convert", store: measured })) as [{ took: number }];
    const moments = new Even();
    const done: number[] = [];
    await inTwo(async () => {
      while (done.length < 12) {
        const store = { folder: newFolder(parent), ...to };
        copyStore(base, store.folder);
        const before = textsOf(base, wholeFiles(base));
        for (let times = 0; times < 2; times += 1) {
          const kill = { files: 0, after: moments.next() * took };
          const { killed } = await pool.start([{ do: "convert", store, kill }]).outcomesOrKill();
          const now = textsOf(store.folder, wholeFiles(store.folder));
          if (killed) done.push(Object.keys(before).filter((name) => before[name] !== now[name]).length / ALL);
        }
        const convert: Step = { do: "convert", store };
        const outcomes = await pool.run(convert, convert, { do: "list", store });
        expect(outcomes.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
        expect(outcomes[1]!.converted).toBe(0);
        expect(outcomes[2]!.records).toBe(listed!.records);
        expect(wholeFiles(store.folder)).toHaveLength(ALL + keys);
        expect(fs.readFileSync(path.join(store.folder, ".gitignore"), "utf8")).toBe(
          keys === 0 ? "*\n" : ".*\n!.gitignore\n",
        );
        discard(store.folder);
      }
    });
    expectSpread(done);
  });
});
