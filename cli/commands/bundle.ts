import * as fs from "node:fs";
import * as path from "node:path";
import { parseBundle } from "../../constructs/client/bundle-text";
import { bundleAt, bundleTo, ConnectionBundle } from "../../constructs/client/connection-bundle";
import { renderBundle } from "../../constructs/client/formats";
import { hostFault, parseHost } from "../../constructs/pki";
import { describeFault } from "../../constructs/faults";
import { findBundles, FoundBundle, noteHandover } from "../bundles";
import { Files, writePrivateFiles } from "../private-files";
import { seal, SealedFor } from "../sealing";
import { passphrase } from "../terminal";

/** How a bundle is to be handed over. */
export interface RenderOptions {
  readonly format: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly port?: number;
  readonly host?: string;
  readonly serverName?: string;
  readonly installedIn?: string;
  readonly keyStorePassphraseFile?: string;
  readonly seal?: boolean;
  readonly passphraseFile?: string;
  readonly recipient?: readonly string[];
  readonly json?: boolean;
}

export interface BundleOptions extends RenderOptions {
  readonly all?: boolean;
  readonly broker?: string;
  readonly note: boolean;
}

/**
 * Hands over clients' bundles in the words of the software that reads them; those of several each in a folder of its own.
 */
export async function bundle(stack: string, clients: readonly string[], options: BundleOptions): Promise<number> {
  const { all = false, broker, note, out } = options;
  if (all === clients.length > 0) {
    throw new Error("whose bundle? allowed: names of clients, or --all; remedy: give one of the two");
  }
  const { found, remarks } = findBundles({
    stack,
    ...(!all && { clients: [...new Set(clients)] }),
    ...(broker !== undefined && { broker }),
  });
  const isSingle = !all && found.length === 1;
  if (!isSingle && out === undefined && options.json !== true) {
    throw new Error(
      `these are ${found.length} bundles; remedy: name a folder by --out, where each gets one of its own`,
    );
  }
  const sealedFor = await sealingOf(options);
  const handed: HandedOver[] = [];
  for (const one of found) {
    const folder = isSingle || out === undefined ? out : path.join(out, one.bundle.client_id);
    handed.push(await handOver(one, { ...options, ...(folder !== undefined && { out: folder }) }, sealedFor));
  }
  const problems = note ? noteHandover(stack, found) : [];
  report(handed, options, isSingle, [...remarks, ...problems]);
  return 0;
}

/** The same from a bundle in a file, in JSON, without any app. */
export async function render(file: string, options: RenderOptions): Promise<number> {
  const text = fs.readFileSync(file === "-" ? 0 : file, "utf8");
  const given = { bundle: parseBundle(text, file === "-" ? "standard input" : file), hosts: [] };
  report([await handOver(given, options, await sealingOf(options))], options, true, []);
  return 0;
}

interface HandedOver {
  readonly client: string;
  /** Of a bundle that was found. */
  readonly broker?: string;
  readonly source?: FoundBundle["source"];
  readonly files: Files;
  /** Where they were written; on standard output otherwise. */
  readonly paths?: readonly string[];
  readonly remarks: readonly string[];
}

type Given = Pick<FoundBundle, "bundle" | "hosts"> & Partial<FoundBundle>;

async function handOver(given: Given, options: RenderOptions, sealedFor: SealedFor | undefined): Promise<HandedOver> {
  const { broker, source } = given;
  const chosen = choose(given.bundle, given.hosts, options);
  refuseEnded(chosen);
  const { installedIn, keyStorePassphraseFile, out, force = false, format } = options;
  const rendered = renderBundle(chosen, format, {
    ...(installedIn !== undefined && { installedIn }),
    ...(keyStorePassphraseFile !== undefined && {
      passphrase: await passphrase("the passphrase of the key stores", keyStorePassphraseFile, true),
    }),
  });
  const client = chosen.client_id;
  const files = sealedFor === undefined ? rendered : await seal(client, rendered, sealedFor);
  const handed = {
    client,
    ...(broker !== undefined && { broker }),
    ...(source && { source }),
    files,
    remarks: remarksOf(chosen),
  };
  if (out !== undefined) return { ...handed, paths: writePrivateFiles(out, files, force) };
  if (options.json !== true && files.size > 1) {
    const names = [...files.keys()].join(", ");
    throw new Error(`format ${format} has ${files.size} files: ${names}; remedy: name a folder by --out`);
  }
  return handed;
}

/** The endpoint and host that were asked for. */
function choose(whole: ConnectionBundle, hosts: readonly string[], options: RenderOptions): ConnectionBundle {
  const { port, host, serverName, format } = options;
  // JSON can tell all endpoints; what else reads a bundle connects to one.
  if (format === "json" && port === undefined && host === undefined && serverName === undefined) return whole;
  const single = bundleAt(whole, port);
  for (const [what, value] of Object.entries({ "--host": host, "--server-name": serverName })) {
    const fault = value === undefined ? undefined : hostFault(what, value);
    if (fault !== undefined) throw new Error(describeFault(fault));
  }
  const to = host === undefined ? single.host : parseHost(host).value;
  const checked = serverName === undefined ? undefined : parseHost(serverName).value;
  if (checked !== undefined && hosts.length > 0 && !hosts.includes(checked)) {
    throw new Error(
      describeFault({
        what: "--server-name",
        value: checked,
        allowed: `what the server's certificate names: ${hosts.join(", ")}`,
        remedy: "take one of them, or add it to the broker's hosts and deploy",
      }),
    );
  }
  return bundleTo(single, to, checked ?? (hosts.includes(to) ? to : single.server_name));
}

function refuseEnded({ expires_at: end, client_id: client }: ConnectionBundle): void {
  if (end === undefined || Date.parse(end) > Date.now()) return;
  throw new Error(`the certificate of ${client} ended ${end}, so it cannot connect; remedy: deploy, which renews it`);
}

/** Asked once for all. */
async function sealingOf(options: RenderOptions): Promise<SealedFor | undefined> {
  const { recipient: recipients = [], seal: isAsked = false, passphraseFile } = options;
  if (recipients.length > 0) return { recipients };
  if (!isAsked && passphraseFile === undefined) return undefined;
  return { passphrase: await passphrase("a passphrase for the bundle", passphraseFile, true) };
}

function remarksOf(bundle: ConnectionBundle): string[] {
  return [
    ...(bundle.cert_pem !== undefined && bundle.key_pem === undefined
      ? [`${bundle.client_id} keeps its key to itself: it has to add it`]
      : []),
    ...(bundle.username !== undefined && bundle.password === undefined
      ? [`only ${bundle.client_id} knows its password: it has to add it`]
      : []),
  ];
}

function report(
  handed: readonly HandedOver[],
  { json, format }: RenderOptions,
  isSingle: boolean,
  remarks: readonly string[],
): void {
  if (json === true) {
    const shown = handed.map(({ files, paths, remarks: own, ...rest }) => ({
      ...rest,
      format,
      files: paths ?? [...files].map(([name, content]) => ({ name, content: contentOf(content) })),
      remarks: isSingle ? [...own, ...remarks] : own,
    }));
    const all = isSingle ? shown[0] : { bundles: shown, remarks };
    process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
    return;
  }
  for (const remark of [...handed.flatMap((one) => one.remarks), ...remarks]) process.stderr.write(`${remark}\n`);
  for (const { files, paths } of handed) {
    if (paths !== undefined) process.stdout.write(paths.map((file) => `${file}\n`).join(""));
    else for (const content of files.values()) process.stdout.write(content);
  }
}

/** As it is where it is text, else in base64. */
function contentOf(content: string | Uint8Array): string | { base64: string } {
  return typeof content === "string" ? content : { base64: Buffer.from(content).toString("base64") };
}
