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
export { certificateParts, type CertificateParts } from "./certificate-parts";
export { ClientCertificateJudge, isValidAt } from "./client-certificate-judge";
export { commonNameFault } from "./distinguished-name";
export { hostFault, LOOPBACK_HOSTS, parseHost, serverNames, type Host } from "./host";
export { Issuer } from "./issuer";
export {
  certificateFault,
  CLOCK_DIFFERENCE,
  orderChain,
  revocationListFault,
  type ExpectedCertificate,
} from "./judgement";
export { KeyAlgorithm } from "./key-algorithm";
export { generateKeyPair, type KeyPair } from "./key-pair";
export { KeySource } from "./key-source";
export { readPemFile, toPem } from "./pem";
export { firstPemBlock, onlyPemBlock } from "./pem-block";
export { PrivateKeyMatch } from "./private-key-match";
export { RevocationEntries } from "./revocation-entries";
export { ParsedCertificate } from "./parsed-certificate";
export {
  passphraseFault,
  pkcs12KeyStore,
  pkcs12TrustStore,
  type KeyStoreEntry,
  type Pkcs12ProfileName,
  type Pkcs12Protection,
} from "./pkcs12";
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
