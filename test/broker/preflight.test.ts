import fc from "fast-check";
import * as fs from "node:fs";
import * as path from "node:path";
import { CertificateAuthority, CredentialStore, Listener } from "../../constructs";
import { renderAccessControlList } from "../../constructs/access";
import { deliverMaterial } from "../../constructs/broker/delivery";
import { brokerFiles } from "../../constructs/broker/material";
import { renderLoggingConf } from "../../constructs/broker/conf/logging";
import { renderMosquittoConf } from "../../constructs/broker/conf/mosquitto-conf";
import { declaredFilesFaults, ExpectedSet, materialFaults } from "../../constructs/broker/preflight";
import { KeyAlgorithm, parseHost } from "../../constructs/pki";
import { WantedCredentials } from "../../constructs/credentials";
import { authority, certificate, DAY, issue, NOW, password, wanted } from "../credentials/support";
import { makeFolder, removeFolder } from "../support/workspace";

const parent = makeFolder("preflight");
afterAll(() => removeFolder(parent));

const expected: ExpectedSet = {
  listeners: [Listener.mutualTls(), Listener.passwordOverTls(), Listener.mutualTlsWithPassword({ webSockets: true })],
  checksRevocations: true,
  logging: { types: ["error", "warning", "debug"], connectionMessages: false },
  extraNames: new Set(),
  hosts: [parseHost("broker.example")],
  rules: [
    { userName: "operator", publish: ["plant/+/commands"], subscribe: ["plant/#"], deny: ["plant/secret"] },
    { userName: "sensor-1", publish: ["plant/sensor-1/#"], subscribe: [], deny: [] },
  ],
  passwords: ["meter", "operator"],
};

/** A store with everything in it: also a certificate that has ended. */
function credentialsIn(store: string): NonNullable<ReturnType<typeof issue>["credentials"]> {
  const folder = path.join(parent, store);
  const passwords = [password("operator"), password("meter")];
  const canaries = { revoked: "refused-1", expired: "refused-2", algorithm: KeyAlgorithm.ecdsaP256() };
  issue(folder, wanted({ certificates: [certificate("sensor-1"), certificate("gone")], passwords }));
  return issue(folder, wanted({ passwords, canaries })).credentials!;
}

const credentials = credentialsIn("own");
const own = new Map([
  ...brokerFiles(credentials),
  ["mosquitto.conf", renderMosquittoConf({ listeners: expected.listeners, options: {}, checksRevocations: true })],
  ["logging.conf", renderLoggingConf(expected.logging)],
  ["acl", renderAccessControlList(expected.rules)],
]);
const foreign = brokerFiles(credentialsIn("foreign"));

function faults(changed: Readonly<Record<string, string | undefined>>, now = NOW, of = expected): string[] {
  const files = new Map(own);
  for (const [name, content] of Object.entries(changed)) {
    if (content === undefined) files.delete(name);
    else files.set(name, content);
  }
  return [...declaredFilesFaults(files, of), ...materialFaults(files, of, credentials, now)];
}

test("a set as it is rendered has no fault", () => {
  expect(faults({})).toEqual([]);
});

const names = [...own.keys()];

test.each(names)("%s is missed, and found empty or cut short", (name) => {
  const content = own.get(name) as string;
  expect(faults({ [name]: undefined }).length).toBeGreaterThan(0);
  expect(faults({ [name]: "" }).length).toBeGreaterThan(0);
  fc.assert(
    fc.property(fc.nat(content.length - 1), (length) => {
      expect(faults({ [name]: content.slice(0, length) }).length).toBeGreaterThan(0);
    }),
    { numRuns: 40 },
  );
});

test.each([...foreign.keys()].filter((name) => name !== "generation-host"))("%s of another broker is found", (name) => {
  expect(faults({ [name]: foreign.get(name) }).length).toBeGreaterThan(0);
});

/** Lines that decide who gets in; the others, such as limits, have a meaning with any number. */
const DECISIVE =
  /^(allow_anonymous|password_file|acl_file|persistence_location|include_dir|listener|protocol|max_connections|use_|certfile|keyfile|cafile|crlfile|require_|tls_version)/;

/** Where a character of a file counts: not in a comment. */
function places(name: string): number[] {
  let at = 0;
  return (own.get(name) as string).split("\n").flatMap((line) => {
    const from = at;
    at += line.length + 1;
    const counts = name === "mosquitto.conf" ? DECISIVE.test(line) : !line.startsWith("#");
    return counts ? Array.from(line, (_, index) => from + index) : [];
  });
}

test.each(names)("a single character of %s that is another one is found", (name) => {
  const content = own.get(name) as string;
  const letters = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=-_.$#: \n\r\0é"];
  fc.assert(
    fc.property(fc.constantFrom(...places(name)), fc.constantFrom(...letters), (at, letter) => {
      // A host name means the same in upper case.
      const same = (text = ""): string => (name === "generation-host" ? text.toLowerCase() : text);
      fc.pre(same(content[at]) !== same(letter));
      expect(faults({ [name]: content.slice(0, at) + letter + content.slice(at + 1) })).not.toEqual([]);
    }),
    { numRuns: 40 },
  );
});

test.each(names)("a line of %s that is left out, doubled or added is found", (name) => {
  const lines = (own.get(name) as string).split("\n");
  const counting = lines.flatMap((line, index) =>
    (name === "mosquitto.conf" ? DECISIVE.test(line) : line !== "" && !line.startsWith("#")) ? [index] : [],
  );
  const added = fc.constantFrom(
    "allow_anonymous true",
    "listener 1884",
    "user admin",
    "topic readwrite #",
    "pattern readwrite #",
    "admin:$7$1$AAAAAAAAAAAAAAAA$AAAA",
    "include_dir /tmp",
    "per_listener_settings true",
    "-----BEGIN CERTIFICATE-----",
    "x",
  );
  fc.assert(
    fc.property(fc.constantFrom(...counting), added, (at, line) => {
      const without = [...lines.slice(0, at), ...lines.slice(at + 1)];
      const doubled = [...lines.slice(0, at), lines[at] as string, ...lines.slice(at)];
      const more = [...lines.slice(0, at), line, ...lines.slice(at)];
      for (const changed of [without, doubled, more]) {
        expect(faults({ [name]: changed.join("\n") })).not.toEqual([]);
      }
    }),
    { numRuns: 20 },
  );
});

test("each fault names its file", () => {
  expect(faults({ passwd: "", acl: undefined, "server.key": "x" }).map((fault) => fault.split(":")[0])).toEqual(
    expect.arrayContaining(["passwd", "acl", "server.crt"]),
  );
});

test("a client that is declared and in no file is found, and one that is in a file and not declared", () => {
  const rules = expected.rules.slice(1);
  expect(faults({}, NOW, { ...expected, rules }).join()).toMatch(/acl: it has rules of a client that is not declared/);
  expect(faults({}, NOW, { ...expected, passwords: ["operator"] }).join()).toMatch(
    /passwd: it has a password of meter/,
  );
  const passwd = (own.get("passwd") as string).replace(/^meter:.*\n/m, "");
  expect(faults({ passwd }).join()).toMatch(/passwd: it has no password of meter/);
});

test("a listener that is declared and not rendered is found, and one that was not declared", () => {
  const [first, ...others] = expected.listeners as [Listener, ...Listener[]];
  expect(faults({}, NOW, { ...expected, listeners: others }).join()).toMatch(/mosquitto\.conf: it has other listeners/);
  const more = [first, ...others, Listener.plaintext()];
  expect(faults({}, NOW, { ...expected, listeners: more }).join()).toMatch(/no listener 1883/);
});

test("a server certificate without a declared host, or that has ended, is found", () => {
  const hosts = [...expected.hosts, parseHost("192.0.2.7")];
  expect(faults({}, NOW, { ...expected, hosts })).toEqual([
    "server.crt: its subject alternative names have no 192.0.2.7",
  ]);
  const later = new Date(NOW.getTime() + 400 * DAY);
  expect(faults({}, later).join()).toMatch(/server\.crt: it ended/);
});

test("a clock that is behind makes no certificate and no list one of the future", () => {
  expect(faults({}, new Date(NOW.getTime() - DAY / 2))).toEqual([]);
  expect(faults({}, new Date(NOW.getTime() - 3 * DAY)).join()).toMatch(/valid only from/);
});

test("a missing list of one authority is found, since it would shut out all of its clients", () => {
  const lists = (own.get("crl.pem") as string).split(/(?<=END X509 CRL-----\n)/);
  expect(lists).toHaveLength(2);
  for (const list of lists) expect(faults({ "crl.pem": list }).join()).toMatch(/crl\.pem: it has no good list of/);
});

describe("a rotation of the server's authority late in its life", () => {
  const days = (count: number): Date => new Date(NOW.getTime() + count * DAY);
  type Declare = (generation: number, validityDays: number) => CertificateAuthority;
  const managed: Declare = (generation, validityDays) =>
    CertificateAuthority.managed({ validityDays, trusted: [generation] });
  const intermediate: Declare = (generation, validityDays) =>
    CertificateAuthority.intermediate({
      root: CertificateAuthority.managed({ validityDays: 9000 }),
      validityDays,
      generation,
    });

  test.each([
    ["a managed one", 3650, 364, managed],
    ["a managed one at the last moment", 3650, 20, managed],
    ["a managed one of a short life", 300, 100, managed],
    ["an intermediate one", 1825, 175, intermediate],
  ] as const)("is not stopped: %s of %d days, %d days before its end", (_, life, before, declare) => {
    const folder = path.join(parent, `rotation-${life}-${before}`);
    const declared = (trusted: readonly number[], issuing: number): WantedCredentials =>
      wanted({
        serverAuthority: authority(
          "server",
          CertificateAuthority.rotation({
            trusted: trusted.map((generation) => declare(generation, life)),
            issuing: declare(issuing, life),
          }),
        ),
        clientAuthority: authority("clients", CertificateAuthority.managed({ validityDays: 9000 })),
        passwords: [password("operator"), password("meter")],
      });
    const step = (at: number, trusted: readonly number[], issuing: number): string[] => {
      const { credentials: made } = issue(folder, declared(trusted, issuing), { now: days(at) });
      const files = new Map([...own, ...brokerFiles(made!)]);
      return materialFaults(files, expected, made!, days(at));
    };
    expect(step(0, [1], 1)).toEqual([]);
    expect(step(life - before, [1, 2], 1)).toEqual([]);
    // Also when the old one has ended and nobody has dropped it yet.
    for (const more of [1, 2, 10, before - 1, before + 5]) {
      expect({ more, faults: step(life - before + more, [1, 2], 2) }).toEqual({
        more,
        faults: [],
      });
    }
    expect(step(life + 6, [2], 2)).toEqual([]);
  });
});

describe("at a synth", () => {
  const directory = path.join(parent, "stack");
  const deliver = (declared: ReadonlyMap<string, string>, rules = expected.rules): void =>
    deliverMaterial({
      stackDirectory: directory,
      materialFolder: "material/broker",
      stackId: "test",
      brokerPath: "test/broker",
      store: CredentialStore.folder(path.join(parent, "synth")),
      wanted: wanted({ passwords: [password("operator"), password("meter")] }),
      declaredFiles: declared,
      expected: { ...expected, rules },
      clients: [],
    });
  const declared = new Map([...own].filter(([name]) => ["mosquitto.conf", "logging.conf", "acl"].includes(name)));

  beforeEach(() => jest.spyOn(process.stderr, "write").mockReturnValue(true));
  afterEach(() => jest.restoreAllMocks());

  test("material is left only where the whole set has no fault", () => {
    deliver(declared);
    expect(fs.existsSync(path.join(directory, "material/broker/server.crt"))).toBe(true);
    const broken = new Map(declared).set("acl", "user a\npattern readwrite #\n");
    expect(() => deliver(broken)).toThrow(/test\/broker .*acl: line 2 .*remedy:/s);
    expect(fs.existsSync(path.join(directory, "material/broker"))).toBe(false);
    expect(() => deliver(declared, expected.rules.slice(1))).toThrow(/acl: it has rules of a client/);
    expect(fs.existsSync(path.join(directory, "material/broker"))).toBe(false);
  });
});
