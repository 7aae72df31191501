import { Fault } from "../../faults";
import { KeyAlgorithm } from "../../pki";
import { choiceFaults } from "../../value-faults";

/** The lowest TLS that a listener accepts, as `tls_version` of mosquitto.conf(5) names it. */
export type TlsVersion = "tlsv1.2" | "tlsv1.3";

const TLS_VERSIONS: readonly string[] = ["tlsv1.2", "tlsv1.3"];

/**
 * Cipher suites of TLS 1.2 with forward secrecy and authenticated encryption, the strongest kind first (RFC 9325 section
 * 4.2). Each works with one kind of server key.
 */
const CIPHERS: readonly string[] = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
];

/** For small devices, only where they are asked for. */
const CCM_CIPHERS: readonly string[] = ["ECDHE-ECDSA-AES128-CCM", "ECDHE-ECDSA-AES256-CCM"];

/** For old devices, only where they are asked for, and with a warning: no forward secrecy, or no authenticated mode. */
const OLD_CIPHERS: readonly string[] = [
  "ECDHE-ECDSA-AES128-SHA256",
  "ECDHE-RSA-AES128-SHA256",
  "ECDHE-ECDSA-AES256-SHA384",
  "ECDHE-RSA-AES256-SHA384",
  "AES128-GCM-SHA256",
  "AES256-GCM-SHA384",
];

/** Cipher suites of TLS 1.3 (RFC 8446 section B.4); all but the last are on by default in OpenSSL. */
const CIPHERS_TLS13: readonly string[] = [
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_128_CCM_SHA256",
];

const REMEDY = "take one of these, or leave the list out; suites of TLS 1.3 have a list of their own";

export interface TlsOptions {
  /**
   * The lowest TLS that is accepted (`tls_version`). Devices with an old mbedTLS know no TLS 1.3. Changed, the container
   * is replaced.
   *
   * @default "tlsv1.2"
   */
  readonly tlsVersion?: TlsVersion;

  /**
   * Cipher suites of TLS 1.2 by OpenSSL's names (`ciphers`). Beside the default's, `ECDHE-ECDSA-AES128-CCM` and
   * `ECDHE-ECDSA-AES256-CCM` for small devices; with a warning, ECDHE with AES-CBC and SHA-256 or SHA-384, and
   * `AES128-GCM-SHA256` and `AES256-GCM-SHA384` for devices without elliptic curves. At least one must fit the server's
   * key. Changed, the container is replaced.
   *
   * @default - AES-GCM and ChaCha20-Poly1305 with ECDHE
   */
  readonly ciphers?: readonly string[];

  /**
   * Cipher suites of TLS 1.3 (`ciphers_tls1.3`). Changed, the container is replaced.
   *
   * @default - OpenSSL's
   */
  readonly ciphersTls13?: readonly string[];
}

/** The lines of a listener for its TLS, beside those of its certificates. */
export function renderTls({ tlsVersion = "tlsv1.2", ciphers = CIPHERS, ciphersTls13 }: TlsOptions): readonly string[] {
  return [
    `tls_version ${tlsVersion}`,
    // Mosquitto's own default has suites without forward secrecy.
    ...(tlsVersion === "tlsv1.2" ? [`ciphers ${ciphers.join(":")}`] : []),
    ...(ciphersTls13 ? [`ciphers_tls1.3 ${ciphersTls13.join(":")}`] : []),
  ];
}

/** What is wrong with a listener's TLS. */
export function tlsFaults(what: string, options: TlsOptions, serverKey: KeyAlgorithm): Fault[] {
  const { tlsVersion = "tlsv1.2", ciphers, ciphersTls13 } = options;
  const faults: Fault[] = [];
  if (!TLS_VERSIONS.includes(tlsVersion)) {
    faults.push({
      what: `${what}.tlsVersion`,
      value: tlsVersion,
      allowed: TLS_VERSIONS.join(" or "),
      remedy: "leave it out for tlsv1.2, which lets TLS 1.3 in as well",
    });
  }
  if (ciphers !== undefined) {
    const name = `${what}.ciphers`;
    const before = faults.length;
    faults.push(...choiceFaults(name, ciphers, [...CIPHERS, ...CCM_CIPHERS, ...OLD_CIPHERS], REMEDY));
    const isOfOtherKey = serverKey.parameters.type === "rsa" ? /-ECDSA-/ : /-RSA-|^AES/;
    if (tlsVersion === "tlsv1.3") {
      faults.push({
        what: name,
        value: ciphers,
        allowed: "no such list where tlsVersion is tlsv1.3, which has suites of its own",
        remedy: "name them in ciphersTls13",
      });
    } else if (faults.length === before && ciphers.every((cipher) => isOfOtherKey.test(cipher))) {
      faults.push({
        what: name,
        value: ciphers,
        allowed: `a suite that fits the server's key, which is ${serverKey.id}`,
        remedy: "add one, or no client could connect over TLS 1.2",
      });
    }
  }
  faults.push(...choiceFaults(`${what}.ciphersTls13`, ciphersTls13, CIPHERS_TLS13, REMEDY));
  return faults;
}

/** What is allowed, and weaker than need be. */
export function tlsWarnings(what: string, { ciphers = [] }: TlsOptions): string[] {
  return ciphers
    .filter((cipher) => OLD_CIPHERS.includes(cipher))
    .map((cipher) => {
      const weakness = cipher.startsWith("AES") ? "no forward secrecy" : "no authenticated encryption";
      return `${what}.ciphers: ${cipher} has ${weakness}; leave it out once no device needs it`;
    });
}
