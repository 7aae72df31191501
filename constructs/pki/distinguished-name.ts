import forge from "node-forge";
import { describeFault, type Fault } from "../faults";
import { childrenOf, isUniversal, octetsOf, type Asn1 } from "./asn1";
import { der } from "./der";

const COMMON_NAME = "2.5.4.3";
const COMMON_NAME_DER = der.objectIdentifier(COMMON_NAME);

/** `ub-common-name` (RFC 5280 appendix A.1), in characters; OpenSSL refuses longer ones. */
const MAXIMUM_CHARACTERS = 64;

// Control characters, line separators, lone surrogates and non-characters: the last two make Mosquitto refuse the user name.
// And what stands where a character could not be read.
const UNFIT = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Noncharacter_Code_Point}\ufffd]/u;

/** What is wrong with a common name, if anything. `what` names the property in the message. */
export function commonNameFault(what: string, value: unknown): Fault | undefined {
  const allowed = `1 to ${MAXIMUM_CHARACTERS} characters of Unicode text without control characters`;
  const fault = (remedy: string): Fault => ({ what, value, allowed, remedy });
  if (typeof value !== "string") return fault("give the name as a string");
  if (value === "") return fault("give a name");
  if (UNFIT.test(value)) return fault("leave the control characters out");
  const characters = [...value].length;
  if (characters > MAXIMUM_CHARACTERS) return fault(`shorten it: it has ${characters} characters`);
  return undefined;
}

/**
 * The DER of a name that is one common name, as UTF8String: Mosquitto takes its octets as the user name.
 *
 * @throws {Error} if the common name is not fit
 */
export function encodeName(commonName: string): Buffer {
  const fault = commonNameFault("the common name", commonName);
  if (fault !== undefined) throw new Error(describeFault(fault));
  return der.sequence([der.set([der.sequence([COMMON_NAME_DER, der.utf8String(commonName)])])]);
}

/** The common name of a parsed name that is nothing else; `undefined` for names with more or other parts. */
export function onlyCommonName(name: Asn1): string | undefined {
  const sets = childrenOf(name);
  const attributes = sets.flatMap((set) => childrenOf(set));
  if (attributes.length !== 1) return undefined;
  const [type, value] = childrenOf(attributes[0]);
  if (forge.asn1.derToOid(octetsOf(type).toString("latin1")) !== COMMON_NAME) return undefined;
  // forge has decoded a BMPString to text already, which octets would cut.
  if (isUniversal(value, forge.asn1.Type.BMPSTRING)) return value?.value as string;
  return octetsOf(value).toString(isUniversal(value, forge.asn1.Type.UTF8) ? "utf8" : "latin1");
}

/** Whether verifiers take two common names for one: case and runs of blanks do not count (RFC 5280 section 7.1). */
export function isSameCommonName(one: string, other: string): boolean {
  return comparable(one) === comparable(other);
}

function comparable(commonName: string): string {
  return commonName.trim().replace(/\s+/g, " ").toLowerCase();
}
