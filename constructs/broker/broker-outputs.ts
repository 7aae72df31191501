import { TerraformOutput, TerraformStack } from "cdktf";
import { Construct, IConstruct } from "constructs";
import { ConnectionEndpoint, endpointUrl, SECRET_FIELDS } from "../client/connection-bundle";
import { ConnectionOutputs } from "../client/connection-outputs";
import { Fault } from "../faults";
import { tokenFault } from "../value-faults";
import type { TlsVersion } from "./conf/tls";
import { CERTIFICATES_FILE, connectionFile, NEXT_ACTION_FILE, VERIFICATION_FILE } from "./material";
import { Reservations } from "./reservations";
import { expression, quoted } from "../terraform-text";

export interface BrokerOutputsProps {
  readonly prefix: string;
  /** Folder of the material, relative to the stack's output folder. */
  readonly materialFolder: string;
  readonly connectionOutputs: ConnectionOutputs;
  readonly endpoints: readonly (Omit<ConnectionEndpoint, "authentication"> & {
    readonly kind: string;
    /** Every name and address in the server's certificate. */
    readonly hosts: readonly string[];
    /** The lowest that it accepts, where it speaks TLS. */
    readonly tls_version?: TlsVersion;
  })[];
}

/** The kind of reservation that an output makes. */
export const OUTPUT_NAME = "output name";

/** The stack's outputs of one broker. Their names are stable: no hash of the construct's path. */
export class BrokerOutputs extends Construct {
  constructor(
    scope: Construct,
    private readonly props: BrokerOutputsProps,
  ) {
    super(scope, "outputs");
    // Late, because the stack may declare its own outputs after the broker.
    this.node.addValidation({ validate: () => this.clashes() });
    this.add("endpoints", {
      value: props.endpoints.map((endpoint) => ({ ...endpoint, url: endpointUrl(endpoint) })),
      description: "Where clients connect to",
    });
    const certificates = this.file(CERTIFICATES_FILE);
    this.add("certificates", {
      value: expression(`fileexists(${certificates}) ? jsondecode(file(${certificates})) : null`),
      description: "The certificates in use: serial number, SHA-256 fingerprint and end of validity",
    });
    const authorities = this.file("server-ca.crt");
    this.add("ca_pem", {
      value: expression(`fileexists(${authorities}) ? file(${authorities}) : null`),
      description: "The authorities that the server's certificate is checked against",
    });
    const nextAction = this.file(NEXT_ACTION_FILE);
    this.add("next_action_at", {
      value: expression(`fileexists(${nextAction}) ? jsondecode(file(${nextAction})).at : null`),
      description: "When the next certificate is to be issued again, or an authority replaced: deploy by then",
    });
    if (props.connectionOutputs.includesSecrets) {
      const verification = this.file(VERIFICATION_FILE);
      this.add("verification", {
        value: expression(`fileexists(${verification}) ? jsondecode(file(${verification})) : null`),
        sensitive: true,
        description: "What cdktf-mosquitto verify connects with: an identity that no device has",
      });
    }
  }

  /** Adds the output with a client's connection bundle. */
  addConnection(clientName: string, credential: string): void {
    const file = this.file(connectionFile(clientName));
    const bundle = `jsondecode(file(${file}))`;
    const { includesSecrets } = this.props.connectionOutputs;
    const secretFields = SECRET_FIELDS.map(quoted).join(", ");
    const shown = includesSecrets
      ? bundle
      : `{ for field, value in ${bundle} : field => value if !contains([${secretFields}], field) }`;
    this.add(`connection_${clientName.replace(/\./g, "_")}`, {
      value: expression(`fileexists(${file}) ? ${shown} : null`),
      sensitive: includesSecrets,
      // So that a reviewer of the config sees a change of it.
      description: `The connection bundle of client ${clientName} (${credential})`,
    });
  }

  /** Outputs of the stack that have a name of these: Terraform's config would hold only one of the two. */
  private clashes(): string[] {
    const isOwn = (output: IConstruct): boolean => output.node.scope === this;
    const outputs = TerraformStack.of(this)
      .node.findAll()
      .filter((node) => TerraformOutput.isTerraformOutput(node));
    const own = new Set(outputs.filter(isOwn).map((output) => output.friendlyUniqueId));
    return outputs
      .filter((output) => !isOwn(output) && own.has(output.friendlyUniqueId))
      .map(
        (output) =>
          `output ${JSON.stringify(output.friendlyUniqueId)} is declared by ${output.node.path} and by ` +
          `${this.node.path}; remedy: rename one, or set \`outputPrefix\` of the broker`,
      );
  }

  private file(name: string): string {
    return `"\${path.module}/${this.props.materialFolder}/${name}"`;
  }

  private add(name: string, config: { value: unknown; description: string; sensitive?: boolean }): void {
    const fullName = `${this.props.prefix}${name}`;
    const stack = TerraformStack.of(this);
    Reservations.of(stack).take(OUTPUT_NAME, fullName, this, "set `outputPrefix` of one broker");
    new TerraformOutput(this, fullName, config).overrideLogicalId(fullName);
  }
}

/** What is wrong with what is put before the names of outputs. */
export function outputPrefixFault(prefix: unknown): Fault | undefined {
  if (prefix === undefined || prefix === "") return undefined;
  const fault = tokenFault("outputPrefix", prefix);
  if (fault !== undefined || (typeof prefix === "string" && /^[A-Za-z_][A-Za-z0-9_-]*$/.test(prefix))) return fault;
  return {
    what: "outputPrefix",
    value: prefix,
    allowed: "letters, digits, `_` and `-`, the first a letter or `_`, as Terraform asks of output names",
    remedy: "leave it out, or take something like plant_",
  };
}
