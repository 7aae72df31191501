import { CredentialRecord } from "./record";
import { RecordFolder } from "./record-folder";

/** One thing that was done to the credentials of a broker. */
export interface AuditEntry {
  /** ISO 8601. */
  readonly at: string;
  readonly event: "issued" | "renewed" | "replaced" | "revoked" | "handed over";
  readonly what: string;
  readonly reason: string;
  /** Of certificates. */
  readonly serial?: string;
  /** Of certificates: SHA-256. */
  readonly fingerprint?: string;
  /** Of certificates: end of validity, ISO 8601. */
  readonly notAfter?: string;
}

const KINDS = [
  "authority",
  "cross",
  "server",
  "control",
  "client",
  "password",
  "crl",
  "trust",
  "revocation",
  "handover",
] as const;

/** All that was issued, renewed, revoked and handed over, in the order of time. Holds no secret. */
export function auditTrail(folder: RecordFolder): AuditEntry[] {
  return KINDS.flatMap((kind) => folder.all(kind) as readonly CredentialRecord[])
    .map(entryOf)
    .sort((one, other) => (`${one.at} ${one.what}` < `${other.at} ${other.what}` ? -1 : 1));
}

function entryOf(record: CredentialRecord): AuditEntry {
  const { issuedAt: at, reason } = record;
  const certificate = "serial" in record && {
    serial: record.serial,
    fingerprint: record.fingerprint256,
    notAfter: record.notAfter,
  };
  return { at, event: eventOf(record), what: titleOf(record), reason, ...certificate };
}

function eventOf({ kind, reason }: CredentialRecord): AuditEntry["event"] {
  if (kind === "revocation") return "revoked";
  if (kind === "handover") return "handed over";
  if (reason.startsWith("renewal")) return "renewed";
  return reason === "first issue" ? "issued" : "replaced";
}

function titleOf(record: CredentialRecord): string {
  switch (record.kind) {
    case "authority":
      return `${record.role} authority ${record.generation}`;
    case "cross":
      return `${record.role} authority ${record.generation}, signed by ${record.by} as well`;
    case "server":
    case "control":
      return `${record.kind} certificate`;
    case "client":
      return `client certificate ${record.name}, version ${record.version}`;
    case "password":
      return `password ${record.name}, version ${record.version}`;
    case "crl":
      return `revocation list ${record.sequence} of ${record.role} authority ${record.generation}`;
    case "trust":
      return `${record.role} authority: ${record.trusted.join(" and ")} trusted, ${record.issuing} issues`;
    case "revocation":
      return `${record.credential === "client" ? `client certificate ${record.of}` : "password"} of ${record.name}`;
    case "handover":
      return `connection bundle of ${record.name}`;
  }
}
