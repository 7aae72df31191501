import { Token } from "cdktf";
import {
  clientNameFault,
  contradictionFault,
  decide,
  ruleFilterFault,
  iterationsFault,
  passwordFault,
  passwordHashFault,
  publishFilterFault,
  subscribeFilterFault,
} from "../access";
import { Fault } from "../faults";
import { certificationRequestFault, LifetimeOptions } from "../pki";
import { TextSource } from "../text-source";
import { booleanFault, listOf, optionsFault, tokenFault } from "../value-faults";
import { Authentication, PasswordOptions } from "./authentication";
import { certificateOptionFaults, credentialVersionFault } from "./credential-faults";
import { ClientOptions, commonNameOf, WITH_PASSWORD } from "./mosquitto-client";

/** What clients of one broker must fit. */
export interface ClientSurroundings {
  /** Lifetimes of certificates where a client names none. */
  readonly certificateLifetime: LifetimeOptions;
  /** Whether the broker takes hashes with a salt of 64 bytes. */
  readonly takesLongSalts: boolean;
  /** Whether the broker publishes anything in $SYS. */
  readonly publishesSys: boolean;
}

/** X.520's bound on a common name, ub-common-name of RFC 5280. */
const MAXIMUM_COMMON_NAME = 64;

/** Everything that is wrong with a client's declaration, seen alone. */
export function clientFaults(name: string, options: ClientOptions, surroundings: ClientSurroundings): Fault[] {
  const fault = optionsFault("options", options);
  if (fault !== undefined) return [fault];
  const { authentication = Authentication.certificate(), credentialVersion, connectionOutput } = options;
  const faults = [
    tokenFault("name", name) ?? clientNameFault("name", name),
    ...ruleFaults(options, surroundings),
    credentialVersionFault("credentialVersion", credentialVersion),
    booleanFault("connectionOutput", connectionOutput),
    ...authenticationFaults(name, authentication, surroundings),
  ];
  return faults.filter((fault) => fault !== undefined);
}

function ruleFaults(options: ClientOptions, { publishesSys }: ClientSurroundings): Fault[] {
  const faults: Fault[] = [];
  const filters = (what: keyof ClientOptions, faultsOf: readonly (typeof ruleFilterFault)[]): readonly string[] => {
    const list = listOf(options[what] ?? []);
    if (list === undefined) {
      faults.push({
        what,
        value: options[what],
        allowed: "a list of topic filters, known at synth",
        remedy: 'write ["plant/#"] even for a single one',
      });
      return [];
    }
    list.forEach((filter, index) => {
      const each = `${what}[${index}]`;
      const fault = tokenFault(each, filter) ?? faultsOf.map((faultOf) => faultOf(each, filter)).find(Boolean);
      if (fault) faults.push(fault);
    });
    return list as readonly string[];
  };
  const both = filters("publishAndSubscribe", [publishFilterFault, subscribeFilterFault]);
  const publish = [...filters("publish", [publishFilterFault]), ...both];
  const subscribe = [...filters("subscribe", [subscribeFilterFault]), ...both];
  const deny = filters("deny", [ruleFilterFault]);
  if (faults.length > 0) return faults;
  if (publish.length + subscribe.length === 0) {
    return [
      {
        what: "publish, subscribe and publishAndSubscribe",
        value: "none",
        allowed: "at least one topic filter in one of them, known at synth",
        remedy: "declare what the client is for; without a rule the broker delivers nothing to and from it",
      },
    ];
  }
  const contradiction = contradictionFault({ publish, subscribe, deny });
  if (contradiction !== undefined) return [contradiction];
  if (!publishesSys) {
    subscribe.forEach((filter) => {
      if (/^\$SYS(\/|$)/.test(filter)) {
        faults.push({
          what: "subscribe",
          value: filter,
          allowed: "$SYS where the broker publishes it, and sysInterval is 0",
          remedy: "leave out sysInterval, or this filter",
        });
      }
    });
  }
  if (deny.length === 0) return faults;
  const rules = { userName: "client", publish, subscribe, deny };
  const useless = [
    ...publish.filter((filter) => decide(rules, "publish", filter) === "none"),
    ...subscribe.filter((filter) => decide(rules, "subscribe", filter) === "none"),
  ];
  subscribe.forEach((filter) => {
    if (!filter.startsWith("$share/") || decide(rules, "subscribe", filter) !== "some") return;
    faults.push({
      what: "deny closes a part of a shared subscription",
      value: filter,
      allowed:
        "shared subscriptions without one: Mosquitto gives each member its share of all messages, and what this one is denied would be lost",
      remedy: "share a narrower filter, or deny it to nobody of that group",
    });
  });
  for (const filter of new Set(useless)) {
    faults.push({
      what: "deny closes all of a filter that is declared",
      value: filter,
      allowed: "filters of which something is left",
      remedy: "leave out that filter, or deny less",
    });
  }
  return faults;
}

function authenticationFaults(
  name: string,
  authentication: Authentication,
  surroundings: ClientSurroundings,
): (Fault | undefined)[] {
  if (!(authentication instanceof Authentication)) {
    return [
      {
        what: "authentication is of another kind",
        allowed: "what Authentication.certificate() and the other factories make",
        remedy: "call one of them",
      },
    ];
  }
  const { method, certificate, password } = authentication;
  const faults: (Fault | undefined)[] = [];
  if (certificate !== undefined) {
    const { options, requestPem } = certificate;
    faults.push(...certificateOptionFaults("authentication", options, surroundings.certificateLifetime));
    const isLong = typeof name === "string" && commonNameOf(name, method).length > MAXIMUM_COMMON_NAME;
    if (isLong && method === "certificateAndPassword") {
      faults.push({
        what: "name",
        value: name,
        allowed: `${MAXIMUM_COMMON_NAME - WITH_PASSWORD.length} characters for a client that needs certificate and password, whose common name is NAME${WITH_PASSWORD}`,
        remedy: "take a shorter one",
      });
    }
    if (requestPem !== undefined) {
      const what = "authentication's certificate request";
      faults.push(tokenFault(what, requestPem) ?? certificationRequestFault(what, requestPem));
    }
  }
  if (password !== undefined) faults.push(...passwordFaults(name, password, surroundings));
  return faults;
}

function passwordFaults(
  name: string,
  options: PasswordOptions,
  { takesLongSalts }: ClientSurroundings,
): (Fault | undefined)[] {
  const fault = optionsFault("authentication's password", options);
  if (fault !== undefined) return [fault];
  const { value, hash, iterations } = options;
  const faults: (Fault | undefined)[] = [];
  const unknown = (what: string, which: string): Fault => ({
    what,
    allowed: `a ${which} known at synth, because the password file is made then`,
    remedy: "pass a plain string, or TextSource.variable() for one of the environment",
  });
  if (hash !== undefined) {
    const what = "authentication's hash";
    faults.push(Token.isUnresolved(hash) ? unknown(what, "hash") : passwordHashFault(what, hash, takesLongSalts));
    if (value !== undefined || iterations !== undefined) {
      faults.push({
        what,
        allowed: "either a hash, or a value with its iterations",
        remedy: "leave one of them out",
      });
    }
  }
  if (value !== undefined && !(value instanceof TextSource)) {
    const what = "authentication's password";
    faults.push(Token.isUnresolved(value) ? unknown(what, "value") : passwordFault(what, value, name));
  }
  if (iterations !== undefined) faults.push(iterationsFault("authentication's iterations", iterations));
  return faults;
}
