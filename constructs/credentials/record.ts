import { createHash, randomBytes } from "node:crypto";
import type { RevocationReason } from "../pki";

/** The format this version reads and writes. A higher number in a record means that a newer version wrote it. */
export const RECORD_FORMAT = 1;

/**
 * Who signs what: servers and clients have an authority each, or a shared one; `control` is the broker's own, for its
 * health check. The roots of authorities that stand below one are authorities of their own.
 */
export type AuthorityRole =
  "server" | "clients" | "shared" | "control" | "server-root" | "clients-root" | "shared-root";

/** Makes a record that holds nothing random of its own unlike every other one. */
interface Unique {
  readonly id: string;
}

export function newId(): string {
  return randomBytes(6).toString("hex");
}

interface Stamp {
  /** When it was issued, ISO 8601. */
  readonly issuedAt: string;
  /** Why it was issued. */
  readonly reason: string;
}

/** A certificate, as it is kept. */
export interface CertificateFields {
  readonly algorithm: string;
  readonly serial: string;
  readonly fingerprint256: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly certificatePem: string;
}

export interface AuthorityRecord extends Stamp, CertificateFields {
  readonly kind: "authority";
  readonly role: AuthorityRole;
  readonly generation: number;
  /** The authorities above it, the root last; empty for a root. */
  readonly chainPem: string;
  /** Only of an authority whose key is generated and kept here. */
  readonly privateKeyPem?: string;
}

/** The certificate of one generation's authority that an earlier generation's has signed as well. */
export interface CrossRecord extends Stamp, CertificateFields {
  readonly kind: "cross";
  readonly role: AuthorityRole;
  readonly generation: number;
  readonly by: number;
  /** SHA-256 fingerprints of both authorities: branches may each have made one of a generation. */
  readonly of256: string;
  readonly by256: string;
}

interface LeafFields extends Stamp, CertificateFields {
  /** SHA-256 fingerprint of the authority that signed it. */
  readonly issuer256: string;
}

export interface ServerRecord extends LeafFields {
  readonly kind: "server";
  readonly version: number;
  readonly sequence: number;
  readonly hosts: readonly string[];
  /** A name inside the container that this certificate carries and its neighbours do not; it tells which one is live. */
  readonly generationHost: string;
  readonly privateKeyPem: string;
}

export interface ControlRecord extends LeafFields {
  readonly kind: "control";
  readonly sequence: number;
  readonly privateKeyPem: string;
}

export interface ClientRecord extends LeafFields {
  readonly kind: "client";
  readonly name: string;
  /** Of the certificate, where it is not the client's name. */
  readonly commonName?: string;
  readonly version: number;
  readonly sequence: number;
  /** Absent where the client keeps its key to itself. */
  readonly privateKeyPem?: string;
  /** SHA-256 of the SubjectPublicKeyInfo of the request, where there was one. */
  readonly publicKey256?: string;
}

export function commonNameOf({ name, commonName }: ClientRecord): string {
  return commonName ?? name;
}

export interface PasswordRecord extends Stamp {
  readonly kind: "password";
  readonly name: string;
  readonly version: number;
  readonly sequence: number;
  readonly hash: string;
  /** Only for a generated password; a given one, or its hash, stays where it was given. */
  readonly password?: string;
}

export interface RevocationListRecord extends Stamp {
  readonly kind: "crl";
  readonly role: AuthorityRole;
  readonly generation: number;
  readonly sequence: number;
  readonly serials: readonly string[];
  /** Of each serial, in the same order; none for a list that was made elsewhere. */
  readonly reasons: readonly RevocationReason[];
  readonly pem: string;
}

/** One step of a rotation: which generations of an authority were declared as trusted, and which one signs. */
export interface TrustRecord extends Stamp, Unique {
  readonly kind: "trust";
  readonly role: AuthorityRole;
  readonly sequence: number;
  readonly trusted: readonly number[];
  readonly issuing: number;
}

/** Ends one credential for good: no declaration brings it back. */
export interface RevocationRecord extends Stamp, Unique {
  readonly kind: "revocation";
  readonly credential: "client" | "password";
  readonly name: string;
  readonly version: number;
  readonly sequence: number;
  /** Identifies the credential where two have the same version and sequence: its serial number, or its hash. */
  readonly of: string;
  readonly cause: RevocationReason;
}

/** A client was handed its connection bundle. */
export interface HandoverRecord extends Stamp, Unique {
  readonly kind: "handover";
  readonly name: string;
  readonly sequence: number;
  /** Serial number of the certificate and hash of the password in that bundle, as far as it has them. */
  readonly credential: string;
  /** SHA-256 fingerprints of the authorities that the bundle lets the client trust. */
  readonly trusts: readonly string[];
}

/** One thing that was issued or done, when and why. Never changed once written. */
export type CredentialRecord =
  | AuthorityRecord
  | CrossRecord
  | ServerRecord
  | ControlRecord
  | ClientRecord
  | PasswordRecord
  | RevocationListRecord
  | TrustRecord
  | RevocationRecord
  | HandoverRecord;

/** What a record is about: of two processes that write about the same thing at once, one gives way. */
export function recordSubject(content: CredentialRecord): string {
  switch (content.kind) {
    case "authority":
      return `authority.${content.role}.${content.generation}`;
    case "cross":
      return `cross.${content.role}.${content.generation}-by-${content.by}.${shortHash(content.of256 + content.by256)}`;
    case "server":
    case "control":
      return `${content.kind}.${content.sequence}`;
    case "client":
    case "password":
      return `${content.kind}.${content.name}.v${content.version}.${content.sequence}`;
    case "crl":
      return `crl.${content.role}.${content.generation}.${content.sequence}`;
    case "trust":
      return `trust.${content.role}.${content.sequence}`;
    case "revocation": {
      const { credential, name, version, sequence, of } = content;
      return `revocation.${credential}.${name}.v${version}.${sequence}.${shortHash(of)}`;
    }
    case "handover":
      return `handover.${content.name}.${content.sequence}`;
  }
}

/**
 * The name of a record's file: its subject, and a hash of its content. So two branches of a version control system that
 * issue for the same thing merge without a conflict, and neither's certificate is forgotten.
 */
export function recordFileName(content: CredentialRecord): string {
  return fileNameOf(content, digest({ format: RECORD_FORMAT, ...content }));
}

/** The subject in a record's file name. */
export function subjectOfFileName(fileName: string): string {
  return fileName.replace(/-[0-9a-f]{8}\.json$/, "");
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
  const { record, ownName } = readRecord(text);
  if (ownName !== fileName) throw new Error(`it was renamed: by its content it is ${ownName}`);
  return record;
}

/** As `parseRecord`, for a text whose file has another name. */
export function readRecord(text: string): { record: CredentialRecord; ownName: string } {
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
  if ((recordSubject(checked) as string | undefined) === undefined) {
    throw new Error("it is of a kind that this version does not know; use the newer version");
  }
  return { record: checked, ownName: fileNameOf(checked, sha256) };
}

function fileNameOf(content: CredentialRecord, sha256: string): string {
  return `${recordSubject(content)}-${sha256.slice(0, 8)}.json`;
}

function digest(body: object): string {
  return createHash("sha256").update(JSON.stringify(body)).digest("hex");
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
