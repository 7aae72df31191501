import { KeyAlgorithm, LifetimeOptions } from "../pki";

/** How a client proves who it is. */
export type AuthenticationMethod = "certificate" | "password";

export interface CertificateOptions extends LifetimeOptions {
  /**
   * Algorithm of the certificate's key. Changed, another one is issued; the old one stays valid until its end.
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

  /**
   * A certificate for a key that the client made and keeps to itself; for mutual-TLS listeners. Of the request only the key
   * counts: name, purpose and validity are declared here. Its bundle has no key.
   *
   * @param pem PKCS#10 request (RFC 2986), with a key of RSA 2048 bits or more or ECDSA P-256, P-384 or P-521
   */
  static certificateRequest(pem: string, options: LifetimeOptions = {}): Authentication {
    return new Authentication("certificate", options, {}, pem);
  }

  /** A user name and a password; for password listeners. */
  static password(options: PasswordOptions = {}): Authentication {
    return new Authentication("password", {}, options);
  }

  private constructor(
    readonly method: AuthenticationMethod,
    readonly certificateOptions: CertificateOptions,
    readonly passwordOptions: PasswordOptions,
    /** Of a client that keeps its key. */
    readonly requestPem?: string,
  ) {}
}
