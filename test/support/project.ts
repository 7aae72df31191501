import * as fs from "node:fs";
import * as path from "node:path";
import { ConnectionBundle } from "../../constructs";
import { CommandResult, mustRun, run } from "./command";
import { command, library, writeApp } from "./command-line";
import { removeLeftovers } from "./docker";
import { images, Version } from "./deployment";
import { freePorts, makeFolder, removeFolder, uniqueName } from "./workspace";

export interface ProjectOptions {
  /** Lines of the broker's props, beside its name. */
  readonly props: readonly string[];
  /** Lines after the broker is declared. */
  readonly clients: readonly string[];
  /** What stands in the place of names that a guide uses, which may not be unique or not be there. */
  readonly replacements?: readonly (readonly [name: string, actual: string])[];
}

export interface TwoListeners extends Pick<ProjectOptions, "clients"> {
  readonly image: Version;
  /** As code, as are further props. */
  readonly credentials: string;
  readonly props?: readonly string[];
}

/** Where commands run. */
export interface Surroundings {
  /** A program, with its arguments, that runs the shell: in another host's network, for example. */
  readonly within?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * An operator's project with a stack `prod` and a broker `prod-broker` in it, where the commands of a guide are run as
 * they stand. `npx cdktf` does what it does without its progress display: another test runs the real one.
 */
export class Project {
  readonly folder = makeFolder("project");
  readonly name = uniqueName("prod-broker");
  readonly stackFolder = path.join(this.folder, "cdktf.out", "stacks", "prod");
  private readonly replacements: readonly (readonly [string, string])[];

  constructor({ props, clients, replacements = [] }: ProjectOptions) {
    this.replacements = [["prod-broker", this.name], ...replacements];
    writeApp(this.folder, this.actual(appText(props, clients)));
    fs.mkdirSync(path.join(this.folder, "bin"));
    fs.mkdirSync(path.join(this.folder, "state"));
    fs.writeFileSync(path.join(this.folder, "bin", "npx"), NPX, { mode: 0o755 });
    fs.writeFileSync(path.join(this.folder, "bin", "mosquitto_sub"), MOSQUITTO_SUB, { mode: 0o755 });
  }

  /** One with a listener for certificates and one for passwords, on free ports. */
  static async withTwoListeners({ image, credentials, props = [], clients }: TwoListeners): Promise<Project> {
    const [mutual, password] = await freePorts(2);
    return new Project({
      props: [
        `hosts: ["localhost"],`,
        `listeners: [Listener.mutualTls({ port: ${mutual} }), Listener.passwordOverTls({ port: ${password} })],`,
        `image: MosquittoImage.named(${JSON.stringify(images[image]().name)}, "${image}"),`,
        `credentials: ${credentials},`,
        ...props,
      ],
      clients,
    });
  }

  /** Runs commands of a shell. */
  sh(commands: string, { within = [], env = {} }: Surroundings = {}): Promise<CommandResult> {
    const PATH = `${path.join(this.folder, "bin")}:${process.env.PATH}`;
    const [program = "", ...args] = [...within, "bash", "-euo", "pipefail", "-c", this.actual(commands)];
    return run(program, args, { cwd: this.folder, env: { PATH, ...env } });
  }

  /** The same, of what must succeed. @returns its standard output */
  async mustSh(commands: string, surroundings: Surroundings = {}): Promise<string> {
    const { code, stdout, stderr } = await this.sh(commands, surroundings);
    if (code !== 0) throw new Error(`${commands}\nended with ${code}\n${stdout}\n${stderr}`);
    return stdout;
  }

  /** Changes the declaration: lines with `-` go, those with `+` come in their place, or to the broker's props. */
  declare(diff: string): void {
    const file = path.join(this.folder, "app.js");
    let text = fs.readFileSync(file, "utf8");
    const lines = this.actual(diff).trim().split("\n");
    const added = lines.flatMap((line) => (line.startsWith("+") ? [line.slice(1).trim()] : []));
    const [first = MARK, ...others] = lines.flatMap((line) => (line.startsWith("-") ? [line.slice(1).trim()] : []));
    for (const line of [first, ...others]) {
      if (!text.includes(line)) throw new Error(`the declaration has no line ${line}`);
    }
    for (const line of others) text = text.replace(line, "");
    text = text.replace(first, [...added, ...(first === MARK ? [MARK] : [])].join("\n"));
    fs.writeFileSync(file, text);
  }

  async bundle(client: string): Promise<ConnectionBundle> {
    return JSON.parse(
      await mustRun(TERRAFORM, ["output", "-json", `connection_${client}`], { cwd: this.stackFolder }),
    ) as ConnectionBundle;
  }

  /** Takes everything away, also after a failure. */
  async remove(): Promise<void> {
    await removeLeftovers(this.name);
    removeFolder(this.folder);
  }

  private actual(text: string): string {
    return this.replacements.reduce((changed, [name, actual]) => changed.replaceAll(name, actual), text);
  }
}

/** Which this machine may not have: from an image, in the host's network and on its files. */
const MOSQUITTO_SUB = `#!/bin/sh
exec docker run --rm --network host --volume "$PWD:$PWD:ro" --workdir "$PWD" --entrypoint mosquitto_sub "$MOSQUITTO_IMAGE_2_1" "$@"
`;

const MARK = "// more";

function appText(props: readonly string[], clients: readonly string[]): string {
  return `
    const { DockerProvider } = require("@cdktf/provider-docker/lib/provider");
    const { App, LocalBackend, TerraformStack } = require("cdktf");
    const { Authentication, CertificateAuthority, CredentialStore, Listener, MosquittoBroker, MosquittoImage, TextSource }
      = require(${library});
    const app = new App();
    const stack = new TerraformStack(app, "prod");
    stack.addOverride("terraform.required_providers.docker.version", ">= 3.6.2, < 5.0.0");
    new LocalBackend(stack, { path: "../../../state/prod.tfstate" });
    const { dockerHost, ...props } = {
      dockerHost: undefined,
      name: "prod-broker",
      ${props.join("\n      ")}
      ${MARK}
    };
    new DockerProvider(stack, "docker", dockerHost === undefined ? {} : { host: dockerHost });
    const broker = new MosquittoBroker(stack, "broker", props);
    ${clients.join("\n    ")}
    app.synth();
  `;
}

const TERRAFORM = process.env.TERRAFORM_BINARY_NAME ?? "terraform";

const NPX = `#!/bin/sh
set -eu
program=$1; shift
if [ "$program" = cdktf-mosquitto ]; then exec ${command.join(" ")} "$@"; fi
[ "$program" = cdktf ]
CDKTF_OUTDIR=cdktf.out ${command[0]} app.js
cd cdktf.out/stacks/"$2"
[ -d .terraform ] || ${TERRAFORM} init -input=false -no-color >/dev/null
case $1 in
  diff) exec ${TERRAFORM} plan -input=false -no-color ;;
  deploy) exec ${TERRAFORM} apply -auto-approve -input=false -no-color ;;
  destroy) exec ${TERRAFORM} destroy -auto-approve -input=false -no-color ;;
esac
`;
