import type { IssuedCertificate } from "../../constructs/pki";
import { mustRun } from "../support/command";
import { Scratch } from "../pki/support";

/** What the openssl command is to sign, whether or not anyone should accept it. */
export interface Wish {
  readonly commonName: string;
  /** What stands before it in the subject, such as `/O=Plant`. */
  readonly organization?: string;
  /** Private key of the subject. */
  readonly keyPem: string;
  /** Whoever signs; the subject itself where it is left out. */
  readonly signer?: Pick<IssuedCertificate, "certificatePem" | "privateKeyPem">;
  /** Lines of an extension section. */
  readonly extensions: readonly string[];
  /** Decimal, or hex after `0x`. */
  readonly serial?: string;
}

export async function signedByOpenssl(wish: Wish): Promise<string> {
  const scratch = new Scratch();
  try {
    const key = scratch.write("key.pem", wish.keyPem);
    const subject = ["-new", "-key", key, "-utf8", "-subj", `${wish.organization ?? ""}/CN=${wish.commonName}`];
    const request = scratch.write("request.pem", await mustRun("openssl", ["req", ...subject, "-config", "/dev/null"]));
    const options = ["-req", "-in", request, "-days", "30", "-set_serial", wish.serial ?? "1234"];
    options.push("-extfile", scratch.write("extensions", wish.extensions.join("\n")));
    if (wish.signer === undefined) options.push("-signkey", key);
    else {
      options.push("-CA", scratch.write("ca.pem", wish.signer.certificatePem));
      options.push("-CAkey", scratch.write("ca.key", wish.signer.privateKeyPem));
    }
    return await mustRun("openssl", ["x509", ...options]);
  } finally {
    scratch.remove();
  }
}

/**
 * A private key as PKCS#8.
 *
 * @param form of the point of an elliptic curve key, such as `compressed`
 */
export async function newKey(options: readonly string[], form?: string): Promise<string> {
  const key = await mustRun("openssl", ["genpkey", ...options]);
  if (form === undefined) return key;
  const converted = await mustRun("openssl", ["ec", "-conv_form", form], { input: key });
  return mustRun("openssl", ["pkey"], { input: converted });
}

export const curve = (name: string): string[] => ["-algorithm", "EC", "-pkeyopt", `ec_paramgen_curve:${name}`];
export const rsa = (bits: number): string[] => ["-algorithm", "RSA", "-pkeyopt", `rsa_keygen_bits:${bits}`];
/** Parameters of the curve written out, where its name should stand. */
export const explicit = (name: string): string[] => [...curve(name), "-pkeyopt", "ec_param_enc:explicit"];
/** An exponent of 65 bits. */
export const longExponent = (bits: number): string[] => [
  ...rsa(bits),
  "-pkeyopt",
  "rsa_keygen_pubexp:18446744073709551629",
];
