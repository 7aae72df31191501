import * as fs from "node:fs";
import * as path from "node:path";
import { parseBundle } from "../../constructs/client/bundle-text";
import { bundleAt, bundleTo, ConnectionBundle } from "../../constructs/client/connection-bundle";
import { renderBundle } from "../../constructs/client/formats";
import { describeFault } from "../../constructs/faults";
import { hostFault, parseHost } from "../../constructs/pki";
import { findBundles, FoundBundle, noteHandover } from "../bundles";
import { Files, writePrivateFiles } from "../private-files";
import { seal, SealedFor } from "../sealing";
import { passphrase, sealingPassphrase } from "../terminal";
import { UsageError } from "../usage-error";

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
    throw new UsageError("whose bundle? allowed: names of clients, or --all; remedy: give one of the two");
  }
  const { found, gap } = findBundles({
    stack,
    ...(!all && { clients: [...new Set(clients)] }),
    ...(broker !== undefined && { broker }),
  });
  const isSingle = !all && found.length === 1;
  if (!isSingle && out === undefined && options.json !== true) {
    const remedy = "name a folder by --out, where each gets one of its own";
    throw new UsageError(`these are ${found.length} bundles; remedy: ${remedy}`);
  }
  const handed = await handOver(found, options, isSingle);
  const whole = found.filter((_, index) => handed[index]?.isWhole === true);
  const parts = handed.filter(({ isWhole }) => !isWhole).map(({ client }) => client);
  const remarks = [
    ...(gap === undefined ? [] : [gap]),
    ...(note && parts.length > 0 ? [`not noted as handed over, because it is a part: ${parts.join(", ")}`] : []),
    ...(note ? noteHandover(stack, whole) : []),
  ];
  report(handed, options, isSingle, remarks);
  return gap === undefined ? 0 : 1;
}

/** The same from a bundle in a file, in JSON, without any app. */
export async function render(file: string, options: RenderOptions): Promise<number> {
  const text = fs.readFileSync(file === "-" ? 0 : file, "utf8").replace(/^\uFEFF/, "");
  const given = { bundle: parseBundle(text, file === "-" ? "standard input" : file), hosts: [], remarks: [] };
  report(await handOver([given], options, true), options, true, []);
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
  /** Whether all that the client proves itself and the broker with is in it. */
  readonly isWhole: boolean;
}

type Given = Pick<FoundBundle, "bundle" | "hosts" | "remarks"> & Partial<FoundBundle>;

/** Renders them all before any is written. */
async function handOver(all: readonly Given[], options: RenderOptions, isSingle: boolean): Promise<HandedOver[]> {
  const { out, force = false, json = false, format } = options;
  const sealedFor = await sealingOf(options);
  const keyStorePassphrase =
    options.keyStorePassphraseFile === undefined
      ? undefined
      : await passphrase("the passphrase of the key stores", options.keyStorePassphraseFile);
  const handed: HandedOver[] = [];
  for (const given of all) handed.push(await rendered(given, options, sealedFor, keyStorePassphrase));
  if (out === undefined) {
    const several = handed.find(({ files }) => files.size > 1);
    if (several !== undefined && !json) {
      const names = [...several.files.keys()].join(", ");
      throw new UsageError(
        `format ${format} has ${several.files.size} files: ${names}; remedy: name a folder by --out`,
      );
    }
    return handed;
  }
  const folderOf = ({ client }: HandedOver): string => (isSingle ? out : path.join(out, client));
  const folders = new Map(handed.map((one) => [folderOf(one), one.files]));
  // Made before those below it, so that it is the one that is kept out of version control.
  writePrivateFiles(isSingle ? folders : new Map([[out, new Map()], ...folders]), force);
  return handed.map((one) => ({
    ...one,
    paths: [...one.files.keys()].map((name) => path.join(folderOf(one), name)),
  }));
}

async function rendered(
  given: Given,
  { format, installedIn, ...options }: RenderOptions,
  sealedFor: SealedFor | undefined,
  keyStorePassphrase: string | undefined,
): Promise<HandedOver> {
  const { broker, source } = given;
  const { chosen, remarks } = choose(given, { format, ...options });
  refuseEnded(chosen);
  const client = chosen.client_id;
  const plain = renderBundle(chosen, format, {
    ...(installedIn !== undefined && { installedIn }),
    ...(keyStorePassphrase !== undefined && { passphrase: keyStorePassphrase }),
  });
  return {
    client,
    ...(broker !== undefined && { broker }),
    ...(source && { source }),
    files: sealedFor === undefined ? plain : await seal(client, plain, sealedFor),
    remarks: [...given.remarks, ...remarks, ...lackRemarks(chosen)],
    isWhole: CREDENTIAL_FIELDS.every((field) => given.bundle[field] === chosen[field]),
  };
}

const CREDENTIAL_FIELDS = ["ca_pem", "cert_pem", "key_pem", "username", "password"] as const;

/** The endpoint and host that were asked for. */
function choose(
  { bundle: whole, hosts }: Given,
  { port, host, serverName, format }: RenderOptions,
): { readonly chosen: ConnectionBundle; readonly remarks: readonly string[] } {
  for (const [what, value] of Object.entries({ "--host": host, "--server-name": serverName })) {
    const fault = value === undefined ? undefined : hostFault(what, value);
    if (fault !== undefined) throw new UsageError(describeFault(fault));
  }
  // JSON can tell all endpoints; what else reads a bundle connects to one.
  const base = format === "json" && port === undefined ? whole : bundleAt(whole, port);
  if (host === undefined && serverName === undefined) return { chosen: base, remarks: [] };
  if (base.server_name === undefined && serverName !== undefined) {
    const remedy = "leave it out";
    throw new UsageError(`--server-name ${serverName}: ${base.url} has no certificate to check; remedy: ${remedy}`);
  }
  const to = host === undefined ? base.host : parseHost(host).value;
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
  const chosen = bundleTo(base, to, checked ?? (hosts.includes(to) ? to : base.server_name));
  const isOther = chosen.server_name !== undefined && chosen.server_name !== to;
  const remark = `the server at ${to} is expected to prove that it is ${chosen.server_name}`;
  return { chosen, remarks: isOther ? [remark] : [] };
}

function refuseEnded({ expires_at: end, client_id: client }: ConnectionBundle): void {
  if (end === undefined || Date.parse(end) > Date.now()) return;
  throw new Error(`the certificate of ${client} ended ${end}, so it cannot connect; remedy: deploy, which renews it`);
}

/** Asked once for all. */
async function sealingOf(options: RenderOptions): Promise<SealedFor | undefined> {
  const { recipient: recipients = [], seal: isAsked = false, passphraseFile } = options;
  if (recipients.length > 0) {
    if (!isAsked && passphraseFile === undefined) return { recipients };
    throw new UsageError("--recipient and --seal exclude each other; remedy: seal it twice, in two files");
  }
  if (!isAsked && passphraseFile === undefined) return undefined;
  return { passphrase: await sealingPassphrase(passphraseFile) };
}

function lackRemarks(bundle: ConnectionBundle): string[] {
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
    const shown = handed.map(({ client, broker, source, files, paths, remarks: own }) => ({
      ...{ client, broker, source, format },
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
