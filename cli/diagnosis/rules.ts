import { decide } from "../../constructs/access";
import { ConnectionBundle } from "../../constructs/client/connection-bundle";
import { because, notChecked, ok, Verdict } from "./causes";
import { differingFields, KnownClient, presentBundle } from "./known-client";

/** Whether the client may do what it wants to, by the rules of the broker. */
export function rulesVerdict(bundle: ConnectionBundle, known: KnownClient, topic: string | undefined): Verdict {
  const present = presentBundle(known);
  const { client_id: userName, publish, subscribe, deny = [] } = present ?? bundle;
  const whose = present === undefined ? " by the bundle: what is deployed is not known here" : "";
  if (topic !== undefined) {
    const rules = { userName, publish, subscribe, deny };
    const may = (["publish", "subscribe"] as const).map((direction) => decide(rules, direction, topic));
    const [sent, received] = may.map((coverage) => ({ all: "yes", some: "only a part of it", none: "no" })[coverage]);
    const detail = `${topic}: may publish: ${sent}, may receive: ${received}${whose}`;
    return may.every((coverage) => coverage === "none") ? because("topic-denied", detail) : ok(detail);
  }
  const differing = differingFields(bundle, known).filter((field) => RULES.includes(field));
  if (differing.length > 0) {
    return because("bundle-differs", `the bundle's ${differing.join(", ")} are not what is deployed`);
  }
  return present === undefined ? notChecked("what is deployed is not known here") : ok("as deployed");
}

const RULES: readonly (keyof ConnectionBundle)[] = ["publish", "subscribe", "deny"];
