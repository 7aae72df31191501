import { ConnectionBundle } from "../../constructs";
import { PERSISTENT, Session } from "../../tools/mqtt-session";

/** Leaves a message of QoS 1 behind that waits for a client which was there and is away. */
export async function leaveWaiting(away: ConnectionBundle, sender: ConnectionBundle, payload: string): Promise<void> {
  const gone = await Session.open(away, PERSISTENT);
  await gone.subscribe("plant/#");
  await gone.close();
  const sending = await Session.open(sender);
  await sending.publish("plant/state", payload);
  await sending.close();
}
