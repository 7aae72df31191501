import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import * as tls from "node:tls";
import { diagnose, Diagnosis } from "../../cli/diagnosis/diagnose";
import { KnownClient } from "../../cli/diagnosis/known-client";
import { DeployedBroker, DeployedEndpoint, readOutputs } from "../../cli/outputs";
import { verifyBroker } from "../../cli/verification/broker";
import { enter, tryTopics } from "../../cli/verification/connection";
import { Finding } from "../../cli/verification/finding";
import { ShownCertificate } from "../../cli/verification/handshake";
import { foreignCertificate } from "../../cli/verification/strangers";
import { Verification, VERIFY_TOPIC } from "../../constructs/broker/verification";
import { Authentication, ConnectionBundle, KeyAlgorithm, Listener, MosquittoBroker } from "../../constructs";
import { bundleAt, endpointUrl } from "../../constructs/client/connection-bundle";
import {
  createCertificationRequest,
  issueAuthority,
  generateKeyPair,
  issueClient,
  issueServer,
  Issuer,
  parseHost,
} from "../../constructs/pki";
import { PERSISTENT, Session, without } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { Deployment, images, Version, versions } from "../support/deployment";
import { mustRun, run } from "../support/command";
import { logs } from "../support/docker";
import { checkout, fileOf, freePorts, makeFolder, removeFolder, uniqueName } from "../support/workspace";

jest.setTimeout(180_000);

const KINDS = ["mutualTls", "passwordOverTls", "mutualTlsWithPassword", "plaintext"] as const;
/** What listeners for devices without MQTT 5 accept, where the version lets them choose. */
const OLDER: Readonly<Record<Version, readonly (readonly [accepted: string, maxQos: 0 | 1 | 2])[]>> = {
  "2.0.21": [],
  "2.1.2": [
    ["3,4", 2],
    ["3", 2],
    // Before MQTT 5 nobody is told.
    ["4", 0],
  ],
};
const HOUR = 60 * 60 * 1000;
const algorithm = KeyAlgorithm.ecdsaP256();
const keyPair = generateKeyPair(algorithm);

/** A validity from and to these hours from now. */
function hours(from: number, to: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() + from * HOUR), notAfter: new Date(Date.now() + to * HOUR) };
}

/** What was not as expected, in the order of the checks. */
function surprises(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ result }) => result === "surprise")
    .map(({ endpoint, check, detail }) => `${endpoint} ${check}: ${detail}`);
}

const ALWAYS = ["can be reached"];
const OVER_TLS = [
  ...ALWAYS,
  "proves to be localhost",
  "shows the certificate that was deployed",
  "refuses TLS 1.0 and TLS 1.1",
  "refuses clear text",
];
const CERTIFICATES = [
  "refuses no certificate",
  "refuses a certificate of another authority",
  "refuses a certificate that has expired",
  "refuses a certificate that is revoked",
];
const MESSAGES = [
  `carries messages on ${VERIFY_TOPIC}`,
  `refuses to publish to ${VERIFY_TOPIC}/forbidden`,
  "delivers nothing of other topics",
];
const USERS = ["refuses a client without a user name", "refuses a wrong password"];
const EXPECTED: Readonly<Record<(typeof KINDS)[number], readonly string[]>> = {
  mutualTls: [...OVER_TLS, ...CERTIFICATES, ...MESSAGES, "lets in a good certificate"],
  passwordOverTls: [...OVER_TLS, ...USERS, ...MESSAGES, "lets in a good password"],
  mutualTlsWithPassword: [
    ...OVER_TLS,
    ...CERTIFICATES,
    ...USERS.map((check) => `${check} with a good certificate`),
    ...MESSAGES,
    "lets in a good certificate and password",
  ],
  plaintext: [...ALWAYS, ...USERS, ...MESSAGES, "lets in a good password"],
};

describe.each(versions)("verify, with Mosquitto %s,", (version) => {
  const deployment = new Deployment();
  const doors = [false, true].flatMap((webSockets) =>
    KINDS.filter((kind) => !webSockets || version !== "2.0.21" || !kind.startsWith("mutualTls")).map((kind) => ({
      kind,
      webSockets,
    })),
  );
  let ports: number[];
  let deployed: DeployedBroker;
  let own: Verification;
  let device: Session;
  /** What devices hold of clients that were changed since. */
  let held: Record<string, ConnectionBundle>;

  const portOf = (kind: (typeof KINDS)[number], webSockets = false): number =>
    ports[doors.findIndex((door) => door.kind === kind && door.webSockets === webSockets)] as number;
  const listeners = (): Listener[] => [
    ...doors.map(({ kind, webSockets }, index) => Listener[kind]({ webSockets, port: ports[index] as number })),
    Listener.passwordOverTls({ port: ports[doors.length] as number, maxConnections: 1, tlsVersion: "tlsv1.3" }),
    ...OLDER[version].map(([accepted, maxQos], index) =>
      Listener.mutualTlsWithPassword({
        maxQos,
        port: ports[doors.length + 1 + index] as number,
        extraConfig: [`accept_protocol_versions ${accepted}`],
      }),
    ),
  ];
  const clients =
    (isLater: boolean) =>
    (broker: MosquittoBroker): void => {
      const publishAndSubscribe = ["plant/#"];
      const credentialVersion = isLater ? 2 : 1;
      broker.addClient("sensor", { publishAndSubscribe });
      const authentication = Authentication.certificateOrPassword();
      broker.addClient("either", { authentication, publishAndSubscribe });
      broker.addClient("replaced", { publishAndSubscribe, credentialVersion });
      broker.addClient("plc", { authentication: Authentication.password(), publishAndSubscribe, credentialVersion });
      const request = createCertificationRequest("keyless", keyPair, []);
      broker.addClient("keyless", { authentication: Authentication.certificateRequest(request), publishAndSubscribe });
      if (!isLater) broker.addClient("removed", { publishAndSubscribe });
    };
  const deploy = (isLater: boolean): Promise<void> =>
    deployment.deploy({ hosts: ["localhost"], image: images[version](), listeners: listeners() }, clients(isLater));

  /** The authority of the store, with which these tests issue what the library would not. */
  const authority = (role: string): Issuer => {
    const record = JSON.parse(fs.readFileSync(fileOf(deployment.storeFolder, `authority.${role}.1`), "utf8")) as {
      certificatePem: string;
      privateKeyPem: string;
    };
    return Issuer.fromPem(record.certificatePem, record.privateKeyPem);
  };
  const certificate = (validity: { notBefore: Date; notAfter: Date }): ShownCertificate => {
    const issued = issueClient(authority("clients"), { commonName: "sensor", algorithm, ...validity });
    return { cert_pem: issued.certificatePem, key_pem: issued.privateKeyPem };
  };
  const bundleOf = (name: string): ConnectionBundle => {
    const found = deployed.bundles.find(({ bundle }) => bundle.client_id === name)?.bundle;
    if (found === undefined) throw new Error(`no bundle of ${name}`);
    return found;
  };

  beforeAll(async () => {
    ports = await freePorts(doors.length + 1 + OLDER[version].length);
    await deploy(false);
    const names = ["replaced", "plc", "removed"];
    const bundles = await Promise.all(names.map((name) => deployment.bundle(name)));
    held = Object.fromEntries(names.map((name, index) => [name, bundles[index] as ConnectionBundle]));
    device = await Session.open(await deployment.bundle("sensor"), PERSISTENT);
    await device.subscribe("plant/#");
    await deploy(true);
    const { CDKTF_OUTPUT: before } = process.env;
    process.env.CDKTF_OUTPUT = `${deployment.folder}/out`;
    [deployed] = readOutputs("test") as [DeployedBroker];
    if (before === undefined) delete process.env.CDKTF_OUTPUT;
    else process.env.CDKTF_OUTPUT = before;
    own = deployed.verification as Verification;
  });
  afterAll(async () => {
    // There is none where the deploy failed.
    await (device as Session | undefined)?.close(true);
    await deployment.remove();
  });

  test("finds everything as it should be on every listener, and touches no device", async () => {
    const findings = await verifyBroker(deployed, own);
    expect(surprises(findings)).toEqual([]);
    expect(findings.filter(({ result }) => result === "not checked")).toEqual([]);
    for (const { url, kind } of deployed.endpoints) {
      const checks = findings.filter(({ endpoint }) => endpoint === url).map(({ check }) => check);
      expect([url, checks]).toEqual([url, expect.arrayContaining(EXPECTED[kind]) as string[]]);
    }
    const detail = (check: string): Set<string> =>
      new Set(findings.filter((one) => one.check.startsWith(check)).map((one) => one.detail));
    expect(detail("refuses no certificate")).toEqual(new Set(["certificate required"]));
    expect(detail("refuses a certificate of another authority")).toEqual(new Set(["unknown ca"]));
    expect(detail("refuses a certificate that has expired")).toEqual(new Set(["certificate expired"]));
    expect(detail("refuses a certificate that is revoked")).toEqual(new Set(["certificate revoked"]));
    expect(detail("refuses a wrong password")).toEqual(new Set(["Not authorized"]));
    expect(detail("refuses to publish")).toEqual(
      new Set([
        "Publish error: Not authorized",
        ...OLDER[version]
          .slice(0, 1)
          .map(() => expect.stringMatching(/^it did not come back; .*before MQTT 5$/) as string),
      ]),
    );
    expect(findings.at(-1)).toMatchObject({ check: "keeps its control port to itself", result: "ok" });
    expect(device.disconnects).toBe(0);
  });

  test("by another address, checks who the server is all the same", async () => {
    const findings = await verifyBroker(deployed, "not today", "127.0.0.1");
    expect(surprises(findings)).toEqual([]);
    expect(findings.some(({ endpoint, check }) => endpoint.includes("127.0.0.1") && check.startsWith("proves"))).toBe(
      true,
    );
    // What could not be checked is in the list, with the reason.
    const missing = findings.filter(({ result }) => result === "not checked");
    expect(missing.filter(({ check }) => check.startsWith("lets in"))).toHaveLength(deployed.endpoints.length);
    expect(new Set(missing.map(({ detail }) => detail))).toEqual(new Set(["not today"]));
  });

  test("says that another certificate, expired or revoked one is expected where it is let in, or refused for another reason", async () => {
    const endpoints = deployed.endpoints.filter(({ kind }) => kind === "mutualTls").slice(0, 1);
    const good = own.certificate as ShownCertificate;
    const foreign = foreignCertificate(own.client_id);
    const found = surprises(
      await verifyBroker({ ...deployed, endpoints }, { ...own, expired: good, revoked: foreign }),
    );
    expect(found).toEqual([
      expect.stringMatching(/has expired: it was let in$/),
      expect.stringMatching(/is revoked: it was refused, but not for this: unknown ca$/),
    ]);
  });

  test("two at the same time give way to each other, and one that never may says so", async () => {
    const both = await Promise.all([verifyBroker(deployed, own), verifyBroker(deployed, own)]);
    expect(both.map(surprises)).toEqual([[], []]);
    const url = deployed.endpoints.find(({ protocol }) => protocol === "mqtt")?.url as string;
    const identity = {
      clientId: own.client_id,
      username: own.client_id,
      ...(own.password && { password: own.password }),
    };
    const first = await enter(url, identity);
    if (first.kind !== "in") throw new Error(first.kind);
    // As on a slow network: it is in the midst of it when the other one comes.
    jest.spyOn(first.client, "publishAsync").mockReturnValue(new Promise(() => undefined));
    const trial = tryTopics(first, own.topic, "any").catch((error: Error) => error.message);
    const second = await enter(url, identity);
    expect(await trial).toMatch(/^session taken over: another verify/);
    if (second.kind === "in") await second.client.endAsync(true);
  });

  /** What outputs tell of a client; the app would tell the rest. */
  const known = (name: string, more: Partial<KnownClient> = {}): KnownClient => {
    const output = deployed.bundles.find(({ bundle }) => bundle.client_id === name);
    return { name, deployed, ...(output && { output, isDeclared: true }), ended: [], gaps: [], ...more };
  };
  const diagnosisOf = (bundle: ConnectionBundle, more: Partial<KnownClient> = {}, topic?: string): Promise<Diagnosis> =>
    diagnose({ stack: "plant", bundle, known: known(bundle.client_id, more), ...(topic !== undefined && { topic }) });
  /** The cause, and its words. */
  const causeOf = async (...args: Parameters<typeof diagnosisOf>): Promise<string> => {
    const { cause, steps } = await diagnosisOf(...args);
    return cause === undefined ? `none: ${JSON.stringify(steps)}` : `${cause.id}: ${cause.detail}`;
  };
  const resultsOf = ({ steps }: Diagnosis): string[] => steps.map(({ step, result }) => `${step}: ${result}`);

  test("finds nothing wrong with a client that can connect, at each of its listeners, and names what it cannot see", async () => {
    for (const { port } of bundleOf("either").endpoints ?? []) {
      const { cause, steps } = await diagnosisOf(bundleAt(bundleOf("either"), port));
      expect({ port, cause }).toEqual({ port, cause: undefined });
      expect(steps.every(({ result }) => result === "ok")).toBe(true);
    }
    const keyless = await diagnosisOf(bundleOf("keyless"));
    expect(keyless.cause).toBeUndefined();
    expect(resultsOf(keyless)).toContain("own certificate: not checked");
  });

  test("names what is wrong with a client's certificate, of which the broker says the same to all", async () => {
    const sensor = bundleOf("sensor");
    const shown = (one: ShownCertificate): Promise<string> => causeOf({ ...sensor, ...one });
    expect(await shown(certificate(hours(-2, -1)))).toMatch(/^certificate-expired: .*which ended 20/);
    expect(await shown(certificate(hours(1, 2)))).toMatch(/^certificate-not-yet-valid: .*valid only from 20/);
    expect(await shown(foreignCertificate("sensor"))).toMatch(/^certificate-foreign: .*"unknown ca"/);
    expect(await causeOf(held.replaced as ConnectionBundle)).toMatch(
      /^certificate-replaced: .*has serial [0-9A-F]{32}$/,
    );
    const removed = held.removed as ConnectionBundle;
    expect(await causeOf(removed)).toMatch(/^certificate-on-hold: .*removed was removed from the declaration/);
    expect(await causeOf(removed, { isDeclared: true, stored: removed })).toMatch(/^certificate-revoked: /);
    const otherKey = { ...sensor, key_pem: keyPair.privateKeyPem };
    expect(await causeOf(otherKey)).toMatch(/^key-mismatch: /);
    expect(await causeOf({ ...sensor, ...own.certificate })).toMatch(/^bundle-of-another-client: .*mosquitto-verify's/);
    expect(await causeOf(without(sensor, "cert_pem", "key_pem"))).toMatch(/^certificate-missing: /);
    expect(device.disconnects).toBe(0);
  });

  test("names what is wrong with a client's password", async () => {
    const plc = held.plc as ConnectionBundle;
    expect(await causeOf(plc)).toMatch(/^password-other: /);
    expect(await causeOf(without(bundleOf("plc"), "password"))).toMatch(/^password-missing: .*the bundle has none/);
    const sensor = { ...bundleOf("sensor"), port: portOf("passwordOverTls") };
    expect(await causeOf(sensor)).toMatch(/^password-missing: .*declared without one/);
    expect(await causeOf(plc, { isDeclared: false })).toMatch(/^client-not-declared/);
  });

  test("names what is wrong on the way", async () => {
    const sensor = bundleOf("sensor");
    const plc = bundleOf("plc");
    const [nobody] = (await freePorts(1)) as [number];
    expect(await causeOf({ ...sensor, host: "no-such-host.invalid" })).toMatch(
      /^host-unknown: .*no-such-host\.invalid/,
    );
    expect(await causeOf({ ...sensor, port: nobody })).toMatch(/^port-closed: .*but mqtts:\/\/localhost:/);
    expect(await causeOf({ ...sensor, port: portOf("plaintext") })).toMatch(/^no-tls: .*plaintext \(mqtt\)/);
    const clear = { ...bundleAt(plc, portOf("plaintext")), port: portOf("passwordOverTls") };
    expect(await causeOf(clear)).toMatch(/^tls-asked-for: /);
    const overTls = bundleAt(plc, portOf("passwordOverTls"));
    expect(await causeOf({ ...overTls, port: portOf("passwordOverTls", true) })).toMatch(
      /^other-protocol: .*speaks WebSockets/,
    );
    expect(await causeOf({ ...overTls, protocol: "wss" })).toMatch(/^other-protocol: .*such as MQTT/);
    const single = ports[doors.length] as number;
    const holder = net.connect(single, "localhost");
    await until("it is connected", () => holder.readyState === "open");
    try {
      expect(await causeOf({ ...overTls, port: single })).toMatch(/^listener-full: /);
    } finally {
      holder.destroy();
    }
  });

  // What is told without the broker's version.
  const once = (name: string, body: () => Promise<void>): void => {
    if (version === "2.1.2") test(name, body);
  };

  once("names what is wrong with the server, as this client sees it", async () => {
    const sensor = bundleOf("sensor");
    expect(await causeOf({ ...sensor, server_name: "elsewhere.example" })).toMatch(
      /^server-name: .*certificate is for localhost, 127\.0\.0\.1, [0:]+1$/,
    );
    const { certificatePem: pem } = authority("clients");
    expect(await causeOf({ ...sensor, ca_pem: pem })).toMatch(/^authority-not-trusted: .*before a rotation/);
    const validities = { "server-expired": hours(-2, -1), "server-not-yet-valid": hours(1, 2) };
    for (const [cause, validity] of Object.entries(validities)) {
      const request = { commonName: "broker", hosts: [parseHost("localhost")], algorithm, ...validity };
      expect(await impostor(issueServer(authority("server"), request), sensor)).toMatch(new RegExp(`^${cause}: `));
    }
    const foreign = foreignCertificate("broker");
    const other = { certificatePem: foreign.cert_pem, privateKeyPem: foreign.key_pem };
    expect(await impostor(other, sensor)).toMatch(/^another-server: /);
  });

  once("tells what a client may do with a topic, and whether its bundle's rules are of now", async () => {
    const sensor = bundleOf("sensor");
    expect(await causeOf(sensor, {}, "elsewhere/x")).toMatch(
      /^topic-denied: elsewhere\/x: may publish: no, may receive: no/,
    );
    const { steps } = await diagnosisOf(sensor, {}, "#");
    expect(steps.at(-1)).toMatchObject({
      result: "ok",
      detail: expect.stringMatching(/publish: only a part/) as string,
    });
    expect(await causeOf({ ...sensor, publish: ["old/#"] })).toMatch(/^bundle-differs: the bundle's publish/);
  });

  once("goes up to the first cause", async () => {
    const diagnosis = await diagnosisOf({ ...bundleOf("sensor"), server_name: "elsewhere.example" });
    expect(resultsOf(diagnosis)).toEqual([
      "bundle: ok",
      "host name: ok",
      "port: ok",
      "TLS: ok",
      "server certificate: ok",
      "server name: CAUSE",
      "own certificate: not reached",
      "protocol: not reached",
      "password: not reached",
      "rules: not reached",
    ]);
    expect(diagnosis.cause?.remedy).toMatch(/hosts and npx cdktf deploy plant/);
  });

  test("the log says what the guide says, which is the same for many causes", async () => {
    const guide = fs.readFileSync(path.join(checkout, "docs", "verify.md"), "utf8");
    const texts = [
      "certificate verify failed",
      "peer did not return a certificate",
      "unsupported protocol",
      "wrong version number",
      "denied: max_connections exceeded",
      ...(version === "2.1.2"
        ? ["disconnected: not authorised", "appears to be using TLS", "First packet not CONNECT"]
        : ["disconnected, not authorised", "disconnected due to protocol error"]),
    ];
    const log = await logs(deployment.name);
    expect(texts.filter((text) => !log.includes(text) || !guide.includes(text))).toEqual([]);
    // Foreign, expired, not valid yet, replaced and removed, at least.
    expect(log.split("certificate verify failed").length).toBeGreaterThan(5);
  });

  test("has taken no session over: the device's is as it was, with what it subscribed to", async () => {
    expect(device.disconnects).toBe(0);
    await device.publish("plant/state", "still here");
    await until("it comes back", () => device.payloads.includes("still here"));
  });

  /** The cause for a client, where a server with this certificate answers instead. */
  async function impostor(
    { certificatePem, privateKeyPem }: { certificatePem: string; privateKeyPem: string },
    bundle: ConnectionBundle,
  ): Promise<string> {
    const server = tls.createServer({ cert: certificatePem, key: privateKeyPem });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      return await causeOf({ ...bundle, port: (server.address() as net.AddressInfo).port });
    } finally {
      server.close();
    }
  }
});

/** A Mosquitto that nobody hardened: its port is declared to be what the test says. */
describe("verify, of a broker that lets in whom it must not,", () => {
  const folder = makeFolder("lax");
  const name = uniqueName("cdktf-test-lax");
  const issuer = issueAuthority({ commonName: "Lax authority", algorithm, ...hours(-1, 1) });
  const server = issueServer(Issuer.fromPem(issuer.certificatePem, issuer.privateKeyPem), {
    commonName: "lax",
    hosts: [parseHost("localhost")],
    algorithm,
    ...hours(-1, 1),
  });
  let ports: number[];

  beforeAll(async () => {
    ports = await freePorts(2);
    const conf = [
      "allow_anonymous true",
      // As another user it could not read the files.
      "user root",
      `listener ${ports[0]}`,
      "certfile /lax/server.crt",
      "keyfile /lax/server.key",
      `listener ${ports[1]}`,
    ];
    const files = {
      "mosquitto.conf": conf.join("\n"),
      "server.crt": server.certificatePem,
      "server.key": server.privateKeyPem,
    };
    for (const [file, content] of Object.entries(files)) fs.writeFileSync(path.join(folder, file), content);
    const published = ports.flatMap((port) => ["-p", `127.0.0.1:${port}:${port}`]);
    const what = ["-v", `${folder}:/lax:ro`, "--entrypoint", "/usr/sbin/mosquitto", images["2.1.2"]().name];
    await mustRun("docker", ["run", "-d", "--name", name, ...published, ...what, "-c", "/lax/mosquitto.conf"]);
    await until("it runs", async () => (await logs(name)).includes(" running"));
  });
  afterAll(async () => {
    await run("docker", ["rm", "-f", name]);
    removeFolder(folder);
  });

  test("is surprised by each of them", async () => {
    const endpoint = (kind: (typeof KINDS)[number], port: number): DeployedEndpoint => {
      const place = { host: "localhost", port, protocol: kind === "plaintext" ? "mqtt" : "mqtts" } as const;
      return { kind, ...place, url: endpointUrl(place), hosts: ["localhost"] };
    };
    const anybody = foreignCertificate("anybody");
    const found = await verifyBroker(
      {
        broker: "plant/broker",
        endpoints: [
          endpoint("mutualTls", ports[0] as number),
          endpoint("passwordOverTls", ports[0] as number),
          endpoint("plaintext", ports[1] as number),
          endpoint("passwordOverTls", ports[1] as number),
        ],
        certificates: [{ name: "server", serial: "", fingerprint_sha256: server.fingerprint256, not_after: "" }],
        caPem: issuer.certificatePem,
        nextActionAt: "",
        bundles: [],
      },
      {
        client_id: "verify",
        topic: VERIFY_TOPIC,
        certificate: anybody,
        expired: anybody,
        revoked: anybody,
        password: "any",
      },
    );
    const [tls, clear] = ports.map((port, index) => `${index === 0 ? "mqtts" : "mqtt"}://localhost:${port}`);
    const messages = [
      `refuses to publish to ${VERIFY_TOPIC}/forbidden: it was taken`,
      `delivers nothing of other topics: it received $SYS/broker/version, ${VERIFY_TOPIC}/forbidden`,
    ];
    const users = ["refuses a client without a user name: it was let in", "refuses a wrong password: it was let in"];
    expect(surprises(found)).toEqual([
      ...CERTIFICATES.map((check) => `${tls} ${check}: it was let in`),
      ...[...messages, ...users, ...messages].map((text) => `${tls} ${text}`),
      ...[...users, ...messages].map((text) => `${clear} ${text}`),
      expect.stringMatching(/^mqtts.* proves to be localhost: closed without an answer/),
    ]);
  });
});
