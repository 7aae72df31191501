import fc from "fast-check";
import { Listener } from "../../constructs";
import { renderMosquittoConf } from "../../constructs/broker/mosquitto-conf";

const render = (listeners: readonly Listener[], checksRevocations = true): string =>
  renderMosquittoConf(listeners, { checksRevocations });
const all = [Listener.mutualTls(), Listener.passwordOverTls(), Listener.plaintext()];

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
    const isPlaintext = section[0] === "listener 1883";
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
    expect(section.includes("use_identity_as_username true")).toBe(asks);
  }
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
