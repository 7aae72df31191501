import { describeFault } from "../faults";
import { optionsFault } from "../value-faults";
import { AccessRuleOptions, ClientOptions } from "./mosquitto-client";

/** What is declared of a client that monitors the broker: all but its rules, which are given. */
export type MonitoringClientOptions = Omit<ClientOptions, keyof AccessRuleOptions>;

/** The name that it has by default. */
export const MONITORING_CLIENT_NAME = "monitoring";

const RULES: readonly (keyof AccessRuleOptions)[] = ["publish", "subscribe", "publishAndSubscribe", "deny"];

/**
 * The broker's figures, counted over all clients: no name, address or topic of one is among them, since log lines never
 * go to `$SYS/broker/log` here and there are no bridges, whose names `$SYS/broker/connection` has.
 */
const FIGURES = "$SYS/broker/#";

/** @throws {Error} for options that are none, or have rules */
export function monitoringOptions(options: MonitoringClientOptions): ClientOptions {
  const what = "options of the monitoring client";
  const given = RULES.find((rule) => rule in ((options as object | null) ?? {}));
  const fault =
    optionsFault(what, options) ??
    (given && {
      what: `${what}.${given}`,
      value: (options as ClientOptions)[given],
      allowed: `no rules, because such a client receives ${FIGURES} and does nothing else`,
      remedy: "leave it out, or declare another client by addClient()",
    });
  if (fault !== undefined) throw new Error(describeFault(fault));
  return { ...options, subscribe: [FIGURES] };
}
