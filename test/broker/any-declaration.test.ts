import { Token, TerraformStack, TerraformVariable } from "cdktf";
import fc from "fast-check";
import {
  Authentication,
  BrokerNetwork,
  CertificateAuthority,
  ClientListOptions,
  ClientOptions,
  ConnectionOutputs,
  CredentialStore,
  KeyAlgorithm,
  Listener,
  ListenerKind,
  MosquittoBroker,
  MosquittoBrokerProps,
  MosquittoImage,
  TextSource,
} from "../../constructs";
import {
  hashPassword,
  parseAccessControlList,
  parsePasswordFile,
  renderAccessControlList,
  renderPasswordFile,
} from "../../constructs/access";
import { parseMosquittoConf } from "../../constructs/broker/conf/conf-reader";
import { config, declareBroker, makeStack } from "../support/declare";

// Callers in plain JavaScript, and values that come from JSON, keep to no type.

const variable = new TerraformVariable(makeStack(), "v", { type: "string" });
const tokens: readonly unknown[] = [
  variable.stringValue,
  variable.numberValue,
  variable.listValue,
  variable.value,
  `a${variable.stringValue}`,
  [variable.stringValue],
  Token.asString({ resolve: () => "a" }),
  Token.asString({ resolve: () => "a\nallow_anonymous true" }),
];

/** Values of every kind, those that break a line, a number or a conversion often. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ..."\n\r\t\0\u0085\u2028\u2029 #$%/+:-.ab1",
        "\ud800",
        "${",
        "%{",
        "user x",
        "allow_anonymous true",
      ),
      fc.string({ unit: "binary", maxLength: 3 }),
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(""));
const numbers = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(NaN, Infinity, -Infinity, -0, 0, 1, 2, 1.5, -1, 1e21, Number.MAX_SAFE_INTEGER + 2),
);
const scalar = fc.oneof(text, numbers, fc.constantFrom<unknown[]>(null, undefined, true, false));
/** What JSON can hold, and what has no text and no number. */
const ODD: readonly unknown[] = [
  null,
  { toString: 1, valueOf: 1 },
  { length: 1 },
  { name: "a", value: "b" },
  Object.create(null),
  new Array<string>(1),
  [],
  {},
  "",
  0,
  10n,
  Symbol("a"),
  () => "a",
  new Date(0),
  new Map([["a", "b"]]),
  [[["a"]]],
  [{}],
  [null],
  [undefined],
];
const anything = fc.oneof(
  { arbitrary: scalar, weight: 4 },
  { arbitrary: fc.array(scalar, { maxLength: 3 }), weight: 2 },
  { arbitrary: fc.jsonValue({ maxDepth: 2 }), weight: 1 },
  { arbitrary: fc.constantFrom(...ODD), weight: 3 },
  { arbitrary: fc.constantFrom(...tokens), weight: 2 },
);

interface Property {
  /** As the code that declares it says. */
  readonly name: string;
  /** Values that must be taken. */
  readonly samples: readonly unknown[];
  /** Whether a value is of the declared type. */
  readonly fits: (value: unknown) => boolean;
  /** How many lines more it makes in mosquitto.conf. */
  readonly lines?: (value: unknown) => number;
  /** What an error calls it, where that is something else. */
  readonly called?: RegExp;
}

const isNumber = (value: unknown): boolean => Number.isFinite(value);
const isBoolean = (value: unknown): boolean => typeof value === "boolean";
const isText = (value: unknown): boolean => typeof value === "string" && !Token.isUnresolved(value);
const isObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !Token.isUnresolved(value);
const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && !Token.isUnresolved(value) && Array.from<unknown>(value).every(isText);
const isOf =
  (type: { readonly prototype: object }) =>
  (value: unknown): boolean =>
    value instanceof (type as unknown as new () => object);
const one = (value: unknown): number => (value === undefined ? 0 : 1);
const length = (value: unknown): number => (value as unknown[] | undefined)?.length ?? 0;

const number = (name: string, ...samples: number[]): Property => ({ name, samples, fits: isNumber });
const flag = (name: string): Property => ({ name, samples: [true, false], fits: isBoolean });

const BROKER: readonly Property[] = [
  { name: "hosts", samples: [["a.example"], ["10.0.0.1", "::1"]], fits: isTexts },
  {
    name: "listeners",
    samples: [[Listener.mutualTls()]],
    fits: (value) => Array.isArray(value) && value.every((each) => each instanceof Listener),
  },
  { name: "credentials", samples: [CredentialStore.folder("credentials/any")], fits: isOf(CredentialStore) },
  { name: "serverAuthority", samples: [CertificateAuthority.managed()], fits: isOf(CertificateAuthority) },
  { name: "clientAuthority", samples: [CertificateAuthority.managed()], fits: isOf(CertificateAuthority) },
  { name: "keyAlgorithm", samples: [KeyAlgorithm.rsa(2048)], fits: isOf(KeyAlgorithm) },
  { name: "serverCertificate", samples: [{}], fits: isObject },
  number("serverCertificate.validityDays", 1, 36_500),
  number("serverCertificate.renewBeforeDays", 0, 396.5),
  number("serverCertificate.credentialVersion", 1, 2),
  { name: "serverCertificate.keyAlgorithm", samples: [KeyAlgorithm.ecdsaP384()], fits: isOf(KeyAlgorithm) },
  { name: "clientCertificates", samples: [{}], fits: isObject },
  number("clientCertificates.validityDays", 1, 36_500),
  number("clientCertificates.renewBeforeDays", 0, 824.5),
  { name: "clientCertificates.keyAlgorithm", samples: [KeyAlgorithm.ecdsaP384()], fits: isOf(KeyAlgorithm) },
  { name: "image", samples: [MosquittoImage.named("local", "2.1.2")], fits: isOf(MosquittoImage) },
  { name: "network", samples: [BrokerNetwork.internal(), BrokerNetwork.existing("a")], fits: isOf(BrokerNetwork) },
  { name: "name", samples: ["plant", "a_b.c-1"], fits: isText },
  flag("protectData"),
  flag("liveChanges"),
  {
    name: "connectionOutputs",
    samples: [ConnectionOutputs.withSecrets(), ConnectionOutputs.withoutSecrets()],
    fits: isOf(ConnectionOutputs),
  },
  { name: "outputPrefix", samples: ["plant_", ""], fits: isText },
  { name: "provider", samples: [], fits: () => false },
  { name: "limits", samples: [{}], fits: isObject },
  number("limits.maxPacketSize", 20, 268_435_460),
  { ...number("limits.messageSizeLimit", 1, 2_000_000), lines: one },
  number("limits.maxInflightMessages", 1, 65_534),
  { ...number("limits.maxInflightBytes", 1), lines: one },
  number("limits.maxQueuedMessages", 1, 1_000_000),
  { ...number("limits.maxQueuedBytes", 1), lines: one },
  { ...flag("limits.queueQos0Messages"), lines: one },
  { ...number("limits.persistentClientExpirationDays", 1, 3650), lines: one },
  number("limits.maxKeepalive", 10, 65_535),
  number("limits.memoryLimit", 2 ** 30),
  { ...flag("limits.retainAvailable"), lines: one },
  { name: "persistence", samples: [{}], fits: isObject },
  flag("persistence.enabled"),
  number("persistence.autosaveInterval", 1, 86_400),
  { name: "logging", samples: [{}], fits: isObject },
  {
    name: "logging.types",
    samples: [
      ["error", "warning"],
      ["debug", "warning", "error", "subscribe", "notice"],
    ],
    fits: isTexts,
    lines: (value) => (value === undefined ? 0 : length(value) - 4),
  },
  flag("logging.connectionMessages"),
  { name: "logging.timestampFormat", samples: ["%Y-%m-%dT%H:%M:%S", "${x} %{if}"], fits: isText, lines: one },
  number("sysInterval", 0, 65_535),
  {
    name: "extraConfig",
    samples: [["retain_expiry_interval 10"], ["some_option ${x}", "other_option %{if true}"], []],
    fits: isTexts,
    lines: length,
  },
];

const LISTENER: readonly Property[] = [
  number("port", 1, 65_535),
  flag("webSockets"),
  { name: "bindAddresses", samples: [["127.0.0.1", "::1"]], fits: isTexts },
  number("maxConnections", 1, 100_000),
  { ...number("maxQos", 0, 2), lines: one },
  { ...number("maxTopicAlias", 0, 65_535), lines: one },
  { name: "extraConfig", samples: [["some_option ${x}"], []], fits: isTexts, lines: length },
];

const TLS: readonly Property[] = [
  {
    name: "tlsVersion",
    samples: ["tlsv1.2", "tlsv1.3"],
    fits: isText,
    lines: (value) => (value === "tlsv1.3" ? -1 : 0),
  },
  { name: "ciphers", samples: [["ECDHE-ECDSA-AES128-CCM"]], fits: isTexts },
  { name: "ciphersTls13", samples: [["TLS_AES_128_GCM_SHA256"]], fits: isTexts, lines: one },
];

const FILTERS: Omit<Property, "name"> = { samples: [["plant/#"], ["a/${x}", "b/%{if}"], []], fits: isTexts };
const CLIENT: readonly Property[] = [
  { name: "publish", ...FILTERS },
  { name: "subscribe", ...FILTERS, samples: [...FILTERS.samples, ["$share/g/a"]] },
  { name: "publishAndSubscribe", ...FILTERS },
  { name: "deny", ...FILTERS },
  { name: "authentication", samples: [Authentication.certificate()], fits: isOf(Authentication) },
  number("credentialVersion", 1, 2),
  { name: "listeners", samples: [], fits: () => false },
  { name: "host", samples: ["localhost", "127.0.0.1"], fits: isText },
  { name: "serverName", samples: ["localhost", "::1"], fits: isText },
  flag("connectionOutput"),
];

const HASH = hashPassword("a long password", { iterations: 1 });
const PASSWORD: readonly Property[] = [
  {
    name: "value",
    samples: ["a long password", "twelve ${x} %{if}", TextSource.variable("NOT_SET")],
    fits: (value) => isText(value) || value instanceof TextSource,
    called: /authentication's (password|value)/,
  },
  { name: "hash", samples: [HASH], fits: isText, called: /authentication's hash/ },
  { ...number("iterations", 1, 1_000_000), called: /authentication's iterations/ },
];

const CERTIFICATE: readonly Property[] = [
  number("validityDays", 1, 36_500),
  number("renewBeforeDays", 0, 824.5),
  { name: "keyAlgorithm", samples: [KeyAlgorithm.ecdsaP384()], fits: isOf(KeyAlgorithm) },
];

/** Whatever a reader may take for the end of a line. */
const linesOf = (file: string): string[] => file.split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/);

interface Files {
  readonly conf: string;
  readonly acl: string;
}

/** The files that the writer brings, as Terraform reads them. */
function filesOf(broker: MosquittoBroker): Files {
  const containers = Object.values(config(TerraformStack.of(broker)).resource.docker_container);
  const uploads = containers.flatMap(({ upload = [] }) => upload);
  const content = (name: string): string => {
    const text = uploads.find(({ file }) => file.endsWith(`/${name}`))?.content;
    if (text === undefined) throw new Error(`no container brings ${name}`);
    // What is left of Terraform's marks would be evaluated.
    expect(text.replace(/\$\$\{|%%\{/g, "")).not.toMatch(/[$%]\{/);
    return text.replace(/\$\$\{/g, () => "${").replace(/%%\{/g, () => "%{");
  };
  return { conf: content("logging.conf") + content("mosquitto.conf"), acl: content("acl") };
}

const plainConf = filesOf(declareBroker()).conf;
const plainAcl = renderAccessControlList([]);

/** What stands below a path such as `limits.maxPacketSize`. */
function nested(path: string, value: unknown): Record<string, unknown> {
  const [first = "", rest] = path.split(/\.(.*)/s);
  return { [first]: rest === undefined ? value : nested(rest, value) };
}

/** It must be an error for people, not a crash. @returns what it says */
function expectWords(error: unknown, called: RegExp): string {
  expect(error).toBeInstanceOf(Error);
  const { name, message } = error as Error;
  expect({ name, message }).toEqual({ name: "Error", message: expect.stringMatching(called) as string });
  expect(message).toMatch(/allowed: .*; remedy: /);
  return message;
}

/** It must name where, and have one line for each fault. */
function expectRefusal(error: unknown, called: RegExp): void {
  const [first = "", ...faults] = linesOf(expectWords(error, called));
  expect(first).toMatch(/test\/broker/);
  for (const fault of faults) expect(fault).toMatch(/^ {2}(- .*; allowed: .*; remedy: |and \d+ more$)/);
}

function expectPlainFiles(broker: MosquittoBroker, more: number, extraConfig: unknown): void {
  const { conf, acl } = filesOf(broker);
  const names = isTexts(extraConfig) ? (extraConfig as string[]).map((line) => line.split(" ")[0] as string) : [];
  expect(parseMosquittoConf(conf, new Set(names)).listeners).toHaveLength(2);
  expect(linesOf(conf)).toHaveLength(linesOf(plainConf).length + more);
  expect(acl).toBe(plainAcl);
}

const escaped = (text: string): string => text.replace(/[.[\]]/g, "\\$&");

/** Values that nearly are this one. */
function nearly(value: unknown): unknown[] {
  if (typeof value === "string") {
    return [`${value}\n`, `${value}\nallow_anonymous true`, `${value}${variable.stringValue}`, [value]];
  }
  if (typeof value === "number") return [String(value), [value], ...(Number.isInteger(value) ? [BigInt(value)] : [])];
  if (!Array.isArray(value)) return [String(value), [value]];
  const list = value as unknown[];
  const withHole = new Array<unknown>(1).concat(list);
  return [withHole, [...list, null], [list], [...list, variable.stringValue], list.join(), { ...list }];
}

/** Tries what is known to be awkward, and then whatever comes. */
function tryEverything(judge: (value: unknown) => void, numRuns = 40): void {
  for (const value of [...ODD, ...tokens]) judge(value);
  fc.assert(fc.property(anything, judge), { numRuns });
}

/** Tries the samples of a property, which must be taken, and all that is none. */
function tryAll(property: Property, judge: (value: unknown, isSample: boolean) => void): void {
  for (const sample of property.samples) judge(sample, true);
  judge(undefined, property.name !== "hosts");
  const judgeOther = (value: unknown): void => judge(value, false);
  property.samples.flatMap(nearly).forEach(judgeOther);
  tryEverything(judgeOther);
}

/** A value that is taken must be of the declared type. Null may stand for what is left out. */
function expectFit({ fits }: Pick<Property, "fits">, value: unknown): void {
  if (value !== undefined && value !== null) expect({ value, fits: fits(value) }).toEqual({ value, fits: true });
}

/** Runs a declaration. @returns what it made, or the error, which a value of the declared type that is a sample must not be */
function attempt<T>(declare: () => T, isSample: boolean): { readonly made: T } | { readonly error: unknown } {
  try {
    return { made: declare() };
  } catch (error) {
    if (isSample) throw error;
    return { error };
  }
}

describe("whatever stands in a property of a broker is refused in words, or makes the lines that it should:", () => {
  test.each(BROKER.map((property) => [property.name, property] as const))("%s", (name, property) => {
    tryAll(property, (value, isSample) => {
      const props = nested(name, value) as Partial<MosquittoBrokerProps>;
      const outcome = attempt(() => declareBroker(props), isSample);
      if ("error" in outcome) return expectRefusal(outcome.error, new RegExp(escaped(name)));
      expectFit(property, value);
      expectPlainFiles(outcome.made, property.lines?.(value ?? undefined) ?? 0, name === "extraConfig" ? value : []);
    });
  });
});

describe("whatever stands in an image is refused in words:", () => {
  test("its name", () => {
    tryEverything((name) => {
      const outcome = attempt(() => declareBroker({ image: MosquittoImage.named(name as string, "2.1.2") }), false);
      if ("error" in outcome) expectRefusal(outcome.error, /image\.name/);
      // It may be a variable of Terraform.
      else expect({ name, isText: typeof name === "string" }).toEqual({ name, isText: true });
    });
  });

  test("its version", () => {
    tryEverything((version) => {
      const outcome = attempt(() => declareBroker({ image: MosquittoImage.named("local", version as string) }), false);
      expect({ version, refused: "error" in outcome }).toEqual({ version, refused: true });
      if ("error" in outcome) expectRefusal(outcome.error, /image\.version/);
    });
  });
});

const KINDS: readonly ListenerKind[] = ["mutualTls", "passwordOverTls", "mutualTlsWithPassword", "plaintext"];
const make = (kind: ListenerKind, options: unknown): Listener => Listener[kind](options as object);

describe("whatever stands in an option of a listener is refused in words, or makes the lines that it should:", () => {
  const cases = (["mutualTls", "plaintext"] as const).flatMap((kind) =>
    [...LISTENER, ...(kind === "plaintext" ? [] : TLS)].map((property) => [kind, property.name, property] as const),
  );

  test.each(cases)("%s, %s", (kind, name, property) => {
    const plain = linesOf(filesOf(declareBroker({ listeners: [make(kind, {})] })).conf).length;
    const unlike = plain - linesOf(plainConf).length;
    tryAll(property, (value, isSample) => {
      const outcome = attempt(() => declareBroker({ listeners: [make(kind, { [name]: value })] }), isSample);
      if ("error" in outcome) return expectRefusal(outcome.error, new RegExp(`listeners\\[0\\]\\.${name}`));
      expectFit(property, value);
      const more = property.lines?.(value ?? undefined) ?? 0;
      expectPlainFiles(outcome.made, unlike + more, name === "extraConfig" ? value : []);
    });
  });

  test.each(KINDS)("%s, all options", (kind) => {
    tryEverything((value) => {
      const outcome = attempt(() => declareBroker({ listeners: [make(kind, value)] }), false);
      if ("error" in outcome) expectWords(outcome.error, /listener/i);
      else expectFit({ fits: isObject }, value);
    });
  });
});

/** Every filter that the rules of a client name, as the broker's file has them. */
function filtersOf({ publish, subscribe, publishAndSubscribe, deny }: ClientOptions): Set<string> {
  const all = [publish, subscribe, publishAndSubscribe, deny].flatMap((filters) => filters ?? []);
  return new Set(all.map((filter) => filter.replace(/^\$share\/[^/]+\//, "")));
}

const freshBroker = (): MosquittoBroker =>
  declareBroker({ listeners: [Listener.mutualTls(), Listener.passwordOverTls()] });

/** A broker that has no client yet. */
let spare = freshBroker();

/** Declares clients of such a broker. @returns it, or the error, which must leave nothing behind */
function declareClients(
  declare: (broker: MosquittoBroker) => unknown,
  isSample: boolean,
): { readonly broker: MosquittoBroker } | { readonly error: unknown } {
  const broker = spare;
  const constructs = broker.node.findAll().length;
  const outcome = attempt(() => declare(broker), isSample);
  if ("error" in outcome) {
    const left = broker.node.findAll().length - constructs;
    if (left > 0) spare = freshBroker();
    expect({ error: outcome.error, left }).toEqual({ error: outcome.error, left: 0 });
    return outcome;
  }
  spare = freshBroker();
  return { broker };
}

/** Adds a client, and judges what came of it. @returns whether it was taken */
function judgeClient(name: unknown, options: unknown, called: RegExp, isSample = false): boolean {
  const outcome = declareClients((broker) => broker.addClient(name as string, options as ClientOptions), isSample);
  if ("error" in outcome) {
    expectRefusal(outcome.error, called);
    return false;
  }
  const { acl } = filesOf(outcome.broker);
  expect(parseAccessControlList(acl).map(({ userName }) => userName)).toEqual([name]);
  expect(linesOf(acl)).toHaveLength(linesOf(plainAcl).length + 2 + filtersOf(options as ClientOptions).size);
  return true;
}

describe("whatever stands in an option of a client is refused in words, or makes the lines that it should:", () => {
  test.each(CLIENT.map((property) => [property.name, property] as const))("%s", (name, property) => {
    tryAll(property, (value, isSample) => {
      const options = { ...(name !== "publish" && { publish: ["x/1"] }), subscribe: ["x/2"], [name]: value };
      if (judgeClient("sensor-1", options, new RegExp(name), isSample)) expectFit(property, value);
    });
  });

  test("name", () => {
    const options = { publish: ["x/1"] };
    const names: Property = { name: "name", samples: ["a", "Sensor.1_b-c"], fits: isText };
    tryAll(names, (name, isSample) => {
      if (judgeClient(name, options, /name/, isSample && name !== undefined)) expectFit(names, name);
    });
  });

  test("all options", () => {
    tryEverything((options) => void judgeClient("sensor-1", options, /publish, subscribe|options/));
  });

  test("names and filters that nearly are some", () => {
    const parts = fc.constantFrom(
      ..."ab1.-_/+#$ \n\u2028",
      ...["a/", "${", "%{", "$share/", "$SYS", "user b", "topic deny a"],
    );
    const near = fc.array(parts, { minLength: 1, maxLength: 4 }).map((each) => each.join(""));
    const filters = fc.array(near, { maxLength: 2 });
    const options = fc.record(
      { publish: filters, subscribe: filters, publishAndSubscribe: filters, deny: filters },
      { requiredKeys: [] },
    );
    let taken = 0;
    fc.assert(
      fc.property(fc.oneof(near, fc.constant("sensor-1")), options, (name, rules) => {
        if (judgeClient(name, rules, /name|publish|subscribe|deny/)) taken += 1;
      }),
      { numRuns: 500 },
    );
    expect(taken).toBeGreaterThan(10);
  });
});

describe("whatever stands in an option of a password is refused in words, or makes one line of the password file:", () => {
  const add = (password: unknown, isSample: boolean): ReturnType<typeof declareClients> =>
    declareClients((broker) => {
      const authentication = Authentication.password(password as object);
      broker.addClient("sensor-1", { publish: ["a"], authentication });
    }, isSample);

  test.each(PASSWORD.map((property) => [property.name, property] as const))("%s", (name, property) => {
    tryAll(property, (value, isSample) => {
      const outcome = add({ [name]: value }, isSample);
      if ("error" in outcome) return expectRefusal(outcome.error, property.called as RegExp);
      expectFit(property, value);
      if (typeof value !== "string") return;
      const hash = name === "hash" ? value : hashPassword(value, { iterations: 1 });
      const file = renderPasswordFile([{ userName: "sensor-1", hash }]);
      expect(linesOf(file)).toHaveLength(linesOf(renderPasswordFile([])).length + 1);
      expect(parsePasswordFile(file)).toEqual([{ userName: "sensor-1", hash }]);
    });
  });

  test("all options, where a password by itself would be lost", () => {
    const judge = (value: unknown): void => {
      const outcome = add(value, false);
      if ("error" in outcome) expect(expectWords(outcome.error, /password/)).not.toMatch(/long password/);
      else expectFit({ fits: isObject }, value);
    };
    tryEverything(judge);
    judge("a long password");
    judge(TextSource.variable("NOT_SET"));
  });
});

describe("whatever stands in an option of a certificate is refused in words, or is of its type:", () => {
  test.each(CERTIFICATE.map((property) => [property.name, property] as const))("%s", (name, property) => {
    tryAll(property, (value, isSample) => {
      const options = { publish: ["a"], authentication: Authentication.certificate({ [name]: value }) };
      const called = new RegExp(`authentication.*${name}`);
      if (judgeClient("a", options, called, isSample)) expectFit(property, value);
    });
  });

  test("all options", () => {
    tryEverything((value) => {
      const outcome = declareClients((broker) => {
        const authentication = Authentication.certificate(value as object);
        broker.addClient("a", { publish: ["a"], authentication });
      }, false);
      if ("error" in outcome) expectWords(outcome.error, /certificate|authentication/);
      else expectFit({ fits: isObject }, value);
    });
  });

  test("a request, which must not become a certificate whose key is made here", () => {
    const judge = (pem: unknown): void => {
      const outcome = declareClients((broker) => {
        const authentication = Authentication.certificateRequest(pem as string);
        broker.addClient("a", { publish: ["a"], authentication });
      }, false);
      expect({ pem, refused: "error" in outcome }).toEqual({ pem, refused: true });
      if ("error" in outcome) expectWords(outcome.error, /request/);
    };
    tryEverything(judge);
    judge(undefined);
  });
});

describe("whatever stands in a list of clients is refused in words:", () => {
  const each = { publish: ["a"] };

  /** @returns whether it was taken */
  function judgeList(list: unknown, options: unknown, called: RegExp): boolean {
    const outcome = declareClients(
      (broker) => broker.addClients(list as string[], options as ClientListOptions),
      false,
    );
    if ("error" in outcome) {
      expectRefusal(outcome.error, called);
      return false;
    }
    const { length } = list as unknown[];
    const { acl } = filesOf(outcome.broker);
    expect(parseAccessControlList(acl)).toHaveLength(length);
    expect(linesOf(acl)).toHaveLength(linesOf(plainAcl).length + 3 * length);
    return true;
  }

  test("the list", () => {
    expect(judgeList(["a", "b"], { each }, /^/)).toBe(true);
    tryEverything((list) => void judgeList(list, { each }, /the list|list\[\d+\]/));
  });

  test("an entry", () => {
    tryEverything((entry) => void judgeList(["b", entry], { each }, /list\[1\]/));
  });

  test.each([
    ["name", /name/],
    ["group", /group/],
    ["origin", /"a"/],
  ])("%s of an entry", (property, called) => {
    const options = { groups: { sensor: each } };
    const entry = { name: "a", group: "sensor" };
    expect(judgeList([entry], options, /^/)).toBe(true);
    tryEverything((value) => void judgeList([{ ...entry, [property]: value }], options, called), 20);
  });

  test.each<[string, (value: unknown) => unknown, RegExp]>([
    ["all options", (value) => value, /each|groups/],
    ["each", (value) => ({ each: value }), /each|publish/],
    ["groups", (value) => ({ groups: value }), /groups?/],
    ["a group", (value) => ({ groups: { sensor: value } }), /group|publish/],
    ["what a function returns", (value) => ({ each: () => value }), /each|publish/],
    ["connectionOutputs", (value) => ({ each, connectionOutputs: value }), /connectionOutputs/],
  ])("%s", (_, options, called) => {
    const list = [{ name: "a", group: "sensor" }];
    tryEverything((value) => void judgeList(list, options(value), called));
  });
});

describe("whatever is asked about rights is answered, or refused in words:", () => {
  const broker = freshBroker();
  broker.addClient("sensor-1", { publish: ["a"] });

  test("the client", () => {
    tryEverything((client) => {
      for (const asks of ["canPublish", "canSubscribe"] as const) {
        const outcome = attempt(() => broker[asks](client as string, "a"), false);
        if ("error" in outcome) expectRefusal(outcome.error, /client of/);
        else expect(client).toBe("sensor-1");
      }
    });
  });

  test("the topics", () => {
    tryEverything((topics) => {
      for (const asks of ["canPublish", "canSubscribe"] as const) {
        const outcome = attempt(() => broker[asks]("sensor-1", topics as string), false);
        if ("error" in outcome) expectWords(outcome.error, /topic/);
        else expect(isText(topics)).toBe(true);
      }
    });
  });

  test("the columns", () => {
    tryEverything((columns) => {
      const outcome = attempt(() => broker.accessMatrix(columns as string[]), false);
      if ("error" in outcome) expectWords(outcome.error, /columns|topic filter/);
      else expectFit({ fits: isTexts }, columns);
    });
  });
});

test("whatever stands in all properties at once, the broker is refused in words, with one line for each fault", () => {
  const props = fc.record(
    Object.fromEntries(
      BROKER.filter(({ name }) => !name.includes(".")).map(({ name, samples }): [string, fc.Arbitrary<unknown>] => {
        const inner = BROKER.filter((each) => each.name.startsWith(`${name}.`)).map(
          (each): [string, fc.Arbitrary<unknown>] => [each.name.slice(name.length + 1), anything],
        );
        const deep = inner.length === 0 ? anything : fc.record(Object.fromEntries(inner), { requiredKeys: [] });
        return [name, fc.oneof(deep, samples.length === 0 ? anything : fc.constantFrom(...samples))];
      }),
    ),
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(props, (value) => {
      const outcome = attempt(() => declareBroker(value as Partial<MosquittoBrokerProps>), false);
      if ("error" in outcome) expectRefusal(outcome.error, /test\/broker/);
    }),
    { numRuns: 500 },
  );
});

test("whatever stands in all options of two listeners at once, they are refused in words", () => {
  const options = fc.record(
    Object.fromEntries(
      [...LISTENER, ...TLS].map(({ name, samples }) => [name, fc.oneof(anything, fc.constantFrom(...samples))]),
    ),
    { requiredKeys: [] },
  );
  const listener = fc.tuple(fc.constantFrom(...KINDS), options).map(([kind, given]) => ({ kind, given }));
  const limits = fc.record({ maxPacketSize: anything, messageSizeLimit: anything, memoryLimit: anything });
  fc.assert(
    fc.property(listener, listener, limits, (first, second, given) => {
      const listeners = [make(first.kind, first.given), make(second.kind, second.given)];
      const outcome = attempt(() => declareBroker({ listeners, limits: given as object }), false);
      if ("error" in outcome) expectRefusal(outcome.error, /test\/broker/);
    }),
    { numRuns: 500 },
  );
});
