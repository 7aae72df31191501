import { Construct } from "constructs";
import { Authentication, AuthenticationMethod } from "../client/authentication";
import { clientFaults, ClientSurroundings } from "../client/client-faults";
import { ConnectionEndpoint } from "../client/connection-bundle";
import { ClientOptions, ConnectionSurroundings, MosquittoClient } from "../client/mosquitto-client";
import { CertificateAuthority } from "../credentials";
import { describeFault, Fault, Faults, show } from "../faults";
import { Host, hostFault, parseHost, serverNames } from "../pki";
import { listOf, optionsFault, tokenFault } from "../value-faults";
import { Listener } from "./listener";

export interface ClientDeclaration {
  readonly name: string;
  readonly options: ClientOptions;
  /** Where a list has it, for messages. */
  readonly origin?: string;
}

export interface ClientRegistryProps {
  /** Construct path of the broker. */
  readonly brokerPath: string;
  readonly listeners: readonly Listener[];
  /** What the server's certificate names; bundles lead to the first. */
  readonly hosts: readonly [Host, ...Host[]];
  /** Absent where no listener asks for a client certificate. */
  readonly clientAuthority: CertificateAuthority | undefined;
  readonly surroundings: ClientSurroundings;
  /** Asked for when a client is added: only then the broker's network is there. */
  readonly connection: () => ConnectionSurroundings;
}

/** The clients of one broker, and what must hold between them, its listeners and its authority. */
export class ClientRegistry {
  /** By the name that its file and output have, where upper and lower case, `.` and `_` may be the same. */
  private readonly byKey = new Map<string, MosquittoClient>();

  constructor(
    private readonly scope: Construct,
    private readonly props: ClientRegistryProps,
  ) {}

  get all(): readonly MosquittoClient[] {
    return [...this.byKey.values()];
  }

  /**
   * Declares clients: all of them, or none where one has a fault.
   *
   * @throws {Error} naming every fault of all
   */
  add(declarations: readonly ClientDeclaration[]): readonly MosquittoClient[] {
    const isSingle = declarations.length === 1 && declarations[0]?.origin === undefined;
    const { brokerPath } = this.props;
    const faults = new Faults(
      isSingle ? `client ${show(declarations[0]?.name)} of ${brokerPath}` : `clients of ${brokerPath}`,
    );
    const added = new Map<string, ClientDeclaration>();
    for (const declaration of declarations) {
      const { name, options, origin } = declaration;
      const own = clientFaults(name, options, this.props.surroundings);
      // What is no authentication fits no listener, which would be a second fault of it.
      const isOfRightKind = optionsFault("options", options) === undefined && methodOf(options) !== undefined;
      const found = [
        ...own,
        ...(isOfRightKind
          ? [...this.hostFaults(options), ...this.listenerFaults(options), ...this.authorityFaults(options)]
          : []),
        this.twinFault(declaration, added),
      ].filter((fault) => fault !== undefined);
      const who = isSingle ? "" : `client ${show(name)}${origin === undefined ? "" : ` (${origin})`}: `;
      faults.add(...found.map((fault) => ({ ...fault, what: `${who}${fault.what}` })));
      added.set(keyOf(name), declaration);
    }
    faults.throwIfAny();
    return declarations.map(({ name, options }) => {
      const client = new MosquittoClient(
        this.scope,
        name,
        options,
        this.endpoints(options),
        this.serverName(options),
        this.props.connection(),
      );
      this.byKey.set(keyOf(name), client);
      return client;
    });
  }

  /** @throws {Error} when there is none of that name */
  get(client: string | MosquittoClient): MosquittoClient {
    const name: unknown = client instanceof MosquittoClient ? client.name : client;
    const found = this.byKey.get(keyOf(name));
    // Another broker's client may have the same name.
    if (found !== undefined && found.name === name && (found === client || client === name)) return found;
    const known = this.all.map((one) => one.name);
    throw new Error(
      describeFault({
        what: `client of ${this.props.brokerPath}`,
        value: name,
        allowed:
          known.length === 0
            ? "none, because none is declared"
            : known
                .slice(0, 20)
                .join(", ")
                .concat(known.length > 20 ? ", …" : ""),
        remedy: "name a client that was added to this broker",
      }),
    );
  }

  private endpoints(options: ClientOptions): ConnectionEndpoint[] {
    return this.listenersOf(options).map((listener) => endpointOf(listener, this.host(options)));
  }

  private host({ host }: ClientOptions): string {
    return host === undefined ? this.props.hosts[0].value : parseHost(host).value;
  }

  private serverName(options: ClientOptions): string {
    return options.serverName === undefined ? this.host(options) : parseHost(options.serverName).value;
  }

  /** A client must find the name that it checks in the server's certificate. */
  private hostFaults(options: ClientOptions): Fault[] {
    const { host, serverName } = options;
    const faults = Object.entries({ host, serverName }).map(([what, value]) =>
      value === undefined ? undefined : (tokenFault(what, value) ?? hostFault(what, value)),
    );
    if (faults.some(Boolean)) return faults.filter((fault) => fault !== undefined);
    const isList = options.listeners === undefined || listOf(options.listeners) !== undefined;
    const listeners = isList ? this.listenersOf(options) : [];
    if (!listeners.some(({ usesTls }) => usesTls)) {
      if (serverName === undefined || listeners.length === 0) return [];
      return [
        {
          what: "serverName",
          value: serverName,
          allowed: "it where the client connects over TLS",
          remedy: "leave it out, or let the client use a listener with TLS",
        },
      ];
    }
    const named = serverNames(this.props.hosts);
    if (named.includes(this.serverName(options))) return [];
    return [
      {
        what: serverName === undefined ? "host" : "serverName",
        value: serverName ?? host,
        allowed: `what the server's certificate names: ${named.join(", ")}`,
        remedy: `add it to the broker's hosts${serverName === undefined ? ", or name one of those as serverName" : ""}`,
      },
    ];
  }

  private listenersOf(options: ClientOptions): readonly Listener[] {
    const method = methodOf(options);
    const accepting = this.props.listeners.filter((listener) => method !== undefined && listener.accepts(method));
    const chosen = options.listeners;
    if (chosen === undefined) return accepting;
    return chosen.flatMap((one) => accepting.filter((listener) => listener === one));
  }

  private listenerFaults(options: ClientOptions): Fault[] {
    const method = methodOf(options) as AuthenticationMethod;
    const { listeners } = this.props;
    const kinds = listeners.map(({ kind }) => `Listener.${kind}()`).join(", ");
    if (options.listeners !== undefined) {
      const chosen = listOf(options.listeners) ?? [];
      if (chosen.length === 0) {
        return [
          {
            what: "listeners",
            value: options.listeners,
            allowed: "one listener or more",
            remedy: "leave it out for all",
          },
        ];
      }
      const faults = chosen.map((one, index): Fault | undefined => {
        const what = `listeners[${index}]`;
        const listener = listeners.find((candidate) => candidate === one);
        if (listener === undefined || chosen.indexOf(one) !== index) {
          return {
            what,
            ...(listener && { value: `Listener.${listener.kind}()` }),
            allowed: `each once of the very values that the broker was given: ${kinds}`,
            remedy: "keep the listener in a constant, and use that in both places",
          };
        }
        if (listener.accepts(method)) return undefined;
        return {
          what,
          value: `Listener.${listener.kind}()`,
          allowed: `a listener that lets in by ${method}`,
          remedy: "leave it out, or declare another authentication",
        };
      });
      if (faults.some(Boolean)) return faults.filter((fault) => fault !== undefined);
    }
    if (this.listenersOf(options).length === 0) {
      return [
        {
          what: "authentication",
          value: method,
          allowed: `what a listener accepts, and the listeners are: ${kinds}`,
          remedy: `add ${LISTENER_FOR[method]}, or declare another authentication`,
        },
      ];
    }
    if (method === "certificateAndPassword") return this.bypassFaults();
    return method === "certificateOrPassword" ? this.unusedProofFaults() : [];
  }

  /** A credential that nobody asks for would only be one more to lose. */
  private unusedProofFaults(): Fault[] {
    const { listeners } = this.props;
    const unused = [
      ...(listeners.some(({ asksForCertificate }) => asksForCertificate) ? [] : ["certificate"]),
      ...(listeners.some(({ asksFor }) => asksFor !== "certificate") ? [] : ["password"]),
    ];
    return unused.map((proof) => ({
      what: "authentication certificateOrPassword",
      value: `no listener asks for a ${proof}`,
      allowed: "it where some listener asks for a certificate, and some for a password",
      remedy: `use Authentication.${proof === "certificate" ? "password" : "certificate"}()`,
    }));
  }

  /** Of a client that needs both, neither may be enough elsewhere. */
  private bypassFaults(): Fault[] {
    const { listeners, clientAuthority } = this.props;
    const remedy =
      "use Authentication.certificateOrPassword() if either is enough, or give that listener a broker of its own";
    return listeners.flatMap((listener, index) => {
      const value = `Listener.${listener.kind}() as listeners[${index}] of the broker`;
      if (listener.accepts("password")) {
        return [
          {
            what: "authentication certificateAndPassword",
            value,
            allowed: "no listener beside that lets the client in with its password alone, as this one would",
            remedy,
          },
        ];
      }
      if (listener.accepts("certificate") && clientAuthority?.signsAlone === false) {
        return [
          {
            what: "authentication certificateAndPassword",
            value,
            allowed:
              "no such listener beside where others can sign for the clients' authority, too: a certificate with the client's name would be enough there",
            remedy: `${remedy}, or use CertificateAuthority.managed()`,
          },
        ];
      }
      return [];
    });
  }

  private authorityFaults({ authentication }: ClientOptions): Fault[] {
    if (authentication?.certificate?.requestPem === undefined || this.props.clientAuthority?.issues !== false)
      return [];
    return [
      {
        what: "authentication's certificate request",
        allowed: "Authentication.certificate(), because the authority is only trusted, not issuing here",
        remedy: "have the request signed by that authority",
      },
    ];
  }

  private twinFault({ name }: ClientDeclaration, added: ReadonlyMap<string, ClientDeclaration>): Fault | undefined {
    if (typeof name !== "string") return undefined;
    const declared = this.byKey.get(keyOf(name));
    const twin = declared ? { name: declared.name } : added.get(keyOf(name));
    if (twin === undefined) return undefined;
    const where = "origin" in twin && twin.origin !== undefined ? ` (${twin.origin})` : "";
    return {
      what:
        twin.name === name ? `it is declared already${where}` : `it has the name of client ${show(twin.name)}${where}`,
      value: name,
      allowed: "names that differ in more than upper and lower case, or . and _, since they name files and outputs",
      remedy: "rename one",
    };
  }
}

/** Where clients reach a listener, and what they show there. */
export function endpointOf({ port, protocol, asksFor }: Listener, host: string): ConnectionEndpoint {
  return { host, port, protocol, authentication: asksFor };
}

const LISTENER_FOR: Readonly<Record<AuthenticationMethod, string>> = {
  certificate: "Listener.mutualTls()",
  password: "Listener.passwordOverTls()",
  certificateAndPassword: "Listener.mutualTlsWithPassword()",
  certificateOrPassword: "Listener.mutualTls()",
};

function methodOf({ authentication }: ClientOptions): AuthenticationMethod | undefined {
  if (authentication === undefined) return "certificate";
  return authentication instanceof Authentication ? authentication.method : undefined;
}

function keyOf(name: unknown): string {
  return typeof name === "string" ? name.toLowerCase().replace(/\./g, "_") : "";
}
