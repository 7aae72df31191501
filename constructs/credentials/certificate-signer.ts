import { spawnSync } from "node:child_process";
import type { Revocation } from "../pki";

/** What a signer is asked for: a certificate for the key of a PKCS#10 request. */
export interface CertificateSigningRequest {
  /** PKCS#10 as PEM, with name, hosts and purpose as extensions. */
  readonly requestPem: string;
  /** Extended key usage: serverAuth or clientAuth. */
  readonly purpose: "server" | "client";
  /** The subject, which has no other part. For a client the broker takes it as the user name. */
  readonly commonName: string;
  /** Subject alternative names: DNS names and IP addresses. Empty for a client. */
  readonly hosts: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** What a signer is asked for: a revocation list with exactly these entries. */
export interface RevocationListSigningRequest {
  /** Higher than that of every list before. */
  readonly number: number;
  readonly thisUpdate: Date;
  /** The broker lets nobody in with an expired list. */
  readonly nextUpdate: Date;
  readonly revoked: readonly Revocation[];
}

/**
 * Signs for an authority whose key is elsewhere: in an HSM, a KMS, a step-ca. Requests go out, certificates come in; what
 * comes is checked before it is used. Called only when something is issued.
 */
export interface CertificateSigner {
  /** @returns the certificate as PEM; more certificates after it are ignored */
  signCertificate(request: CertificateSigningRequest): string;
  /** @returns the list as PEM. Asked of the clients' authority only. */
  signRevocationList(request: RevocationListSigningRequest): string;
}

export interface CommandSignerOptions {
  /**
   * Seconds that one call may take.
   *
   * @default 60
   */
  readonly timeoutSeconds?: number;
}

/**
 * Signs by running a command, without a shell. What is asked for is in variables beginning with `CDKTF_MOSQUITTO_`:
 * `OPERATION` is `certificate` or `revocation-list`.
 *
 * For a certificate the request comes on standard input as PEM; `PURPOSE` is `server` or `client`, `COMMON_NAME` the
 * subject, `HOSTS` the subject alternative names as OpenSSL writes them (`DNS:a.example,IP:192.0.2.1`), `NOT_BEFORE` and
 * `NOT_AFTER` the validity (ISO 8601). For a revocation list `NUMBER`, `THIS_UPDATE` and `NEXT_UPDATE` are its head, and
 * standard input has a line `SERIAL TIME REASON` for each entry. The command prints the PEM.
 */
export class CommandSigner implements CertificateSigner {
  constructor(
    private readonly command: readonly string[],
    private readonly options: CommandSignerOptions = {},
  ) {}

  signCertificate(request: CertificateSigningRequest): string {
    return this.run(request.requestPem, {
      OPERATION: "certificate",
      PURPOSE: request.purpose,
      COMMON_NAME: request.commonName,
      HOSTS: request.hosts.map((host) => `${/^[\d.]+$|:/.test(host) ? "IP" : "DNS"}:${host}`).join(","),
      NOT_BEFORE: request.notBefore.toISOString(),
      NOT_AFTER: request.notAfter.toISOString(),
    });
  }

  signRevocationList(request: RevocationListSigningRequest): string {
    const entries = request.revoked.map(
      ({ serial, revokedAt, reason = "unspecified" }) => `${serial} ${revokedAt.toISOString()} ${reason}\n`,
    );
    return this.run(entries.join(""), {
      OPERATION: "revocation-list",
      NUMBER: String(request.number),
      THIS_UPDATE: request.thisUpdate.toISOString(),
      NEXT_UPDATE: request.nextUpdate.toISOString(),
    });
  }

  private run(input: string, variables: Record<string, string>): string {
    const [program = "", ...args] = this.command;
    const own = Object.entries(variables).map(([name, value]) => [`CDKTF_MOSQUITTO_${name}`, value]);
    const { timeoutSeconds = 60 } = this.options;
    const { status, signal, stdout, error } = spawnSync(program, args, {
      input,
      encoding: "utf8",
      env: { ...process.env, ...(Object.fromEntries(own) as Record<string, string>) },
      stdio: ["pipe", "pipe", "inherit"],
      timeout: timeoutSeconds * 1000,
      maxBuffer: 64 * 1024 * 1024,
    });
    // A command that does not read its input to the end may have done its work all the same.
    const failed = error !== undefined && (error as NodeJS.ErrnoException).code !== "EPIPE";
    if (failed || status !== 0) {
      throw new Error(
        `the signing command ${JSON.stringify(program)} failed (${error?.message ?? `it ended with ${status ?? signal}`}); ` +
          "allowed: a command that prints a PEM and ends with 0; remedy: mend it and run again; what was issued before is kept",
      );
    }
    return stdout;
  }
}
