import { ContainerUpload } from "@cdktf/provider-docker/lib/container";
import { Lazy, TerraformLocal } from "cdktf";
import { Construct } from "constructs";
import { createHash } from "node:crypto";
import { HEALTHCHECK_SCRIPT, PROBE_SCRIPT, RELOADER_SCRIPT, WRITER_SCRIPT } from "./scripts";
import { LOGGING_FILE } from "./conf/logging";
import { expression, literal, quoted } from "../terraform-text";

export interface BrokerSetProps {
  /** Folder of the material, relative to the stack's output folder. */
  readonly materialFolder: string;
  /** Files of the set that are in the material folder. */
  readonly materialFiles: readonly string[];
  /** Files of the material that only the rehearsal of a set needs. */
  readonly rehearsalFiles: readonly string[];
  readonly conf: string;
  /** What else the broker's container is made from, at whose change it is replaced although mosquitto.conf is the same. */
  readonly containerInputs: readonly string[];
  readonly loggingConf: string;
  /** Renders the access control list; asked at synth, when every client is declared. */
  readonly accessControlList: () => string;
}

const SCRIPTS: readonly (readonly [name: string, text: string])[] = [
  ["reloader.sh", RELOADER_SCRIPT],
  ["healthcheck.sh", HEALTHCHECK_SCRIPT],
  ["probe.sh", PROBE_SCRIPT],
];

/**
 * The files that a broker runs on, as one unit with one name: the hash of all of them. Secret ones are named by path
 * and hashed by Terraform at plan; the others stand in the config, for a reviewer to read.
 */
export class BrokerSet {
  /** Name of mosquitto.conf: a hash of all with which the broker's container is replaced, so that a writer knows that it is. */
  readonly confHash: string;
  /** Hash of everything, computed by Terraform. */
  readonly hash: string;
  readonly fileNames: readonly string[];

  constructor(
    scope: Construct,
    private readonly props: BrokerSetProps,
  ) {
    this.confHash = sha256([props.conf, ...props.containerInputs].join("\n")).slice(0, 16);
    this.fileNames = [...props.materialFiles, "acl", LOGGING_FILE, ...SCRIPTS.map(([name]) => name)];
    const parts = Lazy.stringValue({
      produce: () => {
        const declared = sha256(
          [this.confHash, props.accessControlList(), props.loggingConf, WRITER_SCRIPT, ...SCRIPTS.flat()].join("\n"),
        );
        const hashes = [quoted(declared), ...props.materialFiles.map((file) => this.fileHash(file))];
        return expression(`substr(sha256(join(" ", [${hashes.join(", ")}])), 0, 16)`);
      },
    });
    this.hash = new TerraformLocal(scope, "set", parts).asString;
  }

  /** The files that are declared and hold no secret, by name. */
  declaredFiles(): ReadonlyMap<string, string> {
    const { conf, accessControlList, loggingConf } = this.props;
    return new Map([["mosquitto.conf", conf], [LOGGING_FILE, loggingConf], ["acl", accessControlList()], ...SCRIPTS]);
  }

  /** The uploads that bring every file of the set, and mosquitto.conf, into a folder of a container. */
  uploads(folder: string): ContainerUpload[] {
    const accessControlList = Lazy.stringValue({ produce: () => literal(this.props.accessControlList()) });
    const contents: [string, string][] = [
      ["mosquitto.conf", literal(this.props.conf)],
      [LOGGING_FILE, literal(this.props.loggingConf)],
      ["acl", accessControlList],
      ...SCRIPTS.map(([name, text]): [string, string] => [name, literal(text)]),
    ];
    return [
      ...contents.map(([name, content]) => ({ file: `${folder}/${name}`, content, permissions: "0600" })),
      ...[...this.props.materialFiles, ...this.props.rehearsalFiles].map((name) => ({
        file: `${folder}/${name}`,
        source: `\${path.module}/${this.props.materialFolder}/${name}`,
        sourceHash: expression(this.fileHash(name)),
        permissions: "0600",
      })),
    ];
  }

  /** Terraform's expression for the hash of a file of the material. */
  fileHash(name: string): string {
    const path = `"\${path.module}/${this.props.materialFolder}/${name}"`;
    return `fileexists(${path}) ? filesha256(${path}) : "absent"`;
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
