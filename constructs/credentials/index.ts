export { CertificateAuthority, type ManagedAuthorityOptions } from "./certificate-authority";
export { CredentialStore, ISSUE_VARIABLE, type FolderStoreOptions, type IssuePolicy } from "./credential-store";
export { fulfil, type ClientCredentials, type Credentials, type Fulfilment, type IssuanceNote } from "./issuance";
export { type RecordFolder } from "./record-folder";
export {
  type WantedAuthority,
  type WantedCertificate,
  type WantedCredentials,
  type WantedPassword,
  type WantedServer,
} from "./wanted";
