import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import { App, LocalBackend, TerraformStack } from "cdktf";
import * as fs from "node:fs";
import * as path from "node:path";
import {
  ConnectionBundle,
  CredentialStore,
  MosquittoBroker,
  MosquittoBrokerProps,
  MosquittoImage,
} from "../../constructs";
import { CommandResult, mustRun, run, Running, start } from "./command";
import { leftovers, removeLeftovers } from "./docker";
import { follow } from "./guide";
import { folderPath, removeFolder, uniqueName } from "./workspace";

/** The images that `npm test` has set up, by the Mosquitto in them. */
export const images = {
  "2.0.21": (): MosquittoImage => MosquittoImage.named(variable("MOSQUITTO_IMAGE_2_0"), "2.0.21"),
  "2.1.2": (): MosquittoImage => MosquittoImage.named(variable("MOSQUITTO_IMAGE_2_1"), "2.1.2"),
} as const;

export type Version = keyof typeof images;
export const versions: readonly Version[] = ["2.0.21", "2.1.2"];

/** Declares a broker's clients. */
export type Clients = (broker: MosquittoBroker) => void;

/** One broker, really deployed: its own folder, store, state and names. */
export class Deployment {
  readonly folder = folderPath("deploy");
  readonly name = uniqueName("cdktf-test");
  private readonly terraform = process.env.TERRAFORM_BINARY_NAME ?? "terraform";
  private initialized = false;
  /** Terraform is asked once for each state: that takes it a while, and tests ask often. */
  private outputs:
    { readonly mtimeMs: number; readonly values: Readonly<Record<string, { value: unknown }>> } | undefined;

  get storeFolder(): string {
    return path.join(this.folder, "store");
  }

  get stackFolder(): string {
    return path.join(this.folder, "out", "stacks", "test");
  }

  get stateFile(): string {
    return path.join(this.folder, "test.tfstate");
  }

  /** Synthesises the declaration, as a fresh process would. */
  synth(
    props: Omit<MosquittoBrokerProps, "name" | "credentials">,
    clients: Clients,
    credentials = CredentialStore.folder(this.storeFolder),
  ): void {
    fs.mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const app = new App({ outdir: path.join(this.folder, "out") });
    const stack = new TerraformStack(app, "test");
    new DockerProvider(stack, "docker", {});
    stack.addOverride("terraform.required_providers.docker.version", ">= 3.6.2, < 5.0.0");
    new LocalBackend(stack, { path: this.stateFile });
    const broker = new MosquittoBroker(stack, "broker", {
      protectData: false,
      ...props,
      name: this.name,
      credentials,
    });
    clients(broker);
    app.synth();
  }

  /** Synthesises and applies. @throws {Error} with Terraform's words when it fails */
  async deploy(props: Omit<MosquittoBrokerProps, "name" | "credentials">, clients: Clients): Promise<void> {
    this.synth(props, clients);
    const result = await this.apply();
    if (result.code !== 0) throw new Error(`${result.stdout}\n${result.stderr}`);
  }

  async apply(): Promise<CommandResult> {
    await this.init();
    return run(this.terraform, ["apply", "-auto-approve", "-no-color", "-input=false"], { cwd: this.stackFolder });
  }

  /**
   * Applies again after a deploy that was cut off: what Docker had made, and had no time to tell of, is in no state. Then
   * the guide says what to do.
   *
   * @throws {Error} with Terraform's words when it fails
   */
  async applyAgain(): Promise<void> {
    let again = await this.apply();
    if (/already (exists|in use)/.test(again.stderr)) {
      await follow("faults", "A name is in use", { broker: this.name });
      again = await this.apply();
    }
    if (again.code !== 0) throw new Error(`${again.stdout}\n${again.stderr}`);
  }

  /** Begins to apply what was synthesised before. */
  async startApply(): Promise<Running> {
    await this.init();
    return start(this.terraform, ["apply", "-auto-approve", "-no-color", "-input=false"], { cwd: this.stackFolder });
  }

  /** @returns the plan's text, and whether it changes anything */
  async plan(): Promise<{ readonly changes: boolean; readonly failed: boolean; readonly text: string }> {
    await this.init();
    const { code, stdout, stderr } = await run(
      this.terraform,
      ["plan", "-no-color", "-input=false", "-detailed-exitcode"],
      { cwd: this.stackFolder },
    );
    return { changes: code === 2, failed: code === 1, text: stdout + stderr };
  }

  async output<T>(name: string): Promise<T> {
    const { mtimeMs } = fs.statSync(this.stateFile);
    if (this.outputs?.mtimeMs !== mtimeMs) {
      const text = await mustRun(this.terraform, ["output", "-json"], { cwd: this.stackFolder });
      this.outputs = { mtimeMs, values: JSON.parse(text) as Record<string, { value: unknown }> };
    }
    const found = this.outputs.values[name];
    if (found === undefined) throw new Error(`output ${name} not found`);
    return found.value as T;
  }

  bundle(client: string): Promise<ConnectionBundle> {
    return this.output(`connection_${client}`);
  }

  async destroy(): Promise<void> {
    await this.init();
    await mustRun(this.terraform, ["destroy", "-auto-approve", "-no-color", "-input=false"], { cwd: this.stackFolder });
  }

  /** Containers, volumes and networks of this deployment. */
  leftovers(): Promise<string[]> {
    return leftovers(this.name);
  }

  /** Takes everything away, also after a failure. */
  async remove(): Promise<void> {
    if (fs.existsSync(this.stateFile)) await this.destroy().catch(() => undefined);
    await removeLeftovers(this.name);
    this.forget();
  }

  /** Takes its files away, and leaves what was deployed to be taken away with its engine. */
  forget(): void {
    removeFolder(this.folder);
  }

  private async init(): Promise<void> {
    if (this.initialized) return;
    await mustRun(this.terraform, ["init", "-no-color", "-input=false"], { cwd: this.stackFolder });
    this.initialized = true;
  }
}

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set; run the deploy tests through npm test`);
  return value;
}
