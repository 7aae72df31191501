import { KeyAlgorithm } from "../pki";

/** How a client proves who it is. */
export type AuthenticationMethod = "certificate" | "password";

export interface CertificateOptions {
  /**
   * Algorithm of the client's key.
   *
   * @default - the broker's `keyAlgorithm`
   */
  readonly keyAlgorithm?: KeyAlgorithm;
}

export interface PasswordOptions {
  /**
   * The password, 12 characters or more. It goes into the client's bundle and, hashed, into the password file; never
   * into the synthesized config.
   *
   * @default - one with 192 random bits is generated and kept in the credential store
   */
  readonly value?: string;

  /**
   * PBKDF2 iterations of the hash. The broker's one thread spends them at every connect, and for every connected
   * password client at every reload: 100,000 iterations stall it for about 35 ms a client.
   *
   * @default 1000
   */
  readonly iterations?: number;
}

/** How one client proves who it is. */
export class Authentication {
  /** A certificate of its own, issued by the clients' authority; for mutual-TLS listeners. */
  static certificate(options: CertificateOptions = {}): Authentication {
    return new Authentication("certificate", options, {});
  }

  /** A user name and a password; for password listeners. */
  static password(options: PasswordOptions = {}): Authentication {
    return new Authentication("password", {}, options);
  }

  private constructor(
    readonly method: AuthenticationMethod,
    readonly certificateOptions: CertificateOptions,
    readonly passwordOptions: PasswordOptions,
  ) {}
}
