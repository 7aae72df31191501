import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from "node:crypto";

/** The format this version reads and writes. */
const SEAL_FORMAT = 1;
const CIPHER = "aes-256-gcm";
const KEY_OCTETS = 32;
const NONCE_OCTETS = 12;
const MINIMUM_PASSPHRASE = 12;

/** scrypt (RFC 7914) with 128 MiB: about half a second, once for a store that is opened. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1 } as const;

/** N times r: half a gibibyte. */
const MAXIMUM_MEMORY = 2 ** 22;

/** One key that seals records, itself sealed with the passphrase. A file of the store. */
export interface KeyFile {
  readonly format: number;
  readonly id: string;
  readonly createdAt: string;
  readonly kdf: {
    readonly name: "scrypt";
    readonly N: number;
    readonly r: number;
    readonly p: number;
    readonly salt: string;
  };
  readonly key: SealedText;
}

interface SealedText {
  readonly nonce: string;
  readonly ciphertext: string;
  readonly tag: string;
}

/** A sealed record, as its file holds it: who changed is in the file's name, what it says is not readable. */
export interface SealedRecord {
  readonly format: number;
  /** The file's own name, which the seal covers: a sealed record cannot pass for another one. */
  readonly name: string;
  readonly sealedWith: string;
  readonly record: SealedText;
}

/** A key that seals and opens records (AES-256-GCM, NIST SP 800-38D). */
export class SealingKey {
  private constructor(
    readonly id: string,
    readonly createdAt: string,
    private readonly key: Buffer,
  ) {}

  /** @throws {Error} when the passphrase is too short */
  static generate(passphrase: string, now: Date): { key: SealingKey; file: KeyFile } {
    const fault = passphraseFault(passphrase);
    if (fault !== undefined) throw new Error(fault);
    const id = randomBytes(6).toString("hex");
    const salt = randomBytes(16);
    const key = new SealingKey(id, now.toISOString(), randomBytes(KEY_OCTETS));
    return {
      key,
      file: {
        format: SEAL_FORMAT,
        id,
        createdAt: key.createdAt,
        kdf: { name: "scrypt", ...SCRYPT, salt: salt.toString("base64") },
        key: encrypt(derive(passphrase, salt, SCRYPT), keyContext(id, key.createdAt), key.key),
      },
    };
  }

  /** @returns nothing when it was sealed with another passphrase, or changed */
  static open(file: KeyFile, passphrase: string): SealingKey | undefined {
    const { id, createdAt, kdf } = file;
    const unlocked = decrypt(
      derive(passphrase, Buffer.from(kdf.salt, "base64"), kdf),
      keyContext(id, createdAt),
      file.key,
    );
    return unlocked && new SealingKey(id, createdAt, unlocked);
  }

  seal(name: string, text: string): string {
    const record = encrypt(this.key, recordContext(name, this.id), Buffer.from(text, "utf8"));
    const sealed: SealedRecord = { format: SEAL_FORMAT, name, sealedWith: this.id, record };
    return `${JSON.stringify(sealed, null, 2)}\n`;
  }

  /** @throws {Error} when it was changed since it was sealed */
  unseal(sealed: SealedRecord): string {
    const text = decrypt(this.key, recordContext(sealed.name, this.id), sealed.record);
    if (text === undefined) throw new Error("it was changed since it was sealed");
    return text.toString("utf8");
  }
}

/** What is wrong with a passphrase, if anything. */
export function passphraseFault(passphrase: string): string | undefined {
  const characters = [...passphrase].length;
  if (characters >= MINIMUM_PASSPHRASE) return undefined;
  return (
    `the passphrase has ${characters} characters; allowed: ${MINIMUM_PASSPHRASE} or more; ` +
    "remedy: take several random words, or what `openssl rand -base64 24` prints"
  );
}

/** @throws {Error} when it is no key file, or of a newer format */
export function parseKeyFile(text: string): KeyFile {
  const file = parseJson(text) as Partial<KeyFile> | undefined;
  checkFormat(file?.format);
  const { N = 0, r = 0, p = 0 } = file?.kdf ?? {};
  // What somebody else may have written must not ask for any amount of memory or time.
  const bearable =
    [N, r, p].every((number) => Number.isInteger(number) && number >= 1) &&
    N >= 2 &&
    Number.isInteger(Math.log2(N)) &&
    N * r <= MAXIMUM_MEMORY &&
    r <= 16 &&
    p <= 4;
  const whole = [file?.id, file?.createdAt, file?.kdf?.salt, file?.key?.nonce, file?.key?.ciphertext, file?.key?.tag];
  if (!bearable || file?.kdf?.name !== "scrypt" || !whole.every((part) => typeof part === "string")) {
    throw new Error("it is not a key of a sealed store");
  }
  return file as KeyFile;
}

/** The envelope of a sealed record; nothing for a text that is none, such as a plain record. */
export function parseSealedRecord(text: string): SealedRecord | undefined {
  const sealed = parseJson(text) as Partial<SealedRecord> | undefined;
  if (typeof sealed?.sealedWith !== "string") return undefined;
  checkFormat(sealed.format);
  const whole = [sealed.name, sealed.record?.nonce, sealed.record?.ciphertext, sealed.record?.tag];
  if (!whole.every((part) => typeof part === "string")) throw new Error("it is not whole");
  return sealed as SealedRecord;
}

function checkFormat(format: unknown): void {
  if (typeof format === "number" && format > SEAL_FORMAT) {
    throw new Error(`its format is ${format} and this version reads up to ${SEAL_FORMAT}; use the newer version`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// What the seal covers beside the text: neither a file's name nor its place can be exchanged.
const keyContext = (id: string, createdAt: string): string => `cdktf-mosquitto key ${id} ${createdAt}`;
const recordContext = (name: string, keyId: string): string => `cdktf-mosquitto record ${name} ${keyId}`;

function derive(passphrase: string, salt: Buffer, { N, r, p }: { N: number; r: number; p: number }): Buffer {
  // The same characters, typed on another system, may be other octets.
  return scryptSync(passphrase.normalize("NFC"), salt, KEY_OCTETS, { N, r, p, maxmem: 256 * N * r });
}

function encrypt(key: Buffer, context: string, text: Buffer): SealedText {
  const nonce = randomBytes(NONCE_OCTETS);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(context));
  const ciphertext = Buffer.concat([cipher.update(text), cipher.final()]);
  return {
    nonce: nonce.toString("base64"),
    ciphertext: ciphertext.toString("base64"),
    tag: cipher.getAuthTag().toString("base64"),
  };
}

function decrypt(key: Buffer, context: string, { nonce, ciphertext, tag }: SealedText): Buffer | undefined {
  try {
    const decipher = createDecipheriv(CIPHER, key, Buffer.from(nonce, "base64"), { authTagLength: 16 });
    decipher.setAAD(Buffer.from(context)).setAuthTag(Buffer.from(tag, "base64"));
    return Buffer.concat([decipher.update(Buffer.from(ciphertext, "base64")), decipher.final()]);
  } catch {
    return undefined;
  }
}
