import { Version, versions } from "../support/deployment";
import { DocumentedTable } from "../support/documented-table";
import { ChangingBroker, Effect } from "./changing-broker";
import { CHANGES, KINDS_OF_CHANGE } from "./kinds-of-change";

jest.setTimeout(120_000);

const table = new DocumentedTable("operations.md", "Change");
/** What was measured, by kind of change, and the longest pause in seconds of both versions. */
const measured = new Map<string, { readonly cells: readonly string[]; readonly pause: number }>();

afterAll(() => {
  if (!DocumentedTable.isUpdated) return;
  if (measured.size < KINDS_OF_CHANGE.length) throw new Error("the table is written only when all of it was measured");
  table.write([...measured].map(([what, { cells, pause }]) => [what, ...cells, rounded(pause)]));
});

describe.each(versions)("as the guide says it, on Mosquitto %s", (version) => {
  const broker = new ChangingBroker();

  beforeAll(() => broker.start(version));
  afterAll(() => broker.remove());

  const named = CHANGES.map(
    (change) => [change.kinds.map(([what]) => what).join(" and "), change.costs, change] as const,
  );

  test.each(named)("%s: it costs %s", async (_, costs, change) => {
    const all = broker.connected;
    const effect = await broker.undergo(change);
    const { flow } = effect;
    expect(effect).toMatchObject({
      costs,
      dropped: costs === "restart" ? all : (change.ends ?? []),
      planned: effect.replaced,
      flow: { lost: 0 },
      kept: [
        ...["at least once", "exactly once", "retained"],
        ...(losesSince(version, effect) ? [] : ["since the change"]),
        // The guide says so: a broker that ends does not wait for who comes back.
        ...(costs === "restart" ? ["will"] : []),
      ],
    });
    expect(flow.acknowledged).toBeGreaterThan(20);
    // A publisher that was cut off sends again what was not acknowledged.
    if (costs !== "restart") expect(flow.repeated).toBe(0);

    const cells = cellsOf(effect, all);
    const documented = new Map(table.rows().map(([what = "", ...row]) => [what, row.slice(0, -1)]));
    for (const [what] of change.kinds) {
      if (!DocumentedTable.isUpdated) expect([what, documented.get(what)]).toEqual([what, cells]);
      measured.set(what, { cells, pause: Math.max(flow.pause, measured.get(what)?.pause ?? 0) });
    }
  });
});

/** Mosquitto 2.0 forgets the rules of clients that are away when it reads a change (eclipse-mosquitto/mosquitto#2934). */
function losesSince(version: Version, { replaced }: Effect): boolean {
  return version === "2.0.21" && replaced.includes("reloader") && !replaced.includes("broker");
}

/** The cells of a row, without the first and the last. */
function cellsOf({ costs, replaced, dropped, flow }: Effect, all: readonly string[]): string[] {
  const connections = dropped.length === 0 ? "none" : dropped.length === all.length ? "all" : "its own";
  const containers = replaced.includes("broker") ? "broker, helpers" : replaced.length > 0 ? "helpers" : "none";
  return [costs, containers, connections, `${flow.lost}`];
}

/** To whole seconds: below one it is the machine that is seen, not the change. */
function rounded(seconds: number): string {
  return seconds < 1 ? "< 1" : `${Math.round(seconds)}`;
}
