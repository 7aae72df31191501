import { Construct } from "constructs";
import { Authentication, AuthenticationMethod } from "./authentication";
import { ConnectionEndpoint, ConnectionIdentity } from "./connection-bundle";

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
   * client may receive those messages without sharing them, too.
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
   * password replaced, at the next deploy. A session that is open then is closed, and what was queued for it is lost.
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
   * Whether the stack has an output `connection_CLIENT` with its bundle. Without, the bundle is in
   * `material/BROKER/connections/CLIENT.json` of the stack's output folder only.
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

/** One client of a broker. Made by `broker.addClient()`. */
export class MosquittoClient extends Construct implements ConnectionIdentity {
  readonly authentication: Authentication;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  readonly deny: readonly string[];
  readonly credentialVersion: number;

  /** Of options that `clientFaults` finds nothing wrong with. */
  constructor(
    scope: Construct,
    /** User name, client id and, for a certificate alone, its common name. */
    readonly name: string,
    options: ClientOptions,
    /** The listeners that accept it; its bundle leads to the first. */
    readonly endpoints: readonly ConnectionEndpoint[],
  ) {
    super(scope, name);
    const both = options.publishAndSubscribe ?? [];
    this.authentication = options.authentication ?? Authentication.certificate();
    this.publish = [...new Set([...(options.publish ?? []), ...both])];
    this.subscribe = [...new Set([...(options.subscribe ?? []), ...both])];
    this.deny = options.deny ?? [];
    this.credentialVersion = options.credentialVersion ?? 1;
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
