export {
  issueAuthority,
  issueClient,
  issueServer,
  type AuthorityRequest,
  type CertificateRequest,
  type IssuedCertificate,
  type ServerRequest,
} from "./certificate";
export { commonNameFault } from "./distinguished-name";
export { hostFault, parseHost, type Host } from "./host";
export { Issuer } from "./issuer";
export { KeyAlgorithm } from "./key-algorithm";
export { generateKeyPair, type KeyPair } from "./key-pair";
export {
  issueRevocationList,
  parseRevocationList,
  type ParsedRevocationList,
  type Revocation,
  type RevocationListRequest,
} from "./revocation-list";
