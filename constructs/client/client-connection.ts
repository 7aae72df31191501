import * as path from "node:path";
import type { Container, ContainerNetworksAdvanced, ContainerUpload } from "@cdktf/provider-docker/lib/container";
import { describeFault, Fault } from "../faults";
import { expression } from "../terraform-text";
import { optionsFault, tokenFault } from "../value-faults";
import { ConnectionEndpoint, endpointUrl, usesTls } from "./connection-bundle";
import { CA_FILE, CERTIFICATE_FILE, KEY_FILE } from "./formats/pem-files";

/** Where a client's files go in a container, if nothing else is said. */
const DIRECTORY = "/run/mqtt";
export const PASSWORD_FILE = "password";
/** Changes with any of the client's files; from a hash of a file, its password could be guessed. */
export const VERSION_FILE = "version";

export interface UploadOptions {
  /**
   * Permissions of the files. Docker gives them to root, so a process of another user can only read them as one of all.
   *
   * @default "0444"
   */
  readonly permissions?: string;
}

/** A client, as far as another container of the stack needs it to connect. */
export interface ConnectedClient {
  readonly name: string;
  /** Where it connects to. */
  readonly endpoint: ConnectionEndpoint;
  readonly serverName: string;
  /** Names of its files, of those that `uploads` knows. */
  readonly fileNames: readonly string[];
  /** Folder of its files, relative to the stack's output folder. */
  readonly materialFolder: string;
  readonly networkName: string;
  /** What keeps another container from reaching the broker by this endpoint. */
  readonly reachFault: (endpoint: ConnectionEndpoint) => Fault | undefined;
}

/**
 * All that another container of the same stack needs to connect as this client: files, variables and network. No secret
 * is in the synthesized config or in the state.
 */
export class ClientConnection {
  private readonly uploadedTo = new Set<string>();
  private readonly namedIn = new Set<string>();

  constructor(private readonly client: ConnectedClient) {}

  /** Whether its files are wanted beside the config. */
  get isUploaded(): boolean {
    return this.uploadedTo.size > 0;
  }

  /**
   * The uploads that bring the client's files into a container: `ca.crt`, `client.crt`, `client.key` and `password`, those
   * that count. When one changes, Terraform replaces that container.
   *
   * @param directory where they go: an absolute path, on no read-only file system. @default "/run/mqtt"
   * @throws {Error} for a directory that is none, or a host that no other container reaches
   */
  uploads(directory = DIRECTORY, options: UploadOptions = {}): ContainerUpload[] {
    this.refuse([...directoryFaults(directory), ...permissionFaults(options)]);
    this.uploadedTo.add(path.posix.resolve(directory));
    const { materialFolder } = this.client;
    const version = `"\${path.module}/${materialFolder}/${VERSION_FILE}"`;
    return this.client.fileNames.map((name) => ({
      file: path.posix.join(directory, name),
      source: `\${path.module}/${materialFolder}/${name}`,
      sourceHash: expression(`fileexists(${version}) ? file(${version}) : "absent"`),
      permissions: options.permissions ?? "0444",
    }));
  }

  /**
   * Variables `NAME=value` that tell where to connect: `HOST`, `PORT`, `PROTOCOL`, `URL`, `SERVER_NAME`, `CLIENT_ID`,
   * `USERNAME`, and the paths `CA_FILE`, `CERT_FILE`, `KEY_FILE`, `PASSWORD_FILE` of the uploaded files; those that count.
   *
   * @param prefix put before each name. @default "MQTT_"
   * @param directory that of `uploads`. @default "/run/mqtt"
   * @throws {Error} for a prefix or directory that is none, or a host that no other container reaches
   */
  environment(prefix = "MQTT_", directory = DIRECTORY): string[] {
    this.refuse([...prefixFaults(prefix), ...directoryFaults(directory)]);
    const { endpoint, serverName, name, fileNames } = this.client;
    if (fileNames.length > 0) this.namedIn.add(path.posix.resolve(directory));
    const files = Object.entries(FILE_VARIABLES).filter(([, file]) => fileNames.includes(file));
    const variables: [string, string | number | undefined][] = [
      ["HOST", endpoint.host],
      ["PORT", endpoint.port],
      ["PROTOCOL", endpoint.protocol],
      ["URL", endpointUrl(endpoint)],
      ["SERVER_NAME", usesTls(endpoint) ? serverName : undefined],
      ["CLIENT_ID", name],
      ["USERNAME", endpoint.authentication === "certificate" ? undefined : name],
      ...files.map(([variable, file]): [string, string] => [variable, path.posix.join(directory, file)]),
    ];
    return variables.flatMap(([variable, value]) => (value === undefined ? [] : [`${prefix}${variable}=${value}`]));
  }

  /**
   * The network on which the broker answers to its host names, for the container's `networksAdvanced`.
   *
   * @throws {Error} for a host that no other container reaches
   */
  networks(): ContainerNetworksAdvanced[] {
    this.refuse([]);
    return [{ name: this.client.networkName }];
  }

  /**
   * What does not fit together, known when everything is declared.
   *
   * @param others containers of other stacks of the app
   */
  validate(others: readonly Container[]): string[] {
    const prefix = `\${path.module}/${this.client.materialFolder}/`;
    const foreign = others.filter(({ uploadInput }) =>
      (Array.isArray(uploadInput) ? uploadInput : []).some(({ source = "" }) => source.startsWith(prefix)),
    );
    return [...foreign.map(({ node }) => this.foreignFault(node.path)), ...this.missingUploads()];
  }

  private foreignFault(container: string): string {
    return describeFault({
      what: `uploads() of client ${this.client.name} in another stack`,
      value: container,
      allowed: "containers of the broker's own stack, beside whose config the files are",
      remedy: "take the output connection_CLIENT there, as examples/containers does",
    });
  }

  private missingUploads(): string[] {
    const missing = [...this.namedIn].filter((directory) => !this.uploadedTo.has(directory));
    return missing.map((directory) =>
      describeFault({
        what: `environment() of client ${this.client.name} names files in`,
        value: directory,
        allowed: `a directory of its uploads(): ${[...this.uploadedTo].join(", ") || "there are none"}`,
        remedy: "give both the same directory, and the container both",
      }),
    );
  }

  private refuse(faults: readonly Fault[]): void {
    const unreachable = this.client.reachFault(this.client.endpoint);
    const all = [...faults, ...(unreachable === undefined ? [] : [unreachable])];
    if (all.length > 0) {
      throw new Error(
        all.map((fault) => `connection of client ${this.client.name}: ${describeFault(fault)}`).join("\n"),
      );
    }
  }
}

const FILE_VARIABLES: Readonly<Record<string, string>> = {
  CA_FILE: CA_FILE,
  CERT_FILE: CERTIFICATE_FILE,
  KEY_FILE: KEY_FILE,
  PASSWORD_FILE: PASSWORD_FILE,
};

function directoryFaults(directory: unknown): Fault[] {
  const fault = tokenFault("the directory", directory);
  if (fault !== undefined) return [fault];
  const isPath = typeof directory === "string" && /^\/[^\p{Cc}"'$%\\]*$/u.test(directory);
  if (isPath && !directory.split("/").includes("..")) return [];
  return [
    {
      what: "the directory",
      value: directory,
      allowed: "an absolute path in the container, without .., quotes, $, % and \\",
      remedy: `leave it out for ${DIRECTORY}`,
    },
  ];
}

function prefixFaults(prefix: unknown): Fault[] {
  const fault = tokenFault("the prefix", prefix);
  if (fault !== undefined) return [fault];
  if (typeof prefix === "string" && /^([A-Za-z_][A-Za-z0-9_]*)?$/.test(prefix)) return [];
  return [
    {
      what: "the prefix",
      value: prefix,
      allowed: "letters, digits and _, the first no digit, as environment variables have them",
      remedy: "leave it out for MQTT_",
    },
  ];
}

function permissionFaults(options: UploadOptions): Fault[] {
  const fault = optionsFault("options", options);
  if (fault !== undefined) return [fault];
  const value: unknown = options.permissions;
  if (value === undefined || (typeof value === "string" && /^0?[0-7]{3}$/.test(value))) return [];
  return [{ what: "permissions", value, allowed: 'octal digits, such as "0400"', remedy: 'leave it out for "0444"' }];
}
