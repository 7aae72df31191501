// Before all else: where toLegacyObject() is what first loads _tls_common, Node 20 leaves the whole process
// without tls.createSecureContext.
import "node:tls";
import { X509Certificate } from "node:crypto";
import type { PeerCertificate } from "node:tls";

/** A certificate as Node's TLS shows it. */
export function legacyCertificate(pem: string): PeerCertificate {
  // eslint-disable-next-line no-restricted-properties -- tls is loaded
  return new X509Certificate(pem).toLegacyObject();
}
