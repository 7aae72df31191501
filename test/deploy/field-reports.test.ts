import * as net from "node:net";
import { Authentication, ConnectionBundle, Listener, MosquittoBroker } from "../../constructs";
import { issueAuthority, issueClient, Issuer, KeyAlgorithm } from "../../constructs/pki";
import { refusal, Session, without } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { run } from "../support/command";
import { Deployment, images, versions } from "../support/deployment";
import { inside, logs } from "../support/docker";
import { freePorts } from "../support/workspace";

// What only a broker that runs can show of docs/field-reports.md.

jest.setTimeout(180_000);

const HOSTS = ["127.0.0.1", "localhost", "broker.plant.example"];

describe.each(versions)("a broker of Mosquitto %s", (version) => {
  const deployment = new Deployment();
  let listeners: Listener[];
  let ports: number[];

  const declare =
    (credentialVersion = 1) =>
    (broker: MosquittoBroker): void => {
      const authentication = Authentication.certificateOrPassword();
      broker.addClient("device", { authentication, credentialVersion, publish: ["plant/device/#"] });
      broker.addClient("observer", { authentication: Authentication.password(), subscribe: ["#"] });
    };
  const props = (extraConfig: string[] = []): Parameters<Deployment["deploy"]>[0] => ({
    hosts: HOSTS,
    listeners,
    image: images[version](),
    extraConfig,
  });

  /** The device's bundle at each of its endpoints, with what is asked for there alone. */
  function atEach(bundle: ConnectionBundle): ConnectionBundle[] {
    return (bundle.endpoints ?? []).map(({ url, authentication }) => {
      const moved = { ...bundle, url };
      if (authentication === "certificate") return without(moved, "username", "password");
      return authentication === "password" ? without(moved, "cert_pem", "key_pem") : moved;
    });
  }
  const withCertificate = (bundle: ConnectionBundle): ConnectionBundle[] =>
    atEach(bundle).filter(({ cert_pem: certificate }) => certificate !== undefined);

  beforeAll(async () => {
    ports = await freePorts(5);
    const [mutual, password, both, passwordWeb, mutualWeb] = ports as [number, number, number, number, number];
    listeners = [
      Listener.mutualTls({ port: mutual }),
      Listener.passwordOverTls({ port: password }),
      Listener.mutualTlsWithPassword({ port: both }),
      Listener.passwordOverTls({ port: passwordWeb, webSockets: true }),
      // 2.0 would check no revocation list there.
      ...(version === "2.0.21" ? [] : [Listener.mutualTls({ port: mutualWeb, webSockets: true })]),
    ];
    await deployment.deploy(props(), declare());
  });
  afterAll(() => deployment.remove());

  test("is probed by whole connections, of which none leaves a line about a broken one in the log", async () => {
    const since = await logSince(deployment.name);
    for (let times = 0; times < 3; times += 1) {
      await inside(deployment.name, "/bin/sh", "/mosquitto/config/live/healthcheck.sh");
    }
    const said = await since();
    expect(said.match(/New client connected from 127\.0\.0\.1/g)?.length).toBeGreaterThanOrEqual(3);
    expect(said).not.toMatch(/closed its connection|protocol error|timeout|OpenSSL|unknown/i);
  });

  test("listens on the declared ports, on its own port for the loopback address alone, and nowhere else", async () => {
    const table = await inside(deployment.name, "cat", "/proc/net/tcp", "/proc/net/tcp6");
    const listening = table
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state]) => state === "0A")
      .map(([, local = ""]) => local.split(":") as [string, string])
      .map(([address, port]) => [address, parseInt(port, 16)] as const)
      // Docker's own name server.
      .filter(([address]) => address !== "0B00007F");
    const declared = new Set(listeners.map(({ port }) => port));
    expect(new Set(listening.map(([, port]) => port))).toEqual(new Set([...declared, 18_883]));
    expect(listening.filter(([, port]) => port === 18_883)).toEqual([["0100007F", 18_883]]);
  });

  test("answers nobody in clear text on any port that has TLS, over MQTT or WebSockets", async () => {
    const { password = "" } = await deployment.bundle("device");
    const field = (text: string): Buffer => Buffer.concat([Buffer.of(0, text.length), Buffer.from(text)]);
    const body = [field("MQTT"), Buffer.of(4, 0xc2, 0, 60), field("device"), field("device"), field(password)];
    const connect = Buffer.concat([Buffer.of(0x10, Buffer.concat(body).length), ...body]);
    const upgrade = Buffer.from(
      "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    for (const { port } of listeners) {
      for (const request of [connect, upgrade]) {
        const reply = await answer(port, request);
        // At most an alert of TLS, of which the first octet is 21.
        expect([port, reply.subarray(0, 1).toString("hex")]).toEqual([port, reply.length === 0 ? "" : "15"]);
      }
    }
  });

  test("lets nobody in with a certificate of another authority, though it has a declared client's name", async () => {
    const span = { notBefore: new Date("2024-01-01T00:00:00Z"), notAfter: new Date("2099-01-01T00:00:00Z") };
    const algorithm = KeyAlgorithm.ecdsaP256();
    const bundle = await deployment.bundle("device");
    // Under the name of the right authority, and under one of its own.
    for (const commonName of [`${deployment.name} client root`, "Foreign"]) {
      const ca = issueAuthority({ commonName, algorithm, ...span });
      const issuer = Issuer.fromPem(ca.certificatePem, ca.privateKeyPem);
      const foreign = issueClient(issuer, { commonName: "device", algorithm, ...span });
      for (const right of withCertificate(bundle)) {
        const wrong = { ...right, cert_pem: foreign.certificatePem, key_pem: foreign.privateKeyPem };
        expect([right.url, (await refusal(wrong)) !== undefined]).toEqual([right.url, true]);
      }
    }
    expect(withCertificate(bundle)).toHaveLength(version === "2.0.21" ? 2 : 3);
    for (const right of withCertificate(bundle)) expect(await refusal(right)).toBeUndefined();
  });

  test("is taken by its own client programs under every declared host, and under no other or without the authority", async () => {
    const { password = "" } = await deployment.bundle("device");
    const [, { port }] = listeners as [Listener, Listener];
    const authority = ["--cafile", "/mosquitto/config/live/server-ca.crt"];
    const publish = (host: string, trust: string[]): ReturnType<typeof run> =>
      run("docker", [
        ...["exec", deployment.name, "mosquitto_pub", "-h", host, "-p", String(port), ...trust],
        ...["-i", "device", "-u", "device", "-P", password, "-t", "plant/device/host", "-m", host, "-q", "1"],
      ]);
    for (const host of HOSTS) {
      const { code, stderr } = await publish(host, authority);
      expect([host, code, stderr]).toEqual([host, 0, ""]);
    }
    const address = (await inside(deployment.name, "hostname", "-i")).trim().split(" ")[0] as string;
    const wrong: [host: string, trust: string[]][] = [
      [address, authority],
      ["localhost", ["--tls-use-os-certs"]],
    ];
    for (const [host, trust] of wrong) {
      const { code, stderr } = await publish(host, trust);
      // Its words for it differ from time to time; it reached the broker, and was not refused by it.
      expect([host, code === 0, stderr]).toEqual([host, false, expect.stringMatching(/TLS|verif|Protocol error/i)]);
    }
  });

  test("delivers a will that the client's rules allow, and never one that they do not", async () => {
    const observer = await Session.open(await deployment.bundle("observer"));
    await observer.subscribe("#");
    const [device] = atEach(await deployment.bundle("device")) as [ConnectionBundle];
    for (const topic of ["plant/other/state", "plant/device/state"]) {
      const session = await Session.open(device, { will: { topic, payload: Buffer.from("gone"), qos: 1 } });
      await session.close(true);
    }
    await until("the allowed will is there", () => observer.payloads.includes("gone"));
    expect(observer.messages.map(({ topic }) => topic).filter((topic) => topic !== "plant/device/host")).toEqual([
      "plant/device/state",
    ]);
    await observer.close();
  });

  test("refuses a revoked certificate on every port after a reload, and takes the new one there", async () => {
    const revoked = await deployment.bundle("device");
    await deployment.deploy(props(), declare(2));
    const renewed = await deployment.bundle("device");
    expect(renewed.cert_pem).not.toBe(revoked.cert_pem);
    const { password = "" } = renewed;
    for (const old of withCertificate(revoked)) {
      const tried = old.password === undefined ? old : { ...old, password };
      expect([old.url, (await refusal(tried)) !== undefined]).toEqual([old.url, true]);
    }
    for (const bundle of atEach(renewed)) expect([bundle.url, await refusal(bundle)]).toEqual([bundle.url, undefined]);
  });

  // It is Docker's provider that this is about, which is the same for both.
  if (version === "2.1.2") {
    test("that cannot start fails the deploy with its own words, and after a good deploy no plan has a change", async () => {
      deployment.synth(props(["no_such_option 1"]), declare(2));
      const failed = await deployment.apply();
      expect(failed.code).not.toBe(0);
      expect(failed.stdout + failed.stderr).toMatch(
        /does not run on set .*Unknown configuration variable '?"?no_such_option/,
      );
      await deployment.deploy(props(), declare(2));
      expect(await deployment.plan()).toMatchObject({ changes: false, failed: false });
      for (const bundle of atEach(await deployment.bundle("device"))) expect(await refusal(bundle)).toBeUndefined();
    });
  }
});

/** What a container will have logged from now on. */
async function logSince(container: string): Promise<() => Promise<string>> {
  const before = new Set((await logs(container)).split("\n"));
  return async () =>
    (await logs(container))
      .split("\n")
      .filter((line) => !before.has(line))
      .join("\n");
}

/** What comes back on a port for some octets in clear text, until the other side closes or has been silent. */
function answer(port: number, request: Buffer): Promise<Buffer> {
  return new Promise((resolve) => {
    const received: Buffer[] = [];
    const socket = net.connect(port, "127.0.0.1", () => socket.write(request));
    socket.setTimeout(1000, () => socket.destroy());
    socket.on("data", (octets) => received.push(octets));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(Buffer.concat(received)));
  });
}
