import { VERIFY_CLIENT_NAME } from "../access";
import { ClientRecord, Credentials } from "../credentials";

/** A certificate with its key, as PEM. */
export interface VerificationCertificate {
  readonly cert_pem: string;
  readonly key_pem: string;
}

/**
 * What the command `verify` connects with: an identity that no device has, so that none loses its session to it, and
 * certificates that every broker must refuse.
 */
export interface Verification {
  readonly client_id: string;
  /** Absent, as the two below, where no listener asks for certificates, or no authority of clients signs here. */
  readonly certificate?: VerificationCertificate;
  readonly revoked?: VerificationCertificate;
  readonly expired?: VerificationCertificate;
  /** Absent where no listener asks for a password. */
  readonly password?: string;
  /** It alone may be published to, and received from. */
  readonly topic: string;
}

/** Begins with $, so that a declared client with the filter `#` does not see it. */
export const VERIFY_TOPIC = "$cdktf-mosquitto/verify";

export function verificationOf({ clients, canaries }: Credentials): Verification {
  const { certificate, password } = clients.get(VERIFY_CLIENT_NAME) ?? {};
  return {
    client_id: VERIFY_CLIENT_NAME,
    ...(certificate && { certificate: withKey(certificate) }),
    ...(canaries && { revoked: withKey(canaries.revoked), expired: withKey(canaries.expired) }),
    ...(password?.value !== undefined && { password: password.value }),
    topic: VERIFY_TOPIC,
  };
}

function withKey({ certificatePem, privateKeyPem = "" }: ClientRecord): VerificationCertificate {
  return { cert_pem: certificatePem, key_pem: privateKeyPem };
}
