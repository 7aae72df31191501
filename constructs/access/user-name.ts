import { clientNameFault, CONTROL_CLIENT_NAME } from "./client-name";
import { Fault } from "../faults";

/** What is wrong with a user name in a file: a client's, or the library's own. */
export function userNameFault(what: string, value: unknown): Fault | undefined {
  return value === CONTROL_CLIENT_NAME ? undefined : clientNameFault(what, value);
}
