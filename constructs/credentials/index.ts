export { type Authority } from "./authority";
export { auditTrail, type AuditEntry } from "./audit";
export {
  CertificateAuthority,
  type ExternalAuthorityOptions,
  type ImportedAuthorityOptions,
  type IntermediateAuthorityOptions,
  type ManagedAuthorityOptions,
  type TrustedAuthorityOptions,
} from "./certificate-authority";
export {
  CommandSigner,
  type CertificateSigner,
  type CertificateSigningRequest,
  type CommandSignerOptions,
  type RevocationListSigningRequest,
} from "./certificate-signer";
export {
  CredentialStore,
  type FolderStoreOptions,
  type IssuePolicy,
  type SealedStoreOptions,
} from "./credential-store";
export { handOver, lastHandovers, presentCredential } from "./handover";
export { fulfil, planIssuance, type ClientCredentials, type Credentials, type Fulfilment } from "./issuance";
export { Issuing, type IssuanceNote } from "./issuing";
export { type ClientRecord } from "./record";
export { RecordFolder } from "./record-folder";
export { revokeClient, UnknownClientError } from "./revocations";
export {
  type WantedAuthority,
  type WantedCertificate,
  type WantedCredentials,
  type WantedPassword,
  type WantedServer,
} from "./wanted";
