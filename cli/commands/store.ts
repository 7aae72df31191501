import { askBrokers } from "../app";
import { noteLines, show } from "../report";

/** Brings the stores of a stack's brokers into the form that is declared: sealed, sealed anew, or plain. */
export function convert(stack: string, options: { readonly json?: boolean }): number {
  return show(askBrokers({ name: "convert", stack }), options.json === true, ({ converted }) => [
    `records converted: ${converted}`,
  ]);
}

/** Notes that clients were handed their present bundles; without names, all of the stack's. */
export function handedOver(
  stack: string,
  clients: readonly string[],
  options: { readonly broker?: string; readonly json?: boolean },
): number {
  const { broker, json = false } = options;
  const answers = askBrokers({ name: "handover", stack, clients, ...(broker !== undefined && { broker }) });
  // Of a stack's brokers, not every one must know the clients.
  const known = answers.filter(({ unknownClient }) => unknownClient !== true);
  return show(known.length > 0 ? known : answers, json, ({ issued }) => noteLines("noted:", issued));
}
