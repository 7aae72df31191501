import * as ipaddr from "ipaddr.js";
import forge from "node-forge";
import { childrenOf, isTagged, octetsOf, parseDer, type Asn1 } from "./asn1";
import type { Host } from "./host";

/** Kinds of GeneralName (RFC 5280 section 4.2.1.6). */
const DNS_NAME = 2;
const IP_ADDRESS = 7;

/**
 * The first host that an authority's NameConstraints (RFC 5280 section 4.2.1.10) do not allow in what it signs.
 *
 * @param extension the DER of the extension's value
 */
export function forbiddenHost(extension: Buffer, hosts: readonly Host[]): Host | undefined {
  const parts = childrenOf(parseDer(extension));
  const [permitted, excluded] = [0, 1].map((number) => {
    const trees = parts.find((part) => isTagged(part, number));
    return trees === undefined ? [] : childrenOf(trees).map((tree) => childrenOf(tree)[0]);
  }) as [Asn1[], Asn1[]];
  return hosts.find((host) => {
    const ofItsKind = permitted.filter((base) => isOfKind(base, host));
    const isPermitted = ofItsKind.length === 0 || ofItsKind.some((base) => contains(base, host));
    return !isPermitted || excluded.some((base) => isOfKind(base, host) && contains(base, host));
  });
}

function isOfKind(base: Asn1, { kind }: Host): boolean {
  return (
    base.tagClass === forge.asn1.Class.CONTEXT_SPECIFIC &&
    (base.type as number) === (kind === "dns" ? DNS_NAME : IP_ADDRESS)
  );
}

function contains(base: Asn1, { kind, value }: Host): boolean {
  const octets = octetsOf(base);
  if (kind === "dns") {
    const name = octets.toString("latin1").toLowerCase();
    return name === "" || value === name || value.endsWith(name.startsWith(".") ? name : `.${name}`);
  }
  const address = Buffer.from(ipaddr.parse(value).toByteArray());
  if (octets.length !== address.length * 2) return false;
  const mask = octets.subarray(address.length);
  return address.every((octet, index) => ((octet ^ (octets[index] as number)) & (mask[index] as number)) === 0);
}
