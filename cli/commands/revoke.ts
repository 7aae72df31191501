import type { RevocationReason } from "../../constructs/pki";
import { askBrokers } from "../app";
import { noteLines, show } from "../report";

/** Ends every credential of a client for good, and issues what that takes. */
export function revoke(
  stack: string,
  client: string,
  options: { readonly reason: RevocationReason; readonly json?: boolean },
): number {
  const answers = askBrokers({ name: "revoke", stack, client, reason: options.reason });
  // Of a stack's brokers, only one may know the client.
  const known = answers.filter(({ unknownClient }) => unknownClient !== true);
  return show(known.length > 0 ? known : answers, options.json === true, ({ issued }) => [
    ...noteLines("revoked, and issued for that:", issued),
    `it works until the next deploy: npx cdktf deploy ${stack}`,
  ]);
}
