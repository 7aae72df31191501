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

/** What is in none of the PEM files: where to connect, and what else the client shows. */
export function detailsFile(bundle: ConnectionBundle): [name: string, content: string] {
  const details = Object.entries(bundle).filter(([field]) => !["ca_pem", "cert_pem", "key_pem"].includes(field));
  return ["connection.json", `${JSON.stringify(Object.fromEntries(details), null, 2)}\n`];
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
