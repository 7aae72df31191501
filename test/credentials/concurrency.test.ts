import * as fs from "node:fs";
import * as path from "node:path";
import { makeFolder, removeFolder } from "../support/workspace";
import { ProcessPool, wholeFiles } from "./process-pool";
import { Declared, names, Outcome, Step, Store } from "./process-steps";

jest.setTimeout(60_000);

const parent = makeFolder("concurrency");
afterAll(() => removeFolder(parent));
const pool = ProcessPool.build(path.join(parent, "code"));
let stores = 0;
const newFolder = (): string => path.join(parent, `store-${(stores += 1)}`);

const clients = names(25);
const FLEET: Declared = { clients };
/** Three authorities, two certificates and two revocation lists, beside what the clients get. */
const ALL = 7 + 2 * clients.length;
/** With the steps of two authorities, which are not noted as issued. */
const FILES = ALL + 2;
const PASSPHRASE = "seven random words of a test";

const issue = (store: Store, declared = FLEET): Step => ({ do: "issue", store, declared });
const errors = (outcomes: readonly Outcome[]): string[] => outcomes.flatMap(({ error }) => error ?? []);
const last = async (step: Step): Promise<Outcome> => (await pool.run(step)).at(-1) as Outcome;

/** Lets so many processes issue one declaration at once, and proves that there is one outcome. */
async function oneOutcome(store: Store, count: number, files: number): Promise<readonly Outcome[]> {
  const outcomes = await pool.atOnce(Array.from({ length: count }, () => issue(store)));
  expect(errors(outcomes)).toEqual([]);
  expect(new Set(outcomes.map(({ credentials }) => credentials)).size).toBe(1);
  expect(wholeFiles(store.folder)).toHaveLength(files);
  expect(await last(issue(store))).toMatchObject({ issued: [], credentials: outcomes[0]!.credentials });
  return outcomes;
}

describe.each([2, 4])("%d processes that issue at once", (count) => {
  test("end with one outcome, and each thing was issued by one of them", async () => {
    for (let round = 0; round < 8; round += 1) {
      const outcomes = await oneOutcome({ folder: newFolder() }, count, FILES);
      const issued = outcomes.map((one) => one.issued!.length);
      expect(issued.reduce((sum, one) => sum + one)).toBe(ALL);
    }
  });

  test("into a sealed store end with one outcome and one key", async () => {
    for (let round = 0; round < 2; round += 1) {
      const store = { folder: newFolder(), passphrase: PASSPHRASE };
      await oneOutcome(store, count, FILES + 1);
    }
  });

  test("different declarations all end well, with one authority of each kind and one certificate per client", async () => {
    const folder = newFolder();
    const declared = Array.from({ length: count }, (_, index) => ({
      clients: [...names(10), ...names(5, `plant-${index}`)],
      hosts: ["broker.example", `broker-${index}.example`],
    }));
    const outcomes = await pool.atOnce(declared.map((one) => issue({ folder }, one)));
    expect(errors(outcomes)).toEqual([]);
    const files = wholeFiles(folder);
    expect(files.filter((name) => name.startsWith("authority."))).toHaveLength(3);
    const all = new Set(declared.flatMap((one) => one.clients));
    expect(files.filter((name) => name.startsWith("client."))).toHaveLength(all.size);
    expect(files.filter((name) => name.startsWith("password."))).toHaveLength(all.size);
    const hosts = declared.flatMap((one) => one.hosts);
    const { issued } = await last(issue({ folder }, { clients: [...all], hosts }));
    expect(issued!.filter((what) => !/^(revocation list|server certificate)/.test(what))).toEqual([]);
  });

  test("into a store that a killed one left end with one outcome", async () => {
    for (const named of [5, 25, 45]) {
      const store = { folder: newFolder() };
      const { killed } = await pool.start([{ do: "issue", store, declared: FLEET, kill: { named } }]).outcomesOrKill();
      expect(killed).toBe(true);
      expect(wholeFiles(store.folder)).toHaveLength(named);
      await oneOutcome(store, count, FILES);
    }
  });

  test("into a store whose records somebody has just removed end with one outcome", async () => {
    const store = { folder: newFolder() };
    await last(issue(store));
    for (const name of wholeFiles(store.folder)) fs.rmSync(path.join(store.folder, name));
    await oneOutcome(store, count, FILES);
  });
});

test.each<[string, Omit<Store, "folder">]>([
  ["plain", {}],
  ["sealed", { passphrase: PASSPHRASE, quick: true }],
])("a process that reads a %s store while two others issue goes on all the time", async (_, open) => {
  const store = { folder: newFolder(), ...open };
  const until = `${store.folder}.end`;
  await last(issue(store, { clients: clients.slice(0, 1) }));
  const watcher = pool.start([{ do: "watch", store, declared: FLEET, until }]);
  const outcomes = await pool.atOnce([issue(store), issue(store)]);
  fs.writeFileSync(until, "");
  expect(errors(outcomes)).toEqual([]);
  const [watched] = await watcher.outcomes();
  expect(watched).toMatchObject({ missing: 0 });
  expect(watched!.rounds).toBeGreaterThan(1);
});

test("of two processes that seal a new store with different passphrases one issues, and the other says why not", async () => {
  const folder = newFolder();
  const opened = [PASSPHRASE, "another seven words of a test"].map((passphrase) => ({ folder, passphrase }));
  const outcomes = await pool.atOnce(opened.map((store) => issue(store)));
  expect(errors(outcomes)).toEqual([expect.stringMatching(/passphrase does not open.*remedy/)]);
  const winner = opened[outcomes.findIndex(({ error }) => error === undefined)]!;
  expect(wholeFiles(folder)).toHaveLength(FILES + 1);
  expect((await last(issue(winner))).issued).toEqual([]);
});
