import { versions } from "../support/deployment";
import { DocumentedTable } from "../support/documented-table";
import { ChangingBroker, Effect } from "./changing-broker";
import { Change, KINDS_OF_CHANGE } from "./kinds-of-change";

jest.setTimeout(120_000);

const table = new DocumentedTable("operations.md", "Change");
/** What was measured, by change, and the longest pause in seconds of both versions. */
const measured = new Map<Change, { readonly cells: readonly string[]; readonly pause: number }>();

afterAll(() => {
  if (!DocumentedTable.isUpdated) return;
  if (measured.size < KINDS_OF_CHANGE.length) throw new Error("the table is written only when all of it was measured");
  table.write([...measured.values()].map(({ cells, pause }) => [...cells, rounded(pause)]));
});

describe.each(versions)("as the guide says it, on Mosquitto %s", (version) => {
  const broker = new ChangingBroker();

  beforeAll(() => broker.start(version));
  afterAll(() => broker.remove());

  test.each(KINDS_OF_CHANGE.map((change, row) => [change.what, change.costs, row, change] as const))(
    "%s: it costs %s",
    async (_, costs, row, change) => {
      const all = broker.connected;
      const effect = await broker.undergo(change);
      const { flow } = effect;
      expect(effect).toMatchObject({
        costs,
        dropped: costs === "restart" ? all : (change.ends ?? []),
        planned: effect.replaced,
        flow: { lost: 0 },
        kept: ["at least once", "exactly once", "retained"],
      });
      expect(flow.acknowledged).toBeGreaterThan(20);
      // A publisher that was cut off sends again what was not acknowledged.
      if (costs !== "restart") expect(flow.repeated).toBe(0);

      const cells = cellsOf(change, effect, all);
      if (!DocumentedTable.isUpdated) expect(table.rows()[row]?.slice(0, -1)).toEqual(cells);
      measured.set(change, { cells, pause: Math.max(flow.pause, measured.get(change)?.pause ?? 0) });
    },
  );
});

function cellsOf({ what }: Change, { costs, replaced, dropped, flow }: Effect, all: readonly string[]): string[] {
  const connections = dropped.length === 0 ? "none" : dropped.length === all.length ? "all" : "its own";
  return [what, costs, replaced.join(", ") || "none", connections, `${flow.lost}`];
}

/** To whole seconds: below one it is the machine that is seen, not the change. */
function rounded(seconds: number): string {
  return seconds < 1 ? "< 1" : `${Math.round(seconds)}`;
}
