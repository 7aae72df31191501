import { Observations } from "./lab";

/** What this library changes on purpose. */
export interface KnownDifference {
  /** Scenarios with their version of MQTT. */
  readonly of: readonly string[];
  /** As docs/conformance.md has it. */
  readonly reason: string;
  /** What the deployed broker does, from what it would do otherwise. */
  readonly deployed: (plain: Observations, key: string) => Observations;
}

export const knownDifferences: readonly KnownDifference[] = [
  {
    of: ["no-client-id-5"],
    reason: "A client without a client id is assigned its name, not a random one.",
    deployed: (plain, key) => replaced(plain, "auto-UUID", `${key}.1`),
  },
  {
    of: ["other-client-id-4", "other-client-id-5"],
    reason: "A client's id is its name, whatever it sends: a second connection of the same client ends the first.",
    deployed: (plain, key) => ({
      ...plain,
      first: [(plain.first as string[])[0], ...(key.endsWith("5") ? ["DISCONNECT reasonCode=142"] : [])],
      ...{ isFirstClosed: true, isSecondClosed: false },
    }),
  },
  {
    of: ["denied-4", "denied-5"],
    reason:
      "A message or will to a topic that the client may not use reaches nobody: MQTT 5 says 0x87 (Not authorized), MQTT 3.1.1 has no word for it.",
    deployed: (plain, key) => ({
      ...plain,
      ...(key.endsWith("5") && {
        acknowledged: (plain.acknowledged as string[][]).map((lines, index) =>
          // To the one topic and to the other by turns.
          index % 2 === 1 || lines.length === 0 ? lines : [`${lines[0]}`.replace("=0", "=135")],
        ),
      }),
      received: (plain.received as string[]).filter((line) => !line.includes("/secret")),
    }),
  },
];

function replaced(plain: Observations, from: string, to: string): Observations {
  return JSON.parse(JSON.stringify(plain).replaceAll(from, to)) as Observations;
}
