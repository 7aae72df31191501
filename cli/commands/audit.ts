import { askBrokers } from "../app";
import { show, table } from "../report";

/** Shows all that was done to the credentials of a stack's brokers, in the order of time. */
export function audit(stack: string, options: { readonly json?: boolean }): number {
  return show(askBrokers({ name: "audit", stack }), options.json === true, ({ audit: entries = [] }) => [
    table(
      ["TIME", "EVENT", "WHAT", "REASON", "SERIAL"],
      entries.map(({ at, event, what, reason, serial = "" }) => [at, event, what, reason, serial]),
    ),
  ]);
}
