import { ClientOptions } from "../client/mosquitto-client";
import { ListedClient } from "../client/client-list";
import { Faults, show } from "../faults";
import { ClientDeclaration } from "./client-registry";

/** What is declared for one client of a list: the same for each, or made from its name, group and columns. */
export type ClientTemplate = ClientOptions | ((client: ListedClient) => ClientOptions);

/** How the clients of a list are declared: `each` alike, or by `groups`. */
export interface ClientListOptions {
  /**
   * For every client.
   *
   * @default - groups
   */
  readonly each?: ClientTemplate;

  /**
   * By the group that the list says, which must be one of these for every client.
   *
   * @default - each
   */
  readonly groups?: Readonly<Record<string, ClientTemplate>>;

  /**
   * Whether the stack has an output with the bundle of each, where its options say nothing else. All bundles are in
   * `material/BROKER/connections` of the stack's output folder.
   *
   * @default false
   */
  readonly connectionOutputs?: boolean;
}

/**
 * What a list declares.
 *
 * @throws {Error} for an empty list, and naming every client without a template
 */
export function listedClients(
  brokerPath: string,
  list: readonly (string | ListedClient)[],
  { each, groups, connectionOutputs = false }: ClientListOptions,
): ClientDeclaration[] {
  const faults = new Faults(`clients of ${brokerPath}`);
  if (!Array.isArray(list) || list.length === 0) {
    faults.add({
      what: "the list",
      value: list,
      allowed: "one client or more: by an empty list every device that was on it would be shut out",
      remedy: "bring the list, or leave the call out",
    });
  }
  if ((each === undefined) === (groups === undefined)) {
    faults.add({
      what: "each and groups",
      value: each === undefined ? "neither" : "both",
      allowed: "one of the two",
      remedy: "declare `each` for clients of one kind, `groups` for several kinds",
    });
  }
  faults.throwIfAny();
  const declarations = list.flatMap((entry: string | ListedClient, index): ClientDeclaration[] => {
    const client = typeof entry === "string" ? { name: entry } : entry;
    const { name, group, origin = `list[${index}]` } = client;
    const template = groups === undefined ? each : Object.hasOwn(groups, group ?? "") ? groups[group ?? ""] : undefined;
    if (template === undefined) {
      faults.add({
        what: `client ${show(name)} (${origin}): group`,
        value: group,
        allowed: Object.keys(groups ?? {}).join(", "),
        remedy: "put it into one of these, or declare its group",
      });
      return [];
    }
    const options = typeof template === "function" ? template(client) : template;
    return [{ name, options: { connectionOutput: connectionOutputs, ...options }, origin }];
  });
  faults.throwIfAny();
  return declarations;
}
