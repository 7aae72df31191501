import { generatePassword } from "../../access";
import { describeFault, type Fault } from "../../faults";
import { passphraseFault, pkcs12KeyStore, pkcs12TrustStore, type Pkcs12ProfileName } from "../../pki";
import { ConnectionBundle } from "../connection-bundle";
import { BundleFormat, FormatOptions } from "./format";
import { CA_FILE, detailsFile } from "./pem-files";

export const KEY_STORE_FILE = "client.p12";
export const TRUST_STORE_FILE = "truststore.p12";
const PASSPHRASE_FILE = "passphrase.txt";

export interface KeyStores {
  readonly files: ReadonlyMap<string, Buffer>;
  /**
   * The one of both stores, where it was generated. Who gave one hands it over by another way: beside the stores it
   * would open them to whoever finds them.
   */
  readonly generatedPassphrase?: string;
}

/**
 * The key store of a bundle's certificate and the trust store of its roots, as far as it has them.
 *
 * @throws {Error} if a passphrase is given that is not fit
 */
export function keyStores(
  { client_id: name, ca_pem: ca, cert_pem: certificate, key_pem: key }: ConnectionBundle,
  { passphrase: given }: FormatOptions,
  profile: Pkcs12ProfileName,
): KeyStores {
  const fault = given === undefined ? undefined : passphraseFault("the passphrase", given);
  if (fault !== undefined) throw new Error(describeFault(fault));
  const passphrase = given ?? generatePassword();
  const protection = { passphrase, profile };
  const files = new Map<string, Buffer>();
  if (certificate !== undefined && key !== undefined) {
    const entry = { friendlyName: name, privateKeyPem: key, certificatesPem: certificate };
    files.set(KEY_STORE_FILE, pkcs12KeyStore(entry, protection));
  }
  if (ca !== undefined) files.set(TRUST_STORE_FILE, pkcs12TrustStore(ca, protection));
  return { files, ...(given === undefined && { generatedPassphrase: passphrase }) };
}

/** The key stores, and beside them what is typed into the program that imports them. */
export function keyStoreFormat(name: string, readBy: string, profile: Pkcs12ProfileName): BundleFormat {
  return {
    name,
    readBy,
    // What is beside them is for a person.
    abilities: { webSockets: true, otherServerName: true, withoutKey: false },
    options: ["passphrase"],
    faults: ({ ca_pem: ca, cert_pem: certificate, url }) => ((ca ?? certificate) ? [] : [nothingToKeep(name, url)]),
    render(bundle, options) {
      const { files, generatedPassphrase } = keyStores(bundle, options, profile);
      return new Map<string, string | Buffer>([
        ...files,
        detailsFile(bundle),
        ...(bundle.ca_pem === undefined ? [] : [[CA_FILE, bundle.ca_pem] as const]),
        ...(generatedPassphrase === undefined ? [] : [[PASSPHRASE_FILE, `${generatedPassphrase}\n`] as const]),
      ]);
    },
  };
}

function nothingToKeep(name: string, url: string): Fault {
  return {
    what: `format ${name}`,
    value: url,
    allowed: "bundles with a certificate, because key stores hold nothing else",
    remedy: "choose an endpoint with TLS, or another format",
  };
}
