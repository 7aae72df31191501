import { Fault } from "../../faults";
import { ConnectionBundle, usesWebSockets } from "../connection-bundle";

/** The files of a rendered bundle, by name; a name has no folder. Each may be secret. */
export type BundleFiles = ReadonlyMap<string, string | Buffer>;

export interface FormatOptions {
  /**
   * Folder that the files will be in where they are read, for formats that name files by path.
   *
   * @default - the format's own
   */
  readonly installedIn?: string;

  /**
   * Passphrase of key stores, for formats that have one.
   *
   * @default - one with 192 random bits, in a file beside
   */
  readonly passphrase?: string;
}

/** What a bundle may be like to be read in a format. */
export interface FormatAbilities {
  /** Whether its reader connects over WebSockets. */
  readonly webSockets: boolean;
  /** Whether its reader can check the server's certificate against another name than the host it connects to. */
  readonly otherServerName: boolean;
  /** Whether it is of use to a client that keeps its key to itself, and adds it. */
  readonly withoutKey: boolean;
}

/** One form of a connection bundle, in the words of the software that reads it. */
export interface BundleFormat {
  /** In lower case, as the command line takes it. */
  readonly name: string;
  /** What reads it, as a phrase. */
  readonly readBy: string;
  readonly abilities: FormatAbilities;
  /** Options that change it. @default - none */
  readonly options?: readonly (keyof FormatOptions)[];
  /** What else keeps a bundle from being read in it, in the words of this format. */
  readonly faults?: (bundle: ConnectionBundle) => readonly Fault[];
  /** @param bundle one that leads to a single endpoint and that `formatFaults` finds nothing wrong with */
  readonly render: (bundle: ConnectionBundle, options: FormatOptions) => BundleFiles;
}

/** Why a bundle of one endpoint cannot be read in a format. */
export function formatFaults(format: BundleFormat, bundle: ConnectionBundle, given: FormatOptions = {}): Fault[] {
  const { name, abilities, readBy, options = [] } = format;
  const faults: Fault[] = [];
  if (!abilities.webSockets && usesWebSockets(bundle)) {
    faults.push({
      what: `format ${name}`,
      value: bundle.url,
      allowed: `an endpoint without WebSockets, because it is read by ${readBy}`,
      remedy: "choose another endpoint by its port, or another format",
    });
  }
  if (!abilities.otherServerName && bundle.server_name !== undefined && bundle.server_name !== bundle.host) {
    faults.push({
      what: `format ${name}`,
      value: `host ${bundle.host}, server name ${bundle.server_name}`,
      allowed: `the same host and server name, because the server's certificate is checked against the host by ${readBy}`,
      remedy: "connect to a host that is in the server's certificate, or choose another format",
    });
  }
  if (!abilities.withoutKey && bundle.cert_pem !== undefined && bundle.key_pem === undefined) {
    faults.push({
      what: `format ${name}`,
      value: "a bundle without the key of its certificate",
      allowed: "bundles with a key, because it holds certificate and key together",
      remedy: "choose a format with PEM files, and put the client's own key beside them",
    });
  }
  for (const option of Object.keys(given) as (keyof FormatOptions)[]) {
    if (options.includes(option)) continue;
    const what = { installedIn: "the folder that files are installed in", passphrase: "the passphrase of key stores" };
    faults.push({
      what: what[option],
      allowed: `it for formats that have a use for it, and ${name} has none`,
      remedy: "leave it out, or choose another format",
    });
  }
  return [...faults, ...(format.faults?.(bundle) ?? [])];
}
