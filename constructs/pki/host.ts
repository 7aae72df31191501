import { isIPv4, isIPv6 } from "node:net";
import { domainToASCII } from "node:url";
import * as ipaddr from "ipaddr.js";
import { describeFault, type Fault } from "../faults";

/** A host as clients dial it and a certificate names it. */
export interface Host {
  readonly kind: "dns" | "ip";
  /** A DNS name in lower case, an IPv4 address, or an IPv6 address in its short form (RFC 5952). */
  readonly value: string;
}

const ALLOWED = "a DNS name such as broker.example, or an IPv4 or IPv6 address";
const ONLY_THE_HOST = "give only the host";

/** RFC 1035 section 2.3.4. */
const MAXIMUM_NAME = 253;
const MAXIMUM_LABEL = 63;

/**
 * What is wrong with a host, if anything: DNS names follow RFC 1123 section 2.1, IPv6 addresses RFC 4291 section 2.2
 * without brackets and zone. `what` names the property in the message.
 */
export function hostFault(what: string, value: unknown): Fault | undefined {
  const remedy = typeof value === "string" ? remedyFor(value) : "give the host as a string";
  return remedy === undefined ? undefined : { what, value, allowed: ALLOWED, remedy };
}

/**
 * @param value a host that `hostFault` finds nothing wrong with
 * @throws {Error} if there is something wrong with it
 */
export function parseHost(value: string): Host {
  const fault = hostFault("the host", value);
  if (fault !== undefined) throw new Error(describeFault(fault));
  if (isIPv4(value)) return { kind: "ip", value };
  if (isIPv6(value)) return { kind: "ip", value: ipaddr.IPv6.parse(value).toRFC5952String() };
  return { kind: "dns", value: value.toLowerCase() };
}

function remedyFor(value: string): string | undefined {
  if (value.trim() === "") return "give a host";
  if (/[\s\p{Cc}]/u.test(value)) return `${ONLY_THE_HOST}, without blanks, line ends and control characters`;
  if (/[/?#@\\]/.test(value)) return `${ONLY_THE_HOST}, without protocol, user, path and prefix length`;
  if (/[[\]]/.test(value)) return `${ONLY_THE_HOST}, the IPv6 address without brackets and port`;
  if (value.includes("%")) return `${ONLY_THE_HOST}, the IPv6 address without its zone (all from "%" on)`;
  if (isIPv4(value) || isIPv6(value)) return remedyForAddress(ipaddr.parse(value));
  if (/^[^:]*:\d*$/.test(value)) return `${ONLY_THE_HOST}, without the port: ports belong to the listeners`;
  if (value.includes(":")) return "give a valid IPv6 address; it has up to 8 groups of hex digits, and at most one ::";
  return remedyForName(value);
}

function remedyForAddress(address: ipaddr.IPv4 | ipaddr.IPv6): string | undefined {
  const range = address.range();
  if (range === "unspecified") {
    return "give an address that clients can connect to: this one only means every interface of this machine";
  }
  if (range === "broadcast" || range === "multicast") {
    return "give the address of one machine: this one stands for many";
  }
  if (range === "ipv4Mapped") return `give it as IPv4: ${(address as ipaddr.IPv6).toIPv4Address().toString()}`;
  return undefined;
}

function remedyForName(name: string): string | undefined {
  if (name.includes("*"))
    return "name each host: a wildcard would let the certificate stand for hosts that are not this broker";
  if (/[^\x20-\x7e]/.test(name)) {
    const punycode = domainToASCII(name);
    return `give the punycode form${punycode === "" ? " (xn--…)" : `, ${punycode}`}: certificates hold ASCII only`;
  }
  if (name.includes("_")) return "leave the underscore out: host names have letters, digits and dashes";
  if (name.endsWith(".")) return "leave the dot at the end out";
  if (name.length > MAXIMUM_NAME) return `shorten it to ${MAXIMUM_NAME} characters: it has ${name.length}`;
  const labels = name.split(".");
  for (const label of labels) {
    if (label === "") return "put a label between the dots";
    if (label.length > MAXIMUM_LABEL) return `shorten the label ${label} to ${MAXIMUM_LABEL} characters`;
    if (label.startsWith("-") || label.endsWith("-"))
      return `let the label ${label} start and end with a letter or digit`;
    if (!/^[a-z0-9-]+$/i.test(label)) return "write the name with letters, digits, dashes and dots only";
  }
  // What ends in a number is read as an IPv4 address by clients (WHATWG URL section 3.5, inet_aton), hex included.
  if (/^(?:\d+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? "")) {
    return "give an IPv4 address as four numbers from 0 to 255 without leading zeros, or end the name with a letter";
  }
  return undefined;
}

/** Of the machine itself: every server certificate is for them too (mqttjs/MQTT.js#1077). */
export const LOOPBACK_HOSTS: readonly Host[] = ["localhost", "127.0.0.1", "::1"].map(parseHost);

/** Every name and address that a certificate for these hosts has. */
export function serverNames(hosts: readonly Host[]): string[] {
  return [...new Set([...hosts, ...LOOPBACK_HOSTS].map(({ value }) => value))];
}
