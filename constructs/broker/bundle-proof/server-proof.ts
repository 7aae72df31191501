import { ConnectionBundle, usesTls } from "../../client/connection-bundle";
import { ParsedCertificate, parseHost } from "../../pki";
import { certificatesOf, pathFault } from "./authority-path";
import { MaterialClient } from "../material";
import { Answers } from "./answers";

/** Proves that clients find the broker's server certificate good. It is the same for most, so each answer is kept. */
export class BundleServerProof {
  private readonly answers = new Answers();

  /**
   * @param serverPem `server.crt`: the certificate, and what is sent with it
   * @param trustedPem `server-ca.crt`
   */
  constructor(
    private readonly serverPem: string,
    private readonly trustedPem: string,
    private readonly now: Date,
  ) {}

  /** @throws {Error} where a certificate cannot be read */
  faults({ endpoints, serverName }: MaterialClient, bundle: ConnectionBundle): string[] {
    const { server_name: name, ca_pem: authorities } = bundle;
    if (!endpoints.some(usesTls)) {
      return [
        ...(name === undefined ? [] : ["it has a server_name, which does not count in clear text"]),
        ...(authorities === undefined ? [] : ["it has a ca_pem, which does not count in clear text"]),
      ];
    }
    return [
      ...(name === undefined ? ["it has no server_name to check the server by"] : []),
      ...(name === undefined || name === serverName ? [] : ["its server_name is not the declared one"]),
      ...(name === undefined ? [] : this.answers.once(`name ${name}`, () => this.nameFaults(name))),
      ...(authorities === undefined
        ? ["it has no ca_pem to check the server by"]
        : this.answers.once(`chain ${name} ${authorities}`, () => this.chainFaults(authorities, name))),
    ];
  }

  private nameFaults(name: string): string[] {
    const { kind, value } = parseHost(name);
    const [{ x509 }] = this.chain();
    const found = kind === "ip" ? x509.checkIP(value) : x509.checkHost(value, { subject: "never" });
    const isNamed = value === name && found !== undefined;
    return isNamed ? [] : [`its server_name is not among the ${kind.toUpperCase()} names of server.crt`];
  }

  /** That the authorities are those that are trusted, and that the server's certificate leads to one. */
  private chainFaults(authorities: string, name: string | undefined): string[] {
    const roots = certificatesOf("its ca_pem", authorities);
    const trusted = certificatesOf("server-ca.crt", this.trustedPem).map(({ pem }) => pem);
    const found = roots.map(({ pem }) => pem);
    const [leaf, ...sent] = this.chain();
    const hosts = name === undefined ? [] : [parseHost(name)];
    const fault = pathFault(leaf, roots, sent, { purpose: "server", hosts, now: this.now });
    return [
      ...(found.some((pem, at) => !trusted.includes(pem) || found.indexOf(pem) !== at)
        ? ["its ca_pem has an authority that is not trusted, or one twice"]
        : []),
      ...(trusted.some((pem) => !found.includes(pem)) ? ["a trusted authority is missing in its ca_pem"] : []),
      ...(roots.some((root) => !root.isSelfSigned) ? ["its ca_pem has an authority that is no root"] : []),
      ...(fault === undefined ? [] : [`server.crt does not lead to an authority in its ca_pem: ${fault}`]),
    ];
  }

  private chain(): [ParsedCertificate, ...ParsedCertificate[]] {
    const read = (): ParsedCertificate[] => certificatesOf("server.crt", this.serverPem);
    return this.answers.once("server.crt", read) as [ParsedCertificate, ...ParsedCertificate[]];
  }
}
