import { Host, KeyAlgorithm, Lifetime } from "../pki";
import { CertificateAuthority } from "./certificate-authority";

export interface WantedAuthority {
  /** `shared` where one authority signs servers and clients. */
  readonly role: "server" | "clients" | "shared" | "control";
  /** Of the root above an intermediate. */
  readonly rootRole: "server-root" | "clients-root" | "shared-root";
  readonly authority: CertificateAuthority;
  /** Beginning of the common names: the kind of authority and its generation follow. */
  readonly commonName: string;
  /** Where the authority names none of its own. */
  readonly algorithm: KeyAlgorithm;
}

export interface WantedServer {
  readonly hosts: readonly Host[];
  /** Names of which each certificate carries one, in turn. */
  readonly generationHosts: readonly string[];
  readonly credentialVersion: number;
  readonly algorithm: KeyAlgorithm;
  readonly lifetime: Lifetime;
}

export interface WantedCertificate {
  readonly name: string;
  /** The certificate's; with another one than before, another certificate is issued and the old one ended. */
  readonly commonName: string;
  readonly credentialVersion: number;
  readonly algorithm: KeyAlgorithm;
  readonly lifetime: Lifetime;
  /** PKCS#10 request of a client that keeps its key. */
  readonly requestPem?: string;
}

/** Certificates that the broker must refuse, to see that it does. */
export interface WantedCanaries {
  /** Common name of one that is on the revocation list from its first day. */
  readonly revoked: string;
  /** Common name of one that has ended. */
  readonly expired: string;
  readonly algorithm: KeyAlgorithm;
}

export interface WantedPassword {
  readonly name: string;
  readonly credentialVersion: number;
  /** The password where it was given, or how to read it; otherwise, and without a hash, one is generated. */
  readonly value?: string | (() => string);
  /** Where nothing but the hash was given. */
  readonly hash?: string;
  readonly iterations: number;
}

/** What one broker's declaration needs from its store. */
export interface WantedCredentials {
  readonly serverAuthority: WantedAuthority;
  /** Absent where no listener asks for a client certificate; the server's own where one is shared. */
  readonly clientAuthority?: WantedAuthority;
  readonly controlAuthority: WantedAuthority;
  readonly server: WantedServer;
  readonly controlName: string;
  readonly certificates: readonly WantedCertificate[];
  readonly passwords: readonly WantedPassword[];
  /** Absent where no authority of clients signs here. */
  readonly canaries?: WantedCanaries;
}
