import { KeyAlgorithm, LifetimeOptions } from "../pki";
import { TextSource } from "../text-source";

/**
 * How a client proves who it is. With `certificateAndPassword` neither is enough, with `certificateOrPassword` each is,
 * at the listeners that ask for it.
 */
export type AuthenticationMethod = "certificate" | "password" | "certificateAndPassword" | "certificateOrPassword";

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
   * The password, 12 characters or more: a text, or where to read it whenever material for a deploy is made, such as
   * `TextSource.variable("PLC_PASSWORD")`; one line break at the end of a source is dropped. It goes into the client's
   * bundle and, hashed, into the password file; never into the synthesized config or the credential store.
   *
   * @default - one with 192 random bits is generated and kept in the credential store
   */
  readonly value?: string | TextSource;

  /**
   * The password's hash instead, as `mosquitto_passwd` makes it: `$7$ITERATIONS$SALT$KEY`. The bundle then has no
   * password. Not together with `value` or `iterations`.
   *
   * @default - made from the password
   */
  readonly hash?: string;

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
    return new Authentication("certificate", { options });
  }

  /**
   * A certificate for a key that the client made and keeps to itself; for mutual-TLS listeners. Of the request only the key
   * counts: name, purpose and validity are declared here. Its bundle has no key.
   *
   * @param pem PKCS#10 request (RFC 2986), with a key of RSA 2048 bits or more or ECDSA P-256, P-384 or P-521
   */
  static certificateRequest(pem: string, options: LifetimeOptions = {}): Authentication {
    // Never an ordinary certificate by mistake: then the key would be made here.
    return new Authentication("certificate", { options, requestPem: typeof pem === "string" ? pem : "" });
  }

  /** A user name and a password; for password listeners. */
  static password(options: PasswordOptions = {}): Authentication {
    return new Authentication("password", undefined, options);
  }

  /**
   * A certificate and a password, of which neither is enough alone; for `Listener.mutualTlsWithPassword()`. Its
   * certificate's common name is `NAME:with-password`, which no rule is for: at a mutual-TLS listener beside, it may
   * neither publish nor receive anything. A broker that also has a listener for passwords alone refuses such a client, and
   * one whose clients' authority others sign for, too, refuses it beside a mutual-TLS listener.
   */
  static certificateAndPassword(
    certificate: Authentication = Authentication.certificate(),
    password: Authentication = Authentication.password(),
  ): Authentication {
    return Authentication.combine("certificateAndPassword", certificate, password);
  }

  /**
   * A certificate and a password, of which each is enough where it is asked for; for every listener, and where some ask
   * for a certificate and some for a password.
   */
  static certificateOrPassword(
    certificate: Authentication = Authentication.certificate(),
    password: Authentication = Authentication.password(),
  ): Authentication {
    return Authentication.combine("certificateOrPassword", certificate, password);
  }

  private static combine(
    method: "certificateAndPassword" | "certificateOrPassword",
    certificate: Authentication,
    password: Authentication,
  ): Authentication {
    const [first, second] = [certificate, password].map((one: unknown) =>
      one instanceof Authentication ? one.method : "something else",
    );
    if (first === "certificate" && second === "password") {
      return new Authentication(method, certificate.certificate, password.password);
    }
    throw new Error(
      `Authentication.${method}() was given ${first} and ${second}; allowed: a certificate first, then a password; remedy: ` +
        "pass Authentication.certificate() or certificateRequest(), and Authentication.password()",
    );
  }

  private constructor(
    readonly method: AuthenticationMethod,
    /** Absent where the client has no certificate. */
    readonly certificate?: CertificateDeclaration,
    /** Absent where the client has no password. */
    readonly password?: PasswordOptions,
  ) {}
}

export interface CertificateDeclaration {
  readonly options: CertificateOptions;
  /** Of a client that keeps its key. */
  readonly requestPem?: string;
}
