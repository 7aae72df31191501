import { TerraformStack } from "cdktf";
import {
  Authentication,
  AuthenticationMethod,
  BrokerNetwork,
  Listener,
  ListenerKind,
  ListenerOptions,
  MosquittoBrokerProps,
  MosquittoImage,
  TlsListenerOptions,
} from "../../constructs";
import { parseMosquittoConf } from "../../constructs/broker/conf/conf-reader";
import { renderMosquittoConf } from "../../constructs/broker/conf/mosquitto-conf";
import { config, containerNamed, declareBroker } from "../support/declare";

const KINDS: readonly ListenerKind[] = ["mutualTls", "passwordOverTls", "mutualTlsWithPassword", "plaintext"];
const line20 = MosquittoImage.named("local", "2.0.22");

/** What is said against a broker with these listeners. */
function said(listeners: readonly Listener[], props: Partial<MosquittoBrokerProps> = {}): string {
  try {
    declareBroker({ ...props, listeners });
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

function sectionOf(listener: Listener): ReadonlyMap<string, string> {
  const conf = renderMosquittoConf({ listeners: [listener], options: {}, checksRevocations: true });
  return parseMosquittoConf(conf).listeners[0]?.options ?? new Map<string, string>();
}

describe.each(KINDS)("a listener %s", (kind) => {
  test.each<[keyof ListenerOptions, number, number]>([
    ["port", 1, 65_535],
    ["maxConnections", 1, 100_000],
    ["maxQos", 0, 2],
    ["maxTopicAlias", 0, 65_535],
  ])("takes a %s from %d to %d and no other", (option, lowest, highest) => {
    for (const value of [lowest, highest]) expect(said([Listener[kind]({ [option]: value })])).toBe("");
    for (const value of [lowest - 1, highest + 1, lowest + 0.5, NaN, Infinity, String(lowest), [lowest]]) {
      expect(said([Listener[kind]({ [option]: value })])).toMatch(
        new RegExp(
          `^broker test/broker .*:\n  - listeners\\[0\\]\\.${option}, got .*; ` +
            `allowed: a whole number from ${lowest} to ${highest}, known at synth; remedy: [^\n]*$`,
        ),
      );
    }
  });

  test("is published on its own port, which is one of its kind by default", () => {
    const ports = { mutualTls: 8883, passwordOverTls: 8884, mutualTlsWithPassword: 8885, plaintext: 1883 };
    const overWebSockets = { mutualTls: 8443, passwordOverTls: 8444, mutualTlsWithPassword: 8445, plaintext: 8080 };
    const published = (options: ListenerOptions): unknown => {
      const broker = declareBroker({ listeners: [Listener[kind](options)] });
      const { ports } = containerNamed(config(TerraformStack.of(broker)), "test-broker");
      return ports?.map(({ ip, internal, external }) => [ip, internal, external]);
    };
    expect(published({})).toEqual([["127.0.0.1", ports[kind], ports[kind]]]);
    expect(published({ webSockets: true })).toEqual([["127.0.0.1", overWebSockets[kind], overWebSockets[kind]]]);
    expect(published({ port: 5000, bindAddresses: ["127.0.0.1", "::1"] })).toEqual([
      ["127.0.0.1", 5000, 5000],
      ["::1", 5000, 5000],
    ]);
  });

  test("renders each option under Mosquitto's name, and only those that are declared", () => {
    const plain = sectionOf(Listener[kind]());
    expect(Object.fromEntries(plain)).toMatchObject({ protocol: "mqtt", max_connections: "1000" });
    expect([...plain.keys()]).not.toEqual(expect.arrayContaining(["max_qos"]));
    expect([...plain.keys()]).not.toEqual(expect.arrayContaining(["max_topic_alias"]));
    const options = { webSockets: true, maxConnections: 7, maxQos: 0, maxTopicAlias: 0 };
    expect(Object.fromEntries(sectionOf(Listener[kind](options)))).toMatchObject({
      protocol: "websockets",
      max_connections: "7",
      max_qos: "0",
      max_topic_alias: "0",
    });
  });

  test("takes its own lines of mosquitto.conf, and none of the broker's", () => {
    const extraConfig = ["max_topic_alias_broker 5"];
    expect(sectionOf(Listener[kind]({ extraConfig })).get("max_topic_alias_broker")).toBe("5");
    expect(said([Listener[kind]({ extraConfig })])).toBe("");
    expect(said([Listener[kind]({ extraConfig: ["upgrade_outgoing_qos true"] })])).toMatch(
      /listeners\[0\]\.extraConfig\[0\], got "upgrade_outgoing_qos".*put it into extraConfig of the broker/,
    );
    expect(said([Listener[kind]({ extraConfig: ["max_qos 1"] })])).toMatch(/set maxQos of the Listener instead/);
    expect(said([Listener[kind]({ extraConfig })], { image: line20 })).toMatch(
      /listeners\[0\]\.extraConfig\[0\].*options that Mosquitto 2\.0 knows/,
    );
  });

  test("says in a warning which of its lines are unknown", () => {
    const broker = declareBroker({
      listeners: [Listener.mutualTls(), Listener[kind]({ port: 9, extraConfig: ["new_option 1"] })],
    });
    const warnings = broker.node.metadata.map(({ data }) => data as string);
    expect(warnings).toContainEqual(expect.stringMatching(/^listeners\[1\]\.extraConfig\[0\]: new_option .*listener/));
  });
});

describe("one port is for one listener:", () => {
  test("a second one is refused, whatever its kind and protocol", () => {
    for (const kind of KINDS) {
      for (const webSockets of [false, true]) {
        expect(said([Listener.mutualTls(), Listener[kind]({ port: 8883, webSockets })])).toMatch(
          /listeners\[1\]\.port, got 8883; allowed: another port than listeners\[0\]; remedy: give each listener a port/,
        );
      }
    }
  });

  test("each one that has it is named", () => {
    const message = said([
      Listener.mutualTls(),
      Listener.passwordOverTls(),
      Listener.mutualTls(),
      Listener.mutualTls(),
    ]);
    expect(message.match(/listeners\[\d\]\.port/g)).toEqual(["listeners[2].port", "listeners[3].port"]);
  });

  test("also where they are bound to different addresses, since inside the container they are not", () => {
    const listeners = [
      Listener.passwordOverTls({ port: 8883, bindAddresses: ["127.0.0.2"] }),
      Listener.mutualTls({ bindAddresses: ["127.0.0.1"] }),
    ];
    expect(said(listeners)).toMatch(/listeners\[1\]\.port, got 8883/);
  });

  test("the broker's health check has 18883 for itself", () => {
    for (const kind of KINDS) {
      expect(said([Listener[kind]({ port: 18_883 })])).toMatch(
        /listeners\[0\]\.port, got 18883; allowed: any port but 18883.*health check.*; remedy: take another port/,
      );
      expect(said([Listener[kind]({ port: 18_884 })])).toBe("");
    }
  });

  test("default ports of all kinds and both protocols do not clash", () => {
    const all = [false, true].flatMap((webSockets) => KINDS.map((kind) => Listener[kind]({ webSockets })));
    expect(said(all)).toBe("");
  });
});

describe("over WebSockets", () => {
  test.each<[ListenerKind, boolean]>([
    ["mutualTls", false],
    ["mutualTlsWithPassword", false],
    ["passwordOverTls", true],
    ["plaintext", true],
  ])("Mosquitto 2.0 has a listener %s: %s, because it checks no revocation list there", (kind, allowed) => {
    const listeners = [Listener[kind]({ webSockets: true })];
    const message = said(listeners, { image: line20 });
    if (allowed) expect(message).toBe("");
    else {
      expect(message).toMatch(/listeners\[0\]\.webSockets, got true.*from Mosquitto 2\.1 on.*revocation list/);
      expect(message).toMatch(`Listener.${kind}()`);
      expect(message).toMatch(/remedy: use an image of Mosquitto 2\.1, or this listener without webSockets/);
    }
    expect(said(listeners)).toBe("");
    expect(said([Listener[kind]()], { image: line20 })).toBe("");
  });

  test("Mosquitto 2.0 has no TLS 1.3 alone, which it would ignore", () => {
    const options: TlsListenerOptions = { webSockets: true, tlsVersion: "tlsv1.3" };
    const message = said([Listener.passwordOverTls(options)], { image: line20 });
    expect(message).toMatch(/listeners\[0\]\.tlsVersion, got "tlsv1\.3".*from Mosquitto 2\.1 on/);
    expect(said([Listener.passwordOverTls(options)])).toBe("");
    expect(said([Listener.passwordOverTls({ tlsVersion: "tlsv1.3" })], { image: line20 })).toBe("");
    expect(said([Listener.passwordOverTls({ webSockets: true })], { image: line20 })).toBe("");
  });

  test("every fault of one listener is said at once", () => {
    const message = said([Listener.mutualTls({ webSockets: true, tlsVersion: "tlsv1.3" })], { image: line20 });
    expect(message).toMatch(/\.webSockets.*\n.*\.tlsVersion/);
  });
});

describe("in clear text", () => {
  const anywhere = ["0.0.0.0", "::", "192.168.1.13", "::ffff:192.168.1.13", "126.0.0.1"];
  const loopback = ["127.0.0.1", "127.9.8.7", "::1"];

  test.each<[string, BrokerNetwork | undefined]>([
    ["the default network", undefined],
    ["a bridge", BrokerNetwork.bridge()],
  ])("a listener on %s is published on loopback addresses alone", (_, network) => {
    const props = network === undefined ? {} : { network };
    for (const address of loopback) expect(said([Listener.plaintext({ bindAddresses: [address] })], props)).toBe("");
    for (const address of anywhere) {
      expect(said([Listener.plaintext({ bindAddresses: ["127.0.0.1", address] })], props)).toMatch(
        /listeners\[0\]\.bindAddresses\[1\], got .*; allowed: 127\.0\.0\.0\/8 or ::1, .*; remedy: use Listener\.passwordOverTls/,
      );
    }
  });

  test("a listener is refused on an existing network, where others may be, whatever its addresses", () => {
    for (const options of [{}, { webSockets: true }, { bindAddresses: ["127.0.0.1"] }]) {
      for (const network of [BrokerNetwork.existing("plant"), BrokerNetwork.existing("plant", { internal: false })]) {
        expect(said([Listener.mutualTls(), Listener.plaintext(options)], { network })).toMatch(
          /listeners\[1\], got "Listener\.plaintext\(\)"; allowed: it only on .* internal; remedy: .*internal: true/,
        );
      }
    }
  });

  test.each([
    ["an internal network", BrokerNetwork.internal()],
    ["an existing internal network", BrokerNetwork.existing("plant", { internal: true })],
  ])("a listener may be on %s, where nothing is published, and bind addresses would have no effect", (_, network) => {
    const broker = declareBroker({ listeners: [Listener.plaintext()], network });
    expect(containerNamed(config(TerraformStack.of(broker)), "test-broker").ports).toEqual([]);
    for (const address of [...anywhere, ...loopback]) {
      const listeners = [Listener.plaintext({ bindAddresses: [address] })];
      expect(() => declareBroker({ listeners, network })).toThrow(
        /bindAddresses, got .*nothing is published.*leave them out/,
      );
    }
  });

  test.each<[string, unknown]>([
    ['"false"', "false"],
    ["1", 1],
    ["{}", {}],
  ])("an existing network is not internal for %s, which is neither true nor false", (_, internal) => {
    const network = BrokerNetwork.existing("plant", { internal: internal as boolean });
    expect(said([Listener.plaintext()], { network })).toMatch(/allowed: .*; remedy: /);
  });

  test.each<[unknown]>([[undefined], [null], [""], [" "], ["a b"], [7], [{}]])(
    "an existing network is not named %j, which would be a new one that publishes ports",
    (name) => {
      const network = BrokerNetwork.existing(name as string);
      expect(said([Listener.mutualTls()], { network })).toMatch(/network.*; allowed: .*; remedy: /);
    },
  );

  test("a listener always carries a warning that names it, over WebSockets too, and one over TLS does not", () => {
    for (const webSockets of [false, true]) {
      const broker = declareBroker({ listeners: [Listener.mutualTls(), Listener.plaintext({ webSockets })] });
      expect(broker.node.metadata.map(({ data }) => data as string)).toEqual([
        `listeners[1], Listener.plaintext() on port ${webSockets ? 8080 : 1883}: passwords and payloads are readable on their way`,
      ]);
    }
  });
});

describe("addresses of the Docker host", () => {
  test.each([
    ["localhost"],
    ["eth0"],
    [""],
    ["127.0.0.1/8"],
    ["[::1]"],
    ["127.1"],
    ["127.0.0.01"],
    ["127.0.0.1\n"],
    [" 127.0.0.1"],
    [127],
    [null],
    [["127.0.0.1"]],
  ])("%j is none", (address) => {
    expect(said([Listener.mutualTls({ bindAddresses: ["127.0.0.1", address as string] })])).toMatch(
      /listeners\[0\]\.bindAddresses\[1\], got .*; allowed: an IPv4 or IPv6 address of the Docker host, known at synth/,
    );
  });

  test("are each named once", () => {
    expect(said([Listener.mutualTls({ bindAddresses: ["::1", "127.0.0.1", "::1"] })])).toMatch(
      /listeners\[0\]\.bindAddresses\[2\], got "::1"; allowed: each address once/,
    );
  });

  test("are each named once in whatever form, since Docker would publish the port twice", () => {
    expect(said([Listener.mutualTls({ bindAddresses: ["::1", "0:0:0:0:0:0:0:1"] })])).toMatch(/each address once/);
  });

  test.each([[[]], ["127.0.0.1"], [{}]])("are a list, and not %j", (bindAddresses) => {
    expect(said([Listener.mutualTls({ bindAddresses: bindAddresses as string[] })])).toMatch(
      /listeners\[0\]\.bindAddresses, got .*; allowed: one address or more; remedy: name an address/,
    );
  });

  test("in clear text have all their faults in one error", () => {
    const message = said([Listener.plaintext({ bindAddresses: ["0.0.0.0", "x", "::", "::"] })]);
    expect(message.match(/bindAddresses\[\d\]/g)).toEqual([0, 1, 2, 3].map((index) => `bindAddresses[${index}]`));
  });
});

describe("who gets in where:", () => {
  const authentications: Readonly<Record<AuthenticationMethod, Authentication>> = {
    certificate: Authentication.certificate(),
    password: Authentication.password(),
    certificateAndPassword: Authentication.certificateAndPassword(),
    certificateOrPassword: Authentication.certificateOrPassword(),
  };

  test.each<[AuthenticationMethod, readonly ListenerKind[], string]>([
    ["certificate", ["mutualTls"], "mutualTls"],
    ["password", ["passwordOverTls", "plaintext"], "passwordOverTls"],
    ["certificateAndPassword", ["mutualTlsWithPassword"], "mutualTlsWithPassword"],
  ])("a client with %s at %j, and elsewhere it is refused with the remedy", (method, accepting, remedy) => {
    for (const kind of KINDS) {
      for (const webSockets of [false, true]) {
        const broker = declareBroker({ listeners: [Listener[kind]({ webSockets })] });
        const add = (): unknown => broker.addClient("a", { publish: ["a"], authentication: authentications[method] });
        if (accepting.includes(kind)) expect(add).not.toThrow();
        else {
          expect(add).toThrow(
            `client "a" of test/broker cannot be declared like this:\n  - authentication, got "${method}"; ` +
              `allowed: what a listener accepts, and the listeners are: Listener.${kind}(); ` +
              `remedy: add Listener.${remedy}(), or declare another authentication`,
          );
        }
      }
    }
  });

  test("a client with certificateOrPassword where both are asked for, at one listener or at several", () => {
    const asks = { mutualTls: "certificate", passwordOverTls: "password", plaintext: "password" } as const;
    const add = (kinds: readonly ListenerKind[]): unknown =>
      declareBroker({ listeners: kinds.map((kind) => Listener[kind]()) }).addClient("a", {
        publish: ["a"],
        authentication: authentications.certificateOrPassword,
      });
    expect(() => add(["mutualTlsWithPassword"])).not.toThrow();
    expect(() => add(["mutualTls", "passwordOverTls"])).not.toThrow();
    expect(() => add(["mutualTls", "plaintext"])).not.toThrow();
    for (const [kind, proof] of Object.entries(asks)) {
      const other = proof === "certificate" ? "password" : "certificate";
      expect(() => add([kind as ListenerKind])).toThrow(
        `no listener asks for a ${other}"; allowed: it where some listener asks for a certificate, and some for a password; ` +
          `remedy: use Authentication.${proof}()`,
      );
    }
  });

  test("every listener that accepts a client is an endpoint of it, in the broker's order, and says what it asks for", () => {
    const listeners = [
      Listener.plaintext(),
      Listener.mutualTlsWithPassword(),
      Listener.passwordOverTls({ webSockets: true }),
      Listener.mutualTls({ port: 5000 }),
    ];
    const endpointsOf = (authentication: Authentication): unknown =>
      declareBroker({ listeners })
        .addClient("a", { publish: ["a"], authentication })
        .endpoints.map(({ host, protocol, port, authentication: asks }) => [host, protocol, port, asks]);
    const host = "broker.plant.example";
    expect(endpointsOf(authentications.certificateOrPassword)).toEqual([
      [host, "mqtt", 1883, "password"],
      [host, "mqtts", 8885, "certificateAndPassword"],
      [host, "wss", 8444, "password"],
      [host, "mqtts", 5000, "certificate"],
    ]);
    expect(endpointsOf(authentications.password)).toEqual([
      [host, "mqtt", 1883, "password"],
      [host, "wss", 8444, "password"],
    ]);
    expect(endpointsOf(authentications.certificate)).toEqual([[host, "mqtts", 5000, "certificate"]]);
  });
});
