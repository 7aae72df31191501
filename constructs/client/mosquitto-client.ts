import { Container } from "@cdktf/provider-docker/lib/container";
import { TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { Authentication, AuthenticationMethod } from "./authentication";
import { ClientConnection, ConnectedClient, PASSWORD_FILE } from "./client-connection";
import { ConnectionEndpoint, ConnectionIdentity, usesTls } from "./connection-bundle";
import { CA_FILE, CERTIFICATE_FILE, KEY_FILE } from "./formats/pem-files";

/**
 * What a client may do. Everything else is denied. Topic filters are those of MQTT 5 section 4.7: `+` is one whole
 * level, `#` the rest, and neither includes topics that begin with `$`.
 */
export interface AccessRuleOptions {
  /**
   * Topic filters that it may publish to, such as `plant/sensor-1/#`. A will needs one, too.
   *
   * @default - none
   */
  readonly publish?: readonly string[];

  /**
   * Topic filters that it may receive messages from. `$SYS` must be named. A shared subscription, such as
   * `$share/workers/plant/#`, is declared as it will be subscribed to; Mosquitto checks the filter inside of it, so the
   * client may receive those messages without sharing them, too. A restart of the broker forgets the sharing of kept
   * sessions: subscribe again at each connect.
   *
   * @default - none
   */
  readonly subscribe?: readonly string[];

  /**
   * Topic filters for both.
   *
   * @default - none
   */
  readonly publishAndSubscribe?: readonly string[];

  /**
   * Topic filters that are closed in both directions although others open them.
   *
   * @default - none
   */
  readonly deny?: readonly string[];
}

export interface ClientOptions extends AccessRuleOptions {
  /**
   * How the client proves who it is.
   *
   * @default Authentication.certificate()
   */
  readonly authentication?: Authentication;

  /**
   * Raise it by one to end the client's credential and issue another: the old certificate is refused, and a generated
   * password replaced, at the next deploy. A connection that is open then is closed; what was queued for a certificate's
   * session is lost, for a password's it is kept.
   *
   * @default 1
   */
  readonly credentialVersion?: number;

  /**
   * The listeners that its bundle leads to, the very values that the broker was given; the first is the one of `url`.
   * Mosquitto itself lets the client in wherever its credentials count.
   *
   * @default - every listener of the broker that accepts it
   */
  readonly listeners?: readonly ClientListener[];

  /**
   * The host that its bundle leads to: a DNS name, an IPv4 or IPv6 address, such as the broker's name on a Docker network
   * or its address in a tunnel. One that is not among the broker's `hosts` needs a `serverName`.
   *
   * @default - the first of the broker's `hosts`
   */
  readonly host?: string;

  /**
   * The name or address that it checks the server's certificate against (RFC 9525): one of the broker's `hosts`,
   * `localhost`, `127.0.0.1` or `::1`. Not every client library can check against another name than it connects to.
   *
   * @default - `host`
   */
  readonly serverName?: string;

  /**
   * Whether the stack has an output `connection_CLIENT` with its bundle. Without, `cdktf-mosquitto bundle` takes it from the
   * credential store.
   *
   * @default true, and false for clients of addClients()
   */
  readonly connectionOutput?: boolean;
}

/** A `Listener`, as far as a client knows it. */
export interface ClientListener {
  readonly port: number;
  readonly protocol: ConnectionEndpoint["protocol"];
}

/** What a client is told of its broker, for other containers of the stack. */
export interface ConnectionSurroundings extends Pick<ConnectedClient, "networkName" | "reachFault"> {
  /** Of the broker, relative to the stack's output folder. */
  readonly materialFolder: string;
  /** Whether clients' certificates are issued here. */
  readonly issuesCertificates: boolean;
}

/** Folder of one client's files in the broker's material. */
export function clientFolder(name: string): string {
  return `clients/${name}`;
}

/** One client of a broker. Made by `broker.addClient()`. */
export class MosquittoClient extends Construct implements ConnectionIdentity {
  readonly authentication: Authentication;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  readonly deny: readonly string[];
  readonly credentialVersion: number;
  /** For another container of the same stack. */
  readonly connection: ClientConnection;

  /** Of options that `clientFaults` finds nothing wrong with. */
  constructor(
    scope: Construct,
    /** User name, client id and, for a certificate alone, its common name. */
    readonly name: string,
    options: ClientOptions,
    /** The listeners that accept it; its bundle leads to the first. */
    readonly endpoints: readonly ConnectionEndpoint[],
    /** What it checks the server's certificate against. */
    readonly serverName: string,
    surroundings: ConnectionSurroundings,
  ) {
    super(scope, name);
    const both = options.publishAndSubscribe ?? [];
    this.authentication = options.authentication ?? Authentication.certificate();
    this.publish = [...new Set([...(options.publish ?? []), ...both])];
    this.subscribe = [...new Set([...(options.subscribe ?? []), ...both])];
    this.deny = options.deny ?? [];
    this.credentialVersion = options.credentialVersion ?? 1;
    this.connection = new ClientConnection({
      name,
      endpoint: endpoints[0] as ConnectionEndpoint,
      serverName,
      fileNames: this.fileNames(surroundings.issuesCertificates),
      materialFolder: `${surroundings.materialFolder}/${clientFolder(name)}`,
      networkName: surroundings.networkName,
      reachFault: surroundings.reachFault,
    });
    this.node.addValidation({ validate: () => this.connection.validate(this.foreignContainers()) });
  }

  /** Searched for only where they matter: an app may have thousands of clients. */
  private foreignContainers(): Container[] {
    if (!this.connection.isUploaded) return [];
    const stack = TerraformStack.of(this);
    return this.node.root.node
      .findAll()
      .filter((node): node is Container => node instanceof Container && TerraformStack.of(node) !== stack);
  }

  /** What its first endpoint counts, and is known here. */
  private fileNames(issuesCertificates: boolean): string[] {
    const { certificate, password } = this.authentication;
    const endpoint = this.endpoints[0] as ConnectionEndpoint;
    const hasCertificate = certificate !== undefined && issuesCertificates && endpoint.authentication !== "password";
    const hasPassword =
      password !== undefined && password.hash === undefined && endpoint.authentication !== "certificate";
    return [
      ...(usesTls(endpoint) ? [CA_FILE] : []),
      ...(hasCertificate ? [CERTIFICATE_FILE] : []),
      ...(hasCertificate && certificate.requestPem === undefined ? [KEY_FILE] : []),
      ...(hasPassword ? [PASSWORD_FILE] : []),
    ];
  }

  /** How it proves who it is, in a word. */
  get method(): AuthenticationMethod {
    return this.authentication.method;
  }

  /** Common name of its certificate. */
  get commonName(): string {
    return commonNameOf(this.name, this.method);
  }
}

/** No client's name has a colon. Not `+`, of which OpenSSL's `-subj` makes a name with two parts. */
export const WITH_PASSWORD = ":with-password";

/** A certificate that needs a password beside it must not be enough where a certificate alone is. */
export function commonNameOf(name: string, method: AuthenticationMethod): string {
  return method === "certificateAndPassword" ? `${name}${WITH_PASSWORD}` : name;
}
