import { Host, KeyAlgorithm } from "../pki";

export interface WantedAuthority {
  readonly generation: number;
  readonly commonName: string;
  readonly algorithm: KeyAlgorithm;
  /** Whether the declaration named the algorithm, so that another one in the store is a contradiction. */
  readonly algorithmDeclared: boolean;
  readonly validityDays: number;
}

export interface WantedServer {
  readonly hosts: readonly Host[];
  /** Names of which each certificate carries one, in turn. */
  readonly generationHosts: readonly string[];
  readonly algorithm: KeyAlgorithm;
  readonly validityDays: number;
}

export interface WantedCertificate {
  readonly name: string;
  readonly credentialVersion: number;
  readonly algorithm: KeyAlgorithm;
  readonly validityDays: number;
}

export interface WantedPassword {
  readonly name: string;
  readonly credentialVersion: number;
  /** The password, where it was given; otherwise one is generated. */
  readonly value?: string;
  readonly iterations: number;
}

/** What one broker's declaration needs from its store. */
export interface WantedCredentials {
  readonly serverAuthority: WantedAuthority;
  /** Absent where no listener asks for a client certificate. */
  readonly clientAuthority?: WantedAuthority;
  readonly controlAuthority: WantedAuthority;
  readonly server: WantedServer;
  readonly controlName: string;
  readonly certificates: readonly WantedCertificate[];
  readonly passwords: readonly WantedPassword[];
}
