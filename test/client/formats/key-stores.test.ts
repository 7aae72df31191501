import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { isIP, isIPv6 } from "node:net";
import { createSecureContext } from "node:tls";
import fc from "fast-check";
import { passwordFault } from "../../../constructs/access";
import { connectionBundle, type ConnectionBundle } from "../../../constructs/client/connection-bundle";
import { renderBundle } from "../../../constructs/client/formats";
import { hostFault, issueClient } from "../../../constructs/pki";
import { askJava, type JavaCase } from "../../judges/java";
import { newAuthority, openssl, P256, Scratch, SPAN } from "../../pki/support";

jest.setTimeout(60_000);

const scratch = new Scratch();
afterAll(() => scratch.remove());

const { ca, issuer } = newAuthority();
const client = issueClient(issuer, { commonName: "sensor-1", algorithm: P256, ...SPAN });
const identity = { name: "sensor-1", serverName: "broker.example", publish: [], subscribe: [], deny: [] };
const certificate = {
  certificatePem: client.certificatePem,
  privateKeyPem: client.privateKeyPem,
  notAfter: "2124-01-01T00:00:00.000Z",
};
const tls = { host: "broker.example", port: 8883, protocol: "mqtts", authentication: "certificate" } as const;
const clear = { ...tls, port: 1883, protocol: "mqtt", authentication: "password" } as const;

const mutual = connectionBundle([tls], identity, { caPem: ca.certificatePem, certificate, hasPassword: false });
const password = { hasPassword: true, password: "a long password" };
const passwordOnly = connectionBundle([tls], identity, { caPem: ca.certificatePem, ...password });
const inClearText = connectionBundle([clear], identity, password);

const GIVEN = "correct horse battery staple";
const STORES = ["pkcs12", "pkcs12-legacy"];
const FORMATS = [...STORES, "java"];

const sha256 = (pem: string): string => new X509Certificate(pem).fingerprint256.replace(/:/g, "").toLowerCase();

function filesOf(bundle: ConnectionBundle, format: string, options = {}): Map<string, Buffer> {
  return new Map([...renderBundle(bundle, format, options)].map(([name, content]) => [name, Buffer.from(content)]));
}

function fileOf(files: ReadonlyMap<string, Buffer>, name: string): Buffer {
  const content = files.get(name);
  if (content === undefined) throw new Error(`${name} is not among ${[...files.keys()].join(", ")}`);
  return content;
}

const isSentByPaho = (text: string): boolean => [...text].every((one) => (one.codePointAt(0) ?? 0) < 0xfdd0);

/** What java.util.Properties reads in each file, in one run. */
async function readProperties(texts: readonly Buffer[]): Promise<Record<string, string>[]> {
  const answers = await askJava(texts.map((text) => ["properties", text] as const));
  return answers.map((answer) => {
    if ("refused" in answer) throw new Error(answer.refused);
    const decoded = (part: string | undefined): string => Buffer.from(part ?? "", "base64").toString("utf8");
    return Object.fromEntries(answer.accepted.map((pair) => pair.split(":").map(decoded))) as Record<string, string>;
  });
}

test.each(STORES)("%s is both stores, the roots as PEM and a passphrase that opens the stores", (format) => {
  const files = filesOf(mutual, format);
  expect([...files.keys()].sort()).toEqual([
    "ca.crt",
    "client.p12",
    "connection.json",
    "passphrase.txt",
    "truststore.p12",
  ]);
  for (const [name, content] of files) writeFileSync(scratch.path(name), content);
  for (const [name, certificate] of [
    ["client.p12", client.certificatePem],
    ["truststore.p12", ca.certificatePem],
  ] as const) {
    const args = ["-in", scratch.path(name), "-nodes", "-passin", `file:${scratch.path("passphrase.txt")}`];
    expect(openssl("pkcs12", ...args).text).toContain(certificate);
  }
  expect(fileOf(files, "ca.crt").toString()).toBe(ca.certificatePem);
});

test("a generated passphrase is another one each time", () => {
  const passphrases = [0, 1].map(() => fileOf(filesOf(passwordOnly, "pkcs12"), "passphrase.txt").toString());
  expect(new Set(passphrases).size).toBe(2);
});

test.each(FORMATS)("in %s, a client that has only a password gets a trust store, and no key store", (format) => {
  const names = [...filesOf(passwordOnly, format).keys()];
  expect(names).toContain("truststore.p12");
  expect(names).not.toContain("client.p12");
});

test.each(STORES)("%s is refused for a bundle without certificates", (format) => {
  expect(() => renderBundle(inClearText, format)).toThrow(/key stores hold nothing else; remedy: choose an endpoint/);
});

test.each(FORMATS)("%s is refused for a client that keeps its key to itself", (format) => {
  const { certificatePem, notAfter } = certificate;
  const material = { caPem: ca.certificatePem, certificate: { certificatePem, notAfter }, hasPassword: false };
  const withoutKey = connectionBundle([tls], identity, material);
  expect(() => renderBundle(withoutKey, format)).toThrow(/bundle without the key of its certificate/);
});

test.each(FORMATS)("%s opens with a passphrase that was given, which is in no file", (format) => {
  const files = filesOf(mutual, format, { passphrase: GIVEN });
  expect([...files.keys()]).not.toContain("passphrase.txt");
  for (const content of files.values()) expect(content.includes(GIVEN)).toBe(false);
  expect(() => createSecureContext({ pfx: fileOf(files, "client.p12"), passphrase: GIVEN })).not.toThrow();
});

test.each(FORMATS)("%s refuses a passphrase that readers differ in, and does not show it", (format) => {
  const passphrase = "Straße und Hausnummer";
  const render = (): unknown => renderBundle(mutual, format, { passphrase });
  expect(render).toThrow(/^the passphrase; allowed: 12 to 1023 printable ASCII characters/);
  expect(render).not.toThrow(passphrase);
});

test("java has the properties of a mutual TLS client, and the passwords in them open its stores", async () => {
  const files = filesOf(mutual, "java");
  expect([...files.keys()].sort()).toEqual(["client.p12", "connection.properties", "truststore.p12"]);
  const [read] = await readProperties([fileOf(files, "connection.properties")]);
  const secret = read?.["keyStorePassword"] ?? "";
  expect(read).toEqual({
    serverURI: "ssl://broker.example:8883",
    host: "broker.example",
    port: "8883",
    clientId: "sensor-1",
    keyStore: "client.p12",
    keyStoreType: "PKCS12",
    keyStorePassword: expect.stringMatching(/^[\w-]{32}$/) as string,
    trustStore: "truststore.p12",
    trustStoreType: "PKCS12",
    trustStorePassword: secret,
  });
  const stores = [fileOf(files, "client.p12"), fileOf(files, "truststore.p12")];
  expect(await askJava(stores.map((store) => ["store", store, secret] as const))).toEqual([
    { accepted: [`sensor-1:key:${sha256(client.certificatePem)}`] },
    { accepted: [`ca:trusted:${sha256(ca.certificatePem)}`] },
  ]);
});

test("java is refused where the server's certificate is for another name than the host", () => {
  expect(() => renderBundle({ ...mutual, server_name: "other.example" }, "java")).toThrow(/same host and server name/);
});

// Seen with org.eclipse.paho.client.mqttv3 1.2.5: an IllegalArgumentException at connect.
test.each([
  ["an emoji", "\u{1f511}"],
  ["a noncharacter", "\ufdd0"],
  ["a full-width letter", "\uff21"],
])("java is refused for a password that Paho does not send: with %s", (_, one) => {
  const bundle = connectionBundle([clear], identity, { hasPassword: true, password: `a long pass${one}` });
  expect(() => renderBundle(bundle, "java")).toThrow(/from U\+FDD0 on.* remedy: choose another format, such as json/);
  expect(() => renderBundle(bundle, "java")).not.toThrow(one);
});

test("java.util.Properties reads any password, name and folder exactly as it was put in", async () => {
  const characters = fc.string({ unit: "binary", minLength: 12, maxLength: 30 });
  const awkward = fc.string({
    unit: fc.constantFrom(..." \\:=#!\"'%$\u2028\u00e9\ufdcf{}unt0"),
    minLength: 12,
    maxLength: 30,
  });
  const cases = fc.record({
    password: fc
      .oneof(awkward, characters)
      .filter((text) => passwordFault("password", text) === undefined && isSentByPaho(text)),
    name: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
    installedIn: fc.option(
      fc
        .oneof(awkward, characters)
        .map((text) => `/${text}`.replace(/\/|\.+$/g, "/x"))
        .filter((folder) => folder.trim() === folder && !/\p{Cc}/u.test(folder)),
      { nil: undefined },
    ),
    port: fc.integer({ min: 1, max: 65535 }),
    passphrase: fc.string({ unit: fc.constantFrom(..." \\:=#!\"'%$unt0"), minLength: 12, maxLength: 20 }),
    // Each store takes some hundredths of a second.
    protocol: fc.constantFrom("mqtts", "wss", ...Array<"mqtt" | "ws">(6).fill("mqtt").fill("ws", 3)),
  } as const);
  const samples = fc.sample(cases, 100);
  const rendered = samples.map(({ password, name, installedIn, port, passphrase, protocol }) => {
    const usesTls = protocol === "mqtts" || protocol === "wss";
    const bundle = connectionBundle(
      [{ host: "broker.example", port, protocol, authentication: "password" }],
      { ...identity, name },
      { ...(usesTls && { caPem: ca.certificatePem }), hasPassword: true, password },
    );
    const options = { passphrase, ...(installedIn !== undefined && { installedIn }) };
    return fileOf(filesOf(bundle, "java", options), "connection.properties");
  });
  const expected = samples.map(({ password, name, installedIn, port, protocol }) => {
    const scheme = { mqtts: "ssl", wss: "wss", mqtt: "tcp", ws: "ws" }[protocol];
    const path = protocol === "wss" || protocol === "ws" ? "/mqtt" : "";
    const at = installedIn === undefined ? "" : `${installedIn.replace(/\/+/g, "/").replace(/\/$/, "")}/`;
    return {
      serverURI: `${scheme}://broker.example:${port}${path}`,
      host: "broker.example",
      port: String(port),
      clientId: name,
      username: name,
      password,
      ...((protocol === "mqtts" || protocol === "wss") && {
        trustStore: `${at}truststore.p12`,
        trustStoreType: "PKCS12",
      }),
    };
  });
  expect(await readProperties(rendered)).toEqual(expected);
});

test("any host is read by java.net.URI as it was put in, or refused", async () => {
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?$/);
  const names = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join("."));
  const any = fc.oneof(names, fc.domain(), fc.ipV4(), fc.ipV6());
  const hosts = [
    ...new Set(["1a", "broker.1a", ...fc.sample(any, 300).filter((host) => hostFault("h", host) === undefined)]),
  ];
  const render = (host: string): JavaCase | undefined => {
    try {
      const bundle = connectionBundle([{ ...clear, host }], { ...identity, serverName: host }, password);
      const text = fileOf(filesOf(bundle, "java"), "connection.properties").toString();
      return ["uri", /^serverURI=(.*)$/m.exec(text)?.[1] ?? ""];
    } catch (error) {
      expect(String(error)).toMatch(/last label begins with a letter/);
      return undefined;
    }
  };
  const read = hosts.map((host) => ({ host, uri: render(host) }));
  const rendered = read.filter((one): one is { host: string; uri: JavaCase } => one.uri !== undefined);
  const refused = read.filter(({ uri }) => uri === undefined).map(({ host }) => host);
  const wouldBe = refused.map((host): JavaCase => ["uri", `tcp://${host}:1883`]);
  const answers = await askJava([...rendered.map(({ uri }) => uri), ...wouldBe]);
  expect(answers).toEqual([
    ...rendered.map(({ host }) => ({ accepted: ["tcp", isIPv6(host) ? `[${host}]` : host, "1883"] })),
    // No host is refused that could be read.
    ...refused.map(() => ({ accepted: ["tcp", "null", "-1"] })),
  ]);
  expect(refused).toContain("broker.1a");
  expect(refused.filter((host) => isIP(host) !== 0)).toEqual([]);
});
