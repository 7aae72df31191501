import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import { App, Testing, TerraformStack } from "cdktf";
import { MosquittoBroker, MosquittoBrokerProps } from "../../constructs";

/** A stack of a test, with the provider that every app brings. */
export function makeStack(app: App = Testing.app(), id = "test"): TerraformStack {
  const stack = new TerraformStack(app, id);
  new DockerProvider(stack, "docker", {});
  return stack;
}

/** A broker declared in a stack of its own. */
export function declareBroker(props: Partial<MosquittoBrokerProps> = {}, stackId = "test"): MosquittoBroker {
  return new MosquittoBroker(makeStack(Testing.app(), stackId), "broker", {
    hosts: ["broker.plant.example"],
    ...props,
  });
}

/** The synthesized config, as data: the text differs between frameworks. */
export function config(stack: TerraformStack): Config {
  return JSON.parse(Testing.synth(stack)) as Config;
}

type Block = Record<string, unknown>;

/** The part of a synthesized config that tests look at. */
export interface Config {
  readonly resource: {
    readonly docker_container: Readonly<Record<string, Container>>;
    readonly docker_volume: Readonly<Record<string, Block>>;
    readonly docker_network?: Readonly<Record<string, Block>>;
    readonly terraform_data: Readonly<Record<string, Block>>;
  };
  readonly output: Readonly<Record<string, { value: unknown; sensitive?: boolean }>>;
}

interface Container extends Block {
  readonly name: string;
  readonly upload?: readonly { file: string; content?: string; source?: string }[];
  readonly ports?: readonly { ip: string; internal: number; external: number }[];
}

export function containerNamed(synthesized: Config, name: string): Container {
  const found = Object.values(synthesized.resource.docker_container).find((container) => container.name === name);
  if (found === undefined) throw new Error(`the config declares no container ${name}`);
  return found;
}
