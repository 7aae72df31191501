export { BrokerNetwork } from "./broker/broker-network";
export { Listener, type ListenerKind, type ListenerOptions } from "./broker/listener";
export { MosquittoBroker } from "./broker/mosquitto-broker";
export { type MosquittoBrokerProps, type ServerCertificateOptions } from "./broker/mosquitto-broker-props";
export { MosquittoImage } from "./broker/mosquitto-image";
export {
  Authentication,
  type AuthenticationMethod,
  type CertificateOptions,
  type PasswordOptions,
} from "./client/authentication";
export { type ConnectionBundle, type ConnectionEndpoint } from "./client/connection-bundle";
export { ConnectionOutputs } from "./client/connection-outputs";
export { MosquittoClient, type ClientOptions } from "./client/mosquitto-client";
export {
  CertificateAuthority,
  CommandSigner,
  CredentialStore,
  TextSource,
  type CertificateSigner,
  type CertificateSigningRequest,
  type CommandSignerOptions,
  type ExternalAuthorityOptions,
  type FolderStoreOptions,
  type ImportedAuthorityOptions,
  type IntermediateAuthorityOptions,
  type IssuePolicy,
  type ManagedAuthorityOptions,
  type RevocationListSigningRequest,
  type SealedStoreOptions,
  type TrustedAuthorityOptions,
} from "./credentials";
export { KeyAlgorithm, type LifetimeOptions, type Revocation, type RevocationReason } from "./pki";
