import { Fault } from "../faults";

/** User name of the library's own client, for health check and reloader. */
export const CONTROL_CLIENT_NAME = "cdktf-mosquitto-control";

/** User name of the library's own client that comes from outside, as the declared ones do, to see whether all is well. */
export const VERIFY_CLIENT_NAME = "cdktf-mosquitto-verify";
/** Common names of certificates that every broker must refuse. */
export const REVOKED_CANARY_NAME = "cdktf-mosquitto-revoked";
export const EXPIRED_CANARY_NAME = "cdktf-mosquitto-expired";

const RESERVED_PREFIX = "cdktf-mosquitto";

/**
 * What is wrong with a client's name. It is user name, client id, common name, and part of file and output names at
 * once: 1 to 64 letters, digits, `.`, `_`, `-` (RFC 5280 ub-common-name; no character that MQTT, the password file or
 * the access control list read as something else).
 */
export function clientNameFault(what: string, value: unknown): Fault | undefined {
  const remedy = "take something like sensor-1";
  if (typeof value !== "string" || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(value)) {
    return { what, value, allowed: "1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit", remedy };
  }
  if (value.toLowerCase().startsWith(RESERVED_PREFIX)) {
    return {
      what,
      value,
      allowed: `names that do not start with ${RESERVED_PREFIX}, which is the library's own`,
      remedy,
    };
  }
  return undefined;
}
