import {
  certificateFault,
  certifyClient,
  createCertificationRequest,
  DAY,
  issueClient,
  issueRevocationList,
  Issuer,
  issueServer,
  parseCertificationRequest,
  ParsedCertificate,
  parseRevocationList,
  revocationListFault,
  type CertificateRequest,
  type ExpectedCertificate,
  type Host,
  type IssuedCertificate,
  type KeyPair,
  type RevocationListRequest,
  type ServerRequest,
  type SignedCertificate,
  type Validity,
} from "../pki";
import { CertificateSigner } from "./certificate-signer";

type WithKey<R> = R & { readonly keyPair: KeyPair };

/** Signs for one authority, with a key that is here or elsewhere. */
export interface AuthoritySigner {
  server(request: WithKey<ServerRequest>): IssuedCertificate;
  client(request: WithKey<CertificateRequest>): IssuedCertificate;
  /** For a client's own request. */
  certify(requestPem: string, commonName: string, validity: Validity): SignedCertificate;
  revocationList(request: RevocationListRequest): string;
}

/** With the authority's private key at hand. */
export class LocalSigner implements AuthoritySigner {
  constructor(readonly issuer: Issuer) {}

  server(request: WithKey<ServerRequest>): IssuedCertificate {
    return issueServer(this.issuer, request);
  }

  client(request: WithKey<CertificateRequest>): IssuedCertificate {
    return issueClient(this.issuer, request);
  }

  certify(requestPem: string, commonName: string, validity: Validity): SignedCertificate {
    const { publicKeyDer } = parseCertificationRequest(requestPem);
    return certifyClient(this.issuer, { commonName, publicKeyDer, ...validity });
  }

  revocationList(request: RevocationListRequest): string {
    return issueRevocationList(this.issuer, request);
  }
}

/** What a list has not of what was asked for; entries of the signer's own may be on it too. */
function differenceOf(pem: string, { number, revoked }: RevocationListRequest): string | undefined {
  const made = parseRevocationList(pem);
  if (made.number < number) return `its number is ${made.number} and not ${number} or higher`;
  const listed = new Set(made.serials);
  const missing = revoked.find(({ serial }) => !listed.has(serial));
  return missing && `it leaves out the serial number ${missing.serial}`;
}

/** By requests to somebody who has the key. What comes back is judged before it is used. */
export class RemoteSigner implements AuthoritySigner {
  constructor(
    private readonly authority: ParsedCertificate,
    private readonly signer: CertificateSigner,
    private readonly now: Date,
  ) {}

  server(request: WithKey<ServerRequest>): IssuedCertificate {
    return this.forKey("server", request, request.hosts);
  }

  client(request: WithKey<CertificateRequest>): IssuedCertificate {
    return this.forKey("client", request, []);
  }

  certify(requestPem: string, commonName: string, validity: Validity): SignedCertificate {
    const { publicKeyDer } = parseCertificationRequest(requestPem);
    return this.sign(requestPem, { purpose: "client", commonName, hosts: [], publicKeyDer }, validity);
  }

  revocationList(request: RevocationListRequest): string {
    const pem = this.signer.signRevocationList(request);
    const fault = revocationListFault(pem, this.authority, this.now) ?? differenceOf(pem, request);
    if (fault !== undefined) throw this.refused("revocation list", fault);
    return pem;
  }

  private forKey(
    purpose: "server" | "client",
    { commonName, keyPair, notBefore, notAfter }: WithKey<CertificateRequest>,
    hosts: readonly Host[],
  ): IssuedCertificate {
    const request = createCertificationRequest(commonName, keyPair, hosts);
    const { publicKeyDer, privateKeyPem } = keyPair;
    return {
      ...this.sign(request, { purpose, commonName, hosts, publicKeyDer }, { notBefore, notAfter }),
      privateKeyPem,
    };
  }

  private sign(
    requestPem: string,
    expected: Omit<ExpectedCertificate, "authority">,
    { notBefore, notAfter }: Validity,
  ): SignedCertificate {
    const { purpose, commonName, hosts } = expected;
    const pem = this.signer.signCertificate({
      requestPem,
      purpose,
      commonName,
      hosts: hosts.map(({ value }) => value),
      notBefore,
      notAfter: this.authority.notAfter < notAfter ? this.authority.notAfter : notAfter,
    });
    let certificate: ParsedCertificate;
    try {
      certificate = ParsedCertificate.fromPem(pem);
    } catch (error) {
      throw this.refused("certificate", (error as Error).message);
    }
    // Some count whole days.
    const latest = new Date(notAfter.getTime() + DAY);
    const fault = certificateFault(certificate, { authority: this.authority, ...expected, notAfter: latest }, this.now);
    if (fault !== undefined) throw this.refused(`certificate for ${commonName}`, fault);
    return {
      certificatePem: certificate.pem,
      serial: certificate.x509.serialNumber,
      fingerprint256: certificate.x509.fingerprint256,
      notBefore: certificate.notBefore,
      notAfter: certificate.notAfter,
    };
  }

  private refused(what: string, why: string): Error {
    return new Error(
      `the ${what} that the signer made cannot be used: ${why}; allowed: exactly what was asked for; ` +
        "remedy: mend the signer and run again; what was issued before is kept",
    );
  }
}
