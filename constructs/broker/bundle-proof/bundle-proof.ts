import * as path from "node:path";
import { AccessRules, clientNameFault, parsePasswordFile } from "../../access";
import { AuthenticationMethod } from "../../client/authentication";
import { BundleEndpoint, ConnectionBundle, ConnectionEndpoint } from "../../client/connection-bundle";
import { Credentials, WantedCertificate, WantedCredentials, WantedPassword } from "../../credentials";
import { BundleCertificateProof } from "./certificate-proof";
import { readBundle, renderBundleText } from "../../client/bundle-text";
import { passwordFaults } from "./password-faults";
import { placeFaults } from "./place-faults";
import { BundleServerProof } from "./server-proof";
import { connectionFile, MaterialClient } from "../material";
import { ExpectedSet, SetFiles } from "../preflight";

/** A client as it was declared. */
export interface BundleClient extends MaterialClient {
  readonly method: AuthenticationMethod;
}

/** What the bundles of one broker are held against. */
export interface BundleSurroundings {
  readonly clients: readonly BundleClient[];
  readonly expected: Pick<ExpectedSet, "listeners" | "rules">;
  readonly wanted: Pick<WantedCredentials, "clientAuthority" | "certificates" | "passwords">;
  /** What there is of it: a request or a password that was revoked is left out. */
  readonly issued: Credentials["clients"];
  readonly now: Date;
}

/**
 * Reads every bundle as its client will, and proves that it leads into this broker.
 *
 * @param material every file by its name, as it will be written; `materialFaults` found nothing wrong with the broker's own
 * @returns why clients could not connect, each with the name of the bundle's file, which is the client's. None holds a secret.
 */
export function bundleFaults(material: SetFiles, surroundings: BundleSurroundings): string[] {
  const { clients } = surroundings;
  const proof = new BundleProof(material, surroundings);
  const files = new Set(clients.map(({ name }) => connectionFile(name)));
  const folder = path.posix.dirname(connectionFile("any"));
  const others = [...material.keys()].filter((file) => path.posix.dirname(file) === folder && !files.has(file));
  return [
    ...clients.flatMap((client) => proof.faults(client, material.get(connectionFile(client.name)))),
    ...others.map((file) => `${file}: no client of this name is declared`),
  ];
}

/** Proves the bundles of one broker. What they have in common is read once. */
export class BundleProof {
  private readonly rules: ReadonlyMap<string, AccessRules>;
  private readonly certificates: ReadonlyMap<string, WantedCertificate>;
  private readonly passwords: ReadonlyMap<string, WantedPassword>;
  private readonly hashes: ReadonlyMap<string, string>;
  private readonly server: BundleServerProof;
  private readonly certificate: BundleCertificateProof;

  constructor(
    material: SetFiles,
    private readonly given: BundleSurroundings,
  ) {
    const { expected, wanted, now } = given;
    const text = (file: string): string => material.get(file) ?? "";
    this.rules = new Map(expected.rules.map((one) => [one.userName, one]));
    this.certificates = new Map(wanted.certificates.map((one) => [one.name, one]));
    this.passwords = new Map(wanted.passwords.map((one) => [one.name, one]));
    this.hashes = new Map(parsePasswordFile(text("passwd")).map(({ userName, hash }) => [userName, hash]));
    this.server = new BundleServerProof(text("server.crt"), text("server-ca.crt"), now);
    this.certificate = new BundleCertificateProof(text("client-ca.crt"), text("crl.pem"), now);
  }

  /** @param text the bundle as it will be written */
  faults(client: BundleClient, text: string | undefined): string[] {
    const file = connectionFile(client.name);
    if (text === undefined) return [`${file}: it is missing`];
    const { bundle, faults } = readBundle(text);
    // Readers differ in what a field means that stands twice.
    const isAsWritten = bundle === undefined || renderBundleText(bundle) === text;
    const found = isAsWritten
      ? bundle === undefined
        ? faults
        : this.bundleFaults(client, bundle)
      : ["a field stands twice in it, or it is not written as the library writes it"];
    return found.map((fault) => `${file}: ${fault}`);
  }

  private bundleFaults(client: BundleClient, bundle: ConnectionBundle): string[] {
    const { name } = client;
    const { issued, wanted } = this.given;
    const [certificate, password] = [this.certificates.get(name), this.passwords.get(name)];
    const { certificate: hasCertificate, password: hasPassword } = issued.get(name) ?? {};
    const mayLackCertificate =
      wanted.clientAuthority?.authority.issues !== true ||
      (certificate?.requestPem !== undefined && hasCertificate === undefined);
    const isPasswordRevoked = (password?.value ?? password?.hash) !== undefined && hasPassword === undefined;
    const hash = this.hashes.get(name);
    return [
      ...this.identityFaults(client, bundle),
      ...this.endpointFaults(client, bundle),
      ...check(() => this.server.faults(client, bundle)),
      ...check(() => this.certificate.faults(client, bundle, certificate, mayLackCertificate)),
      ...passwordFaults(client, bundle, password, isPasswordRevoked, hash),
    ];
  }

  private identityFaults({ name }: BundleClient, bundle: ConnectionBundle): string[] {
    const { client_id: id, username = name, publish, subscribe, deny = [] } = bundle;
    const rules = this.rules.get(name);
    const differs = (filters: readonly string[], declared: readonly string[] = []): boolean =>
      filters.length !== declared.length || filters.some((filter, at) => filter !== declared[at]);
    return [
      ...(clientNameFault("client_id", id) === undefined ? [] : ["its client_id is no valid name"]),
      ...(id === name ? [] : ["its client_id is not the client's name"]),
      ...(username === name ? [] : ["its username is not the client's name"]),
      ...(publish.length + subscribe.length > 0 ? [] : ["its publish and subscribe are both empty"]),
      ...(differs(publish, rules?.publish) ? ["its publish is not what was declared"] : []),
      ...(differs(subscribe, rules?.subscribe) ? ["its subscribe is not what was declared"] : []),
      ...(differs(deny, rules?.deny) ? ["its deny is not what was declared"] : []),
    ];
  }

  private endpointFaults({ endpoints, method }: BundleClient, bundle: ConnectionBundle): string[] {
    const [first] = endpoints;
    if (first === undefined) return ["it leads to no endpoint"];
    const listed = bundle.endpoints ?? [];
    const isComplete = listed.length === (endpoints.length > 1 ? endpoints.length : 0);
    const shut = endpoints.filter((endpoint) => !this.isOpen(endpoint, method));
    return [
      ...placeFaults("its", bundle, first),
      ...(isComplete
        ? listed.flatMap((one, at) => listedFaults(at, one, endpoints[at] as ConnectionEndpoint))
        : ["its endpoints are not those that are declared for the client"]),
      ...shut.map((one) => `no listener of the broker lets it in by ${method} at ${one.protocol} port ${one.port}`),
    ];
  }

  private isOpen({ port, protocol, authentication }: ConnectionEndpoint, method: AuthenticationMethod): boolean {
    const listener = this.given.expected.listeners.find((one) => one.port === port && one.protocol === protocol);
    return listener?.asksFor === authentication && listener.accepts(method);
  }
}

function listedFaults(at: number, listed: BundleEndpoint, declared: ConnectionEndpoint): string[] {
  const whose = `its endpoints[${at}]'s`;
  const isSame = listed.authentication === declared.authentication;
  return [
    ...placeFaults(whose, listed, declared),
    ...(isSame ? [] : [`${whose} authentication is not ${declared.authentication}`]),
  ];
}

function check(faultsOf: () => string[]): string[] {
  try {
    return faultsOf();
  } catch (error) {
    return [(error as Error).message];
  }
}
