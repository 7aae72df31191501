import type { Verification } from "../../constructs/broker/verification";
import { askBrokers } from "../app";
import type { DeployedBroker } from "../outputs";

/**
 * The library's own client of each broker: from the outputs, and where these carry no secrets, from the store.
 *
 * @returns for a broker its client, or why there is none
 */
export function ownClients(
  stack: string,
  brokers: readonly DeployedBroker[],
): (broker: DeployedBroker) => Verification | string {
  const isTold = brokers.every(({ verification }) => verification !== undefined);
  const stored: Stored = isTold ? new Map() : storedClients(stack);
  return ({ broker, verification }) =>
    verification ?? (typeof stored === "string" ? stored : (stored.get(broker) ?? "the app has no such broker"));
}

/** By broker; or why there is none of any. */
type Stored = ReadonlyMap<string, Verification | string> | string;

function storedClients(stack: string): Stored {
  try {
    const answers = askBrokers({ name: "verification", stack }, false);
    return new Map(
      answers.map(({ broker, verification, error = "it has no client for this" }): [string, Verification | string] => [
        broker,
        verification ?? `the store does not tell: ${error}`,
      ]),
    );
  } catch (error) {
    return `neither the outputs nor the store tell: ${(error as Error).message}`;
  }
}
