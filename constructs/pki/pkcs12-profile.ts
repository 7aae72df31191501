import { createCipheriv, createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { der } from "./der";

/** How a key store is encrypted and sealed. */
export interface Pkcs12Profile {
  /** @returns AlgorithmIdentifier and the encrypted octets */
  readonly encrypt: (plain: Buffer, passphrase: string) => { readonly algorithm: Buffer; readonly octets: Buffer };
  /** MacData (RFC 7292 section 4) */
  readonly macData: (content: Buffer, passphrase: string) => Buffer;
}

interface Hash {
  readonly name: "sha1" | "sha256";
  readonly identifier: Buffer;
  readonly octets: number;
}

const SHA1: Hash = { name: "sha1", identifier: algorithm("1.3.14.3.2.26", der.null), octets: 20 };
const SHA256: Hash = { name: "sha256", identifier: algorithm("2.16.840.1.101.3.4.2.1", der.null), octets: 32 };

/**
 * Java's own choice since version 16. A reader spends them three times a store, at every start: the 600,000 that are
 * usual for passwords on servers would be sixty times that, which small ARM boards feel in seconds. A generated
 * passphrase of 192 random bits needs none of them.
 */
const MODERN_ITERATIONS = 10_000;
/** What OpenSSL has always written, and old readers know. */
const LEGACY_ITERATIONS = 2048;
const AES_BLOCK = 16;

/**
 * PBKDF2 with HMAC-SHA-256, AES-256-CBC, and HMAC-SHA-256 over all (RFC 8018 section 6.2). For OpenSSL 1.1 and later, and
 * Java 8u301, 11.0.12 and 12 and later.
 */
export const MODERN: Pkcs12Profile = {
  encrypt(plain, passphrase) {
    const [salt, vector] = [randomBytes(16), randomBytes(AES_BLOCK)];
    const key = pbkdf2Sync(passphrase, salt, MODERN_ITERATIONS, 32, "sha256");
    const derivation = algorithm(
      "1.2.840.113549.1.5.12",
      // hmacWithSHA256 where the default is SHA-1.
      der.sequence([der.octetString(salt), der.integer(MODERN_ITERATIONS), algorithm("1.2.840.113549.2.9", der.null)]),
    );
    const cipher = algorithm("2.16.840.1.101.3.4.1.42", der.octetString(vector));
    return {
      algorithm: algorithm("1.2.840.113549.1.5.13", der.sequence([derivation, cipher])),
      octets: encrypted("aes-256-cbc", key, vector, plain),
    };
  },
  macData: (content, passphrase) => macData(SHA256, MODERN_ITERATIONS, 16, content, passphrase),
};

/**
 * Triple DES and SHA-1 (RFC 7292 appendix C), for readers that know nothing else: old Android, the key chains of
 * macOS and iOS, Windows Server 2016, and Java before 8u301. Such a file is as safe as its passphrase is random.
 */
export const LEGACY: Pkcs12Profile = {
  encrypt(plain, passphrase) {
    const salt = randomBytes(8);
    const derived = (purpose: number, length: number): Buffer =>
      deriveKey(SHA1, purpose, passphrase, salt, LEGACY_ITERATIONS, length);
    return {
      algorithm: algorithm(
        "1.2.840.113549.1.12.1.3",
        der.sequence([der.octetString(salt), der.integer(LEGACY_ITERATIONS)]),
      ),
      octets: encrypted("des-ede3-cbc", derived(Purpose.key, 24), derived(Purpose.vector, 8), plain),
    };
  },
  macData: (content, passphrase) => macData(SHA1, LEGACY_ITERATIONS, 8, content, passphrase),
};

function algorithm(identifier: string, parameters: Buffer): Buffer {
  return der.sequence([der.objectIdentifier(identifier), parameters]);
}

function encrypted(cipherName: string, key: Buffer, vector: Buffer, plain: Buffer): Buffer {
  const cipher = createCipheriv(cipherName, key, vector);
  return Buffer.concat([cipher.update(plain), cipher.final()]);
}

function macData(hash: Hash, iterations: number, saltOctets: number, content: Buffer, passphrase: string): Buffer {
  const salt = randomBytes(saltOctets);
  const key = deriveKey(hash, Purpose.mac, passphrase, salt, iterations, hash.octets);
  const digest = createHmac(hash.name, key).update(content).digest();
  return der.sequence([
    der.sequence([hash.identifier, der.octetString(digest)]),
    der.octetString(salt),
    der.integer(iterations),
  ]);
}

/** The ID octets of RFC 7292 appendix B.3. */
const Purpose = { key: 1, vector: 2, mac: 3 } as const;
/** Block of SHA-1 and of SHA-256, in octets. */
const BLOCK = 64;

/** RFC 7292 appendix B.2. The passphrase is a BMPString that ends in a zero character (appendix B.1). */
function deriveKey(
  hash: Hash,
  purpose: number,
  passphrase: string,
  salt: Buffer,
  iterations: number,
  length: number,
): Buffer {
  const diversifier = Buffer.alloc(BLOCK, purpose);
  let input = Buffer.concat([wholeBlocks(salt), wholeBlocks(Buffer.from(`${passphrase}\0`, "utf16le").swap16())]);
  const derived: Buffer[] = [];
  for (let have = 0; have < length; have += hash.octets) {
    let part = Buffer.concat([diversifier, input]);
    for (let round = 0; round < iterations; round++) part = createHash(hash.name).update(part).digest();
    derived.push(part);
    input = addToBlocks(input, part);
  }
  return Buffer.concat(derived).subarray(0, length);
}

/** Repeated until it fills whole blocks, the last time in part. */
function wholeBlocks(octets: Buffer): Buffer {
  return Buffer.alloc(Math.ceil(octets.length / BLOCK) * BLOCK, octets);
}

/** `part`, repeated to a block, and 1 are added to each block, as big-endian numbers that wrap around. */
function addToBlocks(blocks: Buffer, part: Buffer): Buffer<ArrayBuffer> {
  const added = numberOf(Buffer.alloc(BLOCK, part)) + 1n;
  const sums: Buffer[] = [];
  for (let at = 0; at < blocks.length; at += BLOCK) {
    const sum = BigInt.asUintN(8 * BLOCK, numberOf(blocks.subarray(at, at + BLOCK)) + added);
    sums.push(Buffer.from(sum.toString(16).padStart(2 * BLOCK, "0"), "hex"));
  }
  return Buffer.concat(sums);
}

function numberOf(octets: Buffer): bigint {
  return BigInt(`0x${octets.toString("hex")}`);
}
