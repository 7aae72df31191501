import { Fn, TerraformOutput, TerraformStack, TerraformVariable, Testing } from "cdktf";
import {
  Authentication,
  BrokerNetwork,
  CertificateAuthority,
  ConnectionOutputs,
  CredentialStore,
  KeyAlgorithm,
  Listener,
  MosquittoBroker,
  MosquittoBrokerProps,
  MosquittoImage,
} from "../../constructs";
import { config, containerNamed, declareBroker, makeStack } from "../support/declare";

function synthesized(
  props: Partial<MosquittoBrokerProps> = {},
  clients?: (broker: MosquittoBroker) => void,
): ReturnType<typeof config> {
  const broker = declareBroker(props);
  clients?.(broker);
  return config(TerraformStack.of(broker));
}

describe("the smallest declaration, one host name", () => {
  const broker = containerNamed(synthesized(), "test-broker");

  test("publishes mutual TLS on 127.0.0.1 only", () => {
    expect(broker.ports).toEqual([{ external: 8883, internal: 8883, ip: "127.0.0.1", protocol: "tcp" }]);
  });

  test("runs as 1883:1883 with a read-only root, no capability and no new privileges", () => {
    expect(broker).toMatchObject({
      user: "1883:1883",
      read_only: true,
      capabilities: { drop: ["ALL"] },
      security_opts: ["no-new-privileges"],
    });
  });

  test("saves sessions and messages before it is stopped, on a volume that Terraform refuses to destroy", () => {
    expect(broker).toMatchObject({ destroy_grace_seconds: 30, stop_timeout: 30 });
    const volumes = Object.values(synthesized().resource.docker_volume);
    expect(volumes.find(({ name }) => name === "test-broker-data")).toMatchObject({
      lifecycle: { prevent_destroy: true },
    });
    expect(volumes.find(({ name }) => name === "test-broker-config")).not.toHaveProperty("lifecycle");
  });

  test("limits memory and log, with memory_swap equal so that plans become empty", () => {
    expect(broker.memory).toBe(broker.memory_swap);
    expect(broker.log_opts).toEqual({ "max-file": "3", "max-size": "10m" });
  });
});

describe("memory and file descriptors", () => {
  test("grow with the declared connections", () => {
    const size = (maxConnections: number): { memory: number; files: number } => {
      const broker = containerNamed(
        synthesized({ listeners: [Listener.mutualTls({ maxConnections })] }),
        "test-broker",
      );
      return { memory: broker.memory as number, files: (broker.ulimit as { soft: number }[])[0]?.soft ?? 0 };
    };
    expect(size(10_000).memory - size(1_000).memory).toBeGreaterThanOrEqual((9_000 * 64) / 1024);
    expect(size(10_000).files).toBeGreaterThan(10_000);
  });
});

test("the broker refuses messages before Docker would kill it for its memory", () => {
  for (const maxConnections of [1, 1000, 100_000]) {
    const config = synthesized({ listeners: [Listener.mutualTls({ maxConnections })] });
    const writer = containerNamed(config, "test-broker-writer");
    const conf = writer.upload?.find(({ file }) => file.endsWith("/mosquitto.conf"))?.content ?? "";
    const heap = Number(/^memory_limit (\d+)$/m.exec(conf)?.[1]) / 1024 / 1024;
    const memory = containerNamed(config, "test-broker").memory as number;
    expect(heap).toBeGreaterThanOrEqual(64);
    expect(memory - heap).toBeGreaterThanOrEqual(32 + (maxConnections * 45) / 1024);
  }
});

test("each listener that lets TLS 1.2 in has memory for the sessions that OpenSSL keeps to resume", () => {
  const memory = (...listeners: Listener[]): number =>
    containerNamed(synthesized({ listeners }), "test-broker").memory as number;
  const one = Listener.mutualTls({ maxConnections: 1 });
  const modern = Listener.mutualTls({ maxConnections: 1, tlsVersion: "tlsv1.3" });
  const other = Listener.passwordOverTls({ maxConnections: 1 });
  // 20 * 1024 of them (SSL_CTX_sess_set_cache_size(3)), 6.3 KiB each.
  const sessions = 20 * 6.3;
  expect(memory(one) - memory(modern)).toBeGreaterThanOrEqual(sessions);
  expect(memory(one, other) - memory(one)).toBeGreaterThanOrEqual(sessions);
});

describe("the synthesized config", () => {
  const declare = (): MosquittoBroker => {
    const broker = declareBroker({ listeners: [Listener.mutualTls(), Listener.passwordOverTls()] });
    broker.addClient("sensor-1", { publish: ["plant/sensor-1/#"] });
    broker.addClient("operator", {
      authentication: Authentication.password({ value: "correct horse battery" }),
      subscribe: ["plant/#"],
    });
    return broker;
  };

  test("holds no key, no certificate, no password and no hash", () => {
    const text = Testing.synth(TerraformStack.of(declare()));
    expect(text).not.toMatch(/BEGIN|correct horse|\$7\$/);
  });

  test("is the same each time, and shows every access rule", () => {
    const [one, other] = [declare(), declare()].map((broker) => Testing.synth(TerraformStack.of(broker)));
    expect(one).toBe(other);
    expect(one).toContain("topic write plant/sensor-1/#");
  });

  test("names material by a path relative to the stack and lets Terraform hash it", () => {
    const uploads = containerNamed(config(TerraformStack.of(declare())), "test-broker-writer").upload ?? [];
    const sources = uploads.flatMap(({ source }) => (source === undefined ? [] : [source]));
    expect(sources).toContain("${path.module}/material/test-broker/server.key");
    expect(sources.every((source) => source.startsWith("${path.module}/material/test-broker/"))).toBe(true);
  });

  test("keeps Terraform's template marks of a topic as text", () => {
    const broker = declareBroker();
    broker.addClient("sensor-1", { publish: ["a/${path.root}/%{if true}"] });
    const uploads = containerNamed(config(TerraformStack.of(broker)), "test-broker-writer").upload ?? [];
    expect(uploads.find(({ file }) => file.endsWith("/acl"))?.content).toContain("a/$${path.root}/%%{if true}");
  });

  test("needs the same files whatever clients there are, so that a client never replaces the broker", () => {
    const broker = declareBroker();
    const without = containerNamed(config(TerraformStack.of(broker)), "test-broker");
    broker.addClient("sensor-1", { publish: ["plant/#"] });
    expect(containerNamed(config(TerraformStack.of(broker)), "test-broker")).toEqual(without);
  });
});

describe("outputs", () => {
  test("are one sensitive connection per client, endpoints and certificates", () => {
    const { output } = synthesized({}, (broker) => broker.addClient("sensor-1", { publish: ["a"] }));
    expect(Object.keys(output).sort()).toEqual([
      "ca_pem",
      "certificates",
      "connection_sensor-1",
      "endpoints",
      "next_action_at",
      "verification",
    ]);
    expect(output["connection_sensor-1"]?.sensitive).toBe(true);
    expect(output.verification?.sensitive).toBe(true);
    expect(output.endpoints?.value).toEqual([
      {
        kind: "mutualTls",
        host: "broker.plant.example",
        port: 8883,
        protocol: "mqtts",
        url: "mqtts://broker.plant.example:8883",
        hosts: ["broker.plant.example", "localhost", "127.0.0.1", "::1"],
        tls_version: "tlsv1.2",
      },
    ]);
  });

  test("leave key and password out when asked to", () => {
    const { output } = synthesized({ connectionOutputs: ConnectionOutputs.withoutSecrets() }, (broker) =>
      broker.addClient("sensor-1", { publish: ["a"] }),
    );
    expect(output["connection_sensor-1"]?.value).toContain('!contains(["password", "key_pem"], field)');
    expect(output["connection_sensor-1"]?.sensitive).toBe(false);
    expect(Object.keys(output)).not.toContain("verification");
  });

  test("of two brokers in one stack clash, and a prefix is the remedy", () => {
    const stack = makeStack();
    const props = { hosts: ["localhost"] };
    new MosquittoBroker(stack, "one", props);
    expect(() => new MosquittoBroker(stack, "two", props)).toThrow(
      /same output name as test\/one\/outputs, got "endpoints".*outputPrefix/s,
    );
    const other = makeStack();
    new MosquittoBroker(other, "one", props);
    new MosquittoBroker(other, "two", { ...props, outputPrefix: "two_" });
    expect(Object.keys(config(other).output)).toContain("two_endpoints");
  });

  test("refuse a prefix that Terraform would refuse", () => {
    expect(() => declareBroker({ outputPrefix: "1 " })).toThrow(/outputPrefix.*got "1 ".*letters, digits/s);
  });

  test("of clients whose names differ only by . and _ clash", () => {
    const broker = declareBroker();
    broker.addClient("a.b", { publish: ["t"] });
    expect(() => broker.addClient("a_b", { publish: ["t"] })).toThrow(
      /"a_b".*has the name of client "a\.b".*rename one/s,
    );
  });

  test("of the stack itself with a broker's name are an error, not overwritten", () => {
    const app = Testing.app();
    const stack = makeStack(app);
    new MosquittoBroker(stack, "broker", { hosts: ["localhost"] });
    new TerraformOutput(stack, "endpoints", { value: "mine" });
    expect(() => stack.runAllValidations()).toThrow(
      /output "endpoints".*test\/endpoints.*test\/broker\/outputs.*outputPrefix/s,
    );
    const other = makeStack();
    new MosquittoBroker(other, "broker", { hosts: ["localhost"], outputPrefix: "broker_" });
    new TerraformOutput(other, "endpoints", { value: "mine" });
    expect(() => other.runAllValidations()).not.toThrow();
  });

  test("are there for no client that was refused", () => {
    const broker = declareBroker();
    broker.addClient("a.b", { publish: ["t"] });
    expect(() => broker.addClient("a_b", { publish: ["t"] })).toThrow();
    expect(JSON.stringify(config(TerraformStack.of(broker)))).not.toContain("user a_b");
  });
});

describe("a declaration is refused", () => {
  test("with all its faults in one error, in the words of the code", () => {
    const declare = (): unknown =>
      declareBroker({
        hosts: ["https://broker.example:8883", "0.0.0.0"],
        listeners: [Listener.mutualTls({ port: 70_000 }), Listener.passwordOverTls({ maxConnections: 0 })],
        name: "-",
      });
    expect(declare).toThrow(/broker test\/broker/);
    for (const part of [
      /name, got "-"/,
      /hosts\[0\]/,
      /hosts\[1\]/,
      /listeners\[0\]\.port/,
      /listeners\[1\]\.maxConnections/,
    ]) {
      expect(declare).toThrow(part);
    }
  });

  test.each<[string, Partial<MosquittoBrokerProps>, RegExp]>([
    ["no host", { hosts: [] }, /hosts, got \[\]/],
    ["no listener", { listeners: [] }, /listeners, got \[\]/],
    [
      "one port twice",
      { listeners: [Listener.mutualTls(), Listener.plaintext({ port: 8883 })] },
      /another port than listeners\[0\]/,
    ],
    ["the port of the health check", { listeners: [Listener.mutualTls({ port: 18883 })] }, /any port but 18883/],
    ["a fractional port", { listeners: [Listener.mutualTls({ port: 1.5 })] }, /whole number from 1 to 65535/],
    ["no bind address", { listeners: [Listener.mutualTls({ bindAddresses: [] })] }, /one address or more/],
    [
      "a name as bind address",
      { listeners: [Listener.mutualTls({ bindAddresses: ["eth0"] })] },
      /an IPv4 or IPv6 address/,
    ],
    [
      "plaintext on all addresses",
      { listeners: [Listener.plaintext({ bindAddresses: ["0.0.0.0"] })] },
      /127\.0\.0\.0\/8 or ::1.*passwordOverTls/,
    ],
    [
      "an image of Mosquitto 1.6",
      { image: MosquittoImage.named("eclipse-mosquitto:1.6", "1.6.15") },
      /2\.0\.x or 2\.1\.x/,
    ],
    ["half a version", { image: MosquittoImage.named("eclipse-mosquitto:2", "2.1") }, /image\.version, got "2\.1"/],
    ["an image name with blanks", { image: MosquittoImage.named("a b", "2.1.2") }, /image\.name/],
    [
      "an authority that never was valid",
      { serverAuthority: CertificateAuthority.managed({ validityDays: 0 }) },
      /serverAuthority\.validityDays/,
    ],
    ["a name that Docker refuses", { name: "a/b" }, /name, got "a\/b".*as Docker asks/],
  ])("with %s", (_, props, message) => {
    expect(() => declareBroker(props)).toThrow(message);
  });

  test("with a host, name, port or topic that is known only at apply", () => {
    const stack = makeStack();
    const variable = new TerraformVariable(stack, "v", { type: "string" });
    const known = { hosts: ["localhost"] };
    const message = /value known at synth|known at synth/;
    expect(() => new MosquittoBroker(stack, "a", { hosts: [variable.stringValue] })).toThrow(message);
    expect(() => new MosquittoBroker(stack, "b", { ...known, name: variable.stringValue })).toThrow(message);
    const listeners = [Listener.mutualTls({ port: variable.numberValue })];
    expect(() => new MosquittoBroker(stack, "c", { ...known, listeners })).toThrow(message);
    const broker = new MosquittoBroker(stack, "d", known);
    expect(() => broker.addClient("x", { publish: [variable.stringValue] })).toThrow(message);
    expect(() => broker.addClient("x", { publish: Fn.split(",", variable.stringValue) })).toThrow(message);
  });

  test("as a second broker with the container name or the store of the first", () => {
    const stack = makeStack();
    new MosquittoBroker(stack, "one", { hosts: ["localhost"], name: "same" });
    expect(() => new MosquittoBroker(stack, "two", { hosts: ["localhost"], name: "same", outputPrefix: "b" })).toThrow(
      /broker test\/two .*same container name as test\/one, got "same"/s,
    );
    const credentials = CredentialStore.folder("credentials/x");
    new MosquittoBroker(stack, "three", { hosts: ["localhost"], credentials, outputPrefix: "c" });
    expect(() => new MosquittoBroker(stack, "four", { hosts: ["localhost"], credentials, outputPrefix: "d" })).toThrow(
      /same credential store/,
    );
  });
});

describe("a client is refused", () => {
  test("that no listener accepts, with the remedy", () => {
    const broker = declareBroker({ listeners: [Listener.passwordOverTls()] });
    expect(() => broker.addClient("sensor-1", { publish: ["a"] })).toThrow(
      /"sensor-1".*certificate.*passwordOverTls.*add Listener\.mutualTls\(\)/s,
    );
  });

  test("whose name another one has but for upper and lower case", () => {
    const broker = declareBroker();
    broker.addClient("sensor-1", { publish: ["a"] });
    expect(() => broker.addClient("Sensor-1", { publish: ["a"] })).toThrow(/name of client "sensor-1"/);
  });

  test("with every fault in one error, and no password shown", () => {
    const broker = declareBroker({ listeners: [Listener.passwordOverTls()] });
    const add = (): unknown =>
      broker.addClient("sensor/1", {
        authentication: Authentication.password({ value: "short", iterations: 0 }),
        publish: ["a#"],
        subscribe: ["b\nuser admin"],
        credentialVersion: 0,
      });
    for (const part of [/name/, /publish\[0\]/, /subscribe\[0\]/, /credentialVersion/, /iterations/, /password/]) {
      expect(add).toThrow(part);
    }
    expect(add).not.toThrow(/short/);
  });

  test("without any topic", () => {
    expect(() => declareBroker().addClient("sensor-1")).toThrow(
      /publish, subscribe and publishAndSubscribe.*at least one topic filter/s,
    );
  });
});

describe("listeners", () => {
  test("in clear text carry a warning", () => {
    const broker = declareBroker({ listeners: [Listener.plaintext()] });
    expect(broker.node.metadata.map(({ data }) => data as string)).toEqual([
      expect.stringMatching(/readable on their way/),
    ]);
  });

  test("of an internal network publish no port, and may be plaintext", () => {
    const synthesizedConfig = synthesized({ network: BrokerNetwork.internal(), listeners: [Listener.plaintext()] });
    expect(containerNamed(synthesizedConfig, "test-broker").ports).toEqual([]);
    expect(Object.values(synthesizedConfig.resource.docker_network ?? {})).toEqual([
      expect.objectContaining({ internal: true }),
    ]);
  });

  test("publish on each bind address", () => {
    const listeners = [Listener.mutualTls({ bindAddresses: ["0.0.0.0", "::"] })];
    expect(containerNamed(synthesized({ listeners }), "test-broker").ports?.map(({ ip }) => ip)).toEqual([
      "0.0.0.0",
      "::",
    ]);
  });

  test.each(["host", "none", "bridge", "default"])(
    "are not on Docker's network %s, where no name is resolved",
    (name) => {
      expect(() => declareBroker({ network: BrokerNetwork.existing(name) })).toThrow(/network's name, got .*one's own/);
    },
  );

  test("are reached on an existing network without a new one", () => {
    const result = synthesized({ network: BrokerNetwork.existing("plant") });
    expect(result.resource.docker_network).toBeUndefined();
    expect(containerNamed(result, "test-broker").networks_advanced).toEqual([
      { aliases: ["broker.plant.example"], name: "plant" },
    ]);
  });
});

const warningsOf = (broker: MosquittoBroker): string[] => broker.node.metadata.map(({ data }) => String(data));

describe("images", () => {
  test.each([
    ["2.0.21", true],
    ["2.0.22", false],
    ["2.1.1", true],
    ["2.1.2", false],
  ])("of Mosquitto %s carry a warning of known faults: %s", (version, warns) => {
    const broker = declareBroker({ image: MosquittoImage.named(`local:${version}`, version) });
    expect(warningsOf(broker).some((text) => /has known faults/.test(text))).toBe(warns);
  });

  test("of Mosquitto 2.0 carry a warning that its reload has faults, unless somebody has chosen, and take no option by which it would crash often", () => {
    const [old, recent] = ["2.0.22", "2.1.2"].map((version) => MosquittoImage.named(`local:${version}`, version));
    const limits = { persistentClientExpirationDays: 7 };
    expect(warningsOf(declareBroker({ image: old! })).join()).toMatch(
      /loses.*for a client that is away.*can crash after a deploy.*use 2\.1.*liveChanges/,
    );
    for (const liveChanges of [true, false]) {
      expect(warningsOf(declareBroker({ image: old!, liveChanges }))).toEqual([]);
      expect(warningsOf(declareBroker({ image: recent!, liveChanges }))).toEqual([]);
    }
    expect(() => declareBroker({ image: old!, liveChanges: false, limits })).not.toThrow();
    expect(warningsOf(declareBroker({ image: recent!, limits }))).toEqual([]);
    expect(() => declareBroker({ image: old!, limits })).toThrow(
      /persistentClientExpirationDays, got 7.*from Mosquitto 2\.1 on/,
    );
  });

  test.each([
    ["eclipse-mosquitto", true],
    ["eclipse-mosquitto:latest", true],
    ["eclipse-mosquitto:2", true],
    ["eclipse-mosquitto:2.1-alpine", true],
    ["registry.plant.example:5000/mosquitto", true],
    ["eclipse-mosquitto:2.1.2-alpine", false],
    [`eclipse-mosquitto:latest@sha256:${"0".repeat(64)}`, false],
  ])("named %s carry a warning that they may become another Mosquitto: %s", (name, warns) => {
    const broker = declareBroker({ image: MosquittoImage.named(name, "2.1.2") });
    const said = broker.node.metadata.map(({ data }) => String(data));
    expect(said.some((text) => /may become another Mosquitto.*digest/.test(text))).toBe(warns);
  });

  test("named by a variable carry none: nobody knows the name yet", () => {
    const stack = makeStack();
    const image = new TerraformVariable(stack, "image", { type: "string" });
    const props = { hosts: ["localhost"], image: MosquittoImage.named(image.stringValue, "2.1.2") };
    expect(new MosquittoBroker(stack, "broker", props).node.metadata).toEqual([]);
  });

  test("are pinned by digest by default", () => {
    expect(MosquittoImage.official().name).toMatch(/@sha256:[0-9a-f]{64}$/);
  });
});

test("a key algorithm is one that the field knows", () => {
  expect(() => KeyAlgorithm.rsa(1024)).toThrow(/1024/);
});
