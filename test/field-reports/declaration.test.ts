import fc from "fast-check";
import { TerraformStack } from "cdktf";
import * as fs from "node:fs";
import * as path from "node:path";
import {
  Authentication,
  BrokerNetwork,
  CertificateAuthority,
  Listener,
  ListenerOptions,
  MosquittoBroker,
  MosquittoBrokerProps,
  MosquittoImage,
  TextSource,
  TlsListenerOptions,
} from "../../constructs";
import { MosquittoConf, parseMosquittoConf } from "../../constructs/broker/conf/conf-reader";
import { issueAuthority } from "../../constructs/pki";
import { P256, SPAN } from "../pki/support";
import { Config, config, containerNamed, declareBroker } from "../support/declare";
import { checkout, filesBelow } from "../support/workspace";

// What Docker and Mosquitto are told, whatever is declared.

const KINDS = ["mutualTls", "passwordOverTls", "mutualTlsWithPassword", "plaintext"] as const;
const OLD = MosquittoImage.named("mosquitto:2.0.22", "2.0.22");
const LOOPBACK = "127.0.0.1";

function synthesized(props: Partial<MosquittoBrokerProps> = {}): Config {
  return config(TerraformStack.of(declareBroker(props)));
}

const brokerOf = (declared: Config): ReturnType<typeof containerNamed> => containerNamed(declared, "test-broker");
const writerOf = (declared: Config): ReturnType<typeof containerNamed> =>
  containerNamed(declared, "test-broker-writer");

function confTextOf(declared: Config): string {
  const conf = writerOf(declared).upload?.find(({ file }) => file.endsWith("/mosquitto.conf"))?.content;
  if (conf === undefined) throw new Error("no mosquitto.conf is uploaded");
  return conf;
}

const confOf = (declared: Config): MosquittoConf => parseMosquittoConf(confTextOf(declared));

const trusted = CertificateAuthority.trusted({
  certificates: TextSource.text(issueAuthority({ commonName: "Devices", algorithm: P256, ...SPAN }).certificatePem),
});

/** Any listeners, each with a port of its own, on any network. */
const declarations: fc.Arbitrary<Partial<MosquittoBrokerProps>> = fc
  .record({
    doors: fc.uniqueArray(
      fc.record({
        kind: fc.constantFrom(...KINDS),
        webSockets: fc.boolean(),
        port: fc.integer({ min: 1024, max: 18_882 }),
        everywhere: fc.boolean(),
      }),
      { minLength: 1, maxLength: 6, selector: ({ port }) => port },
    ),
    network: fc.constantFrom(BrokerNetwork.bridge(), BrokerNetwork.internal(), BrokerNetwork.existing("plant")),
    clientAuthority: fc.constantFrom(CertificateAuthority.managed(), trusted),
    persistence: fc.constantFrom(undefined, { enabled: false }, { autosaveInterval: 5 }),
  })
  .map(({ doors, network, clientAuthority, persistence }) => ({
    listeners: doors
      // In clear text only where nobody else is.
      .map(({ kind, ...door }) => ({
        ...door,
        kind: network.existingName === undefined ? kind : ("mutualTls" as const),
      }))
      .map(({ kind, webSockets, port, everywhere }) => {
        const bindAddresses = everywhere && kind !== "plaintext" && !network.isInternal ? ["0.0.0.0", "::"] : undefined;
        const options: ListenerOptions = { webSockets, port, ...(bindAddresses && { bindAddresses }) };
        return Listener[kind](options);
      }),
    network,
    ...(doors.some(({ kind }) => kind.startsWith("mutualTls")) &&
      // Refused without a list where a certificate is nobody's in particular.
      doors.every(({ kind }) => kind !== "mutualTlsWithPassword") && { clientAuthority }),
    ...(persistence && { persistence }),
  }));

function whatever(check: (declared: Config, props: Partial<MosquittoBrokerProps>) => void): void {
  fc.assert(
    fc.property(declarations, (props) => check(synthesized(props), props)),
    { numRuns: 25 },
  );
}

test("mosquitto.conf refuses anonymous clients in a line of its own before the first listener, and nothing takes that back", () => {
  whatever((declared) => {
    const { options, listeners } = confOf(declared);
    expect(options.get("allow_anonymous")).toEqual(["false"]);
    for (const file of ["password_file", "acl_file"]) expect(options.get(file)).toHaveLength(1);
    for (const listener of listeners) {
      for (const name of ["allow_anonymous", "password_file", "acl_file"])
        expect(listener.options.has(name)).toBe(false);
    }
    expect(options.has("per_listener_settings")).toBe(false);
  });
});

test("exactly the declared ports are opened, and published on exactly the declared addresses", () => {
  whatever((declared, { listeners = [], network }) => {
    const opened = confOf(declared).listeners;
    const control = opened.filter(({ host }) => host === LOOPBACK);
    expect(control).toHaveLength(1);
    expect(opened.filter((one) => !control.includes(one)).map(({ port }) => port)).toEqual(
      listeners.map(({ port }) => port),
    );
    const published = (brokerOf(declared).ports ?? []).map(({ ip, internal, external }) => [ip, internal, external]);
    const wanted = listeners.flatMap(({ port, options: { bindAddresses = [LOOPBACK] } }) =>
      bindAddresses.map((ip) => [ip, port, port]),
    );
    expect(published).toEqual(network?.isInternal === true ? [] : wanted);
  });
});

test("no network of a broker is the host's own", () => {
  whatever((declared) => {
    expect(brokerOf(declared)).not.toHaveProperty("network_mode");
    expect(brokerOf(declared).networks_advanced).toHaveLength(1);
  });
});

test("every path in mosquitto.conf is below a volume that is mounted there, and its file is one of the set", () => {
  whatever((declared) => {
    const mounts = (brokerOf(declared).mounts as { target: string; source: string }[]).map(({ target }) => target);
    const files = /^FILES=(.*)$/.exec(
      (writerOf(declared).env as string[]).find((one) => one.startsWith("FILES="))!,
    )![1]!;
    const paths = [...confTextOf(declared).matchAll(/^(?!#).*?\s(\/\S+)$/gm)].map(([, found]) => found as string);
    expect(paths.length).toBeGreaterThan(5);
    for (const found of paths) {
      expect(mounts.some((mount) => found.startsWith(`${mount}/`))).toBe(true);
      if (found.startsWith("/mosquitto/config/") && found !== "/mosquitto/config/live") {
        expect(path.dirname(found)).toBe("/mosquitto/config/live");
        expect(files.split(" ")).toContain(path.basename(found));
      }
    }
  });
});

test("the place where sessions and messages are saved is where the data volume is mounted", () => {
  whatever((declared) => {
    const volumes = declared.resource.docker_volume;
    const [id] = Object.entries(volumes).find(([, { name }]) => name === "test-broker-data")!;
    const mounts = brokerOf(declared).mounts as { target: string; source: string; read_only?: boolean }[];
    const mount = mounts.find(({ source }) => source === `\${docker_volume.${id}.name}`);
    expect(confOf(declared).options.get("persistence_location")).toEqual([`${mount?.target}/`]);
    expect(mount?.read_only ?? false).toBe(false);
  });
});

test("the health check is the same whatever is declared, so that no plan ever has to change it in place", () => {
  const usual = brokerOf(synthesized()).healthcheck;
  expect(usual).toBeDefined();
  whatever((declared) => expect(brokerOf(declared).healthcheck).toEqual(usual));
});

test("the broker runs by number as the owner of its files, without the image's entrypoint, a group or a variable", () => {
  whatever((declared) => {
    const broker = brokerOf(declared);
    expect(broker.user).toBe("1883:1883");
    // Left out, it would be the image's own.
    expect((broker.entrypoint as string[])[0]).toMatch(/^\/(usr\/sbin\/mosquitto|bin\/sh)$/);
    for (const property of ["group_add", "env", "upload"]) expect(broker).not.toHaveProperty(property);
  });
});

test("limits that differ between versions are written out where none is declared", () => {
  for (const image of [MosquittoImage.official(), OLD]) {
    const { options } = confOf(synthesized({ image }));
    const names = ["max_packet_size", "max_queued_messages", "max_inflight_messages", "max_keepalive", "memory_limit"];
    for (const name of names) expect(Number(options.get(name)?.[0])).toBeGreaterThan(0);
  }
});

test("a listener over TLS lets TLS 1.2 in, unless TLS 1.3 alone is asked for", () => {
  whatever((declared, { listeners = [] }) => {
    confOf(declared).listeners.forEach(({ options }, index) => {
      expect(options.get("tls_version")).toBe(listeners[index]?.usesTls === false ? undefined : "tlsv1.2");
    });
  });
  const [modern] = confOf(synthesized({ listeners: [Listener.mutualTls({ tlsVersion: "tlsv1.3" })] })).listeners;
  expect(modern?.options.get("tls_version")).toBe("tlsv1.3");
});

test("lines of one's own stand before the first listener, or in the listener that they were given for", () => {
  const conf = confOf(
    synthesized({
      extraConfig: ["retain_expiry_interval 600"],
      listeners: [Listener.mutualTls({ extraConfig: ["accept_protocol_versions 5"] }), Listener.passwordOverTls()],
    }),
  );
  expect(conf.options.get("retain_expiry_interval")).toEqual(["600"]);
  const [one, ...others] = conf.listeners;
  expect(one?.options.get("accept_protocol_versions")).toBe("5");
  for (const other of others) expect(other.options.has("accept_protocol_versions")).toBe(false);
});

describe("Mosquitto 2.0 over WebSockets", () => {
  test.each(["mutualTls", "mutualTlsWithPassword"] as const)(
    "is refused where it would check no revocation list: %s",
    (kind) => {
      const listeners = [Listener[kind]({ webSockets: true })];
      expect(() => declareBroker({ image: OLD, listeners })).toThrow(
        /listeners\[0\]\.webSockets, got true; allowed: .*2\.1.*no revocation list/,
      );
      expect(() => declareBroker({ listeners })).not.toThrow();
    },
  );

  test.each<[string, TlsListenerOptions]>([
    ["tlsVersion", { tlsVersion: "tlsv1.3" }],
    ["maxConnections", { maxConnections: 5 }],
  ])("is refused with an option that would have no effect there: %s", (name, options) => {
    const listeners = [Listener.passwordOverTls({ webSockets: true, ...options })];
    expect(() => declareBroker({ image: OLD, listeners })).toThrow(
      new RegExp(`listeners\\[0\\]\\.${name}, got .*2\\.0 ignores it there; remedy: use an image of Mosquitto 2\\.1`),
    );
    expect(() => declareBroker({ listeners })).not.toThrow();
  });
});

test("a given hash is refused in another kind than $7$, and with a long salt where the broker is of 2.0", () => {
  const listeners = [Listener.passwordOverTls()];
  const add =
    (hash: string, image = MosquittoImage.official()) =>
    (): unknown =>
      declareBroker({ image, listeners }).addClient("meter", {
        authentication: Authentication.password({ hash }),
        publish: ["meter"],
      });
  const bytes = (length: number): string => Buffer.alloc(length, 7).toString("base64");
  const hash = (salt: number): string => `$7$1000$${bytes(salt)}$${bytes(64)}`;
  const others = [`$6$${bytes(12)}$${bytes(64)}`, hash(12).replace("$7$", "$6$")];
  others.push(`$argon2id$v=19$m=47104,t=1,p=1$${bytes(64)}$${bytes(64)}`);
  for (const other of others) {
    expect(add(other)).toThrow(/hash.*\$6\$ and \$argon2id\$/);
    expect(add(other)).not.toThrow(bytes(64));
  }
  expect(add(hash(64), OLD)).toThrow(/a salt of 12 bytes, because Mosquitto 2\.0/);
  for (const accepted of [add(hash(64)), add(hash(12)), add(hash(12), OLD)]) expect(accepted).not.toThrow();
});

test("a client is refused under a name that a topic, a rule or a file would read as something else", () => {
  const broker = declareBroker();
  const add = (name: string) => (): MosquittoBroker => (broker.addClient(name, { publish: ["a"] }), broker);
  for (const name of ["a+b", "a#b", "a/b", "a:b", "a b", "a\nb", "%c", "%u", "#", "+", "$a", "ä", ""]) {
    expect(add(name)).toThrow(/name, got .*allowed: 1 to 64 of/);
  }
  expect(add("sensor-1")).not.toThrow();
});

/** Looks at bad servers to say what is wrong with them; its own tests show that it does. It sends them nothing. */
const DIAGNOSIS = path.join("cli", "verification", "handshake.ts");

test("no file that anybody copies from switches the check of certificates or names off", () => {
  const folders = ["cli", "constructs", "docs", "examples", "tools"];
  const files = folders.flatMap((folder) =>
    filesBelow(path.join(checkout, folder)).map((file) => path.join(folder, file)),
  );
  const texts = ["README.md", "CONTRIBUTING.md", "main.ts", "environments.ts", ...files].filter(
    (file) => /\.(md|ts|mjs|js|sh|json)$/.test(file) && !file.includes("node_modules"),
  );
  expect(texts.length).toBeGreaterThan(100);
  const off = [/rejectUnauthorized/, /NODE_TLS_REJECT/, /--insecure\b/, /tls_insecure/, /checkServerIdentity/];
  off.push(
    /CERT_NONE/,
    /check_hostname/,
    /InsecureSkipVerify/,
    /skip_cert_common_name/,
    /setHttpsHostnameVerification/,
  );
  expect(texts).toContain(DIAGNOSIS);
  for (const file of texts.filter((one) => one !== DIAGNOSIS)) {
    const text = fs.readFileSync(path.join(checkout, file), "utf8");
    expect([file, off.filter((pattern) => pattern.test(text))]).toEqual([file, []]);
  }
});
