/** What was expected of an endpoint, and what came. */
export interface Finding {
  /** The broker's construct path. */
  readonly broker: string;
  /** URL of the endpoint. */
  readonly endpoint: string;
  readonly check: string;
  /** Only `surprise` is something to look into; of what is `not checked`, `detail` says why. */
  readonly result: "ok" | "surprise" | "not checked";
  readonly detail: string;
}

export type Check = Omit<Finding, "broker" | "endpoint">;

export function judged(check: string, isAsExpected: boolean, detail = ""): Check {
  return { check, result: isAsExpected ? "ok" : "surprise", detail };
}

export function notChecked(check: string, detail: string): Check {
  return { check, result: "not checked", detail };
}
