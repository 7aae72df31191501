/** What connections cost the broker: processor time and memory of each, and how soon all are back. */
import { KeyAlgorithm } from "../../constructs";
import { LoadOptions } from "../../tools/load-client";
import { until } from "../../tools/until";
import { mustRun } from "../../test/support/command";
import { inside } from "../../test/support/docker";
import { mustConnect, usage, withBroker, withClients } from "./broker";
import { Route } from "./material";

/** How clients connect. */
export interface Variant {
  readonly title: string;
  readonly algorithm: KeyAlgorithm;
  readonly route: Route;
  readonly options: LoadOptions;
}

const P256 = KeyAlgorithm.ecdsaP256();
const RSA = KeyAlgorithm.rsa(2048);

/** The first is what the others are compared with. */
export const VARIANTS: readonly Variant[] = [
  { title: "without TLS", algorithm: P256, route: "mqtt", options: {} },
  { title: "P-256, TLS 1.3", algorithm: P256, route: "mqtts", options: { tls: "1.3" } },
  { title: "P-256, TLS 1.2", algorithm: P256, route: "mqtts", options: { tls: "1.2" } },
  { title: "RSA-2048, TLS 1.3", algorithm: RSA, route: "mqtts", options: { tls: "1.3" } },
  { title: "RSA-2048, TLS 1.2", algorithm: RSA, route: "mqtts", options: { tls: "1.2" } },
  { title: "P-256, TLS 1.3, WebSockets", algorithm: P256, route: "wss", options: { tls: "1.3" } },
];

/** Where the parts are that all measurements need. */
export interface Bench {
  readonly program: string;
  readonly image: string;
  readonly folderOf: (algorithm: KeyAlgorithm) => string;
  readonly clients: number;
}

export interface Connecting {
  /** Seconds until all were connected. */
  readonly seconds: number;
  /** Seconds of the broker's processor time for all. */
  readonly processor: number;
  /** Mebibytes of the broker without, with half and with all of the clients. */
  readonly memory: readonly [number, number, number];
}

/** From TCP through CONNACK, fifty at a time, at a fresh broker. */
export function measureConnecting(bench: Bench, { algorithm, route, options }: Variant): Promise<Connecting> {
  const folder = bench.folderOf(algorithm);
  return withBroker(bench.image, folder, ({ container, address }) =>
    withClients(bench.program, folder, route, async (load) => {
      const before = await usage(container);
      const first = await mustConnect(load, "first-*", { ...options, address });
      const half = await usage(container);
      const second = await mustConnect(load, "second-*", { ...options, address });
      const all = await usage(container);
      return {
        seconds: first + second,
        processor: all.processor - before.processor,
        memory: [before.memory, half.memory, all.memory],
      };
    }),
  );
}

/** Seconds of the broker's processor time to let all in once more: with a whole handshake, and resuming the TLS session. */
export function measureResuming(bench: Bench): Promise<{ readonly whole: number; readonly resumed: number }> {
  const folder = bench.folderOf(P256);
  return withBroker(bench.image, folder, ({ container, address }) =>
    withClients(bench.program, folder, "mqtts", async (load) => {
      const again = async (): Promise<number> => {
        const before = await usage(container);
        await mustConnect(load, "*", { address, resume: true });
        return (await usage(container)).processor - before.processor;
      };
      const whole = await again();
      await load.disconnect("*");
      const resumed = await again();
      const count = await load.count();
      if (count.resumed < bench.clients * 0.95) throw new Error(`only ${count.resumed} sessions were resumed`);
      return { whole, resumed };
    }),
  );
}

export interface Disturbance {
  /** Milliseconds: the longest time from PUBLISH to PUBACK in as long a time without and with a reload. */
  readonly quiet: number;
  readonly reload: number;
  /** Seconds from a restart's first disconnection until all are back. */
  readonly storm: number;
}

const PROBE = "first-0";

/** A reload and a restart, with all clients connected. */
export function measureDisturbance(bench: Bench, { algorithm, route, options }: Variant): Promise<Disturbance> {
  const folder = bench.folderOf(algorithm);
  return withBroker(bench.image, folder, ({ container, address }) =>
    withClients(bench.program, folder, route, async (load) => {
      await mustConnect(load, "*", { ...options, address, comeBack: true });
      await load.publish(PROBE, "load/{number}", { qos: 1, everyMs: 5 });
      const slowestOf = async (disturb: () => Promise<unknown>): Promise<number> => {
        const { acknowledged } = await load.count();
        await disturb();
        let slowest = 0;
        await until("the probe has gone on", async () => {
          const count = await load.count();
          slowest = Math.max(slowest, count.slowestMs);
          return count.acknowledged > acknowledged + 200;
        });
        return slowest;
      };
      const quiet = await slowestOf(() => inside(container, "true"));
      const reload = await slowestOf(() => inside(container, "/bin/sh", "-c", "kill -HUP 1"));
      await load.stop(PROBE);
      await mustRun("docker", ["restart", container]);
      return { quiet, reload, storm: await load.allBack() };
    }),
  );
}
