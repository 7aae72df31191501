export {
  certifyClient,
  issueAuthority,
  issueClient,
  issueCrossCertificate,
  issueServer,
  issueSubordinateAuthority,
  type AuthorityRequest,
  type CertificateRequest,
  type ClientCertification,
  type IssuedCertificate,
  type ServerRequest,
  type SignedCertificate,
  type Validity,
} from "./certificate";
export {
  certificationRequestFault,
  createCertificationRequest,
  parseCertificationRequest,
  type CertificationRequest,
} from "./certification-request";
export { commonNameFault } from "./distinguished-name";
export { hostFault, LOOPBACK_HOSTS, parseHost, type Host } from "./host";
export { Issuer } from "./issuer";
export { certificateFault, orderChain, revocationListFault, type ExpectedCertificate } from "./judgement";
export { KeyAlgorithm } from "./key-algorithm";
export { generateKeyPair, type KeyPair } from "./key-pair";
export { KeySource } from "./key-source";
export { readPemFile, toPem } from "./pem";
export { ParsedCertificate } from "./parsed-certificate";
export { DAY, lifetime, lifetimeFaults, renewalTime, type Lifetime, type LifetimeOptions } from "./lifetime";
export {
  issueRevocationList,
  parseRevocationList,
  REVOCATION_REASONS,
  type ParsedRevocationList,
  type Revocation,
  type RevocationListRequest,
  type RevocationReason,
} from "./revocation-list";
