import { availableParallelism } from "node:os";
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from "node:worker_threads";
import type { KeyAlgorithm } from "./key-algorithm";
import { generateKeyPair, KeyPair, RSA_ENCODING } from "./key-pair";
import { toPem } from "./pem";

/** Milliseconds after which a key is made here instead: many times what the slowest takes. */
const PATIENCE = 60_000;

/**
 * Hands out new key pairs. RSA ones, which take up to seconds each, are made ahead on all cores, as many as were
 * announced; all others at once.
 */
export class KeySource {
  private readonly pools = new Map<string, RsaPool>();

  /** @param expected how many keys will be taken, by the `id` of their algorithm; more may be taken all the same */
  constructor(private readonly expected: ReadonlyMap<string, number>) {}

  take(algorithm: KeyAlgorithm): KeyPair {
    const { parameters, id } = algorithm;
    if (parameters.type !== "rsa") return generateKeyPair(algorithm);
    let pool = this.pools.get(id);
    if (pool === undefined) {
      pool = new RsaPool(parameters.modulusLength, this.expected.get(id) ?? 0);
      this.pools.set(id, pool);
    }
    return pool.take() ?? generateKeyPair(algorithm);
  }

  /** Ends the threads, whether or not all keys were taken. */
  close(): void {
    for (const pool of this.pools.values()) pool.close();
    this.pools.clear();
  }
}

type Half = "privateKey" | "publicKey";

/** Runs as text, so that it needs no file of its own beside compiled and bundled code alike. */
const WORKER = `
  const { workerData: { port, shared, options } } = require("node:worker_threads");
  const { generateKeyPairSync } = require("node:crypto");
  const counters = new Int32Array(shared);
  while (Atomics.sub(counters, 0, 1) > 0) {
    port.postMessage(generateKeyPairSync("rsa", options));
    Atomics.add(counters, 1, 1);
    Atomics.notify(counters, 1);
  }
  port.close();
`;

class RsaPool {
  /** Keys still to be begun, and keys made. */
  private readonly counters = new Int32Array(new SharedArrayBuffer(8));
  private readonly ports: MessagePort[] = [];
  private readonly workers: Worker[] = [];
  private untaken: number;

  constructor(modulusLength: number, count: number) {
    const threads = Math.min(availableParallelism(), count);
    // One thread could do no better than this one.
    this.untaken = threads > 1 ? count : 0;
    if (threads <= 1) return;
    this.counters[0] = count;
    for (let index = 0; index < threads; index += 1) {
      const { port1, port2 } = new MessageChannel();
      const worker = new Worker(WORKER, {
        eval: true,
        workerData: { port: port2, shared: this.counters.buffer, options: { modulusLength, ...RSA_ENCODING } },
        transferList: [port2],
        // Loaders of the app's own thread are of no use there.
        execArgv: [],
        env: {},
      });
      worker.unref();
      port1.unref();
      this.workers.push(worker);
      this.ports.push(port1);
    }
  }

  /** The next key, waited for; nothing where no more are to come. */
  take(): KeyPair | undefined {
    if (this.untaken === 0) return undefined;
    this.untaken -= 1;
    for (;;) {
      const made = Atomics.load(this.counters, 1);
      for (const port of this.ports) {
        const received = receiveMessageOnPort(port) as { message: Record<Half, Uint8Array> } | undefined;
        if (received === undefined) continue;
        const { privateKey, publicKey } = received.message;
        return new KeyPair(toPem("PRIVATE KEY", Buffer.from(privateKey)), Buffer.from(publicKey));
      }
      if (Atomics.wait(this.counters, 1, made, PATIENCE) === "timed-out") {
        this.untaken = 0;
        return undefined;
      }
    }
  }

  close(): void {
    this.untaken = 0;
    Atomics.store(this.counters, 0, 0);
    for (const port of this.ports) port.close();
    for (const worker of this.workers) void worker.terminate();
  }
}
