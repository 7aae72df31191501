import { createHash } from "node:crypto";
import * as ipaddr from "ipaddr.js";
import { der } from "./der";
import type { Host } from "./host";

/** Object identifiers of the extensions of RFC 5280 sections 4.2 and 5.2 that are read as well as written. */
export const BASIC_CONSTRAINTS = "2.5.29.19";
export const KEY_USAGE = "2.5.29.15";
export const SUBJECT_KEY_IDENTIFIER = "2.5.29.14";
export const CRL_NUMBER = "2.5.29.20";
export const EXTENDED_KEY_USAGE = "2.5.29.37";
export const NAME_CONSTRAINTS = "2.5.29.30";
export const AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";
export const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";

/** Purposes of ExtendedKeyUsage (RFC 5280 section 4.2.1.12). */
export const PURPOSES = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" } as const;

/** Bits of the first octet of KeyUsage (RFC 5280 section 4.2.1.3). */
export const KeyUsageBit = { digitalSignature: 0x80, keyEncipherment: 0x20, keyCertSign: 0x04, cRLSign: 0x02 } as const;

const BASIC_CONSTRAINTS_DER = der.objectIdentifier(BASIC_CONSTRAINTS);
const KEY_USAGE_DER = der.objectIdentifier(KEY_USAGE);
const EXTENDED_KEY_USAGE_DER = der.objectIdentifier(EXTENDED_KEY_USAGE);
const SUBJECT_KEY_IDENTIFIER_DER = der.objectIdentifier(SUBJECT_KEY_IDENTIFIER);
const AUTHORITY_KEY_IDENTIFIER_DER = der.objectIdentifier(AUTHORITY_KEY_IDENTIFIER);
const SUBJECT_ALTERNATIVE_NAME_DER = der.objectIdentifier(SUBJECT_ALTERNATIVE_NAME);
const REASON_CODE_DER = der.objectIdentifier("2.5.29.21");
const CRL_NUMBER_DER = der.objectIdentifier(CRL_NUMBER);

function extension(identifier: Buffer, value: Buffer): Buffer {
  return der.sequence([identifier, der.octetString(value)]);
}

function criticalExtension(identifier: Buffer, value: Buffer): Buffer {
  return der.sequence([identifier, der.true, der.octetString(value)]);
}

function keyUsage(...bits: number[]): Buffer {
  const octet = bits.reduce((all, bit) => all | bit, 0);
  // DER leaves out the trailing zero bits of a named bit list (X.690 section 11.2.2).
  const unusedBits = 31 - Math.clz32(octet & -octet);
  return criticalExtension(KEY_USAGE_DER, der.bitString(Buffer.of(octet), unusedBits));
}

function extendedKeyUsage(purpose: string): Buffer {
  return extension(EXTENDED_KEY_USAGE_DER, der.sequence([der.objectIdentifier(purpose)]));
}

export const NOT_AN_AUTHORITY = criticalExtension(BASIC_CONSTRAINTS_DER, der.sequence([]));
export const SIGNS_CERTIFICATES_AND_LISTS = keyUsage(KeyUsageBit.keyCertSign, KeyUsageBit.cRLSign);
export const SIGNS_HANDSHAKES = keyUsage(KeyUsageBit.digitalSignature);
/** For RSA servers: TLS 1.2 clients may still send the secret encrypted with the key. */
export const SIGNS_AND_DECRYPTS = keyUsage(KeyUsageBit.digitalSignature, KeyUsageBit.keyEncipherment);
export const SERVER_AUTHENTICATION = extendedKeyUsage(PURPOSES.server);
export const CLIENT_AUTHENTICATION = extendedKeyUsage(PURPOSES.client);

/** @param pathLength no limit where it is left out */
export function authorityConstraints(pathLength: number | undefined): Buffer {
  const limit = pathLength === undefined ? [] : [der.integer(pathLength)];
  return criticalExtension(BASIC_CONSTRAINTS_DER, der.sequence([der.true, ...limit]));
}

/** 160 bits of SHA-256 of the public key: free of SHA-1, which some systems no longer offer (as RFC 7093 section 2). */
export function keyIdentifierOf(publicKeyDer: Buffer): Buffer {
  return createHash("sha256").update(publicKeyDer).digest().subarray(0, 20);
}

export function subjectKeyIdentifier(keyIdentifier: Buffer): Buffer {
  return extension(SUBJECT_KEY_IDENTIFIER_DER, der.octetString(keyIdentifier));
}

/** @param keyIdentifier the subject key identifier of the certificate that signs */
export function authorityKeyIdentifier(keyIdentifier: Buffer): Buffer {
  return extension(AUTHORITY_KEY_IDENTIFIER_DER, der.sequence([der.implicit(0, keyIdentifier)]));
}

export function crlNumber(number: number): Buffer {
  return extension(CRL_NUMBER_DER, der.integer(number));
}

/** `reasonCode` of an entry of a revocation list (RFC 5280 section 5.3.1). */
export function reasonCode(code: number): Buffer {
  return extension(REASON_CODE_DER, der.element(0x0a, [Buffer.of(code)]));
}

/** Each host once, as dNSName or iPAddress (RFC 5280 section 4.2.1.6). */
export function subjectAlternativeName(hosts: readonly Host[]): Buffer {
  const names = hosts.map(({ kind, value }) =>
    kind === "dns"
      ? der.implicit(2, Buffer.from(value, "ascii"))
      : der.implicit(7, Buffer.from(ipaddr.parse(value).toByteArray())),
  );
  const distinct = new Map(names.map((name) => [name.toString("latin1"), name]));
  return extension(SUBJECT_ALTERNATIVE_NAME_DER, der.sequence([...distinct.values()]));
}
