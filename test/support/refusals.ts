import { ConnectionBundle } from "../../constructs";
import { refusal } from "../../tools/mqtt-session";

/**
 * Why a client is refused, with the broker's own word for it if that can be had: over TLS 1.3 it comes after the client's
 * last message, and is lost when the connection is reset before it is read. Every single try must be refused.
 *
 * @throws {Error} when it is let in
 */
export async function refusalByBroker(bundle: ConnectionBundle): Promise<string> {
  let reason = "";
  for (let tries = 0; tries < 10 && !/alert/.test(reason); tries += 1) {
    const said = await refusal(bundle);
    if (said === undefined) throw new Error(`${bundle.client_id} was let in`);
    reason = said;
  }
  return reason;
}
