import { TerraformStack, TerraformVariable } from "cdktf";
import {
  BrokerLimits,
  BrokerOptions,
  Listener,
  LoggingOptions,
  LogType,
  MosquittoBrokerProps,
  MosquittoImage,
} from "../../../constructs";
import { MosquittoConf, parseMosquittoConf } from "../../../constructs/broker/conf/conf-reader";
import { config, containerNamed, declareBroker, makeStack } from "../../support/declare";

const MIB = 1024 * 1024;

/** What is said against a broker with these properties. */
function said(props: Partial<MosquittoBrokerProps>): string {
  try {
    declareBroker(props);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

/** The mosquitto.conf of a broker, with what it includes, and its container. */
function synthesized(
  props: Partial<MosquittoBrokerProps>,
  extraNames: readonly string[] = [],
): { readonly conf: MosquittoConf; readonly container: ReturnType<typeof containerNamed> } {
  const all = config(TerraformStack.of(declareBroker(props)));
  const uploads = containerNamed(all, "test-broker-writer").upload ?? [];
  const contentOf = (name: string): string => uploads.find(({ file }) => file.endsWith(`/${name}`))?.content ?? "";
  const text = contentOf("logging.conf") + contentOf("mosquitto.conf");
  return {
    conf: parseMosquittoConf(text.replace(/([$%])\1\{/g, "$1{"), new Set(extraNames)),
    container: containerNamed(all, "test-broker"),
  };
}

const valueOf = (props: Partial<MosquittoBrokerProps>, name: string): readonly string[] | undefined =>
  synthesized(props).conf.options.get(name);

interface Range {
  readonly property: string;
  readonly name: string;
  readonly lowest: number;
  readonly highest: number;
  readonly byDefault?: string;
  readonly unit?: string;
}

const RANGES: readonly Range[] = [
  {
    property: "limits.maxPacketSize",
    name: "max_packet_size",
    lowest: 20,
    highest: 268_435_460,
    byDefault: "2000000",
  },
  { property: "limits.messageSizeLimit", name: "message_size_limit", lowest: 1, highest: 2_000_000 },
  {
    property: "limits.maxInflightMessages",
    name: "max_inflight_messages",
    lowest: 1,
    highest: 65_534,
    byDefault: "20",
  },
  { property: "limits.maxInflightBytes", name: "max_inflight_bytes", lowest: 1, highest: Number.MAX_SAFE_INTEGER },
  {
    property: "limits.maxQueuedMessages",
    name: "max_queued_messages",
    lowest: 1,
    highest: 1_000_000,
    byDefault: "1000",
  },
  { property: "limits.maxQueuedBytes", name: "max_queued_bytes", lowest: 1, highest: Number.MAX_SAFE_INTEGER },
  {
    property: "limits.persistentClientExpirationDays",
    name: "persistent_client_expiration",
    lowest: 1,
    highest: 3650,
    unit: "d",
  },
  { property: "limits.maxKeepalive", name: "max_keepalive", lowest: 10, highest: 65_535, byDefault: "3600" },
  { property: "persistence.autosaveInterval", name: "autosave_interval", lowest: 1, highest: 86_400, byDefault: "60" },
  { property: "sysInterval", name: "sys_interval", lowest: 0, highest: 65_535, byDefault: "10" },
];

function nested(property: string, value: unknown): Partial<MosquittoBrokerProps> {
  const [first = "", second] = property.split(".");
  return { [first]: second === undefined ? value : { [second]: value } };
}

describe.each(RANGES)("$property", ({ property, name, lowest, highest, byDefault, unit = "" }) => {
  test("is written as it is declared, and otherwise as its default", () => {
    expect(valueOf({}, name)).toEqual(byDefault === undefined ? undefined : [byDefault]);
    for (const value of [lowest, highest]) expect(valueOf(nested(property, value), name)).toEqual([`${value}${unit}`]);
  });

  test(`goes from ${lowest} to ${highest}`, () => {
    for (const value of [lowest - 1, highest + 1, lowest + 0.5, -1, NaN, Infinity, String(lowest), null, [lowest]]) {
      expect(said(nested(property, value))).toMatch(
        new RegExp(
          `^broker test/broker .*:\n  - ${property.replace(".", "\\.")}, got .*; ` +
            `allowed: a whole number from ${lowest} to ${highest}, known at synth; remedy: leave it out[^\n]*$`,
        ),
      );
    }
  });

  test("is refused where only Terraform knows it", () => {
    const variable = new TerraformVariable(makeStack(), "v", { type: "number" });
    for (const value of [variable.numberValue, variable.stringValue, variable.value]) {
      expect(said(nested(property, value))).toMatch(new RegExp(`${property}.*known at synth`));
    }
  });
});

describe.each([
  ["limits.queueQos0Messages", "queue_qos0_messages", undefined],
  ["limits.retainAvailable", "retain_available", undefined],
  ["persistence.enabled", "persistence", "true"],
  ["logging.connectionMessages", "connection_messages", "true"],
] as const)("%s", (property, name, byDefault) => {
  test("is true or false, and nothing else", () => {
    expect(valueOf({}, name)).toEqual(byDefault === undefined ? undefined : [byDefault]);
    for (const value of [true, false]) expect(valueOf(nested(property, value), name)).toEqual([String(value)]);
    for (const value of ["true", "false", 0, 1, {}, []]) {
      expect(said(nested(property, value))).toMatch(
        new RegExp(`  - ${property.replace(".", "\\.")}, got .*; allowed: true or false, known at synth; remedy: `),
      );
    }
  });
});

describe("a message", () => {
  test("may be as large as a packet, and no larger", () => {
    expect(said({ limits: { maxPacketSize: 1000, messageSizeLimit: 1000 } })).toBe("");
    expect(said({ limits: { maxPacketSize: 1000, messageSizeLimit: 1001 } })).toMatch(
      /limits\.messageSizeLimit, got 1001; allowed: a whole number from 1 to 1000,/,
    );
    expect(said({ limits: { maxPacketSize: 3_000_000, messageSizeLimit: 3_000_000 } })).toBe("");
  });

  test("of which the packet's limit is wrong is judged by that limit's own range", () => {
    for (const maxPacketSize of ["1000", NaN, -5, 1e12, {}, "x\ny"] as unknown as number[]) {
      const message = said({ limits: { maxPacketSize, messageSizeLimit: 10 } });
      expect(message).toMatch(/limits\.maxPacketSize, got .*; allowed: a whole number from 20 to 268435460/);
      expect(message).not.toMatch(/messageSizeLimit/);
      expect(message.split("\n")).toHaveLength(2);
    }
  });
});

describe("the broker's memory", () => {
  const connections = (...counts: number[]): Listener[] =>
    counts.map((maxConnections, index) => Listener.mutualTls({ maxConnections, port: 9000 + index }));
  const least = (...counts: number[]): number =>
    (4 + Math.ceil((counts.reduce((sum, count) => sum + count, 0) * 16) / 1024)) * MIB;

  test.each([[[1]], [[64]], [[65]], [[1000]], [[100_000]], [[500, 1000, 7]]])(
    "is at least 4 MiB and 16 KiB for each of %j connections",
    (counts) => {
      const listeners = connections(...counts);
      expect(said({ listeners, limits: { memoryLimit: least(...counts) } })).toBe("");
      expect(said({ listeners, limits: { memoryLimit: least(...counts) - 1 } })).toMatch(
        new RegExp(`limits\\.memoryLimit, got \\d+; allowed: a whole number from ${least(...counts)} to `),
      );
    },
  );

  test("is written as it is declared, and the container's follows from it", () => {
    const listeners = connections(1024);
    const sizeOf = (memoryLimit?: number): { heap: number; memory: number; swap: number } => {
      const { conf, container } = synthesized({
        listeners,
        ...(memoryLimit !== undefined && { limits: { memoryLimit } }),
      });
      return {
        heap: Number(conf.options.get("memory_limit")?.[0]),
        memory: container.memory as number,
        swap: container.memory_swap as number,
      };
    };
    // 32 MiB for the program, 48 KiB of TLS for each connection, and what OpenSSL keeps of sessions that have ended.
    const beside = 32 + (1024 * 48) / 1024 + (20 * 1024 * 8) / 1024;
    for (const mebibytes of [20, 80, 1000]) {
      const { heap, memory, swap } = sizeOf(mebibytes * MIB);
      expect(heap).toBe(mebibytes * MIB);
      expect(memory).toBe(mebibytes + beside);
      expect(swap).toBe(memory);
    }
    // What is no whole mebibyte needs one more.
    expect(sizeOf(80 * MIB + 1).memory).toBe(81 + beside);
    expect(sizeOf()).toEqual({ heap: (64 + 16) * MIB, memory: 80 + beside, swap: 80 + beside });
  });

  test("cannot be judged where a listener's connections are wrong, and then only these are said", () => {
    for (const maxConnections of ["10", NaN, {}, 1.5, null, [7]] as unknown as number[]) {
      const message = said({
        listeners: [Listener.mutualTls({ maxConnections })],
        limits: { memoryLimit: 80 * MIB },
      });
      // Null stands for the default.
      if (maxConnections === null) expect(message).toBe("");
      else {
        expect(message).toMatch(/listeners\[0\]\.maxConnections/);
        expect(message).not.toMatch(/memoryLimit|NaN to/);
      }
    }
  });

  test("counts the connections of all listeners in the container's memory and file descriptors", () => {
    const { container } = synthesized({ listeners: connections(500, 1500) });
    const kept = (2 * 20 * 1024 * 8) / 1024;
    expect(container.memory).toBe(64 + Math.ceil((2000 * 16) / 1024) + 32 + Math.ceil((2000 * 48) / 1024) + kept);
    expect((container.ulimit as { soft: number; hard: number }[])[0]).toMatchObject({ soft: 2256, hard: 2256 });
  });
});

describe("the log", () => {
  const types = [
    "error",
    "warning",
    "notice",
    "information",
    "debug",
    "subscribe",
    "unsubscribe",
    "websockets",
  ] as const;

  test("has errors, warnings, notices and information by default, and goes to standard output", () => {
    const { conf } = synthesized({});
    expect(conf.options.get("log_type")).toEqual(["error", "warning", "notice", "information"]);
    expect(conf.options.get("log_dest")).toEqual(["stdout"]);
    expect(conf.options.has("log_timestamp_format")).toBe(false);
  });

  test("may have every kind of line, in any order", () => {
    expect(valueOf({ logging: { types: [...types].reverse() } }, "log_type")).toEqual([...types].reverse());
  });

  test.each<[readonly string[]]>([[["error"]], [["warning", "debug"]], [["notice"]]])(
    "has errors and warnings always, and not %j",
    (given) => {
      expect(said({ logging: { types: given as LogType[] } })).toMatch(
        /logging\.types, got .*; allowed: a list with "error" and "warning" in it: .*; remedy: add them/,
      );
    },
  );

  test.each<[unknown, string]>([
    [[], "logging\\.types, got"],
    ["error", "logging\\.types, got"],
    [null, "logging\\.types, got"],
    [["error", "warning", "all"], "logging\\.types\\[2\\], got"],
    [["error", "warning", "none"], "logging\\.types\\[2\\], got"],
    [["error", "Warning"], "logging\\.types\\[1\\], got"],
    [["error", "warning", "error"], "logging\\.types\\[2\\], got"],
    [["error", "warning\nallow_anonymous true"], "logging\\.types\\[1\\], got"],
    [["error", "warning", ["debug"]], "logging\\.types\\[2\\], got"],
  ])("is refused as %j, with the kinds that there are", (given, what) => {
    const message = said({ logging: { types: given as LogType[] } });
    expect(message).toMatch(new RegExp(`  - ${what}.*; allowed: .*each once of: ${types.join(", ")}; remedy: `));
  });

  test.each(["%Y-%m-%dT%H:%M:%S", "%s", "x", "%d %b", "${var.x}", "%{if}", "x".repeat(100)])(
    "has the time as %s",
    (timestampFormat) => {
      expect(valueOf({ logging: { timestampFormat } }, "log_timestamp_format")).toEqual([timestampFormat]);
    },
  );

  test.each<[unknown]>([
    [""],
    [" %s"],
    ["%s "],
    ["%s\n"],
    ["%s\nallow_anonymous true"],
    ["%H\t%M"],
    ["%H:%M é"],
    ["x".repeat(101)],
    [1],
    [["%s"]],
    [null],
  ])("has no time as %j", (timestampFormat) => {
    expect(said({ logging: { timestampFormat } as LoggingOptions })).toMatch(
      / {2}- logging\.timestampFormat, got .*; allowed: 1 to 100 printable ASCII characters .*; remedy: take %Y/,
    );
  });

  test("has no time that only Terraform knows, which could have any text in it", () => {
    const variable = new TerraformVariable(makeStack(), "v", { type: "string" });
    expect(said({ logging: { timestampFormat: variable.stringValue } })).toMatch(
      /logging\.timestampFormat.*known at synth.*; remedy: /,
    );
  });
});

describe("$SYS", () => {
  test.each(["$SYS/#", "$SYS", "$SYS/broker/uptime", "$SYS/+/x"])(
    "%s may be subscribed to where the broker publishes it, and not with a sysInterval of 0",
    (filter) => {
      const add = (options: BrokerOptions): unknown =>
        declareBroker(options).addClient("a", { subscribe: ["plant/#", filter] });
      expect(() => add({})).not.toThrow();
      expect(() => add({ sysInterval: 1 })).not.toThrow();
      for (const sysInterval of [0, -0]) {
        expect(() => add({ sysInterval })).toThrow(
          /client "a" of test\/broker.*:\n {2}- subscribe, got "\$SYS.*"; allowed: .*sysInterval is 0; remedy: leave out sysInterval/,
        );
      }
    },
  );

  test("is what begins with it as a level, and no other topic", () => {
    for (const filter of ["$SYSTEM/x", "#", "+/broker", "SYS/#", "plant/$SYS"]) {
      expect(() => declareBroker({ sysInterval: 0 }).addClient("a", { subscribe: [filter] })).not.toThrow();
    }
  });

  test("names every such filter", () => {
    const add = (): unknown => declareBroker({ sysInterval: 0 }).addClient("a", { subscribe: ["$SYS/a", "$SYS/b"] });
    expect(add).toThrow(/\$SYS\/a/);
    expect(add).toThrow(/\$SYS\/b/);
  });
});

describe("lines of mosquitto.conf that no property renders", () => {
  test("stand before the first listener, those of a listener in its own part", () => {
    const { conf } = synthesized(
      {
        extraConfig: ["retain_expiry_interval 600", "new_option a b"],
        listeners: [
          Listener.mutualTls(),
          Listener.passwordOverTls({ extraConfig: ["max_topic_alias_broker 5"] }),
          Listener.mutualTls({ port: 9000, extraConfig: ["max_topic_alias_broker 6"] }),
        ],
      },
      ["new_option"],
    );
    expect(conf.options.get("retain_expiry_interval")).toEqual(["600"]);
    expect(conf.options.get("new_option")).toEqual(["a b"]);
    expect(conf.listeners.map(({ port, options }) => [port, options.get("max_topic_alias_broker")])).toEqual([
      [8883, undefined],
      [8884, "5"],
      [9000, "6"],
      [18_883, undefined],
    ]);
    for (const { options } of conf.listeners) expect(options.has("new_option")).toBe(false);
  });

  test("are refused where an option belongs to a listener, is rendered, or would open the broker", () => {
    for (const [line, remedy] of [
      ["max_topic_alias_broker 5", "put it into extraConfig of the Listener"],
      ["sys_interval 1", "set sysInterval instead"],
      ["allow_anonymous true", "leave it out"],
      ["listener 1883", "Listener"],
    ]) {
      expect(said({ extraConfig: [line as string] })).toMatch(
        new RegExp(`  - extraConfig\\[0\\], got .*; allowed: .*; remedy: .*${remedy}`),
      );
    }
  });

  test("are judged by the image's Mosquitto", () => {
    const extraConfig = ["packet_buffer_size 4096"];
    expect(said({ extraConfig })).toBe("");
    expect(said({ extraConfig, image: MosquittoImage.named("local", "2.0.22") })).toMatch(
      /extraConfig\[0\].*options that Mosquitto 2\.0 knows/,
    );
  });

  test("carry a warning where they are unknown", () => {
    const broker = declareBroker({ extraConfig: ["retain_expiry_interval 600", "new_option 1"] });
    expect(broker.node.metadata.map(({ data }) => data as string)).toEqual([
      expect.stringMatching(/^extraConfig\[1\]: new_option is an option of the broker that this library does not know/),
    ]);
  });
});

test("all faults of all options are one error, one line each", () => {
  const message = said({
    limits: { maxPacketSize: 1, maxKeepalive: 1, retainAvailable: "no" } as unknown as BrokerLimits,
    persistence: { autosaveInterval: 0 },
    logging: { types: ["error"], timestampFormat: "" },
    sysInterval: -1,
    extraConfig: ["x"],
    outputPrefix: "1 ",
  });
  const names = message.split("\n").map((line) => /^ {2}- ([^,]+), got/.exec(line)?.[1]);
  expect(names.slice(1).sort()).toEqual(
    [
      "extraConfig[0]",
      "limits.maxKeepalive",
      "limits.maxPacketSize",
      "limits.retainAvailable",
      "logging.timestampFormat",
      "logging.types",
      "outputPrefix",
      "persistence.autosaveInterval",
      "sysInterval",
    ].sort(),
  );
});
