import { createHash, createPrivateKey } from "node:crypto";
import { describeFault, type Fault } from "../faults";
import { der } from "./der";
import { ParsedCertificate } from "./parsed-certificate";
import { LEGACY, MODERN, type Pkcs12Profile } from "./pkcs12-profile";

/** `modern` is PBES2 with AES-256 and SHA-256, `legacy` Triple DES and SHA-1 for readers that know nothing newer. */
export type Pkcs12ProfileName = "modern" | "legacy";

const PROFILES: Readonly<Record<Pkcs12ProfileName, Pkcs12Profile>> = { modern: MODERN, legacy: LEGACY };

export interface Pkcs12Protection {
  /** One that `passphraseFault` finds nothing wrong with. */
  readonly passphrase: string;
  readonly profile: Pkcs12ProfileName;
}

/** A private key with its certificate. */
export interface KeyStoreEntry {
  /** What readers show, and Java's alias. */
  readonly friendlyName: string;
  /** PKCS#8, not encrypted; RSA or ECDSA. */
  readonly privateKeyPem: string;
  /** The key's certificate first, then what stands between it and its root. */
  readonly certificatesPem: string;
}

const MINIMUM_PASSPHRASE = 12;
/** What `openssl -passin file:` takes of a line. */
const MAXIMUM_PASSPHRASE = 1023;

/**
 * What is wrong with a passphrase of a key store. The fault does not show it.
 *
 * Outside of printable ASCII readers differ: OpenSSL takes UTF-8, Java derives no key at all ("Password is not ASCII"),
 * and others count bytes as characters.
 */
export function passphraseFault(what: string, value: unknown): Fault | undefined {
  if (
    typeof value === "string" &&
    value.length >= MINIMUM_PASSPHRASE &&
    value.length <= MAXIMUM_PASSPHRASE &&
    /^[ -~]*$/.test(value)
  ) {
    return undefined;
  }
  return {
    what,
    allowed: `${MINIMUM_PASSPHRASE} to ${MAXIMUM_PASSPHRASE} printable ASCII characters, which all readers of key stores take for the same`,
    remedy: "leave it out and let one be generated, or take one of letters, digits and punctuation",
  };
}

/**
 * A key store as PKCS#12 (RFC 7292): a private key with its certificate and chain.
 *
 * @throws {Error} if the passphrase is not fit, if key or certificates cannot be read, or if the key is another's
 */
export function pkcs12KeyStore(entry: KeyStoreEntry, protection: Pkcs12Protection): Buffer {
  const [certificate, ...chain] = ParsedCertificate.allFromPem(entry.certificatesPem);
  const key = createPrivateKey(entry.privateKeyPem);
  // Readers would find no key, or fail in the handshake.
  if (certificate?.x509.checkPrivateKey(key) !== true) {
    throw new Error(
      `a key store must hold a key and its certificate, got another's for ${JSON.stringify(entry.friendlyName)}; ` +
        "give the certificate of this key first",
    );
  }
  // Java and Windows find the certificate of a key by this identifier, which is the same at both.
  const attributes = [
    friendlyName(entry.friendlyName),
    attribute("1.2.840.113549.1.9.21", der.octetString(createHash("sha1").update(certificate.x509.raw).digest())),
  ];
  const { algorithm, octets } = encrypt(key.export({ type: "pkcs8", format: "der" }), protection);
  const keyBag = safeBag("1.2.840.113549.1.12.10.1.2", der.sequence([algorithm, der.octetString(octets)]), attributes);
  const certificateBags = [certificateBag(certificate, attributes), ...chain.map((one) => certificateBag(one, []))];
  return pfx([encryptedData(der.sequence(certificateBags), protection), data(der.sequence([keyBag]))], protection);
}

/**
 * A trust store as PKCS#12: certificates that are trusted, and no key. Java's aliases are `ca`, `ca-2` and so on.
 *
 * @throws {Error} if the passphrase is not fit, or if there is no certificate or one that cannot be read
 */
export function pkcs12TrustStore(certificatesPem: string, protection: Pkcs12Protection): Buffer {
  const certificates = ParsedCertificate.allFromPem(certificatesPem);
  if (certificates.length === 0) throw new Error("a trust store must hold a certificate, got none; give one as PEM");
  // Java drops all but one of the same alias.
  const bags = certificates.map((one, index) =>
    certificateBag(one, [friendlyName(index === 0 ? "ca" : `ca-${index + 1}`), TRUSTED_FOR_ANY_USAGE]),
  );
  return pfx([encryptedData(der.sequence(bags), protection)], protection);
}

/** Oracle's trustedKeyUsage with anyExtendedKeyUsage: Java does not count a certificate without it as trusted. */
const TRUSTED_FOR_ANY_USAGE = attribute("2.16.840.1.113894.746875.1.1", der.objectIdentifier("2.5.29.37.0"));

/** PKCS12Attribute (RFC 7292 section 4.2). */
function attribute(identifier: string, value: Buffer): Buffer {
  return der.sequence([der.objectIdentifier(identifier), der.set([value])]);
}

function friendlyName(name: string): Buffer {
  const BMP_STRING = 0x1e;
  return attribute("1.2.840.113549.1.9.20", der.element(BMP_STRING, [Buffer.from(name, "utf16le").swap16()]));
}

function safeBag(identifier: string, value: Buffer, attributes: readonly Buffer[]): Buffer {
  // DER orders the elements of a SET OF.
  const ordered = [...attributes].sort((one, other) => Buffer.compare(one, other));
  return der.sequence([
    der.objectIdentifier(identifier),
    der.explicit(0, [value]),
    ...(ordered.length > 0 ? [der.set(ordered)] : []),
  ]);
}

function certificateBag({ x509 }: ParsedCertificate, attributes: readonly Buffer[]): Buffer {
  const x509Certificate = der.objectIdentifier("1.2.840.113549.1.9.22.1");
  const value = der.sequence([x509Certificate, der.explicit(0, [der.octetString(x509.raw)])]);
  return safeBag("1.2.840.113549.1.12.10.1.3", value, attributes);
}

function encrypt(plain: Buffer, { passphrase, profile }: Pkcs12Protection): ReturnType<Pkcs12Profile["encrypt"]> {
  return PROFILES[profile].encrypt(plain, passphrase);
}

const DATA = der.objectIdentifier("1.2.840.113549.1.7.1");

/** ContentInfo of type data (RFC 2315 section 8). */
function data(content: Buffer): Buffer {
  return der.sequence([DATA, der.explicit(0, [der.octetString(content)])]);
}

/** ContentInfo of type encryptedData (RFC 2315 section 13). */
function encryptedData(content: Buffer, protection: Pkcs12Protection): Buffer {
  const { algorithm, octets } = encrypt(content, protection);
  const encryptedContentInfo = der.sequence([DATA, algorithm, der.implicit(0, octets)]);
  return der.sequence([
    der.objectIdentifier("1.2.840.113549.1.7.6"),
    der.explicit(0, [der.sequence([der.integer(0), encryptedContentInfo])]),
  ]);
}

/** PFX, version 3 (RFC 7292 section 4). */
function pfx(safes: readonly Buffer[], { passphrase, profile }: Pkcs12Protection): Buffer {
  const fault = passphraseFault("the passphrase", passphrase);
  if (fault !== undefined) throw new Error(describeFault(fault));
  const authenticatedSafe = der.sequence(safes);
  return der.sequence([
    der.integer(3),
    data(authenticatedSafe),
    PROFILES[profile].macData(authenticatedSafe, passphrase),
  ]);
}
