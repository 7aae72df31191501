import * as path from "node:path";
import { ConnectionBundle } from "../connection-bundle";

export const CA_FILE = "ca.crt";
export const CERTIFICATE_FILE = "client.crt";
export const KEY_FILE = "client.key";

/** The PEM files of a bundle: those that it has. A client that keeps its key puts it beside them. */
export function pemFiles({ ca_pem: ca, cert_pem: certificate, key_pem: key }: ConnectionBundle): Map<string, string> {
  const files: [string, string | undefined][] = [
    [CA_FILE, ca],
    [CERTIFICATE_FILE, certificate],
    [KEY_FILE, key],
  ];
  return new Map(files.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** Where a client finds its PEM files, those that count for it; the key's also where it keeps that itself. */
export interface PemPaths {
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
}

/** @param folder where the files will be read; left out for names without a folder */
export function pemPaths(bundle: ConnectionBundle, folder?: string): PemPaths {
  const at = (name: string): string => (folder === undefined ? name : path.posix.join(folder, name));
  return {
    ...(bundle.ca_pem !== undefined && { ca: at(CA_FILE) }),
    ...(bundle.cert_pem !== undefined && { certificate: at(CERTIFICATE_FILE), key: at(KEY_FILE) }),
  };
}
