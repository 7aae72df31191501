import { createHash } from "node:crypto";

/** The format this version reads and writes. A higher number in a record means that a newer version wrote it. */
export const RECORD_FORMAT = 1;

/** Who signs what: servers and clients have an authority each; `control` is the broker's own, for its health check. */
export type AuthorityRole = "server" | "clients" | "control";

interface Stamp {
  /** When it was issued, ISO 8601. */
  readonly issuedAt: string;
  /** Why it was issued. */
  readonly reason: string;
}

/** A certificate with its key. */
export interface CertificateFields {
  readonly algorithm: string;
  readonly serial: string;
  readonly fingerprint256: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export interface AuthorityRecord extends Stamp, CertificateFields {
  readonly kind: "authority";
  readonly role: AuthorityRole;
  readonly generation: number;
}

interface LeafFields extends Stamp, CertificateFields {
  /** SHA-256 fingerprint of the authority that signed it. */
  readonly issuer256: string;
}

export interface ServerRecord extends LeafFields {
  readonly kind: "server";
  readonly sequence: number;
  readonly hosts: readonly string[];
  /** A name inside the container that this certificate carries and its neighbours do not; it tells which one is live. */
  readonly generationHost: string;
}

export interface ControlRecord extends LeafFields {
  readonly kind: "control";
  readonly sequence: number;
}

export interface ClientRecord extends LeafFields {
  readonly kind: "client";
  readonly name: string;
  readonly version: number;
  readonly sequence: number;
}

export interface PasswordRecord extends Stamp {
  readonly kind: "password";
  readonly name: string;
  readonly version: number;
  readonly sequence: number;
  readonly hash: string;
  /** Only for a generated password; a given one stays where it was given. */
  readonly password?: string;
}

export interface RevocationListRecord extends Stamp {
  readonly kind: "crl";
  readonly role: AuthorityRole;
  readonly generation: number;
  readonly sequence: number;
  readonly serials: readonly string[];
  readonly pem: string;
}

/** One thing that was issued, when and why. Never changed once written. */
export type CredentialRecord =
  AuthorityRecord | ServerRecord | ControlRecord | ClientRecord | PasswordRecord | RevocationListRecord;

/** The file name says what a record is, so that two writers of the same thing meet in one name. */
export function recordFileName(content: CredentialRecord): string {
  switch (content.kind) {
    case "authority":
      return `authority.${content.role}.${content.generation}.json`;
    case "server":
    case "control":
      return `${content.kind}.${content.sequence}.json`;
    case "client":
    case "password":
      return `${content.kind}.${content.name}.v${content.version}.${content.sequence}.json`;
    case "crl":
      return `crl.${content.role}.${content.generation}.${content.sequence}.json`;
  }
}

export function serializeRecord(record: CredentialRecord): string {
  const body = { format: RECORD_FORMAT, ...record };
  return `${JSON.stringify({ ...body, sha256: digest(body) }, null, 2)}\n`;
}

/**
 * @param fileName the name it was read from, which must be its own
 * @throws {Error} when it is no record, damaged, or of a newer format; the message does not name the folder
 */
export function parseRecord(fileName: string, text: string): CredentialRecord {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error("it is not JSON, so it was cut short or edited");
  }
  if (typeof parsed !== "object" || parsed === null) throw new Error("it is not a record of this store");
  const { format, sha256, ...record } = parsed as Record<string, unknown>;
  if (typeof format !== "number") throw new Error("it has no format number, so it is not a record of this store");
  if (format > RECORD_FORMAT) {
    throw new Error(`its format is ${format} and this version reads up to ${RECORD_FORMAT}; use the newer version`);
  }
  if (sha256 !== digest({ format, ...record })) throw new Error("its checksum does not match, so it was changed");
  const checked = record as unknown as CredentialRecord;
  const own = recordFileName(checked) as string | undefined;
  if (own === undefined) throw new Error("it is of a kind that this version does not know; use the newer version");
  if (own !== fileName) throw new Error(`it was renamed: by its content it is ${own}`);
  return checked;
}

function digest(body: object): string {
  return createHash("sha256").update(JSON.stringify(body)).digest("hex");
}
