import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import { App, TerraformStack, TerraformVariable, Testing } from "cdktf";
import { X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import {
  Authentication,
  CertificateAuthority,
  ClientList,
  ClientListener,
  ClientOptions,
  ConnectionBundle,
  CredentialStore,
  Listener,
  MosquittoBroker,
  MosquittoBrokerProps,
  MosquittoImage,
  PasswordOptions,
  TextSource,
  topicLevel,
} from "../../constructs";
import {
  hashPassword,
  parseAccessControlList,
  parsePasswordFile,
  PasswordEntry,
  verifyPassword,
} from "../../constructs/access";
import { config, containerNamed, declareBroker, makeStack } from "../support/declare";
import { filesBelow, makeFolder, removeFolder } from "../support/workspace";

const parent = makeFolder("clients");
afterAll(() => removeFolder(parent));

/** Of the declared clients. */
function passwordsIn(passwd: string): PasswordEntry[] {
  return parsePasswordFile(passwd).filter(({ userName }) => !userName.startsWith("cdktf-mosquitto"));
}

const VARIABLE = "CDKTF_MOSQUITTO_TEST_PASSWORD";
const stderr = jest.spyOn(process.stderr, "write");
beforeEach(() => {
  // What was issued is said there.
  stderr.mockReturnValue(true);
});
afterEach(() => {
  delete process.env[VARIABLE];
  stderr.mockReset();
});
afterAll(() => stderr.mockRestore());

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was refused");
}

/** The faults that an error names, without its first line. */
const faultsOf = (message: string): string[] => message.split("\n").slice(1);
const refusal = (options: ClientOptions, props: Partial<MosquittoBrokerProps> = {}, name = "a"): string =>
  messageOf(() => declareBroker(props).addClient(name, options));

const all = (): Listener[] => [
  Listener.mutualTls(),
  Listener.passwordOverTls(),
  Listener.mutualTlsWithPassword(),
  Listener.plaintext(),
];
const passwords = { listeners: [Listener.passwordOverTls()] };
const secret = "s3cret-жщю-s3cret";

/** The broker's access control list, as it reads it. */
function accessControlList(broker: MosquittoBroker): ReturnType<typeof parseAccessControlList> {
  const uploads = containerNamed(config(TerraformStack.of(broker)), "test-broker-writer").upload ?? [];
  return parseAccessControlList(uploads.find(({ file }) => file.endsWith("/acl"))?.content ?? "");
}

interface Delivered {
  readonly text: string;
  readonly bundle: (client: string) => ConnectionBundle;
  readonly file: (name: string) => string;
  /** Files below the output folder and the store that have a text in them. */
  readonly having: (text: string) => string[];
}

/** Synthesises as an app does, with what is left in the store. */
function deliver(
  clients: (broker: MosquittoBroker) => void,
  props: Partial<MosquittoBrokerProps> = {},
  folder = fs.mkdtempSync(path.join(parent, "x-")),
): Delivered {
  const app = new App({ outdir: path.join(folder, "out") });
  const stack = new TerraformStack(app, "test");
  new DockerProvider(stack, "docker", {});
  const broker = new MosquittoBroker(stack, "broker", {
    hosts: ["broker.plant.example"],
    credentials: CredentialStore.folder(path.join(folder, "store")),
    ...props,
  });
  clients(broker);
  app.synth();
  const stackFolder = path.join(folder, "out", "stacks", "test");
  const file = (name: string): string =>
    fs.readFileSync(path.join(stackFolder, "material", "test-broker", name), "utf8");
  return {
    text: fs.readFileSync(path.join(stackFolder, "cdk.tf.json"), "utf8"),
    bundle: (client) => JSON.parse(file(`connections/${client}.json`)) as ConnectionBundle,
    file,
    having: (text) =>
      filesBelow(folder).filter((name) => fs.readFileSync(path.join(folder, name), "utf8").includes(text)),
  };
}

describe("a client is refused", () => {
  test("with every fault in one error, a line each, below its name and the broker's path", () => {
    const message = refusal(
      {
        publish: ["a#"],
        subscribe: ["ok", "b\nuser admin"],
        publishAndSubscribe: ["$SYS/#"],
        deny: ["+x"],
        credentialVersion: 0,
        connectionOutput: "no" as unknown as boolean,
        authentication: Authentication.password({ value: "short", iterations: 0 }),
      },
      { listeners: [Listener.mutualTls()] },
      "sensor/1",
    );
    expect(message.split("\n")[0]).toBe('client "sensor/1" of test/broker cannot be declared like this:');
    expect(faultsOf(message).map((line) => /^ {2}- ([^,;]+)/.exec(line)?.[1])).toEqual([
      "name",
      "publishAndSubscribe[0]",
      "publish[0]",
      "subscribe[1]",
      "deny[0]",
      "credentialVersion",
      "connectionOutput",
      "authentication's password",
      "authentication's iterations",
      "authentication",
    ]);
    for (const line of faultsOf(message)) expect(line).toMatch(/; allowed: .*; remedy: /);
  });

  test("by the path of its own broker, where that is deep in the app", () => {
    const stack = makeStack();
    const broker = new MosquittoBroker(stack, "hall-7", { hosts: ["localhost"] });
    expect(messageOf(() => broker.addClient("a"))).toMatch(/^client "a" of test\/hall-7 cannot/);
    expect(messageOf(() => broker.addClients(["a"], { each: {} }))).toMatch(/^clients of test\/hall-7 cannot/);
    expect(messageOf(() => broker.canPublish("a", "x"))).toMatch(/test\/hall-7/);
  });

  test("and leaves nothing behind: its name is free, and neither list nor outputs have it", () => {
    const broker = declareBroker();
    expect(() => broker.addClient("a", { publish: ["#x"] })).toThrow();
    expect(broker.clients).toHaveLength(0);
    expect(Testing.synth(TerraformStack.of(broker))).not.toMatch(/user a|connection_a/);
    expect(broker.addClient("a", { publish: ["x"] }).name).toBe("a");
  });

  test.each([
    [""],
    ["-a"],
    [".a"],
    ["_a"],
    ["a b"],
    ["a:with-password"],
    ["ä"],
    ["a\nb"],
    ["a/b"],
    ["a:b"],
    ["x".repeat(65)],
    ["cdktf-mosquitto-control"],
    ["CDKTF-Mosquitto-x"],
  ])("for the name %j", (name) => {
    expect(refusal({ publish: ["a"] }, {}, name)).toMatch(/\n {2}- name, got .*; allowed: .*; remedy: take something/);
  });

  test.each([["a"], ["A.b_c-9"], ["0"], ["x".repeat(64)]])("and not for the name %j", (name) => {
    expect(declareBroker().addClient(name, { publish: ["a"] })).toMatchObject({ name, commonName: name });
  });

  test("for a name that differs from another one only in upper and lower case, or . and _", () => {
    const broker = declareBroker();
    broker.addClient("plc.a_1", { publish: ["a"] });
    for (const twin of ["plc.a_1", "PLC.A_1", "plc_a_1", "plc.a.1"]) {
      expect(messageOf(() => broker.addClient(twin, { publish: ["a"] }))).toBe(
        `client "${twin}" of test/broker cannot be declared like this:\n` +
          `  - ${twin === "plc.a_1" ? "it is declared already" : 'it has the name of client "plc.a_1"'}, got "${twin}"; allowed: names that differ in more than upper and ` +
          "lower case, or . and _, since they name files and outputs; remedy: rename one",
      );
    }
    expect(() => broker.addClient("plc-a-1", { publish: ["a"] })).not.toThrow();
  });
});

describe("no secret is in an error:", () => {
  const request = `-----BEGIN CERTIFICATE REQUEST-----\n${secret}\n-----END CERTIFICATE REQUEST-----\n`;
  const wrong: readonly [string, () => unknown][] = [
    ["a password that is too short", () => Authentication.password({ value: "s3cret" })],
    ["a password with a line break", () => Authentication.password({ value: `${secret}\n` })],
    ["a password that is too long", () => Authentication.password({ value: secret.repeat(100) })],
    ["a password in a list", () => Authentication.password({ value: [secret] as unknown as string })],
    ["a password in an object", () => Authentication.password({ value: { secret } as unknown as string })],
    ["a hash that is none", () => Authentication.password({ hash: secret })],
    ["a hash of another kind", () => Authentication.password({ hash: `$6$salt$${secret}` })],
    ["a hash beside a password", () => Authentication.password({ hash: `$7$${secret}`, value: secret })],
    ["a damaged request", () => Authentication.certificateRequest(request)],
    ["a password without Authentication", () => secret],
    ["options without Authentication", () => ({ value: secret })],
    ["what looks like an Authentication", () => ({ method: "password", password: { value: secret } })],
    ["a password instead of its options", () => Authentication.password(secret as unknown as PasswordOptions)],
    ["a password in the place of a certificate", () => Authentication.certificateAndPassword(secret as never)],
    [
      "options in the place of a password",
      () => Authentication.certificateOrPassword(Authentication.certificate(), { value: secret } as never),
    ],
  ];

  test.each(wrong)("%s", (_, authentication) => {
    const options = (): ClientOptions => ({ publish: ["a#"], authentication: authentication() as Authentication });
    for (const add of [
      () => declareBroker({ listeners: all() }).addClient("a", options()),
      () => declareBroker({ listeners: all() }).addClients(["a"], { each: options }),
    ]) {
      const message = messageOf(add);
      expect(message).toMatch(/allowed: .*; remedy: /);
      expect(message).not.toMatch(/s3cret|[жщю]/);
    }
  });

  test("a column of a list", () => {
    const list = [{ name: "a", group: "x", columns: { name: "a", group: "x", password: secret } }];
    expect(messageOf(() => declareBroker().addClients(list, { groups: { y: { publish: ["a"] } } }))).not.toMatch(
      /s3cret|[жщю]/,
    );
  });

  test("a password that is the client's name", () => {
    const authentication = Authentication.password({ value: "sensor-number-1" });
    expect(refusal({ publish: ["a"], authentication }, passwords, "sensor-number-1")).toMatch(
      /authentication's password; allowed: another text than the client's name; remedy: /,
    );
  });
});

describe("a password's declaration", () => {
  const hash = hashPassword("a long password", { iterations: 7 });
  const longSalt = `$7$7$${Buffer.alloc(64).toString("base64")}$${Buffer.alloc(64).toString("base64")}`;
  const refusalOf = (options: PasswordOptions, props: Partial<MosquittoBrokerProps> = {}): string =>
    refusal({ publish: ["a"], authentication: Authentication.password(options) }, { ...passwords, ...props });

  test.each<[string, PasswordOptions]>([
    ["a value", { hash, value: "a long password" }],
    ["a source of a value", { hash, value: TextSource.variable("NOT_SET") }],
    ["iterations", { hash, iterations: 7 }],
    ["both", { hash, value: "a long password", iterations: 7 }],
  ])("has no hash beside %s", (_, options) => {
    expect(faultsOf(refusalOf(options))).toEqual([
      "  - authentication's hash; allowed: either a hash, or a value with its iterations; remedy: leave one of them out",
    ]);
  });

  test("has every fault in one error", () => {
    const message = refusalOf({ hash: "x", value: "y", iterations: 0.5 });
    expect(faultsOf(message).map((line) => /^ {2}- ([^,;]+)/.exec(line)?.[1])).toEqual([
      "authentication's hash",
      "authentication's hash",
      "authentication's password",
      "authentication's iterations",
    ]);
  });

  test("has a salt of 64 bytes with Mosquitto 2.1 alone", () => {
    const options = { publish: ["a"], authentication: Authentication.password({ hash: longSalt }) };
    expect(() => declareBroker(passwords).addClient("a", options)).not.toThrow();
    expect(refusalOf({ hash: longSalt }, { image: MosquittoImage.named("local", "2.0.22") })).toMatch(
      /authentication's hash; allowed: a salt of 12 bytes.*; remedy: .*2\.1/,
    );
  });

  test("takes iterations from 1 to 1000000", () => {
    for (const iterations of [1, 1_000_000]) {
      const authentication = Authentication.password({ iterations });
      expect(() => declareBroker(passwords).addClient("a", { publish: ["a"], authentication })).not.toThrow();
    }
    for (const iterations of [0, 1_000_001, 1.5, NaN, "7", null] as number[]) {
      expect(refusalOf({ iterations })).toMatch(
        /iterations, got .*; allowed: a whole number from 1 to 1000000; remedy/,
      );
    }
  });

  test("is refused where only Terraform knows it, with the way out", () => {
    const variable = new TerraformVariable(makeStack(), "v", { type: "string" });
    for (const options of [{ value: variable.stringValue }, { hash: variable.stringValue }]) {
      expect(refusalOf(options)).toMatch(/known at synth, because .*; remedy: pass a plain string, or TextSource/);
    }
  });

  test("with a hash goes into the password file as it is, and its bundle has the user name alone", () => {
    const delivered = deliver((broker) => {
      broker.addClient("a", { publish: ["a"], authentication: Authentication.password({ hash }) });
    }, passwords);
    expect(passwordsIn(delivered.file("passwd"))).toEqual([{ userName: "a", hash }]);
    expect(delivered.bundle("a").username).toBe("a");
    expect(delivered.bundle("a")).not.toHaveProperty("password");
  });
});

describe("a password that is read from a source", () => {
  // One store for all, because keys and certificates take longest.
  const folder = fs.mkdtempSync(path.join(parent, "x-"));
  const withPassword = (value: TextSource, name = "plc-1") => {
    return (broker: MosquittoBroker): void => {
      broker.addClient(name, { publish: ["a"], authentication: Authentication.password({ value, iterations: 1 }) });
    };
  };

  test("is read once for each synth of an app, and never before or in a snapshot test", () => {
    const read = jest.fn(() => secret);
    const broker = declareBroker(passwords);
    withPassword(TextSource.callback(read))(broker);
    Testing.synth(TerraformStack.of(broker));
    expect(read).not.toHaveBeenCalled();
    for (const times of [1, 2, 3]) {
      deliver(withPassword(TextSource.callback(read)), passwords, folder);
      expect(read).toHaveBeenCalledTimes(times);
    }
  });

  test("is in the client's bundle and hashed in the password file, and nowhere else", () => {
    process.env[VARIABLE] = secret;
    const delivered = deliver(withPassword(TextSource.variable(VARIABLE)), passwords, folder);
    expect(delivered.bundle("plc-1")).toMatchObject({ username: "plc-1", password: secret });
    const [entry] = passwordsIn(delivered.file("passwd"));
    expect(verifyPassword(secret, entry?.hash ?? "")).toBe(true);
    expect(delivered.having(secret)).toEqual(["out/stacks/test/material/test-broker/connections/plc-1.json"]);
  });

  test("keeps its hash while it is the same, and gets another one once it is not", () => {
    const passwd = (text: string): string =>
      deliver(withPassword(TextSource.text(text)), passwords, folder).file("passwd");
    const first = passwd(secret);
    expect(passwd(`${secret}\n`)).toBe(first);
    expect(passwd(`${secret}!`)).not.toBe(first);
  });

  test.each([
    ["\n", ""],
    ["\r\n", ""],
    [" ", " "],
    ["", ""],
  ])("loses one line break at its end, %j, and nothing else", (end, left) => {
    const delivered = deliver(withPassword(TextSource.text(`  ${secret}${end}`)), passwords, folder);
    expect(delivered.bundle("plc-1").password).toBe(`  ${secret}${left}`);
  });

  test.each([
    ["two line breaks at its end", "long enough жщю\n\n", /without control characters/],
    ["a line break at its beginning", "\nlong enough жщю", /without control characters/],
    ["too few characters", "жщю", /12 characters or more/],
    ["too few characters but for the line break", "жщюжщюжщюжщ\n", /12 characters or more/],
    ["nothing but a line break", "\n", /12 characters or more/],
    ["too many bytes", "ж".repeat(513), /1024 bytes/],
    ["the client's name", "plc-number-1", /another text than the client's name/],
  ])("with %s is refused at synth by client and source, and is not shown", (_, value, message) => {
    process.env[VARIABLE] = value;
    const said = messageOf(() =>
      deliver(withPassword(TextSource.variable(VARIABLE), "plc-number-1"), passwords, folder),
    );
    expect(said).toMatch(message);
    expect(said).toMatch(`the password of client plc-number-1 from environment variable ${VARIABLE}; allowed: `);
    expect(said).toMatch(/; remedy: /);
    expect(said).not.toMatch(/[жщю]/);
  });

  test("that is not there is an error by client and source", () => {
    expect(messageOf(() => deliver(withPassword(TextSource.variable(VARIABLE)), passwords, folder))).toMatch(
      `the password of client plc-1 cannot be read from environment variable ${VARIABLE} (it is not set); allowed: `,
    );
  });

  test("and cannot be had leaves no material of an earlier synth", () => {
    const before = deliver(withPassword(TextSource.text(secret)), passwords, folder);
    expect(before.having(secret)).toHaveLength(1);
    expect(() => deliver(withPassword(TextSource.variable(VARIABLE)), passwords, folder)).toThrow();
    expect(before.having(secret)).toEqual([]);
  });
});

describe("a client that needs certificate and password", () => {
  const both = Authentication.certificateAndPassword();
  const trusted = CertificateAuthority.trusted({ certificates: TextSource.text("read only at synth") });
  const refusalBeside = (others: Listener[], props: Partial<MosquittoBrokerProps> = {}): string => {
    const listeners = [Listener.mutualTlsWithPassword(), ...others];
    return refusal({ publish: ["a"], authentication: both }, { listeners, ...props });
  };

  test.each([
    ["passwordOverTls", Listener.passwordOverTls()],
    ["plaintext", Listener.plaintext()],
    ["passwordOverTls", Listener.passwordOverTls({ webSockets: true })],
  ])("is refused beside a listener %s, which would let it in with the password alone", (kind, other) => {
    expect(faultsOf(refusalBeside([Listener.mutualTls(), other]))).toEqual([
      expect.stringMatching(
        new RegExp(
          `^ {2}- authentication certificateAndPassword, got "Listener\\.${kind}\\(\\) as listeners\\[2\\] of the broker"; ` +
            "allowed: no listener beside .*; remedy: use Authentication\\.certificateOrPassword\\(\\)",
        ),
      ),
    ]);
  });

  test("is refused by every such listener, also where its own listeners are named", () => {
    const own = Listener.mutualTlsWithPassword();
    const listeners = [Listener.plaintext(), own, Listener.passwordOverTls()];
    const message = refusal({ publish: ["a"], authentication: both, listeners: [own] }, { listeners });
    expect(message.match(/listeners\[\d\] of the broker/g)).toEqual([
      "listeners[0] of the broker",
      "listeners[2] of the broker",
    ]);
  });

  test("may be beside mutual TLS, where its certificate bears a name that no rule is for", () => {
    const listeners = [Listener.mutualTls(), Listener.mutualTlsWithPassword()];
    const delivered = deliver(
      (broker) => {
        const client = broker.addClient("a", { publish: ["a"], authentication: both });
        expect(client).toMatchObject({ name: "a", commonName: "a:with-password" });
        broker.addClient("b", { publish: ["b"] });
      },
      { listeners },
    );
    const subjectOf = (client: string): string => new X509Certificate(delivered.bundle(client).cert_pem ?? "").subject;
    expect(subjectOf("a")).toBe("CN=a:with-password");
    expect(subjectOf("b")).toBe("CN=b");
    const bundle = delivered.bundle("a");
    expect(bundle).toMatchObject({ client_id: "a", username: "a", url: "mqtts://broker.plant.example:8885" });
    expect(bundle.password).toHaveLength(32);
    expect(bundle).not.toHaveProperty("endpoints");
    // Its user is its name: what its certificate says has no rules.
    expect(passwordsIn(delivered.file("passwd")).map(({ userName }) => userName)).toEqual(["a"]);
  });

  test("is refused beside mutual TLS where others sign for the authority, too, and might give it its name", () => {
    const text = TextSource.text("read only at synth");
    const imported = CertificateAuthority.imported({ certificate: text, privateKey: text });
    const elsewhere = CertificateAuthority.external({
      certificate: text,
      signer: { signCertificate: () => "", signRevocationList: () => "" },
    });
    const listed = CertificateAuthority.trusted({ certificates: text, revocationList: text });
    const below = CertificateAuthority.intermediate({ root: imported });
    for (const clientAuthority of [imported, elsewhere, listed, below]) {
      const message = refusalBeside([Listener.mutualTls()], { clientAuthority });
      expect(message).toMatch(/authentication certificateAndPassword, got "Listener\.mutualTls\(\) as listeners\[1\]/);
      expect(message).toMatch(
        /others can sign for the clients' authority.*; remedy: .*CertificateAuthority\.managed\(\)/,
      );
      expect(() =>
        declareBroker({ listeners: [Listener.mutualTlsWithPassword()], clientAuthority }).addClient("a", {
          publish: ["a"],
          authentication: both,
        }),
      ).not.toThrow();
    }
    const own = CertificateAuthority.intermediate({ root: CertificateAuthority.managed() });
    for (const clientAuthority of [CertificateAuthority.managed(), own]) {
      const listeners = [Listener.mutualTlsWithPassword(), Listener.mutualTls()];
      expect(() =>
        declareBroker({ listeners, clientAuthority }).addClient("a", { publish: ["a"], authentication: both }),
      ).not.toThrow();
    }
  });

  test("is not possible where nothing could refuse a stolen certificate, which is nobody's in particular there", () => {
    expect(() => declareBroker({ listeners: [Listener.mutualTlsWithPassword()], clientAuthority: trusted })).toThrow(
      /clientAuthority, got .*without a revocation list.*; remedy: give the authority's revocationList/,
    );
  });

  test("has a name of 50 characters at most, and others 64", () => {
    const listeners = [Listener.mutualTls(), Listener.mutualTlsWithPassword()];
    const add = (length: number, authentication: Authentication): unknown =>
      declareBroker({ listeners }).addClient("x".repeat(length), { publish: ["a"], authentication });
    expect(() => add(50, both)).not.toThrow();
    expect(messageOf(() => add(51, both))).toMatch(
      /name, got "x{51}"; allowed: 50 characters for a client that needs certificate and password.*; remedy: /,
    );
    expect(() => add(64, Authentication.certificateOrPassword())).not.toThrow();
  });

  test("is made of a certificate and a password, in this order", () => {
    const [certificate, password] = [Authentication.certificate(), Authentication.password()];
    for (const combine of ["certificateAndPassword", "certificateOrPassword"] as const) {
      expect(() => Authentication[combine](certificate, password)).not.toThrow();
      for (const [first, second] of [
        [password, certificate],
        [certificate, certificate],
        [password, password],
        [both, password],
        [certificate, both],
      ] as const) {
        expect(messageOf(() => Authentication[combine](first, second))).toMatch(
          /was given .*; allowed: a certificate first, .*; remedy: /,
        );
      }
    }
  });
});

describe("a client's listeners", () => {
  const [tls, webSockets, password, clear] = [
    Listener.mutualTls(),
    Listener.mutualTls({ webSockets: true }),
    Listener.passwordOverTls(),
    Listener.plaintext(),
  ];
  const listeners = [tls, webSockets, password, clear];
  const either = Authentication.certificateOrPassword();
  const refusalOf = (chosen: unknown, authentication = Authentication.certificate()): string =>
    refusal({ publish: ["a"], authentication, listeners: chosen as ClientListener[] }, { listeners });

  test("are its endpoints in the order of the client, and the first is the bundle's", () => {
    const delivered = deliver(
      (broker) => {
        const publish = ["a"];
        broker.addClient("all", { publish, authentication: either });
        broker.addClient("some", { publish, authentication: either, listeners: [clear, webSockets] });
        broker.addClient("one", { publish, authentication: either, listeners: [password] });
      },
      { listeners },
    );
    const urls = (client: string): unknown[] => (delivered.bundle(client).endpoints ?? []).map(({ url }) => url);
    const host = "broker.plant.example";
    expect(urls("all")).toEqual([
      `mqtts://${host}:8883`,
      `wss://${host}:8443/mqtt`,
      `mqtts://${host}:8884`,
      `mqtt://${host}:1883`,
    ]);
    expect(urls("some")).toEqual([`mqtt://${host}:1883`, `wss://${host}:8443/mqtt`]);
    expect(delivered.bundle("some")).toMatchObject({ url: `mqtt://${host}:1883`, port: 1883, protocol: "mqtt" });
    expect(delivered.bundle("some").endpoints?.map(({ authentication }) => authentication)).toEqual([
      "password",
      "certificate",
    ]);
    expect(delivered.bundle("one")).toMatchObject({ url: `mqtts://${host}:8884` });
    expect(delivered.bundle("one")).not.toHaveProperty("endpoints");
  });

  test("in clear text alone give it nothing of TLS", () => {
    const { bundle } = deliver(
      (broker) => {
        const authentication = Authentication.password();
        broker.addClient("a", { publish: ["a"], authentication, listeners: [clear] });
      },
      { listeners },
    );
    expect(bundle("a")).not.toHaveProperty("ca_pem");
    expect(bundle("a")).not.toHaveProperty("server_name");
  });

  test("are the very values of the broker, and not equal ones or another broker's", () => {
    for (const other of [Listener.mutualTls(), { ...tls }, 8883, "mutualTls", null, undefined]) {
      expect(refusalOf([tls, other])).toMatch(
        /\n {2}- listeners\[1\]; allowed: each once of the very values that the broker was given: Listener\.mutualTls\(\), .*; remedy: keep/,
      );
    }
  });

  test("are each named once", () => {
    expect(refusalOf([tls, webSockets, tls])).toMatch(
      /listeners\[2\], got "Listener\.mutualTls\(\)"; allowed: each once/,
    );
  });

  test("accept the client, every one of them", () => {
    const message = refusalOf([password, tls, clear]);
    expect(faultsOf(message)).toEqual(
      [
        [0, "passwordOverTls"],
        [2, "plaintext"],
      ].map(
        ([index, kind]) =>
          `  - listeners[${index}], got "Listener.${kind}()"; allowed: a listener that lets in by certificate; ` +
          "remedy: leave it out, or declare another authentication",
      ),
    );
  });

  test.each([[[]], [{}], ["mutualTls"], [null], [8883]])("are a list with one or more, and not %j", (chosen) => {
    expect(refusalOf(chosen)).toMatch(/\n {2}- listeners, got .*; allowed: one listener or more; remedy: leave it out/);
  });

  test("are asked of the broker that has the default one", () => {
    const broker = declareBroker();
    const client = broker.addClient("a", { publish: ["a"], listeners: broker.listeners });
    expect(client.endpoints).toMatchObject([{ port: 8883 }]);
  });
});

describe("what is denied", () => {
  test.each<[ClientOptions, string]>([
    [{ publish: ["plant/a"], deny: ["plant/#"] }, "plant/a"],
    [{ subscribe: ["plant/+"], deny: ["plant/#"] }, "plant/+"],
    [{ publishAndSubscribe: ["plant/a/b"], deny: ["+/a/#"] }, "plant/a/b"],
    [{ subscribe: ["$share/g/plant/a"], deny: ["plant/+"] }, "$share/g/plant/a"],
    [{ publish: ["plant/a", "x"], deny: ["y", "#"] }, "plant/a"],
  ])("must leave something of each filter: %j", (options, filter) => {
    const message = refusal(options);
    expect(message).toContain(
      `\n  - deny closes all of a filter that is declared, got ${JSON.stringify(filter)}; ` +
        "allowed: filters of which something is left; remedy: leave out that filter, or deny less",
    );
    expect(message.split(JSON.stringify(filter))).toHaveLength(2);
  });

  test.each<[ClientOptions]>([
    [{ publish: ["plant/+"], deny: ["plant/a"] }],
    [{ publish: ["plant/#"], deny: ["plant/+"] }],
    [{ subscribe: ["#"], deny: ["plant/#"] }],
    [{ publish: ["plant/a"], deny: ["plant/b"] }],
    [{ subscribe: ["$share/g/#"], deny: ["$SYS/+"] }],
  ])("may leave a part of a filter: %j", (options) => {
    const broker = declareBroker();
    broker.addClient("a", options);
    expect(accessControlList(broker)).toMatchObject([{ userName: "a", deny: options.deny }]);
  });

  test("must leave all of a shared subscription, since its member's share of the messages would be lost", () => {
    const filters = { subscribe: ["$share/g/#", "$share/g/x", "#"], deny: ["plant/+"] };
    expect(faultsOf(refusal(filters))).toEqual([
      expect.stringMatching(
        /^ {2}- deny closes a part of a shared subscription, got "\$share\/g\/#"; allowed: .*; remedy: share a narrower/,
      ),
    ]);
  });

  test("names every filter that is closed", () => {
    const message = refusal({ publish: ["a/1"], subscribe: ["a/2", "b"], deny: ["a/#"] });
    expect(faultsOf(message)).toEqual([expect.stringMatching(/"a\/1"/), expect.stringMatching(/"a\/2"/)]);
  });

  test.each<[ClientOptions, number, string]>([
    [{ publish: ["a", "b"], deny: ["c", "b"] }, 1, "b"],
    [{ subscribe: ["plant/#"], deny: ["plant/#"] }, 0, "plant/#"],
    [{ publishAndSubscribe: ["x/+"], deny: ["x/+"] }, 0, "x/+"],
    [{ subscribe: ["$share/g/x"], deny: ["x"] }, 0, "x"],
  ])("is not what is allowed: %j", (options, index, filter) => {
    expect(faultsOf(refusal(options))).toEqual([
      `  - deny[${index}] says and denies the same, got ${JSON.stringify(filter)}; allowed: filters that are in neither ` +
        "publish nor subscribe; remedy: leave it out on one side, or deny a narrower filter",
    ]);
  });

  test("alone is nothing to declare a client for", () => {
    expect(refusal({ deny: ["a"] })).toMatch(
      /publish, subscribe and publishAndSubscribe, got "none"; allowed: at least/,
    );
  });
});

describe("rules of a client", () => {
  test("are of each direction, of both, and each once", () => {
    const client = declareBroker().addClient("a", {
      publish: ["p", "p", "both"],
      subscribe: ["s"],
      publishAndSubscribe: ["both", "both"],
      deny: ["both/x"],
    });
    expect(client).toMatchObject({ publish: ["p", "both"], subscribe: ["s", "both"], deny: ["both/x"] });
  });

  test("are a list, since plain JavaScript may pass a single filter", () => {
    for (const property of ["publish", "subscribe", "publishAndSubscribe", "deny"]) {
      expect(refusal({ publish: ["x"], [property]: "plant/#" })).toMatch(
        new RegExp(
          `\n  - ${property}, got "plant/#"; allowed: a list of topic filters, known at synth; remedy: write \\[`,
        ),
      );
    }
  });
});

describe("an output with the bundle", () => {
  const outputsOf = (broker: MosquittoBroker): string[] =>
    Object.keys(config(TerraformStack.of(broker)).output).filter((name) => name.startsWith("connection_"));

  test("is there for a client, unless it says no", () => {
    const broker = declareBroker();
    broker.addClient("a", { publish: ["a"] });
    broker.addClient("b", { publish: ["a"], connectionOutput: false });
    broker.addClient("c", { publish: ["a"], connectionOutput: true });
    expect(outputsOf(broker)).toEqual(["connection_a", "connection_c"]);
  });

  test("is not there for clients of a list, unless it is asked for", () => {
    const broker = declareBroker();
    broker.addClients(["a", "b"], { each: { publish: ["a"] } });
    broker.addClients(["c", "d"], {
      each: ({ name }) => ({ publish: ["a"], ...(name === "d" && { connectionOutput: false }) }),
      connectionOutputs: true,
    });
    broker.addClients(["e", "f"], {
      each: ({ name }) => ({ publish: ["a"], ...(name === "f" && { connectionOutput: true }) }),
    });
    expect(outputsOf(broker)).toEqual(["connection_c", "connection_f"]);
  });

  test("is not needed for the bundle beside the config", () => {
    const delivered = deliver((broker) => {
      broker.addClient("a", { publish: ["a"], connectionOutput: false });
      broker.addClients(["b"], { each: { publish: ["b"] } });
    });
    expect(delivered.text).not.toMatch(/connection_[ab]/);
    expect(delivered.bundle("a")).toMatchObject({ client_id: "a", publish: ["a"] });
    expect(delivered.bundle("b")).toMatchObject({ client_id: "b", publish: ["b"] });
  });
});

test("a bundle has what its listeners ask for, and nothing that only another one would", () => {
  const [byCertificate, byPassword, plain] = [Listener.mutualTls(), Listener.passwordOverTls(), Listener.plaintext()];
  const delivered = deliver(
    (broker) => {
      const authentication = Authentication.certificateOrPassword();
      broker.addClient("one", { authentication, publish: ["a"], listeners: [byCertificate] });
      broker.addClient("two", { authentication, publish: ["a"], listeners: [byPassword] });
      broker.addClient("three", { authentication, publish: ["a"], listeners: [plain] });
      broker.addClient("all", { authentication, publish: ["a"] });
    },
    { listeners: [byCertificate, byPassword, plain] },
  );
  const secrets = ["username", "password", "ca_pem", "cert_pem", "key_pem"];
  const has = (name: string): string[] => secrets.filter((field) => field in delivered.bundle(name));
  expect(has("one")).toEqual(["ca_pem", "cert_pem", "key_pem"]);
  expect(has("two")).toEqual(["username", "password", "ca_pem"]);
  expect(has("three")).toEqual(["username", "password"]);
  expect(has("all")).toEqual(secrets);
});

describe("a list of clients", () => {
  const each = { publish: ["a"] };
  const refusalOf = (list: unknown, options: unknown = { each }, broker = declareBroker()): string => {
    const before = broker.clients.length;
    const message = messageOf(() => broker.addClients(list as string[], options as never));
    // All or none.
    expect(broker.clients).toHaveLength(before);
    expect(message).toMatch(/^clients of test\/broker cannot be declared like this:\n/);
    for (const line of faultsOf(message)) expect(line).toMatch(/; allowed: .*; remedy: |^ {2}and \d+ more$/);
    return message;
  };

  test("is declared in its order, each with its own options", () => {
    const broker = declareBroker();
    const clients = broker.addClients(["b", { name: "a", columns: { topic: "t" } }], {
      each: ({ name, columns }) => ({ publish: [`plant/${name}/${"topic" in columns ? columns.topic : "x"}`] }),
    });
    expect(clients.map(({ name, publish }) => [name, publish])).toEqual([
      ["b", ["plant/b/x"]],
      ["a", ["plant/a/t"]],
    ]);
    expect(broker.clients.map(({ name }) => name)).toEqual(["b", "a"]);
    expect(accessControlList(broker).map(({ userName }) => userName)).toEqual(["a", "b"]);
  });

  test("never makes a topic of a column that it does not have, or of a cell that is no level", () => {
    const rows = ClientList.csvText("name,hall\na,north\n");
    const declareWith = (topic: (columns: Readonly<Record<string, string>>) => string): unknown =>
      declareBroker().addClients(rows, { each: ({ columns }) => ({ publish: [topic(columns)] }) });
    expect(() => declareWith(({ Hall }) => `plant/${Hall}`)).toThrow(
      /client "a" \(the list of clients line 2\).*column "Hall"; allowed: name, hall; remedy: /,
    );
    for (const cell of ["", "+", "#", "a/b", "$SYS", " a", "a\nb", undefined]) {
      expect(() => topicLevel(cell)).toThrow(/^topicLevel\(\).*; allowed: .*; remedy: /);
    }
    expect(topicLevel("hall 7")).toBe("hall 7");
    expect(() => declareBroker().addClients(["a"], { each: { publish: ["plant/undefined/#"] } })).toThrow(
      /publish\[0\].*without the text of a value that is missing/,
    );
  });

  test("shows nothing of what a function throws that may be a secret", () => {
    const secret = "hunter2";
    const declareIt = (): unknown =>
      declareBroker().addClients(["a"], {
        each: () => {
          throw new Error(`no such token ${secret}`);
        },
      });
    expect(messageOf(declareIt)).toMatch(/client "a" \(list\[0\]\): the function that declares it threw an error$/);
  });

  test("has groups with options of their own, or a function of each client", () => {
    const broker = declareBroker();
    broker.addClients(
      [
        { name: "plc-1", group: "plc" },
        { name: "sensor-1", group: "sensor" },
      ],
      { groups: { plc: { subscribe: ["cmd"] }, sensor: ({ name, group }) => ({ publish: [`${group}/${name}`] }) } },
    );
    expect(accessControlList(broker)).toEqual([
      { userName: "plc-1", publish: [], subscribe: ["cmd"] },
      { userName: "sensor-1", publish: ["sensor/sensor-1"], subscribe: [] },
    ]);
  });

  test("is refused for every client whose group is not declared, by its place", () => {
    const list = [
      { name: "a", group: "plc" },
      { name: "b", group: "PLC", origin: "devices.csv line 3" },
      { name: "c" },
      "d",
      { name: "e", group: "toString" },
      { name: "f", group: "__proto__" },
      { name: "g", group: "" },
    ];
    const lines = faultsOf(refusalOf(list, { groups: { plc: each, sensor: each } }));
    const rest = "; allowed: plc, sensor; remedy: put it into one of these, or declare its group";
    expect(lines).toEqual([
      `  - client "b" (devices.csv line 3): group, got "PLC"${rest}`,
      `  - client "c" (list[2]): group, got undefined${rest}`,
      `  - client "d" (list[3]): group, got undefined${rest}`,
      `  - client "e" (list[4]): group, got "toString"${rest}`,
      `  - client "f" (list[5]): group, got "__proto__"${rest}`,
      `  - client "g" (list[6]): group, got ""${rest}`,
    ]);
  });

  test("is refused where it is empty, since it would shut out every device that was on it", () => {
    for (const list of [[], "", "a", {}, null, undefined, 3]) {
      expect(refusalOf(list)).toMatch(
        /\n {2}- the list, got .*; allowed: one client or more: .*shut out; remedy: bring/,
      );
    }
  });

  test.each<[string, unknown, string]>([
    ["neither each nor groups", {}, "neither"],
    ["both", { each, groups: {} }, "both"],
  ])("is refused with %s", (_, options, value) => {
    expect(refusalOf(["a"], options)).toMatch(
      new RegExp(`\n  - each and groups, got "${value}"; allowed: one of the two; remedy: declare`),
    );
  });

  test("that is empty and has neither is both faults in one error", () => {
    expect(faultsOf(refusalOf([], {}))).toHaveLength(2);
  });

  test("is refused for twins in it, in whatever form, by the places of both", () => {
    const list = [
      { name: "plc.1", origin: "devices.csv line 2" },
      { name: "plc-1", origin: "devices.csv line 3" },
      { name: "PLC_1", origin: "devices.csv line 4" },
    ];
    expect(faultsOf(refusalOf(list))).toEqual([
      expect.stringMatching(
        /^ {2}- client "PLC_1" \(devices\.csv line 4\): it has the name of client "plc\.1" \(devices\.csv line 2\), got "PLC_1"; /,
      ),
    ]);
    expect(refusalOf(["a", "b", "A"])).toMatch(/client "A" \(list\[2\]\): it has the name of client "a" \(list\[0\]\)/);
  });

  test("is refused for a twin of an earlier client, which stays", () => {
    const broker = declareBroker();
    broker.addClient("plc.1", each);
    broker.addClients(["plc.2"], { each });
    const lines = faultsOf(refusalOf(["x", "plc_1", "PLC.2"], { each }, broker));
    expect(lines).toEqual([
      expect.stringMatching(/client "plc_1" \(list\[1\]\): it has the name of client "plc\.1", got/),
      expect.stringMatching(/client "PLC\.2" \(list\[2\]\): it has the name of client "plc\.2", got/),
    ]);
    expect(broker.clients.map(({ name }) => name)).toEqual(["plc.1", "plc.2"]);
    // None of them was declared.
    expect(broker.addClients(["x", "plc-1"], { each })).toHaveLength(2);
  });

  test("has the faults of all clients in one error, each with its name and place", () => {
    const message = refusalOf(["a", "b c", "d"], { each: ({ name }: { name: string }) => ({ publish: [`${name}#`] }) });
    expect(faultsOf(message).map((line) => /^ {2}- ([^,]+), got/.exec(line)?.[1])).toEqual([
      'client "a" (list[0]): publish[0]',
      'client "b c" (list[1]): name',
      'client "b c" (list[1]): publish[0]',
      'client "d" (list[2]): publish[0]',
    ]);
  });

  test.each([
    [25, undefined],
    [26, 1],
    [5000, 4975],
  ])("with %d faults shows 25 and counts the rest", (count, rest) => {
    const lines = faultsOf(refusalOf(Array.from({ length: count }, (_, index) => `-${index}`)));
    expect(lines.slice(0, 25).every((line) => line.startsWith("  - client "))).toBe(true);
    expect(lines.slice(25)).toEqual(rest === undefined ? [] : [`  and ${rest} more`]);
  });

  test("with undeclared groups shows 25 and counts the rest, too", () => {
    const list = Array.from({ length: 100 }, (_, index) => ({ name: `a-${index}`, group: "x" }));
    expect(faultsOf(refusalOf(list, { groups: { y: each } })).at(-1)).toBe("  and 75 more");
  });

  test("of one client is named by its place as well", () => {
    expect(refusalOf([{ name: "a b", origin: "devices.csv line 2" }])).toMatch(
      /client "a b" \(devices\.csv line 2\): name/,
    );
  });

  test("says which client's function failed, and keeps its cause", () => {
    const cause = new Error("no such site");
    const add = (): unknown =>
      declareBroker().addClients(["a", "b"], {
        each: ({ name }) => {
          if (name === "b") throw cause;
          return each;
        },
      });
    expect(add).toThrow(/"b" \(list\[1\]\)/);
    expect(add).toThrow(expect.objectContaining({ cause }) as Error);
  });
});

test("5,000 clients take about ten times as long as 500, and not a hundred times", () => {
  const seconds = (count: number): number => {
    const names = Array.from({ length: count }, (_, index) => `sensor-${index}`);
    const start = performance.now();
    const broker = declareBroker();
    broker.addClients(names, {
      each: ({ name }) => ({
        publish: [`plant/${name}/#`],
        subscribe: ["plant/+/state", `cmd/${name}/#`],
        deny: [`plant/${name}/secret`],
      }),
    });
    expect(accessControlList(broker)).toHaveLength(count);
    return performance.now() - start;
  };
  seconds(500);
  const few = Math.min(seconds(500), seconds(500), seconds(500));
  // The faster of two, because other tests may run beside.
  expect(Math.min(seconds(5000), seconds(5000)) / few).toBeLessThan(35);
});

describe("who may do what", () => {
  const broker = declareBroker();
  const sensor = broker.addClient("sensor-1", {
    publish: ["plant/sensor-1/#"],
    subscribe: ["cmd/sensor-1", "$share/workers/jobs/#"],
    deny: ["plant/sensor-1/secret"],
  });
  broker.addClient("operator", { subscribe: ["plant/#"], publishAndSubscribe: ["cmd/+"] });

  test.each([
    ["plant/sensor-1/state", true, false],
    ["plant/sensor-1", true, false],
    ["plant/sensor-1/state/+", true, false],
    // Not all of it.
    ["plant/sensor-1/#", false, false],
    ["plant/sensor-1/secret", false, false],
    ["plant/sensor-2/state", false, false],
    ["cmd/sensor-1", false, true],
    ["cmd/+", false, false],
    ["jobs/1", false, true],
    ["$share/workers/jobs/#", false, true],
    ["$share/others/jobs/#", false, true],
    ["$SYS/broker", false, false],
  ])("the sensor publishes to %s: %s, receives from it: %s", (topics, publishes, subscribes) => {
    expect(broker.canPublish("sensor-1", topics)).toBe(publishes);
    expect(broker.canSubscribe("sensor-1", topics)).toBe(subscribes);
    expect(broker.canPublish(sensor, topics)).toBe(publishes);
    expect(broker.canSubscribe(sensor, topics)).toBe(subscribes);
  });

  test("a client is asked for by its exact name, and the error names those that there are", () => {
    for (const name of ["sensor-2", "Sensor-1", "", "sensor-1 "]) {
      expect(messageOf(() => broker.canPublish(name, "a"))).toBe(
        `client of test/broker, got ${JSON.stringify(name)}; allowed: sensor-1, operator; ` +
          "remedy: name a client that was added to this broker",
      );
    }
    expect(messageOf(() => declareBroker().canSubscribe("a", "a"))).toMatch(/allowed: none, because none is declared/);
  });

  test("twenty names are enough in an error", () => {
    const names = Array.from({ length: 21 }, (_, index) => `n${index}`);
    const other = declareBroker();
    other.addClients(names.slice(0, 20), { each: { publish: ["a"] } });
    expect(messageOf(() => other.canPublish("x", "a"))).toContain(`allowed: ${names.slice(0, 20).join(", ")}; remedy`);
    other.addClient("n20", { publish: ["a"] });
    expect(messageOf(() => other.canPublish("x", "a"))).toContain(`${names.slice(0, 20).join(", ")}, …; remedy`);
  });

  test("another broker's client is none of this one's, though it has the same name", () => {
    const other = declareBroker().addClient("sensor-1", { publish: ["#"] });
    expect(messageOf(() => broker.canPublish(other, "a"))).toMatch(/client of test\/broker, got "sensor-1"; allowed: /);
  });

  test.each([["a#"], [""], ["a/#/b"], ["a\nb"], ["$share/g"]])("%j is no topic to ask about", (topics) => {
    for (const ask of ["canPublish", "canSubscribe"] as const) {
      expect(messageOf(() => broker[ask]("operator", topics))).toMatch(/^topic filter, got .*; allowed: .*; remedy: /);
    }
    expect(messageOf(() => broker.accessMatrix([topics]))).toMatch(/^topic filter, got .*; allowed: .*; remedy: /);
  });

  test("the matrix has all filters that are declared, for each client that may do anything", () => {
    expect(broker.accessMatrix()).toEqual([
      { client: "operator", topics: "cmd/+", publish: "all", subscribe: "all" },
      { client: "operator", topics: "cmd/sensor-1", publish: "all", subscribe: "all" },
      { client: "operator", topics: "plant/#", publish: "none", subscribe: "all" },
      { client: "operator", topics: "plant/sensor-1/#", publish: "none", subscribe: "all" },
      { client: "sensor-1", topics: "cmd/+", publish: "none", subscribe: "some" },
      { client: "sensor-1", topics: "cmd/sensor-1", publish: "none", subscribe: "all" },
      { client: "sensor-1", topics: "jobs/#", publish: "none", subscribe: "all" },
      { client: "sensor-1", topics: "plant/#", publish: "some", subscribe: "none" },
      { client: "sensor-1", topics: "plant/sensor-1/#", publish: "some", subscribe: "none" },
    ]);
  });

  test("the matrix has only the columns that are asked for, and no row of twice none", () => {
    expect(broker.accessMatrix(["jobs/1", "nothing", "jobs/1", "plant/sensor-1/secret"])).toEqual([
      { client: "operator", topics: "plant/sensor-1/secret", publish: "none", subscribe: "all" },
      { client: "sensor-1", topics: "jobs/1", publish: "none", subscribe: "all" },
    ]);
    expect(broker.accessMatrix([])).toEqual([]);
  });

  test("the matrix of a broker without clients is empty", () => {
    expect(declareBroker().accessMatrix()).toEqual([]);
    expect(declareBroker().accessMatrix(["#"])).toEqual([]);
  });

  test("the matrix says the same as the two questions", () => {
    for (const { client, topics, publish, subscribe } of broker.accessMatrix(["plant/#", "cmd/+", "jobs/#", "x"])) {
      expect(broker.canPublish(client, topics)).toBe(publish === "all");
      expect(broker.canSubscribe(client, topics)).toBe(subscribe === "all");
    }
  });
});
