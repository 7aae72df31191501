import { ListedClient } from "../client/client-list";
import { ClientOptions } from "../client/mosquitto-client";
import { Fault, Faults, show } from "../faults";
import { booleanFault, listOf, optionsFault } from "../value-faults";
import { ClientDeclaration } from "./client-registry";

/** A client of a list, as a function that declares it sees it. */
export interface TemplateClient {
  readonly name: string;
  readonly group?: string;
  /**
   * The columns of its row, by name; asking for one that the list does not have is an error. In topics use them through
   * `topicLevel()`: a cell may be empty, or have a `#` in it.
   */
  readonly columns: Readonly<Record<string, string>>;
}

/** What is declared for one client of a list: the same for each, or made from its name, group and columns. */
export type ClientTemplate = ClientOptions | ((client: TemplateClient) => ClientOptions);

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
   * Whether the stack has an output with the bundle of each, where its options say nothing else. Without,
   * `cdktf-mosquitto bundle` takes them from the credential store.
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
  options: ClientListOptions,
): ClientDeclaration[] {
  const faults = new Faults(`clients of ${brokerPath}`);
  const entries = listOf(list) ?? [];
  if (entries.length === 0) {
    faults.add({
      what: "the list",
      value: list,
      allowed: "one client or more: by an empty list every device that was on it would be shut out",
      remedy: "bring the list, or leave the call out",
    });
  }
  const fault = optionsFault("options", options ?? null);
  faults.add(fault ? { ...fault, allowed: "an object with each or groups" } : templatesFault(options));
  faults.throwIfAny();
  const { connectionOutputs = false } = options;
  const declarations = entries.flatMap((entry, index): ClientDeclaration[] => {
    const client = typeof entry === "string" ? { name: entry } : (entry as ListedClient);
    const place = `list[${index}]`;
    const fault = optionsFault(place, client ?? null);
    if (fault !== undefined) {
      faults.add({
        ...fault,
        allowed: "the name of a client, or what ClientList.csv() reads",
        remedy: "name the client",
      });
      return [];
    }
    const { name } = client;
    const origin = typeof client.origin === "string" ? client.origin : place;
    const who = `client ${show(name)} (${origin})`;
    const template = templateOf(client, options);
    if (template === undefined) {
      faults.add({
        what: `${who}: group`,
        value: client.group,
        allowed: Object.keys(options.groups ?? {}).join(", "),
        remedy: "put it into one of these, or declare its group",
      });
      return [];
    }
    const made = typeof template === "function" ? call(template, client, who) : template;
    const given = optionsFault(`${who}: ${options.groups ? `groups.${client.group}` : "each"}`, made ?? null);
    faults.add(given);
    return given === undefined ? [{ name, options: { connectionOutput: connectionOutputs, ...made }, origin }] : [];
  });
  faults.throwIfAny();
  return declarations;
}

function templatesFault({ each, groups, connectionOutputs }: ClientListOptions): Fault | undefined {
  const isNull = each === null || groups === null;
  if (isNull || (each === undefined) === (groups === undefined)) {
    return {
      what: "each and groups",
      value: each === undefined || isNull ? "neither" : "both",
      allowed: "one of the two",
      remedy: "declare `each` for clients of one kind, `groups` for several kinds",
    };
  }
  return optionsFault("groups", groups) ?? booleanFault("connectionOutputs", connectionOutputs);
}

function templateOf({ group }: ListedClient, { each, groups }: ClientListOptions): ClientTemplate | undefined {
  if (groups === undefined) return each;
  return typeof group === "string" && Object.hasOwn(groups, group) ? groups[group] : undefined;
}

/** @throws {Error} saying for which client the function threw one */
function call(template: (client: TemplateClient) => ClientOptions, client: ListedClient, who: string): ClientOptions {
  const { name, group, columns = {} } = client;
  try {
    return template({ name, ...(group !== undefined && { group }), columns: knownColumns(columns) });
  } catch (cause) {
    // What others throw may have a secret of the row in it.
    const why = cause instanceof Error && /; allowed: /.test(cause.message) ? `: ${cause.message}` : "";
    throw new Error(`${who}: the function that declares it threw an error${why}`, { cause });
  }
}

/** A misspelt column must not become the text "undefined" in a topic. */
function knownColumns(columns: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return new Proxy(columns, {
    get(target, column) {
      if (typeof column !== "string" || Object.hasOwn(target, column)) return Reflect.get(target, column) as string;
      const known = Object.keys(target);
      throw new Error(
        `column ${show(column)}; allowed: ${known.length === 0 ? "none, because the list has no columns" : known.join(", ")}; ` +
          "remedy: mend the name, or bring the column",
      );
    },
  });
}
