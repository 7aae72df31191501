import { X509Certificate } from "node:crypto";
import { parsePasswordFile, verifyPassword } from "../../constructs/access";
import { Authentication, ConnectionBundle, Listener, MosquittoBroker } from "../../constructs";
import { blocks, Synthesis } from "./synthesis";

// What clients are handed, with every kind of listener and of proof, for hosts of every type.

const HOSTS = ["broker.plant.example", "192.0.2.10", "2001:db8::10", "LocalHost"];
const AWKWARD = [
  "abc#123 abc#123",
  "dollar$HOME ${HOME} $$",
  "`id` $(id) \"'\\ \\n",
  "€uro and £sterling ü",
  "user:pass@host:1883/path?a=b&c=%23+%",
  "日本語の長いパスワード十二🌡",
];

const either = Authentication.certificateOrPassword();

function everyClient(broker: MosquittoBroker): void {
  broker.addClient("sensor", { publish: ["a"] });
  broker.addClient("operator", { authentication: Authentication.password(), publish: ["a"] });
  broker.addClient("either", { authentication: either, publish: ["a"], subscribe: ["b"], deny: ["a/b"] });
  AWKWARD.forEach((value, index) => {
    broker.addClient(`awkward-${index}`, { authentication: Authentication.password({ value }), publish: ["a"] });
  });
}

function needsBoth(broker: MosquittoBroker): void {
  broker.addClient("both", { authentication: Authentication.certificateAndPassword(), publish: ["a"] });
}

const inBothForms = (make: (webSockets: boolean) => Listener[]): Listener[] => [...make(false), ...make(true)];
const each = inBothForms((webSockets) => [
  Listener.mutualTls({ webSockets }),
  Listener.passwordOverTls({ webSockets }),
  Listener.plaintext({ webSockets }),
]);
const strict = inBothForms((webSockets) => [Listener.mutualTlsWithPassword({ webSockets })]);

let all: Synthesis[];
beforeAll(() => {
  all = HOSTS.flatMap((host) => [
    new Synthesis({ hosts: [host], listeners: each }, everyClient),
    new Synthesis({ hosts: [host], listeners: strict }, needsBoth),
  ]);
});
afterAll(() => Synthesis.removeAll());

const overTls = ({ protocol }: ConnectionBundle): boolean => protocol === "mqtts" || protocol === "wss";
const urlsOf = ({ url, endpoints = [] }: ConnectionBundle): string[] => [url, ...endpoints.map((one) => one.url)];

test("a bundle has the fields that are documented and no other, so nothing that would make a client check less", () => {
  const known = ["host", "port", "protocol", "url", "server_name", "client_id", "username", "password", "ca_pem"];
  known.push("cert_pem", "key_pem", "expires_at", "publish", "subscribe", "endpoints", "deny");
  const fields = new Set(all.flatMap(({ bundles }) => bundles.flatMap((bundle) => Object.keys(bundle))));
  expect([...fields].sort()).toEqual(known.sort());
  const ofEndpoints = all.flatMap(({ bundles }) => bundles.flatMap(({ endpoints = [] }) => endpoints));
  expect([...new Set(ofEndpoints.flatMap((endpoint) => Object.keys(endpoint)))].sort()).toEqual(
    ["authentication", "host", "port", "protocol", "url"].sort(),
  );
});

test("a bundle over TLS has the whole root, and a name to check that the server's certificate has for that very type", () => {
  let checked = 0;
  for (const synthesis of all) {
    const [leaf] = blocks(synthesis.file("server.crt"));
    const server = new X509Certificate(leaf as string);
    for (const bundle of synthesis.bundles.filter(overTls)) {
      const { ca_pem: authorities = "", server_name: name = "", host } = bundle;
      const [root] = blocks(authorities).map((pem) => new X509Certificate(pem));
      expect(root?.checkIssued(root) && root.verify(root.publicKey)).toBe(true);
      expect(root && server.verify(root.publicKey)).toBe(true);
      for (const one of [host, name]) {
        const isAddress = /^[\d.]+$|:/.test(one);
        expect(isAddress ? server.checkIP(one) : server.checkHost(one, { subject: "never" })).toBe(one);
      }
      checked += 1;
    }
  }
  expect(checked).toBeGreaterThan(30);
});

test("a URL has the scheme that says TLS exactly where there is TLS, and never a user or a password", () => {
  for (const { bundles } of all) {
    for (const bundle of bundles) {
      for (const text of urlsOf(bundle)) {
        const url = new URL(text);
        expect([url.username, url.password, url.search, url.hash]).toEqual(["", "", "", ""]);
        expect(url.port).not.toBe("");
        const isPlain = [1883, 8080].includes(Number(url.port));
        expect(["mqtts:", "wss:"].includes(url.protocol)).toBe(!isPlain);
        expect(text).not.toMatch(/[@%#$]/);
      }
    }
  }
});

test("a given password comes out of the bundle character by character, and is the one that the broker knows", () => {
  for (const synthesis of all.filter(({ bundles }) => bundles.length > 1)) {
    const known = new Map(parsePasswordFile(synthesis.file("passwd")).map(({ userName, hash }) => [userName, hash]));
    AWKWARD.forEach((value, index) => {
      const { username = "", password } = synthesis.bundle(`awkward-${index}`);
      expect(password).toBe(value);
      expect(verifyPassword(value, known.get(username) ?? "")).toBe(true);
      expect(verifyPassword(`${value} `, known.get(username) ?? "")).toBe(false);
    });
  }
});
