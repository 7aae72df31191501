import { Container } from "@cdktf/provider-docker/lib/container";
import { Testing } from "cdktf";
import fc from "fast-check";
import {
  Authentication,
  BrokerNetwork,
  KeyAlgorithm,
  Listener,
  MosquittoBroker,
  MosquittoClient,
} from "../../constructs";
import { createCertificationRequest, generateKeyPair } from "../../constructs/pki";
import { declareBroker, makeStack } from "../support/declare";

const bothListeners = [Listener.mutualTls(), Listener.passwordOverTls()];
const publish = ["a"];

function clientOf(options: Parameters<MosquittoBroker["addClient"]>[1], props = {}): MosquittoClient {
  return declareBroker({ listeners: bothListeners, ...props }).addClient("app", { publish, ...options });
}

const names = (client: MosquittoClient): string[] =>
  client.connection.uploads("/etc/app").map(({ file }) => file.replace("/etc/app/", ""));

test("a client with a certificate is given authority, certificate and key", () => {
  expect(names(clientOf({}))).toEqual(["ca.crt", "client.crt", "client.key"]);
});

test("a client with a password is given authority and password", () => {
  expect(names(clientOf({ authentication: Authentication.password() }))).toEqual(["ca.crt", "password"]);
});

test("a client that keeps its key, or its password, is given neither", () => {
  const algorithm = KeyAlgorithm.ecdsaP256();
  const request = createCertificationRequest("app", generateKeyPair(algorithm), []);
  expect(names(clientOf({ authentication: Authentication.certificateRequest(request) }))).toEqual([
    "ca.crt",
    "client.crt",
  ]);
  const hash = `$7$1000$${"A".repeat(16)}$${"A".repeat(86)}==`;
  expect(names(clientOf({ authentication: Authentication.password({ hash }) }))).toEqual(["ca.crt"]);
});

test("a client in clear text is given its password alone", () => {
  const props = { listeners: [Listener.plaintext()], network: BrokerNetwork.internal() };
  expect(names(clientOf({ authentication: Authentication.password() }, props))).toEqual(["password"]);
});

test("what counts at the endpoint that it is led to is what it is given", () => {
  const [certificate, password] = bothListeners as [Listener, Listener];
  const authentication = Authentication.certificateOrPassword();
  expect(names(clientOf({ authentication, listeners: [certificate] }))).not.toContain("password");
  expect(names(clientOf({ authentication, listeners: [password] }))).toEqual(["ca.crt", "password"]);
});

test("variables name the endpoint and the files, and hold no secret", () => {
  const client = clientOf({ authentication: Authentication.password({ value: "only for the broker" }) });
  client.connection.uploads("/etc/app/");
  expect(client.connection.environment("BROKER_", "/etc/app")).toEqual([
    "BROKER_HOST=broker.plant.example",
    "BROKER_PORT=8884",
    "BROKER_PROTOCOL=mqtts",
    "BROKER_URL=mqtts://broker.plant.example:8884",
    "BROKER_SERVER_NAME=broker.plant.example",
    "BROKER_CLIENT_ID=app",
    "BROKER_USERNAME=app",
    "BROKER_CA_FILE=/etc/app/ca.crt",
    "BROKER_PASSWORD_FILE=/etc/app/password",
  ]);
  expect(client.connection.validate([])).toEqual([]);
});

test("variables that name files which nobody uploads are an error of the stack", () => {
  const broker = declareBroker();
  const client = broker.addClient("app", { publish });
  client.connection.environment();
  expect(() => Testing.fullSynth(broker.node.scope as Parameters<typeof Testing.fullSynth>[0])).toThrow(
    /environment\(\) of client app names files in, got "\/run\/mqtt"; allowed: a directory of its uploads\(\): there are none/,
  );
  client.connection.uploads("/etc/app");
  expect(client.connection.validate([])).toEqual([expect.stringContaining("uploads(): /etc/app")]);
});

test.each([
  ["localhost", { hosts: ["localhost"] }],
  ["127.0.0.1", { hosts: ["127.0.0.1", "broker"] }],
  ["::1", { hosts: ["::1"] }],
])("%s, which is another container itself, is refused there", (host, props) => {
  const { connection } = clientOf({}, props);
  for (const call of [() => connection.uploads(), () => connection.environment(), () => connection.networks()]) {
    expect(call).toThrow(
      `connection of client app: host, got "${host}"; allowed: a host that is the broker in another`,
    );
  }
});

test("a host that only this machine's loopback publishes is refused, and one that is published is not", () => {
  const props = { hosts: ["192.0.2.1"], listeners: [Listener.mutualTls()] };
  expect(() => clientOf({}, props).connection.uploads()).toThrow(/port 8883 is published on loopback addresses only/);
  const published = { ...props, listeners: [Listener.mutualTls({ bindAddresses: ["192.0.2.1"] })] };
  expect(clientOf({}, published).connection.uploads()).toHaveLength(3);
});

test("uploads into a container of another stack are an error of the app", () => {
  const app = Testing.app();
  const broker = new MosquittoBroker(makeStack(app, "plant"), "broker", { hosts: ["broker"] });
  const { connection } = broker.addClient("app", { publish });
  new Container(makeStack(app, "other"), "app", { name: "app", image: "app", upload: connection.uploads() });
  expect(() => app.synth()).toThrow(
    /uploads\(\) of client app in another stack, got "other\/app"; allowed: containers of/,
  );
});

test("an address is refused on an internal network, where nothing is published, and a name of the broker is not", () => {
  const props = { hosts: ["192.0.2.1", "broker"], network: BrokerNetwork.internal() };
  expect(() => clientOf({}, props).connection.networks()).toThrow(/from an internal network nothing is published/);
  expect(clientOf({ host: "broker" }, props).connection.networks()).toHaveLength(1);
});

test.each([["etc"], ["/etc/../root"], ["/a\nb"], ["/a$b"], [""], [7]])("directory %j is refused", (directory) => {
  const { connection } = clientOf({});
  expect(() => connection.uploads(directory as string)).toThrow(/the directory, got .*allowed: an absolute path/);
  expect(() => connection.environment("MQTT_", directory as string)).toThrow(/the directory, got/);
});

test.each([["1X"], ["A-B"], ["A B"], [7]])("prefix %j is refused", (prefix) => {
  expect(() => clientOf({}).connection.environment(prefix as string)).toThrow(/the prefix, got .*allowed: letters/);
});

test.each([["777x"], ["9"], [444]])("permissions %j are refused", (permissions) => {
  expect(() => clientOf({}).connection.uploads("/a", { permissions: permissions as string })).toThrow(
    /permissions, got/,
  );
});

test("uploads are read at plan from beside the config, with a version that no file can be guessed from", () => {
  const [upload] = clientOf({}).connection.uploads("/a", { permissions: "0400" });
  expect(upload).toEqual({
    file: "/a/ca.crt",
    source: "${path.module}/material/test-broker/clients/app/ca.crt",
    sourceHash:
      '${fileexists("${path.module}/material/test-broker/clients/app/version") ? file("${path.module}/material/test-broker/clients/app/version") : "absent"}',
    permissions: "0400",
  });
});

test("every variable is one line NAME=value whose parts are what was declared", () => {
  const part = fc.stringMatching(/^[a-z][a-z0-9]{0,10}$/);
  fc.assert(
    fc.property(part, part, fc.stringMatching(/^[A-Z_]{0,5}$/), (host, directory, prefix) => {
      const client = clientOf({ host }, { hosts: ["broker", host] });
      const read = new Map(
        client.connection.environment(prefix, `/${directory}`).map((line) => {
          const [, variable, value] = /^(\w+)=([^\n]*)$/.exec(line) as unknown as [string, string, string];
          return [variable.slice(prefix.length), value];
        }),
      );
      expect(read.get("HOST")).toBe(host);
      expect(read.get("KEY_FILE")).toBe(`/${directory}/client.key`);
    }),
    { numRuns: 30 },
  );
});
