import { Token } from "cdktf";
import { Construct } from "constructs";
import { clientNameFault, iterationsFault, passwordFault, publishFilterFault, subscribeFilterFault } from "../access";
import { Fault, Faults } from "../faults";
import { certificationRequestFault, lifetimeFaults } from "../pki";
import { Authentication, AuthenticationMethod } from "./authentication";
import { ConnectionEndpoint, ConnectionIdentity } from "./connection-bundle";

export interface ClientOptions {
  /**
   * How the client proves who it is.
   *
   * @default Authentication.certificate()
   */
  readonly authentication?: Authentication;

  /**
   * Topic filters that it may publish to, such as `plant/sensor-1/#` (MQTT 5 §4.7).
   *
   * @default - none
   */
  readonly publish?: readonly string[];

  /**
   * Topic filters that it may receive messages from. `#` does not include `$SYS`, which must be named.
   *
   * @default - none
   */
  readonly subscribe?: readonly string[];

  /**
   * Raise it by one to end the client's credential and issue another: the old certificate is refused, and a generated
   * password replaced, at the next deploy. A session that is open then is closed, and what was queued for it is lost.
   *
   * @default 1
   */
  readonly credentialVersion?: number;
}

/** One client of a broker. Made by `broker.addClient()`. */
export class MosquittoClient extends Construct implements ConnectionIdentity {
  /** User name, client id and, for a certificate, its common name. */
  readonly name: string;
  readonly authentication: Authentication;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  readonly credentialVersion: number;

  /** @throws {Error} naming every fault of the declaration */
  constructor(
    scope: Construct,
    name: string,
    options: ClientOptions,
    /** The listener that its bundle leads to. */
    readonly endpoint: ConnectionEndpoint,
  ) {
    validate(`client ${JSON.stringify(name)} of ${scope.node.path}`, name, options);
    super(scope, name);
    this.name = name;
    this.authentication = options.authentication ?? Authentication.certificate();
    this.publish = options.publish ?? [];
    this.subscribe = options.subscribe ?? [];
    this.credentialVersion = options.credentialVersion ?? 1;
  }

  /** How it proves who it is, in a word. */
  get method(): AuthenticationMethod {
    return this.authentication.method;
  }
}

function validate(subject: string, name: string, options: ClientOptions): void {
  const faults = new Faults(subject);
  const { publish = [], subscribe = [] } = options;
  faults.add(tokenFault("name", name) ?? clientNameFault("name", name));
  publish.forEach((filter, index) => {
    const what = `publish[${index}]`;
    faults.add(tokenFault(what, filter) ?? publishFilterFault(what, filter));
  });
  subscribe.forEach((filter, index) => {
    const what = `subscribe[${index}]`;
    faults.add(tokenFault(what, filter) ?? subscribeFilterFault(what, filter));
  });
  if (Token.isUnresolved(publish) || Token.isUnresolved(subscribe) || publish.length + subscribe.length === 0) {
    faults.add({
      what: "publish and subscribe",
      value: "none",
      allowed: "at least one topic filter in either, known at synth",
      remedy: "declare what the client is for; without a rule the broker delivers nothing to and from it",
    });
  }
  faults.add(credentialVersionFault("credentialVersion", options.credentialVersion));
  const { certificateOptions, passwordOptions, requestPem } = options.authentication ?? Authentication.certificate();
  faults.add(...lifetimeFaults("authentication", certificateOptions));
  if (requestPem !== undefined) {
    const what = "authentication's certificate request";
    faults.add(tokenFault(what, requestPem) ?? certificationRequestFault(what, requestPem));
  }
  if (passwordOptions.value !== undefined) {
    const what = "authentication's password";
    faults.add(
      Token.isUnresolved(passwordOptions.value)
        ? { what, allowed: "a value known at synth, because its hash is made then", remedy: "pass a plain string" }
        : passwordFault(what, passwordOptions.value, name),
    );
  }
  if (passwordOptions.iterations !== undefined) {
    faults.add(iterationsFault("authentication's iterations", passwordOptions.iterations));
  }
  faults.throwIfAny();
}

/** A certificate, a file and a rule cannot hold a value that is known only at apply. */
export function tokenFault(what: string, value: unknown): Fault | undefined {
  if (!Token.isUnresolved(value)) return undefined;
  return {
    what,
    value,
    allowed: "a value known at synth",
    remedy: "pass a plain string or number, not an attribute, variable or output of Terraform",
  };
}

export function credentialVersionFault(what: string, value: number | undefined): Fault | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= 1)) return undefined;
  return { what, value, allowed: "a whole number from 1", remedy: "start at 1 and raise it by one" };
}
