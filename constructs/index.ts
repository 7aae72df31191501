export { BrokerNetwork } from "./broker/broker-network";
export { Listener, type ListenerKind, type ListenerOptions } from "./broker/listener";
export { MosquittoBroker, type MosquittoBrokerProps } from "./broker/mosquitto-broker";
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
  CredentialStore,
  type FolderStoreOptions,
  type IssuePolicy,
  type ManagedAuthorityOptions,
} from "./credentials";
export { KeyAlgorithm } from "./pki";
