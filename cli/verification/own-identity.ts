import { Admission, enter, Identity, Interrupted, Trial, Trust, tryTopics } from "./connection";
import { Check, judged } from "./finding";
import { patiently } from "./patience";
import { unexpected } from "./strangers";

/** How often another verify is given way to, and for how many milliseconds at most. */
const TRIES = 6;
const WAY = 1000;

/**
 * Whether the library's own client gets in, and may do what its rules allow and nothing else.
 *
 * @param proof what it shows, for the text
 * @param topic the only one that it may publish to and receive from
 */
export async function letsIn(
  url: string,
  proof: string,
  identity: Identity,
  topic: string,
  trust?: Trust,
): Promise<Check[]> {
  const check = `lets in ${proof}`;
  const forbidden = `${topic}/forbidden`;
  for (let tries = 1; ; tries += 1) {
    const entry = await patiently(() => enter(url, identity, trust));
    if (entry.kind !== "in") return [judged(check, false, await unexpected(entry))];
    try {
      const trial = await tryTopics(entry, topic, forbidden);
      return [judged(check, true), ...trialChecks(trial, topic, forbidden, entry)];
    } catch (error) {
      const givesWay = error instanceof Interrupted && tries < TRIES;
      if (!givesWay) {
        return [judged(check, true), judged(`carries messages on ${topic}`, false, (error as Error).message)];
      }
      // Two that give way at the same pace would meet again.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * WAY));
    }
  }
}

function trialChecks(
  { refusal, overheard }: Trial,
  topic: string,
  forbidden: string,
  { isToldRefusals }: Admission,
): Check[] {
  const isRefused = refusal !== undefined || (!isToldRefusals && !overheard.includes(forbidden));
  const how =
    refusal ?? (isRefused ? "it did not come back; nothing else is told of QoS 0, or before MQTT 5" : "it was taken");
  const heard = overheard.length === 0 ? "" : `it received ${overheard.slice(0, 5).join(", ")}`;
  return [
    judged(`carries messages on ${topic}`, true),
    judged(`refuses to publish to ${forbidden}`, isRefused, how),
    judged("delivers nothing of other topics", overheard.length === 0, heard),
  ];
}
