import { createHash } from "node:crypto";
import { PASSWORD_FILE, VERSION_FILE } from "../client/client-connection";
import { bundleAt, ConnectionBundle } from "../client/connection-bundle";
import { pemFiles } from "../client/formats/pem-files";
import { ClientCredentials } from "../credentials";

/**
 * The files of a client for another container of the stack, by name, and one that names their version: Terraform keeps that
 * in its state, so it is made from nothing by which a password could be guessed faster than from its hash.
 */
export function clientFiles(bundle: ConnectionBundle, { password }: ClientCredentials): ReadonlyMap<string, string> {
  const first = bundleAt(bundle);
  const files = pemFiles(first);
  const version = [first.ca_pem, first.cert_pem, first.username === undefined ? undefined : password?.hash];
  if (first.password !== undefined) files.set(PASSWORD_FILE, first.password);
  files.set(VERSION_FILE, createHash("sha256").update(JSON.stringify(version)).digest("hex"));
  return files;
}
