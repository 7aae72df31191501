import { clientNameFault, CONTROL_CLIENT_NAME, VERIFY_CLIENT_NAME } from "./client-name";
import { Fault } from "../faults";

const OWN: readonly unknown[] = [CONTROL_CLIENT_NAME, VERIFY_CLIENT_NAME];

/** What is wrong with a user name in a file: a client's, or the library's own. */
export function userNameFault(what: string, value: unknown): Fault | undefined {
  return OWN.includes(value) ? undefined : clientNameFault(what, value);
}
