import { Fault } from "../faults";
import { ruleFilterFault, publishFilterFault, sharedSubscription, subscribeFilterFault } from "./topic";
import { userNameFault } from "./user-name";

/** What one user may do; everything else is denied. */
export interface AccessRules {
  readonly userName: string;
  /** Topic filters. */
  readonly publish: readonly string[];
  /** Topic filters and shared subscriptions. */
  readonly subscribe: readonly string[];
  /** Topic filters that are closed in both directions, whatever the others say.
   * @default - none */
  readonly deny?: readonly string[];
}

/** The filters that the broker checks when it delivers: of a shared subscription the one inside (MQTT 5 §4.8.2). */
export function deliveredFilters({ subscribe }: Pick<AccessRules, "subscribe">): string[] {
  return subscribe.map((text) => sharedSubscription(text)?.filter ?? text);
}

/** The first thing that is wrong with a user's rules. */
export function accessRulesFault(rules: AccessRules): Fault | undefined {
  const { userName, publish, subscribe, deny = [] } = rules;
  const first = (faultOf: typeof ruleFilterFault, what: string, filters: readonly string[]): Fault | undefined =>
    filters.map((filter) => faultOf(what, filter)).find(Boolean);
  return (
    userNameFault("userName", userName) ??
    first(publishFilterFault, "publish", publish) ??
    first(subscribeFilterFault, "subscribe", subscribe) ??
    first(ruleFilterFault, "deny", deny) ??
    contradictionFault(rules)
  );
}

/** What is wrong with rules that say and deny the same: of the two only the denial would hold. */
export function contradictionFault(rules: Omit<AccessRules, "userName">): Fault | undefined {
  const { publish, deny = [] } = rules;
  const said = new Set([...publish, ...deliveredFilters(rules)]);
  const index = deny.findIndex((filter) => said.has(filter));
  if (index < 0) return undefined;
  return {
    what: `deny[${index}] says and denies the same`,
    value: deny[index],
    allowed: "filters that are in neither publish nor subscribe",
    remedy: "leave it out on one side, or deny a narrower filter",
  };
}
