import fc from "fast-check";
import * as fs from "node:fs";
import * as path from "node:path";
import {
  Authentication,
  CertificateAuthority,
  CertificateOptions,
  ClientOptions,
  ConnectionBundle,
  CredentialStore,
  KeyAlgorithm,
  Listener,
  MosquittoBroker,
  MosquittoBrokerProps,
  PasswordOptions,
  TextSource,
} from "../../../constructs";
import { hashPassword, renderAccessControlList } from "../../../constructs/access";
import { BundleProof, bundleFaults, BundleSurroundings } from "../../../constructs/broker/bundle-proof/bundle-proof";
import { renderLoggingConf } from "../../../constructs/broker/conf/logging";
import { renderMosquittoConf } from "../../../constructs/broker/conf/mosquitto-conf";
import { deliverMaterial } from "../../../constructs/broker/delivery";
import { connectionFile, renderMaterial } from "../../../constructs/broker/material";
import { ExpectedSet } from "../../../constructs/broker/preflight";
import { wantedCredentials } from "../../../constructs/broker/wanted-credentials";
import { Credentials, fulfil, Issuing, revokeClient, WantedCredentials } from "../../../constructs/credentials";
import {
  CredentialRecord,
  PasswordRecord,
  readRecord,
  recordFileName,
  serializeRecord,
} from "../../../constructs/credentials/record";
import {
  createCertificationRequest,
  generateKeyPair,
  issueClient,
  issueSubordinateAuthority,
  Issuer,
  KeySource,
  parseHost,
} from "../../../constructs/pki";
import { DAY, NOW, open } from "../../credentials/support";
import { declareBroker } from "../../support/declare";
import { makeFolder, removeFolder } from "../../support/workspace";

const parent = makeFolder("bundle-proof");
afterAll(() => removeFolder(parent));

/** A broker with its clients, issued for real. */
class BrokerSet {
  readonly wanted: WantedCredentials;
  readonly credentials: Credentials;
  readonly expected: ExpectedSet;
  readonly material: ReadonlyMap<string, string>;
  readonly broker: MosquittoBroker;

  constructor(
    readonly store: string,
    props: Partial<MosquittoBrokerProps>,
    clients: Readonly<Record<string, ClientOptions>>,
    private readonly now = NOW,
  ) {
    const hosts = (props.hosts ?? ["broker.example"]).map(parseHost);
    this.broker = declareBroker({ ...props, hosts: hosts.map(({ value }) => value) });
    for (const [name, options] of Object.entries(clients)) this.broker.addClient(name, options);
    const serverAuthority = props.serverAuthority ?? CertificateAuthority.managed();
    const clientAuthority = props.clientAuthority ?? CertificateAuthority.managed();
    this.wanted = wantedCredentials({
      name: "broker",
      props: { hosts: [], ...props },
      hosts,
      serverAuthority,
      clientAuthority,
      listeners: this.broker.listeners,
      clients: this.broker.clients,
    });
    this.expected = {
      listeners: this.broker.listeners,
      checksRevocations: true,
      logging: {},
      extraNames: new Set(),
      hosts,
      rules: this.broker.clients.map(({ name: userName, publish, subscribe, deny }) => ({
        userName,
        publish,
        subscribe,
        deny,
      })),
      passwords: this.wanted.passwords.map(({ name }) => name),
    };
    this.credentials = this.issue();
    this.material = renderMaterial(this.credentials, this.broker.clients);
  }

  issue(): Credentials {
    const said = jest.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      return fulfil(open(path.join(parent, this.store)), this.wanted, true, this.now).credentials!;
    } finally {
      said.mockRestore();
    }
  }

  get names(): string[] {
    return this.broker.clients.map(({ name }) => name);
  }

  text(name: string): string {
    return this.material.get(connectionFile(name)) as string;
  }

  bundle(name: string): ConnectionBundle {
    return JSON.parse(this.text(name)) as ConnectionBundle;
  }

  prove(changed: Readonly<Record<string, string | undefined>> = {}, of: Partial<BundleSurroundings> = {}): string[] {
    const material = new Map(this.material);
    for (const [name, content] of Object.entries(changed)) {
      if (content === undefined) material.delete(name);
      else material.set(name, content);
    }
    return bundleFaults(material, { ...this.surroundings(), ...of });
  }

  /** With one bundle changed. */
  withBundle(name: string, content: string | object): string[] {
    const text = typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`;
    this.proof ??= new BundleProof(this.material, this.surroundings());
    return this.proof.faults(
      this.broker.clients.find((client) => client.name === name)!,
      text,
    );
  }

  private proof: BundleProof | undefined;

  private surroundings(): BundleSurroundings {
    return {
      clients: this.broker.clients,
      expected: this.expected,
      wanted: this.wanted,
      issued: this.credentials.clients,
      now: this.now,
    };
  }
}

const inBothForms = (make: (webSockets: boolean) => Listener[]): Listener[] => [...make(false), ...make(true)];
const device = generateKeyPair(KeyAlgorithm.ecdsaP256());
const password = (options: PasswordOptions): Authentication => Authentication.password(options);
const certificate = (options: CertificateOptions = {}): Authentication => Authentication.certificate(options);
const publish = ["plant/#"];
const quick = { iterations: 10 };
const mutual = Listener.mutualTls();
const inClearText = Listener.plaintext();

const everyListener = inBothForms((webSockets) => [
  webSockets ? Listener.mutualTls({ webSockets }) : mutual,
  Listener.passwordOverTls({ webSockets }),
  webSockets ? Listener.plaintext({ webSockets }) : inClearText,
]);
const rotation = (issuing: number): CertificateAuthority =>
  CertificateAuthority.managed({ trusted: [1, 2], issuing, validityDays: 3650 });
const below = (generation: number): CertificateAuthority =>
  CertificateAuthority.intermediate({ root: CertificateAuthority.managed(), generation });
const rotated = (issuing: number): CertificateAuthority =>
  CertificateAuthority.rotation({ trusted: [below(1), below(2)], issuing: below(issuing) });

const openClients: Readonly<Record<string, ClientOptions>> = {
  sensor: { publish: ["a", "b"], subscribe: ["c"], deny: ["a/b"] },
  "sensor-2": { publish, listeners: [mutual], authentication: certificate({ keyAlgorithm: KeyAlgorithm.ecdsaP384() }) },
  old: { publish, listeners: [mutual], authentication: certificate({ keyAlgorithm: KeyAlgorithm.rsa(2048) }) },
  own: {
    publish,
    listeners: [mutual],
    authentication: Authentication.certificateRequest(createCertificationRequest("any", device, [])),
  },
  operator: { subscribe: ["#"], authentication: password(quick) },
  given: { publish, authentication: password({ ...quick, value: "pass€ \"'\\${HOME} word" }) },
  hashed: { publish, authentication: password({ hash: hashPassword("nobody knows me", { iterations: 10 }) }) },
  either: { publish, authentication: Authentication.certificateOrPassword(certificate(), password(quick)) },
  clear: { publish, authentication: password(quick), listeners: [inClearText] },
  tunnel: { publish, host: "127.0.0.1", serverName: "broker.example", listeners: [mutual] },
};
const strictClients: Readonly<Record<string, ClientOptions>> = {
  both: {
    publish,
    authentication: Authentication.certificateAndPassword(certificate(), password(quick)),
  },
  "both-2": { publish, authentication: Authentication.certificateAndPassword(certificate(), password(quick)) },
};

/** Over an IPv6 address; the clients' authority is being replaced, too. */
const strictProps = (issuing: number): Partial<MosquittoBrokerProps> => ({
  hosts: ["2001:db8::10", "broker.example"],
  listeners: inBothForms((webSockets) => [Listener.mutualTlsWithPassword({ webSockets })]),
  clientAuthority: rotation(issuing),
});
const openProps = (issuing: number): Partial<MosquittoBrokerProps> => ({
  hosts: ["broker.example", "192.0.2.7"],
  listeners: everyListener,
  serverAuthority: rotation(issuing),
  clientAuthority: rotated(issuing),
});

let mixed: BrokerSet;
let strict: BrokerSet;
let plain: BrokerSet;
beforeAll(() => {
  // Each step of a rotation is issued by itself.
  for (const issuing of [1, 2]) {
    mixed = new BrokerSet("mixed", openProps(issuing), openClients);
    strict = new BrokerSet("strict", strictProps(issuing), strictClients);
  }
  plain = new BrokerSet("plain", {}, { sensor: { publish }, other: { publish } });
});
const sets = (): BrokerSet[] => [mixed, strict, plain];
const every = Object.keys({ ...openClients, ...strictClients });
const setOf = (name: string): BrokerSet => (name in strictClients ? strict : mixed);

test("a good set has no faults: every kind of listener, credential and host, while two authorities are trusted", () => {
  for (const set of sets()) expect(set.prove()).toEqual([]);
  expect(mixed.bundle("sensor").ca_pem?.match(/BEGIN/g)).toHaveLength(2);
  expect(mixed.bundle("sensor").cert_pem?.match(/BEGIN/g)).toHaveLength(2);
  const kinds = sets().flatMap((set) => set.names.flatMap((name) => set.bundle(name).endpoints ?? []));
  expect(new Set(kinds.map(({ protocol }) => protocol)).size).toBe(4);
});

test("a set is good at every step of a rotation, also by a clock that is behind", () => {
  for (const issuing of [1, 2]) {
    const at = (days: number): Date => new Date(NOW.getTime() + days * DAY);
    const set = new BrokerSet(`step-${issuing}`, { ...openProps(1), listeners: [mutual] }, { sensor: { publish } });
    const next =
      issuing === 1
        ? set
        : new BrokerSet(`step-${issuing}`, { ...openProps(2), listeners: [mutual] }, { sensor: { publish } });
    expect(next.prove()).toEqual([]);
    expect(next.prove({}, { now: at(-0.5) })).toEqual([]);
  }
});

test("a set is good while an authority that has ended is still trusted", () => {
  const step = (days: number, trusted: readonly number[], issuing: number): string[] => {
    const authority = CertificateAuthority.managed({ trusted, issuing, validityDays: 100 });
    const now = new Date(NOW.getTime() + days * DAY);
    return new BrokerSet("ended", { serverAuthority: authority }, { sensor: { publish } }, now).prove();
  };
  expect(step(0, [1], 1)).toEqual([]);
  expect(step(80, [1, 2], 1)).toEqual([]);
  expect(step(81, [1, 2], 2)).toEqual([]);
  expect(step(105, [1, 2], 2)).toEqual([]);
});

describe.each(every)("the bundle of client %s", (name) => {
  test("is found with a single character that is another one, is missing or is doubled", () => {
    const set = setOf(name);
    const text = set.text(name);
    const letters = [...'abcxyzABCXYZ0189+/=-_.$#:\\" \n\r\0é{}[],'];
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(...letters, ""), (at, letter) => {
        fc.pre(text[at] !== letter);
        const [before, after] = [text.slice(0, at), text.slice(at + 1)];
        for (const changed of [before + letter + after, before + text[at] + text[at] + after]) {
          expect(set.withBundle(name, changed)).not.toEqual([]);
        }
      }),
      { numRuns: 120 },
    );
  });

  test("is found with a line that is missing, doubled or exchanged with the next", () => {
    const set = setOf(name);
    const lines = set.text(name).split("\n");
    lines.slice(0, -1).forEach((line, at) => {
      const without = lines.toSpliced(at, 1);
      const doubled = lines.toSpliced(at, 0, line);
      const exchanged = lines.toSpliced(at, 2, lines[at + 1] as string, line);
      // The order of fields has no meaning.
      const isOrder = isSame(exchanged.join("\n"), set.text(name));
      for (const changed of [without, doubled, ...(isOrder ? [] : [exchanged])]) {
        expect(set.withBundle(name, changed.join("\n"))).not.toEqual([]);
      }
    });
  });

  test("is found with a line of its certificates or key that is missing, doubled or exchanged", () => {
    const set = setOf(name);
    const bundle = set.bundle(name);
    for (const field of ["ca_pem", "cert_pem", "key_pem"] as const) {
      const lines = bundle[field]?.split("\n") ?? [];
      fc.assert(
        fc.property(fc.nat(Math.max(0, lines.length - 3)), (at) => {
          if (lines.length === 0) return;
          const exchanged = lines.toSpliced(at, 2, lines[at + 1] as string, lines[at] as string);
          for (const changed of [lines.toSpliced(at, 1), lines.toSpliced(at, 0, lines[at] as string), exchanged]) {
            expect(set.withBundle(name, { ...bundle, [field]: changed.join("\n") })).not.toEqual([]);
          }
        }),
        { numRuns: 12 },
      );
    }
  });

  test("is found with each field missing, of another type, or taken from another client", () => {
    const set = setOf(name);
    const bundle = set.bundle(name);
    for (const field of Object.keys(bundle) as (keyof ConnectionBundle)[]) {
      const { [field]: value, ...without } = bundle;
      expect(set.withBundle(name, without)).not.toEqual([]);
      for (const other of [null, true, {}, [], 1, "", [""], [value]]) {
        if (JSON.stringify(other) === JSON.stringify(value)) continue;
        expect(set.withBundle(name, { ...bundle, [field]: other })).not.toEqual([]);
      }
    }
    for (const other of every.map((one) => setOf(one).bundle(one))) {
      for (const field of Object.keys(other) as (keyof ConnectionBundle)[]) {
        if (JSON.stringify(other[field]) === JSON.stringify(bundle[field])) continue;
        // Certificates that were issued in the same second end together.
        expect({ field, faults: set.withBundle(name, { ...bundle, [field]: other[field] }) }).not.toMatchObject({
          faults: [],
        });
      }
    }
  });
});

function isSame(one: string, other: string): boolean {
  try {
    const [first, second] = [one, other].map((text) => JSON.parse(text) as object);
    expect(first).toEqual(second);
    return true;
  } catch {
    return false;
  }
}

describe("its own message names the client's file, for", () => {
  type Change = (bundle: ConnectionBundle) => Record<string, unknown>;
  const without =
    (...fields: string[]): Change =>
    (bundle) =>
      Object.fromEntries(Object.entries(bundle).filter(([field]) => !fields.includes(field)));
  const to =
    (changed: Record<string, unknown>): Change =>
    (bundle) => ({ ...bundle, ...changed });
  const from =
    (name: string, ...fields: (keyof ConnectionBundle)[]): Change =>
    (bundle) => ({ ...bundle, ...Object.fromEntries(fields.map((field) => [field, setOf(name).bundle(name)[field]])) });
  const atEndpoint =
    (at: number, changed: object): Change =>
    ({ endpoints = [], ...rest }) => ({
      ...rest,
      endpoints: endpoints.map((one, index) => (index === at ? { ...one, ...changed } : one)),
    });
  const url = (text: string): Change => to({ url: text });
  const notUrl = /its url is not of/;

  test.each<[string, string, Change, RegExp]>([
    ["an unknown field", "sensor", to({ insecure: true }), /it has an unknown field "insecure"/],
    ["a missing field", "sensor", without("publish"), /it has no publish/],
    ["a field of another type", "sensor", to({ port: "8883" }), /its port is not of the right kind/],
    ["a single endpoint that is listed", "clear", from("sensor", "endpoints"), /its endpoints are not those/],
    ["endpoints that are left out", "sensor", without("endpoints"), /its endpoints are not those/],
    [
      "endpoints in another order",
      "sensor",
      ({ endpoints = [], ...rest }) => ({ ...rest, endpoints: endpoints.toReversed() }),
      /endpoints\[0\]'s port is not 8883/,
    ],
    [
      "an endpoint that asks for another proof",
      "either",
      atEndpoint(1, { authentication: "certificate" }),
      /endpoints\[1\]'s authentication is not password/,
    ],
    [
      "an endpoint with a field more",
      "sensor",
      atEndpoint(1, { insecure: true }),
      /its endpoints is not of the right kind/,
    ],
    ["another host", "sensor", to({ host: "other.example" }), /its host is not broker\.example/],
    ["another port", "sensor", to({ port: 8884 }), /its port is not 8883/],
    ["another protocol", "sensor", to({ protocol: "mqtt" }), /its protocol is not mqtts/],
    ["a url to another host", "sensor", url("mqtts://other.example:8883"), notUrl],
    ["a url to another port", "sensor", url("mqtts://broker.example:1883"), notUrl],
    ["a url without a port", "sensor", url("mqtts://broker.example"), notUrl],
    ["a url of another scheme", "sensor", url("mqtt://broker.example:8883"), notUrl],
    ["a url with a user", "sensor", url("mqtts://sensor@broker.example:8883"), notUrl],
    ["a url with a query", "sensor", url("mqtts://broker.example:8883?insecure=1"), notUrl],
    ["a url with a path", "sensor", url("mqtts://broker.example:8883/mqtt"), notUrl],
    [
      "a url of WebSockets without /mqtt",
      "sensor",
      atEndpoint(1, { url: "wss://broker.example:8443" }),
      /endpoints\[1\]'s url is not of wss.*with the path \/mqtt/,
    ],
    ["an IPv6 address without brackets", "both", url("mqtts://2001:db8::10:8885"), notUrl],
    ["no server_name over TLS", "sensor", without("server_name"), /it has no server_name to check/],
    [
      "a server_name that is not declared",
      "sensor",
      to({ server_name: "192.0.2.7" }),
      /its server_name is not the declared one/,
    ],
    [
      "a server_name that the server has not",
      "sensor",
      to({ server_name: "other.example" }),
      /not among the DNS names of server\.crt/,
    ],
    [
      "an address that the server has not",
      "sensor",
      to({ server_name: "192.0.2.8" }),
      /not among the IP names of server\.crt/,
    ],
    ["no ca_pem over TLS", "sensor", without("ca_pem"), /it has no ca_pem to check/],
    [
      "a ca_pem with one root less",
      "sensor",
      ({ ca_pem: pem = "", ...rest }) => ({ ...rest, ca_pem: pem.slice(0, pem.indexOf("-----BEGIN", 1)) }),
      /a trusted authority is missing in its ca_pem/,
    ],
    [
      "a ca_pem of another broker",
      "sensor",
      from("both", "ca_pem"),
      /its ca_pem has an authority that is not trusted.*\n.*missing.*\n.*server\.crt does not lead to an authority in its ca_pem: what signed it is missing/,
    ],
    [
      "a ca_pem with something beside",
      "sensor",
      ({ ca_pem: pem, ...rest }) => ({ ...rest, ca_pem: `any\n${pem}` }),
      /its ca_pem: there is something else in it/,
    ],
    [
      "a root that stands twice",
      "sensor",
      ({ ca_pem: pem, ...rest }) => ({ ...rest, ca_pem: `${pem}${pem}` }),
      /its ca_pem has an authority that is not trusted, or one twice/,
    ],
    [
      "a ca_pem in clear text",
      "clear",
      from("sensor", "ca_pem"),
      /it has a ca_pem, which does not count in clear text/,
    ],
    [
      "a server_name in clear text",
      "clear",
      to({ server_name: "broker.example" }),
      /it has a server_name, which does not count/,
    ],
    [
      "no certificate",
      "sensor",
      without("cert_pem", "key_pem", "expires_at"),
      /it has no cert_pem, which the broker asks for/,
    ],
    [
      "a certificate beside a password alone",
      "operator",
      from("sensor", "cert_pem"),
      /it has a cert_pem, which does not count/,
    ],
    [
      "a key beside a password alone",
      "operator",
      from("sensor", "key_pem"),
      /it has a key_pem without a cert_pem that counts/,
    ],
    [
      "an end beside a password alone",
      "operator",
      from("sensor", "expires_at"),
      /it has an expires_at without a cert_pem/,
    ],
    ["a certificate without its key", "sensor", without("key_pem"), /it has no key_pem for its cert_pem/],
    [
      "a key of who keeps it",
      "own",
      to({ key_pem: device.privateKeyPem }),
      /it has a key_pem, and the client keeps its key/,
    ],
    [
      "another client's certificate",
      "sensor",
      from("either", "cert_pem", "key_pem"),
      /its common name is "either" and not "sensor"/,
    ],
    ["another client's key", "sensor", from("either", "key_pem"), /its key_pem is not the key of its cert_pem/],
    [
      "another client's RSA certificate",
      "sensor",
      from("old", "key_pem"),
      /its key_pem is not the key of its cert_pem/,
    ],
    [
      "a certificate for another key than the request's",
      "own",
      from("sensor", "cert_pem"),
      /its cert_pem is for another key than the client's request/,
    ],
    [
      "another broker's certificate",
      "sensor",
      ({ ...rest }) => ({ ...rest, cert_pem: plain.bundle("sensor").cert_pem }),
      /its cert_pem: .*was signed by none of the authorities above it/,
    ],
    [
      "a certificate without what stands above it",
      "sensor",
      ({ cert_pem: pem = "", ...rest }) => ({ ...rest, cert_pem: pem.slice(0, pem.indexOf("-----BEGIN", 1)) }),
      /its cert_pem: it was signed by none/,
    ],
    [
      "what stands above a certificate of another broker",
      "both",
      ({ cert_pem: pem = "", ...rest }) => ({
        ...rest,
        cert_pem: pem + mixed.bundle("sensor").cert_pem!.slice(pem.indexOf("-----END")),
      }),
      /its cert_pem/,
    ],
    [
      "a certificate of who needs no password beside",
      "both",
      ({ ...rest }) => ({ ...rest, cert_pem: strict.bundle("both-2").cert_pem }),
      /its common name is "both-2:with-password"/,
    ],
    [
      "a root that is sent, too",
      "sensor",
      ({ cert_pem: pem, ...rest }) => ({ ...rest, cert_pem: `${pem}${rootOf(mixed)}` }),
      /its cert_pem: what follows it is not what leads to a root in client-ca\.crt/,
    ],
    [
      "an authority that is sent twice",
      "sensor",
      ({ cert_pem: pem = "", ...rest }) => ({ ...rest, cert_pem: `${pem}${pem.slice(pem.indexOf("-----BEGIN", 1))}` }),
      /its cert_pem: what follows it is not what leads to a root in client-ca\.crt/,
    ],
    [
      "another end than the certificate's",
      "sensor",
      to({ expires_at: "2031-01-01T00:00:00.000Z" }),
      /its expires_at is not the end/,
    ],
    ["no user name", "operator", without("username"), /it has no username, which the broker asks for/],
    ["another user name", "operator", to({ username: "given" }), /its username is not the client's name/],
    ["no password", "operator", without("password"), /it has no password, which the broker asks for/],
    [
      "another client's password",
      "operator",
      from("either", "password"),
      /its password does not match its hash in passwd/,
    ],
    [
      "a user name beside a certificate alone",
      "sensor",
      to({ username: "sensor" }),
      /it has a username, which does not count where only a certificate/,
    ],
    [
      "a password beside a certificate alone",
      "sensor",
      from("operator", "password"),
      /it has a password, which does not count/,
    ],
    [
      "a password of which only the hash was given",
      "hashed",
      from("operator", "password"),
      /of which only the hash was given/,
    ],
    ["another client id", "sensor", to({ client_id: "sensor-2" }), /its client_id is not the client's name/],
    ["a client id that is no name", "sensor", to({ client_id: "+" }), /its client_id is no valid name/],
    ["no rules", "sensor", to({ publish: [], subscribe: [] }), /its publish and subscribe are both empty/],
    ["other topics to publish to", "sensor", to({ publish: ["a"] }), /its publish is not what was declared/],
    ["other topics to subscribe to", "sensor", to({ subscribe: [] }), /its subscribe is not what was declared/],
    ["denied topics that are left out", "sensor", without("deny"), /its deny is not what was declared/],
  ])("%s", (_, name, change, message) => {
    const set = setOf(name);
    const faults = set.withBundle(name, change(set.bundle(name)));
    expect(faults.join("\n")).toMatch(message);
    expect(faults.every((fault) => fault.startsWith(`connections/${name}.json: `) && !fault.includes("\n"))).toBe(true);
  });

  test("what is no JSON, a field that stands twice, a bundle that is missing and one of nobody", () => {
    const text = plain.text("sensor");
    expect(plain.withBundle("sensor", text.slice(0, 40))).toEqual(["connections/sensor.json: it is not JSON"]);
    expect(plain.withBundle("sensor", "[]\n")).toEqual(["connections/sensor.json: it is no JSON object"]);
    expect(plain.withBundle("sensor", text.replace("{", '{\n  "host": "broker.example",'))).toEqual([
      "connections/sensor.json: a field stands twice in it, or it is not written as the library writes it",
    ]);
    expect(plain.prove({ "connections/sensor.json": undefined })).toEqual(["connections/sensor.json: it is missing"]);
    expect(plain.prove({ "connections/nobody.json": text })).toEqual([
      "connections/nobody.json: no client of this name is declared",
    ]);
  });
});

function rootOf({ credentials }: BrokerSet): string {
  return credentials.clientAuthorities.at(-1)?.rootPem as string;
}

describe("a bundle is held against the broker's files", () => {
  test("an authority below the same root that is not trusted", () => {
    const records = open(path.join(parent, "mixed")).all("authority");
    const root = records.find(({ role, generation }) => role === "clients-root" && generation === 2)!;
    const dates = { notBefore: NOW, notAfter: new Date(NOW.getTime() + DAY) };
    const algorithm = KeyAlgorithm.ecdsaP256();
    const middle = issueSubordinateAuthority(Issuer.fromPem(root.certificatePem, root.privateKeyPem!), {
      commonName: "another authority",
      algorithm,
      ...dates,
    });
    const leaf = issueClient(Issuer.fromPem(middle.certificatePem, middle.privateKeyPem), {
      commonName: "sensor",
      algorithm,
      ...dates,
    });
    const bundle = {
      ...mixed.bundle("sensor"),
      cert_pem: leaf.certificatePem + middle.certificatePem,
      key_pem: leaf.privateKeyPem,
      expires_at: leaf.notAfter.toISOString(),
    };
    expect(mixed.withBundle("sensor", bundle)).toEqual([
      "connections/sensor.json: its cert_pem: what follows it is not what leads to a root in client-ca.crt",
    ]);
  });

  test("trusted authorities of the server that are no roots", () => {
    const set = new BrokerSet("below", { serverAuthority: below(1) }, { sensor: { publish } });
    const [, middle] = (set.material.get("server.crt") as string).split(/(?<=END CERTIFICATE-----\n)/);
    const bundle = { ...set.bundle("sensor"), ca_pem: middle };
    const files = { "server-ca.crt": middle, "connections/sensor.json": `${JSON.stringify(bundle, null, 2)}\n` };
    expect(set.prove(files)).toEqual(["connections/sensor.json: its ca_pem has an authority that is no root"]);
  });

  test("a server certificate that has another name, or does not lead to a root of the bundle", () => {
    const faults = mixed.prove({ "server.crt": strict.material.get("server.crt") }).join("\n");
    expect(faults).toMatch(/sensor\.json: server\.crt does not lead to an authority in its ca_pem/);
    const other = new BrokerSet("other-host", { hosts: ["other.example"] }, { sensor: { publish } });
    const files = {
      "server.crt": other.material.get("server.crt"),
      "server-ca.crt": other.material.get("server-ca.crt"),
    };
    expect(plain.prove(files).join("\n")).toMatch(/its server_name is not among the DNS names of server\.crt/);
  });

  test("authorities that others trust", () => {
    const files = { "client-ca.crt": plain.material.get("client-ca.crt") };
    expect(strict.prove(files).join("\n")).toMatch(/both\.json: its cert_pem: it was signed by none/);
    expect(mixed.prove(files).join("\n")).toMatch(
      /sensor\.json: its cert_pem: what follows it is not what leads to a root in client-ca\.crt/,
    );
    const server = { "server-ca.crt": strict.material.get("server-ca.crt") };
    expect(plain.prove(server).join("\n")).toMatch(/sensor\.json: its ca_pem has an authority that is not trusted/);
  });

  test("a password file without the user, or with another hash", () => {
    const passwd = mixed.material.get("passwd") as string;
    const without = (name: string): string => passwd.replace(new RegExp(`^${name}:.*\n`, "m"), "");
    expect(mixed.prove({ passwd: without("operator") })).toEqual([
      "connections/operator.json: passwd has no hash of its username",
    ]);
    const other = passwd.replace(/^given:.*$/m, `given:${hashPassword("another password", { iterations: 10 })}`);
    expect(mixed.prove({ passwd: other })).toEqual([
      "connections/given.json: its password does not match its hash in passwd",
    ]);
    const hash = passwd.replace(/^hashed:.*$/m, `hashed:${hashPassword("another password", { iterations: 10 })}`);
    expect(mixed.prove({ passwd: hash })).toEqual([
      "connections/hashed.json: passwd has another hash than the one that was given",
    ]);
  });

  test("a revocation list that the certificate is on", () => {
    const set = new BrokerSet("revoked", {}, { sensor: { publish }, other: { publish } });
    const folder = open(path.join(parent, "revoked"));
    revokeClient(new Issuing(folder, NOW, new KeySource(new Map())), "sensor", "keyCompromise");
    const { revocationListsPem } = set.issue();
    expect(set.prove({ "crl.pem": revocationListsPem })).toEqual([
      "connections/sensor.json: its cert_pem is on crl.pem",
    ]);
  });

  test("the time", () => {
    const at = (days: number): string => plain.prove({}, { now: new Date(NOW.getTime() + days * DAY) }).join("\n");
    expect(at(-3)).toMatch(/sensor\.json: its cert_pem: .*valid only from/);
    expect(at(900)).toMatch(/sensor\.json: its cert_pem: it ended/);
    expect(at(5000)).toMatch(/server\.crt does not lead to an authority in its ca_pem: authority .*: it ended/);
  });

  test("a certificate of the right authority and name that is no client's", () => {
    const [authority] = plain.credentials.clientAuthorities;
    const keyPair = generateKeyPair(KeyAlgorithm.ecdsaP256());
    const dates = { notBefore: new Date(NOW.getTime() - DAY), notAfter: new Date(NOW.getTime() + DAY) };
    const common = { commonName: "sensor", algorithm: KeyAlgorithm.ecdsaP256(), keyPair };
    const given = (made: { certificatePem: string; notAfter: Date }): string[] =>
      plain.withBundle("sensor", {
        ...plain.bundle("sensor"),
        cert_pem: made.certificatePem,
        key_pem: keyPair.privateKeyPem,
        expires_at: made.notAfter.toISOString(),
      });
    expect(given(authority!.signer.client({ ...common, ...dates }))).toEqual([]);
    expect(given(authority!.signer.server({ ...common, ...dates, hosts: [parseHost("sensor.example")] }))).toEqual([
      "connections/sensor.json: its cert_pem: its extended key usage has no clientAuth",
    ]);
    const ended = { notBefore: new Date(NOW.getTime() - 2 * DAY), notAfter: new Date(NOW.getTime() - DAY) };
    expect(given(authority!.signer.client({ ...common, ...ended })).join()).toMatch(/its cert_pem: it ended/);
  });
});

describe("a bundle is held against the declaration", () => {
  test("a listener that lets in by something else, or is not there", () => {
    const listeners = [Listener.passwordOverTls({ port: 8883 })];
    expect(plain.prove({}, { expected: { ...plain.expected, listeners } })).toContain(
      "connections/sensor.json: no listener of the broker lets it in by certificate at mqtts port 8883",
    );
    const clients = plain.broker.clients.map((client) => ({
      ...client,
      name: client.name,
      method: "password" as const,
    }));
    expect(plain.prove({}, { clients }).join()).toMatch(/lets it in by password at mqtts port 8883/);
  });

  test("a listener that asks for another of the proofs of a client that has two", () => {
    const listeners = everyListener.map((one) => (one === mutual ? Listener.passwordOverTls({ port: 8883 }) : one));
    expect(mixed.prove({}, { expected: { ...mixed.expected, listeners } }).join("\n")).toMatch(
      /either\.json: no listener of the broker lets it in by certificateOrPassword at mqtts port 8883/,
    );
  });

  test("a server name that is not written as certificates have it", () => {
    const clients = plain.broker.clients.map(({ name, method, endpoints, publish, subscribe, deny }) => ({
      ...{ name, method, endpoints, publish, subscribe, deny },
      serverName: "BROKER.EXAMPLE",
    }));
    const text = plain.text("sensor").replace('"server_name": "broker', '"server_name": "BROKER');
    const changed = { "connections/sensor.json": text.replace("BROKER.example", "BROKER.EXAMPLE") };
    expect(plain.prove(changed, { clients })).toContain(
      "connections/sensor.json: its server_name is not among the DNS names of server.crt",
    );
  });

  test("a client without rules, or with others", () => {
    expect(plain.prove({}, { expected: { ...plain.expected, rules: plain.expected.rules.slice(1) } })).toEqual([
      "connections/sensor.json: its publish is not what was declared",
    ]);
  });

  test("a certificate where nobody here was to issue one", () => {
    const wanted = { ...plain.wanted, certificates: plain.wanted.certificates.slice(1) };
    expect(plain.prove({}, { wanted })).toEqual([
      "connections/sensor.json: it has a cert_pem, and no authority was to issue one here",
    ]);
  });
});

describe("clients that are left without a credential keep nobody from a deploy", () => {
  test("where the authority is only trusted here, and issues elsewhere", () => {
    const [list] = (plain.material.get("crl.pem") as string).split(/(?<=END X509 CRL-----\n)/);
    const authority = CertificateAuthority.trusted({
      certificates: TextSource.text(plain.material.get("client-ca.crt") as string),
      revocationList: TextSource.text(list as string),
    });
    const set = new BrokerSet("trusted", { clientAuthority: authority }, { sensor: { publish } });
    expect(set.bundle("sensor").cert_pem).toBeUndefined();
    expect(set.prove()).toEqual([]);
  });

  test.each(["own", "given", "hashed"])("where what was given was revoked: %s", (name) => {
    const store = `left-out-${name}`;
    const of = { [name]: openClients[name] as ClientOptions };
    const before = new BrokerSet(store, { listeners: everyListener }, of);
    revokeClient(new Issuing(open(path.join(parent, store)), NOW, new KeySource(new Map())), name, "keyCompromise");
    const set = new BrokerSet(store, { listeners: everyListener }, of);
    expect(set.bundle(name)).not.toHaveProperty(name === "own" ? "cert_pem" : "username");
    expect(set.prove()).toEqual([]);
    expect(set.withBundle(name, before.text(name)).join()).toMatch(
      /crl\.pem|it has a username, and has none that counts/,
    );
  });
});

test("a declaration or a hash that is another one now", () => {
  const passwd = (mixed.material.get("passwd") as string).replace(
    /^given:.*$/m,
    `given:${hashPassword("another password", { iterations: 10 })}`,
  );
  expect(mixed.prove({ passwd })).toEqual(["connections/given.json: its password does not match its hash in passwd"]);
  const clients = strict.broker.clients.map(({ name, endpoints, serverName, publish, subscribe, deny }) => ({
    ...{ name, endpoints, serverName, publish, subscribe, deny },
    method: "certificateOrPassword" as const,
  }));
  expect(strict.prove({}, { clients }).join("\n")).toMatch(
    /both\.json: its cert_pem: its common name is "both:with-password" and not "both"/,
  );
});

describe("at a synth", () => {
  const directory = path.join(parent, "stack");
  const folder = path.join(parent, "synth");
  const deliver = (): void =>
    deliverMaterial({
      stackDirectory: directory,
      materialFolder: "material/broker",
      stackId: "test",
      brokerPath: "test/broker",
      store: CredentialStore.folder(folder),
      wanted: mixed.wanted,
      declaredFiles: new Map([
        ["mosquitto.conf", renderMosquittoConf({ listeners: everyListener, options: {}, checksRevocations: true })],
        ["logging.conf", renderLoggingConf({})],
        ["acl", renderAccessControlList(mixed.expected.rules)],
      ]),
      expected: mixed.expected,
      clients: mixed.broker.clients,
    });
  const written = (name: string): string => fs.readFileSync(path.join(directory, "material/broker", name), "utf8");

  beforeAll(() => {
    jest.spyOn(process.stderr, "write").mockReturnValue(true);
    fs.cpSync(path.join(parent, "mixed"), folder, { recursive: true });
  });
  afterAll(() => jest.restoreAllMocks());

  /** By hand, but with care: name and checksum fit again. */
  function edit(kind: CredentialRecord["kind"], name: string, change: (record: never) => object): void {
    for (const file of fs.readdirSync(folder).filter((one) => one.startsWith(`${kind}.${name}.`))) {
      const { record } = readRecord(fs.readFileSync(path.join(folder, file), "utf8"));
      const changed = { ...record, ...change(record as never) };
      fs.rmSync(path.join(folder, file));
      fs.writeFileSync(path.join(folder, recordFileName(changed)), serializeRecord(changed));
    }
  }

  test("material is written only where every bundle connects, although a store was edited with its checksums", () => {
    jest.useFakeTimers({ now: NOW, doNotFake: ["nextTick", "setImmediate", "setTimeout"] });
    try {
      deliver();
      expect(written("connections/sensor.json")).toContain('"client_id": "sensor"');
      deliver();
      let password = "";
      edit("password", "operator", (record: PasswordRecord) => {
        password = record.password as string;
        return { password: "a password of my own" };
      });
      expect(deliver).toThrow(
        /test\/broker .*connections\/operator\.json: its password does not match its hash in passwd.*remedy: if the store was edited/s,
      );
      expect(fs.existsSync(path.join(directory, "material/broker"))).toBe(false);
      edit("password", "operator", () => ({ password }));
      edit("client", "sensor", () => ({ privateKeyPem: device.privateKeyPem }));
      expect(deliver).toThrow(/connections\/sensor\.json: its key_pem is not the key of its cert_pem/);
      expect(fs.existsSync(path.join(directory, "material/broker"))).toBe(false);
    } finally {
      jest.useRealTimers();
    }
  });
});
