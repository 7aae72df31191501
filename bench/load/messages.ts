/** What messages cost the broker. */
import { mustConnect, usage, withBroker, withClients } from "./broker";
import { Bench, Variant } from "./connections";

/** A hundred clients, of which each receives what it sends. */
const TALKERS = ["first-?", "first-??"];

export interface Talking {
  /** Messages that were received, a second. */
  readonly rate: number;
  /** Seconds of the broker's processor time for each. */
  readonly processor: number;
}

/** Messages of 100 bytes, from each client as fast as the broker takes them. */
export function measureTalking(
  bench: Bench,
  { algorithm, route, options }: Variant,
  qos: 0 | 1,
  seconds: number,
): Promise<Talking> {
  const folder = bench.folderOf(algorithm);
  return withBroker(bench.image, folder, ({ container, address }) =>
    withClients(bench.program, folder, route, async (load) => {
      for (const some of TALKERS) {
        await mustConnect(load, some, { ...options, address });
        await load.subscribe(some, "load/{number}", qos);
        await load.publish(some, "load/{number}", { qos, everyMs: 0 });
      }
      const [before, first] = [await usage(container), await load.count()];
      const start = performance.now();
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      const [after, last] = [await usage(container), await load.count()];
      const received = last.received - first.received;
      return {
        rate: (received / (performance.now() - start)) * 1000,
        processor: (after.processor - before.processor) / received,
      };
    }),
  );
}
