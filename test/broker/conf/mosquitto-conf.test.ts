import { renderLoggingConf } from "../../../constructs/broker/conf/logging";
import fc from "fast-check";
import { Listener } from "../../../constructs";
import { BrokerOptions } from "../../../constructs";
import { parseMosquittoConf } from "../../../constructs/broker/conf/conf-reader";
import { renderMosquittoConf } from "../../../constructs/broker/conf/mosquitto-conf";

const render = (listeners: readonly Listener[], checksRevocations = true, options: BrokerOptions = {}): string =>
  renderMosquittoConf({ listeners, options, checksRevocations });
const KINDS = ["mutualTls", "passwordOverTls", "mutualTlsWithPassword", "plaintext"] as const;
const all = [false, true].flatMap((webSockets) => KINDS.map((kind) => Listener[kind]({ webSockets })));

/** The lines of each `listener`, without the global ones. */
function sections(conf: string): string[][] {
  return conf
    .split(/^(?=listener )/m)
    .slice(1)
    .map((section) => section.trim().split("\n"));
}

test("mosquitto.conf with every kind of listener is this text", () => {
  expect(render(all)).toMatchSnapshot();
});

test("a listener's options never stand before the first listener, where they would open another on 1883", () => {
  const beforeFirst = render(all).split(/^listener /m)[0];
  expect(beforeFirst).not.toMatch(/^(certfile|keyfile|cafile|crlfile|require_certificate|max_connections|protocol)/m);
  expect(beforeFirst).toMatch(/^allow_anonymous false$/m);
});

test("every listener over TLS has its own certificate lines", () => {
  for (const section of sections(render(all))) {
    const isPlaintext = ["listener 1883", "listener 8080"].includes(section[0] as string);
    expect(section.some((line) => line.startsWith("certfile "))).toBe(!isPlaintext);
  }
});

test("no published listener lets a client take over another one's session", () => {
  for (const section of sections(render(all)).slice(0, -1)) {
    expect(section).toContain("use_username_as_clientid true");
  }
});

test("a listener that asks for certificates has a crlfile, so that a reload reads its cafile again", () => {
  for (const section of sections(render(all))) {
    const asks = section.includes("require_certificate true");
    expect(section.some((line) => line.startsWith("crlfile "))).toBe(asks);
    expect(section.some((line) => line.startsWith("cafile "))).toBe(asks);
  }
});

test("the certificate is the user name on mutual-TLS listeners only: beside it a password would be discarded", () => {
  const byCertificate = sections(render(all)).filter((section) => section.includes("use_identity_as_username true"));
  expect(byCertificate.map(([first]) => first)).toEqual(["listener 8883", "listener 8443", "listener 18883 127.0.0.1"]);
});

test("each kind of listener has a port of its own by default, over WebSockets too", () => {
  expect(all.map(({ port }) => port)).toEqual([8883, 8884, 8885, 1883, 8443, 8444, 8445, 8080]);
  expect(all.map(({ protocol }) => protocol)).toEqual(["mqtts", "mqtts", "mqtts", "mqtt", "wss", "wss", "wss", "ws"]);
});

test("a listener over TLS offers suites with forward secrecy alone, unless others are named", () => {
  const ciphers = /^ciphers (.*)$/m.exec(render([Listener.mutualTls()]))?.[1]?.split(":") ?? [];
  expect(ciphers.length).toBeGreaterThan(3);
  expect(ciphers.every((cipher) => /^ECDHE-(ECDSA|RSA)-(AES\d+-GCM|CHACHA20)/.test(cipher))).toBe(true);
  const named = render([Listener.mutualTls({ ciphers: ["ECDHE-ECDSA-AES128-CCM"] })]);
  expect(named).toMatch(/^ciphers ECDHE-ECDSA-AES128-CCM$/m);
});

test("TLS 1.3 alone has no list of suites that only TLS 1.2 knows", () => {
  const [published] = sections(
    render([Listener.mutualTls({ tlsVersion: "tlsv1.3", ciphersTls13: ["TLS_AES_128_GCM_SHA256"] })]),
  );
  expect(published).toContain("tls_version tlsv1.3");
  expect(published).toContain("ciphers_tls1.3 TLS_AES_128_GCM_SHA256");
  expect(published?.join("\n")).not.toMatch(/^ciphers /m);
});

test("every option of the broker is rendered under Mosquitto's name", () => {
  const { options } = parseMosquittoConf(
    render([Listener.mutualTls()], true, {
      limits: {
        maxPacketSize: 1000,
        messageSizeLimit: 900,
        maxInflightMessages: 2,
        maxInflightBytes: 3000,
        maxQueuedMessages: 4,
        maxQueuedBytes: 5000,
        queueQos0Messages: true,
        persistentClientExpirationDays: 6,
        maxKeepalive: 70,
        memoryLimit: 80 * 1024 * 1024,
        retainAvailable: false,
      },
      persistence: { enabled: false, autosaveInterval: 9 },
      logging: { timestampFormat: "%H:%M:%S" },
      sysInterval: 0,
      extraConfig: ["retain_expiry_interval 600"],
    }),
  );
  expect(Object.fromEntries(options)).toMatchObject({
    max_packet_size: ["1000"],
    message_size_limit: ["900"],
    max_inflight_messages: ["2"],
    max_inflight_bytes: ["3000"],
    max_queued_messages: ["4"],
    max_queued_bytes: ["5000"],
    queue_qos0_messages: ["true"],
    persistent_client_expiration: ["6d"],
    max_keepalive: ["70"],
    memory_limit: ["83886080"],
    retain_available: ["false"],
    persistence: ["false"],
    autosave_interval: ["9"],
    log_timestamp_format: ["%H:%M:%S"],
    sys_interval: ["0"],
    retain_expiry_interval: ["600"],
  });
});

test("what is logged is apart from mosquitto.conf, which a running broker does not get another one of", () => {
  const logging = { types: ["error", "warning"], connectionMessages: false } as const;
  expect(render([Listener.mutualTls()], true, { logging })).toBe(render([Listener.mutualTls()]));
  expect(renderLoggingConf(logging)).toBe("log_type error\nlog_type warning\nconnection_messages false\n");
});

test("the control listener is on the container's own loopback address", () => {
  expect(sections(render(all)).at(-1)?.[0]).toBe("listener 18883 127.0.0.1");
});

test("whatever listeners are declared, each makes exactly one section", () => {
  const listener = fc
    .record({ port: fc.integer({ min: 1, max: 65535 }), maxConnections: fc.integer({ min: 1, max: 100_000 }) })
    .chain((options) =>
      fc.constantFrom(Listener.mutualTls(options), Listener.passwordOverTls(options), Listener.plaintext(options)),
    );
  fc.assert(
    fc.property(fc.array(listener, { maxLength: 8 }), (listeners) => {
      const ports = sections(render(listeners)).map((section) => Number(section[0]?.split(" ")[1]));
      expect(ports).toEqual([...listeners.map(({ port }) => port), 18883]);
    }),
  );
});

test("without revocation lists of the clients' authority, only the control listener checks any", () => {
  const [published, control] = sections(render([Listener.mutualTls()], false));
  expect(published?.join("\n")).not.toMatch(/crlfile/);
  expect(published).toContain("require_certificate true");
  expect(control?.join("\n")).toMatch(/^crlfile /m);
});
