import { createHash } from "node:crypto";
import { parseCertificationRequest } from "../pki";
import { Authority } from "./authority";
import { certificateFields, Issuing, Reason } from "./issuing";
import { reasonToIssue, signing } from "./leaf-certificates";
import { ClientRecord } from "./record";
import { Revocations } from "./revocations";
import { WantedCertificate } from "./wanted";

/** Certificates of clients, each found in the store, or issued for a key that is made here or on the device. */
export class ClientCertificates {
  constructor(
    private readonly issuing: Issuing,
    private readonly revocations: Revocations,
  ) {}

  /**
   * @param latest of its name, with any common name
   * @param latestOfName of its name, with the common name that is wanted
   */
  get(
    authority: Authority | undefined,
    wanted: WantedCertificate,
    latest: ClientRecord | undefined,
    latestOfName: ClientRecord | undefined,
  ): ClientRecord | undefined {
    const { issuing } = this;
    const { name, commonName, requestPem } = wanted;
    const what = `client certificate ${name}`;
    const isPresent = (one: ClientRecord | undefined): boolean => one?.version === wanted.credentialVersion;
    const last = isPresent(latestOfName) ? latestOfName : undefined;
    if (requestPem !== undefined && this.isOfRevokedKey(name, requestPem)) return undefined;
    const reason =
      (isPresent(latest) ? reasonForName(last, commonName) : undefined) ??
      reasonForRequest(last, requestPem) ??
      this.reasonForRevocation(last) ??
      reasonToIssue(issuing, what, last, authority, wanted, latest?.version);
    if (reason === undefined) return last;
    return issuing.issue<ClientRecord>(
      what,
      reason,
      requestPem === undefined ? wanted.algorithm : undefined,
      (stamp) => {
        const { signer, record, end } = signing(authority);
        const validity = issuing.validity(wanted.lifetime.validityDays, end);
        const common = {
          kind: "client",
          name,
          ...(commonName !== name && { commonName }),
          version: wanted.credentialVersion,
          sequence: (isPresent(latest) ? (latest?.sequence ?? 0) : 0) + 1,
          issuer256: record.fingerprint256,
        } as const;
        if (requestPem !== undefined) {
          const { algorithm, publicKeyDer } = parseCertificationRequest(requestPem);
          const certificate = signer.certify(requestPem, commonName, validity);
          const publicKey256 = sha256(publicKeyDer);
          return { ...common, ...certificateFields(certificate, algorithm), publicKey256, ...stamp };
        }
        const { algorithm } = wanted;
        const certificate = signer.client({
          commonName,
          algorithm,
          keyPair: issuing.key(algorithm),
          ...validity,
        });
        const { privateKeyPem } = certificate;
        return { ...common, ...certificateFields(certificate, algorithm.id), privateKeyPem, ...stamp };
      },
      last,
    );
  }

  /**
   * Whether a request's key was revoked: the thief of a key is not shut out by another certificate for it. The client is
   * left without one, so that everybody else's deploy goes on.
   *
   * @throws {Error} when the same declaration has ended the key and asks for it again
   */
  private isOfRevokedKey(name: string, requestPem: string): boolean {
    const key = sha256(parseCertificationRequest(requestPem).publicKeyDer);
    const causes = this.issuing.folder
      .all("client")
      .filter((record) => record.publicKey256 === key)
      .flatMap((record) => this.revocations.of(record) ?? []);
    if (causes.length === 0) return false;
    const text =
      `client ${name} has a certificate request whose key was revoked (${causes[0]?.cause}); allowed: a request with another ` +
      "key; remedy: make a new key and request on the device";
    if (causes.some(({ cause }) => cause === "superseded")) throw new Error(text);
    this.issuing.warnings.push(`${text}; until then it has no certificate`);
    return true;
  }

  private reasonForRevocation(last: ClientRecord | undefined): Reason | undefined {
    const revocation = last && this.revocations.of(last);
    return revocation && { text: `the one before was revoked: ${revocation.cause}` };
  }
}

/** A certificate alone, or one that needs a password beside it: the broker tells them apart by the common name. */
function reasonForName(last: ClientRecord | undefined, commonName: string): Reason | undefined {
  if (last !== undefined) return undefined;
  return { text: `the client's authentication changed: the common name is ${commonName} now` };
}

/** A device that has another key can do nothing with the certificate of the one before. */
function reasonForRequest(last: ClientRecord | undefined, requestPem: string | undefined): Reason | undefined {
  if (last === undefined) return undefined;
  const key = requestPem === undefined ? undefined : sha256(parseCertificationRequest(requestPem).publicKeyDer);
  if (key === last.publicKey256) return undefined;
  return { text: key === undefined ? "the client no longer has a request" : "the client's request has another key" };
}

function sha256(octets: Buffer): string {
  return createHash("sha256").update(octets).digest("hex");
}
