import { ConnectionBundle } from "../../client/connection-bundle";
import { commonNameOf } from "../../client/mosquitto-client";
import { WantedCertificate } from "../../credentials";
import {
  certificateParts,
  CertificateParts,
  ClientCertificateJudge,
  firstPemBlock,
  onlyPemBlock,
  parseCertificationRequest,
  PrivateKeyMatch,
  readPemFile,
  RevocationEntries,
} from "../../pki";
import { Answers } from "./answers";
import { authorityFault, certificatesOf } from "./authority-path";
import type { BundleClient } from "./bundle-proof";

/** Proves that the broker finds clients' certificates good. */
export class BundleCertificateProof {
  private readonly keys = new PrivateKeyMatch();
  private readonly answers = new Answers();

  /**
   * @param trustedPem `client-ca.crt`; empty where no listener asks for a certificate
   * @param listsPem `crl.pem`
   */
  constructor(
    private readonly trustedPem: string,
    private readonly listsPem: string,
    private readonly now: Date,
  ) {}

  /**
   * @param wanted what was to be issued; nothing where its authority is only trusted here
   * @param mayLack whether there is a reason for it to have none
   * @throws {Error} where the certificate, or what stands above it, cannot be read or is not good
   */
  faults(
    client: BundleClient,
    bundle: ConnectionBundle,
    wanted: WantedCertificate | undefined,
    mayLack: boolean,
  ): string[] {
    const { cert_pem: pem, key_pem: key, expires_at: end } = bundle;
    const counts = client.endpoints.some(({ authentication }) => authentication !== "password");
    if (counts && pem !== undefined) {
      if (wanted === undefined) return ["it has a cert_pem, and no authority was to issue one here"];
      return this.certificateFaults(client, { pem, key, end }, wanted);
    }
    return [
      ...(counts && !mayLack ? ["it has no cert_pem, which the broker asks for"] : []),
      ...(pem === undefined ? [] : ["it has a cert_pem, which does not count where only a password is asked for"]),
      ...(key === undefined ? [] : ["it has a key_pem without a cert_pem that counts"]),
      ...(end === undefined ? [] : ["it has an expires_at without a cert_pem that counts"]),
    ];
  }

  private certificateFaults(
    { name, method }: BundleClient,
    { pem, key, end }: { pem: string; key: string | undefined; end: string | undefined },
    { requestPem }: WantedCertificate,
  ): string[] {
    const [first, above] = firstPemBlock("CERTIFICATE", pem);
    const octets = onlyPemBlock("CERTIFICATE", first);
    if (octets === undefined) return ["its cert_pem is not whole PEM of certificates"];
    const parts = inside("its cert_pem", () => certificateParts(octets));
    const judge = this.answers.once(`above ${above}`, () => inside("its cert_pem", () => this.judgeBelow(above)));
    const fault = judge.fault(parts, commonNameOf(name, method));
    return [
      ...(fault === undefined ? [] : [`its cert_pem: ${fault}`]),
      ...(this.revoked().has(parts) ? ["its cert_pem is on crl.pem"] : []),
      ...(end === new Date(parts.notAfter).toISOString() ? [] : ["its expires_at is not the end of its cert_pem"]),
      ...this.keyFaults(key, parts, requestPem),
    ];
  }

  private keyFaults(pem: string | undefined, { publicKeyDer }: CertificateParts, request?: string): string[] {
    if (request !== undefined) {
      const isAskedFor = parseCertificationRequest(request).publicKeyDer.equals(publicKeyDer);
      return [
        ...(pem === undefined ? [] : ["it has a key_pem, and the client keeps its key to itself"]),
        ...(isAskedFor ? [] : ["its cert_pem is for another key than the client's request"]),
      ];
    }
    if (pem === undefined) return ["it has no key_pem for its cert_pem"];
    const octets = onlyPemBlock("PRIVATE KEY", pem);
    if (octets === undefined) return ["its key_pem is not whole PEM of a private key"];
    return this.keys.isPair(octets, publicKeyDer) ? [] : ["its key_pem is not the key of its cert_pem"];
  }

  /** For what a certificate is sent with; most have the same. @throws {Error} where that does not lead to a root */
  private judgeBelow(above: string): ClientCertificateJudge {
    const known = certificatesOf("client-ca.crt", this.trustedPem);
    const roots = known.filter((one) => one.isSelfSigned);
    const sent = above === "" ? [] : certificatesOf("what follows it", above);
    for (const [at, one] of sent.entries()) {
      const isKnown = known.some(({ pem }) => pem === one.pem);
      const isBelow = (at === sent.length - 1 ? roots : sent.slice(at + 1, at + 2)).some((by) => one.wasSignedBy(by));
      if (one.isSelfSigned || !isKnown || !isBelow) {
        throw new Error("what follows it is not what leads to a root in client-ca.crt");
      }
    }
    const use = { purpose: "client", hosts: [], now: this.now } as const;
    const tops = roots.filter((root) => sent.at(-1)?.wasSignedBy(root) ?? true);
    const good = tops.filter((root) => authorityFault(root, sent.length, use) === undefined);
    const unfit = [...sent.entries(), ...(good.length > 0 ? [] : tops.map((root) => [sent.length, root] as const))];
    const fault = unfit.map(([below, one]) => authorityFault(one, below, use)).find(Boolean);
    if (fault !== undefined) throw new Error(fault);
    return new ClientCertificateJudge(sent.length === 0 ? good : sent.slice(0, 1), this.now);
  }

  private revoked(): RevocationEntries {
    return this.answers.once("crl.pem", () => new RevocationEntries(readPemFile("X509 CRL", this.listsPem)));
  }
}

function inside<T>(what: string, answer: () => T): T {
  try {
    return answer();
  } catch (error) {
    throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
  }
}
