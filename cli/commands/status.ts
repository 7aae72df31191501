import { BrokerStatus, OperationAnswer } from "../../constructs/broker/operation";
import { askBrokers } from "../app";
import { noteLines, show, table } from "../report";

/** Shows the certificates and clients of a stack's brokers, and what comes next. */
export function status(stack: string, options: { readonly json?: boolean }): number {
  return show(askBrokers({ name: "status", stack }), options.json === true, lines);
}

function lines({ status: known, missing, due, warnings = [] }: OperationAnswer): readonly string[] {
  return [
    ...(known ? statusLines(known) : []),
    ...noteLines(`missing (npx cdktf-mosquitto issue STACK):`, missing),
    ...noteLines(`due (npx cdktf-mosquitto issue STACK):`, due),
    ...warnings,
  ];
}

function statusLines({ authorities, server, clients, next_action: next }: BrokerStatus): readonly string[] {
  const certificates = [...authorities, server].map(({ name, serial, not_after: end }) => [name, day(end), serial]);
  const rows = clients.map((client) => [
    client.name,
    client.method,
    String(client.credential_version),
    client.not_after === undefined ? "" : day(client.not_after),
    client.handed_over_at === null ? "no" : day(client.handed_over_at),
    client.trusts_every_authority ? "yes" : "no",
    client.publish.join(" "),
    client.subscribe.join(" "),
    client.deny.join(" "),
  ]);
  const head = ["CLIENT", "PROVES BY", "VERSION", "ENDS", "HANDED OVER", "TRUSTS ALL", "PUBLISH", "SUBSCRIBE", "DENY"];
  return [
    table(["CERTIFICATE", "ENDS", "SERIAL"], certificates),
    "",
    table(head, rows),
    "",
    `next action ${day(next.at)}: ${next.what}`,
  ];
}

function day(time: string): string {
  return time.slice(0, 10);
}
