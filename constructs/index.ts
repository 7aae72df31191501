export { topicLevel, type AccessMatrixEntry, type Coverage } from "./access";
export { BrokerNetwork, type ExistingNetworkOptions } from "./broker/broker-network";
export {
  type BrokerLimits,
  type BrokerOptions,
  type LoggingOptions,
  type LogType,
  type PersistenceOptions,
} from "./broker/conf/broker-options";
export { type ClientListOptions, type ClientTemplate, type TemplateClient } from "./broker/client-lists";
export { Listener, type ListenerKind, type ListenerProtocol } from "./broker/listener";
export { type ListenerOptions, type TlsListenerOptions } from "./broker/listener-options";
export { type TlsOptions, type TlsVersion } from "./broker/conf/tls";
export { MosquittoBroker } from "./broker/mosquitto-broker";
export { type MosquittoBrokerProps, type ServerCertificateOptions } from "./broker/mosquitto-broker-props";
export { MosquittoImage, type MosquittoLine } from "./broker/mosquitto-image";
export {
  Authentication,
  type AuthenticationMethod,
  type CertificateDeclaration,
  type CertificateOptions,
  type PasswordOptions,
} from "./client/authentication";
export { type ClientConnection, type UploadOptions } from "./client/client-connection";
export { ClientList, type CsvOptions, type ListedClient } from "./client/client-list";
export {
  type BundleEndpoint,
  type ConnectionBundle,
  type ConnectionEndpoint,
  type EndpointAuthentication,
} from "./client/connection-bundle";
export { ConnectionOutputs } from "./client/connection-outputs";
export { type MonitoringClientOptions } from "./client/monitoring-client";
export {
  MosquittoClient,
  type AccessRuleOptions,
  type ClientListener,
  type ClientOptions,
} from "./client/mosquitto-client";
export {
  CertificateAuthority,
  CommandSigner,
  CredentialStore,
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
export { TextSource } from "./text-source";
export { KeyAlgorithm, type LifetimeOptions, type Revocation, type RevocationReason } from "./pki";
