import { createHash, timingSafeEqual } from "node:crypto";
import { ConnectionBundle, EndpointAuthentication } from "../../constructs/client/connection-bundle";
import { because, notChecked, ok, Verdict } from "./causes";
import { KnownClient, presentBundle } from "./known-client";

/** Whether the bundle's password is the deployed one. The broker is not asked: that would take the client's session over. */
export function passwordVerdict(
  { password, username }: ConnectionBundle,
  asks: EndpointAuthentication | undefined,
  known: KnownClient,
): Verdict {
  const isAsked = asks === undefined ? username !== undefined : asks !== "certificate";
  if (!isAsked) return ok("the listener asks for none");
  if (known.isDeclared === false) {
    return because("client-not-declared", `${known.name} is not declared, so the broker has no password of it`);
  }
  const present = presentBundle(known);
  if (present !== undefined && present.username === undefined) {
    return because("password-missing", `the listener asks for a password, and ${known.name} is declared without one`);
  }
  const expected = known.output?.bundle.password ?? known.stored?.password;
  if (password === undefined) {
    const isOwn = present?.username !== undefined && expected === undefined && known.output?.hasSecrets !== false;
    return isOwn
      ? notChecked("only the client knows it: its hash alone was given")
      : because("password-missing", "the listener asks for a password, and the bundle has none");
  }
  if (expected === undefined) return notChecked("neither the outputs nor the store have it here to compare with");
  if (!isSame(password, expected)) {
    return because(
      "password-other",
      `its password is not the one that ${known.name} has now: it was replaced, or mistyped`,
    );
  }
  return known.output?.bundle.password === undefined
    ? ok("the store's; whether it is deployed, the outputs do not tell")
    : ok("the deployed one");
}

function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
