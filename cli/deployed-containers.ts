import * as fs from "node:fs";
import * as path from "node:path";
import { SET_LABEL } from "../constructs/broker/container-paths";
import { stackFolder } from "./project";

/** The containers of one broker, as its stack is synthesized here. */
export interface BrokerContainers {
  /** The broker's construct path. */
  readonly broker: string;
  /** Name of the broker's container. */
  readonly name: string;
  /** Name of the reloader's. */
  readonly reloader: string;
  /** Whether the broker is declared to read changes while it runs. */
  readonly liveChanges: boolean;
  /** The Docker host that is declared for it, where that is known here. */
  readonly dockerHost?: string;
}

interface Config {
  readonly provider?: { readonly docker?: readonly { readonly alias?: string; readonly host?: string }[] };
  readonly resource?: { readonly docker_container?: Readonly<Record<string, ContainerBlock>> };
}

interface ContainerBlock {
  readonly "//"?: { readonly metadata?: { readonly path?: string } };
  readonly name: string;
  readonly provider?: string;
  readonly labels?: readonly { readonly label: string }[];
}

/** @throws {Error} when the stack is not synthesized here */
export function brokerContainers(stack: string): BrokerContainers[] {
  const file = path.join(stackFolder(stack), "cdk.tf.json");
  const { provider, resource } = JSON.parse(fs.readFileSync(file, "utf8")) as Config;
  const containers = new Map(
    Object.values(resource?.docker_container ?? {}).map((one) => [one["//"]?.metadata?.path ?? "", one]),
  );
  return [...containers].flatMap(([place, reloader]) => {
    const broker = path.posix.dirname(place);
    const own = containers.get(`${broker}/Resource`);
    const isReloader = path.posix.basename(place) === "reloader" && reloader.labels?.[0]?.label === SET_LABEL;
    if (!isReloader || own === undefined) return [];
    const [, alias] = (own.provider ?? "").split(".");
    const host = provider?.docker?.find((one) => one.alias === alias)?.host;
    // A token, such as ${var.host}, is known to Terraform alone.
    const dockerHost = host === undefined || host.includes("${") ? {} : { dockerHost: host };
    const liveChanges = own.labels?.every(({ label }) => label !== SET_LABEL) ?? true;
    return [{ broker, name: own.name, reloader: reloader.name, liveChanges, ...dockerHost }];
  });
}
