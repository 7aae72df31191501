import { Scenario } from "./lab";
import { malformedScenarios } from "./malformed-scenarios";
import { messageScenarios } from "./message-scenarios";
import { ProtocolVersion } from "./peer";
import { propertyScenarios, sharedScenarios } from "./property-scenarios";
import { sessionScenarios } from "./session-scenarios";

const all = [...messageScenarios, ...sharedScenarios, ...sessionScenarios, ...propertyScenarios, ...malformedScenarios];

export interface Run {
  readonly scenario: Scenario;
  readonly version: ProtocolVersion;
  readonly key: string;
}

/** Every scenario with each version of MQTT that it is about. */
export const runs: readonly Run[] = all.flatMap((scenario) =>
  ([4, 5] as const)
    .filter((version) => version === 5 || scenario.only5 !== true)
    .map((version) => ({ scenario, version, key: `${scenario.name}-${version}` })),
);
