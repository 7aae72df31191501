import { generate } from "mqtt-packet";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import * as tls from "node:tls";
import { Authentication, ConnectionBundle, Listener, MosquittoBroker } from "../../constructs";
import { Session } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { mustRun, run } from "../support/command";
import { Deployment, images, versions } from "../support/deployment";
import { inside, inspect } from "../support/docker";
import { RawConnection } from "../support/raw-connection";
import { secretsOf } from "../support/secrets";
import { scanTls, TlsScan } from "../support/tls-scan";
import { freePorts } from "../support/workspace";

jest.setTimeout(180_000);

/** What another container, or another user, sees of a broker; the machine's usual umask applies. */
describe.each(versions)("a broker on Mosquitto %s, seen from outside,", (version) => {
  const deployment = new Deployment();
  const kinds = ["mutualTls", "passwordOverTls", "mutualTlsWithPassword"] as const;
  // Over WebSockets, 2.0 can do no more.
  const webSocketsKinds = version === "2.0.21" ? (["passwordOverTls"] as const) : kinds;
  const titles = [...kinds, ...webSocketsKinds.map((kind) => `${kind} over WebSockets`)];
  const PASSWORD_PORT = 1;
  const MAX_CONNECTIONS = 16;
  /** In CONNACK of MQTT 3.1.1, section 3.2.2.3. */
  const NOT_AUTHORIZED = 5;
  const image = images[version]();
  const umask = process.umask();
  let ports: number[];
  let thing: ConnectionBundle;

  const props = (): Parameters<Deployment["deploy"]>[0] => ({
    hosts: ["localhost"],
    image,
    listeners: [
      ...kinds.map((kind, index) => Listener[kind](where(index))),
      ...webSocketsKinds.map((kind, index) => Listener[kind]({ ...where(kinds.length + index), webSockets: true })),
    ],
  });
  /** The second one is at two addresses. */
  const where = (index: number): { port: number; bindAddresses?: string[]; maxConnections?: number } => ({
    port: ports[index] as number,
    ...(index === PASSWORD_PORT && { bindAddresses: ["127.0.0.1", "127.0.0.2"], maxConnections: MAX_CONNECTIONS }),
  });
  const clients =
    (thingVersion: number) =>
    (broker: MosquittoBroker): void => {
      const authentication = Authentication.certificateOrPassword();
      broker.addClient("thing", { authentication, credentialVersion: thingVersion, publishAndSubscribe: ["thing/#"] });
      broker.addClient("other", { publishAndSubscribe: ["other/#"] });
    };

  beforeAll(async () => {
    process.umask(0o022);
    ports = await freePorts(titles.length);
    await deployment.deploy(props(), clients(1));
    thing = await deployment.bundle("thing");
  });
  afterAll(async () => {
    process.umask(umask);
    await deployment.remove();
  });

  describe("by sslyze:", () => {
    let scan: TlsScan;
    beforeAll(async () => {
      scan = await scanTls(thing, ports, deployment.folder);
    });

    test("no listener has a finding: protocols, suites, curves, known attacks, renegotiation, certificate", () => {
      expect(scan.findings).toEqual([]);
      expect([...scan.results.keys()].sort()).toEqual([...ports].sort());
    });

    test.each(titles.map((title, index) => [title, index] as const))(
      "%s speaks TLS 1.2 and 1.3 alone, with forward secrecy, and shows a chain of its own authority",
      (_, index) => {
        const results = scan.results.get(ports[index] as number) as Record<string, Record<string, unknown>>;
        const protocols = ["ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1", "tls_1_2", "tls_1_3"];
        const spoken = protocols.filter((name) => results[`${name}_cipher_suites`]?.is_tls_version_supported);
        expect(spoken).toEqual(["tls_1_2", "tls_1_3"]);
        const suites = results.tls_1_2_cipher_suites?.accepted_cipher_suites as { cipher_suite: { name: string } }[];
        expect(suites.length).toBeGreaterThan(0);
        for (const { cipher_suite: suite } of suites) expect(suite.name).toMatch(/_ECDHE_ECDSA_.*(GCM|POLY1305)/);
        expect(results).toMatchObject({
          tls_compression: { supports_compression: false },
          session_renegotiation: { is_vulnerable_to_client_renegotiation_dos: false },
        });
        const [chain] = results.certificate_info?.certificate_deployments as {
          path_validation_results: { trust_store: { name: string }; was_validation_successful: boolean }[];
        }[];
        const trusted = chain?.path_validation_results.filter((one) => one.was_validation_successful);
        expect(trusted?.map((one) => one.trust_store.name)).toEqual(["Supplied CA file"]);
      },
    );
  });

  describe("a TLS session", () => {
    const versionsOfTls = ["TLSv1.2", "TLSv1.3"] as const;
    const at = (index: number, over: tls.ConnectionOptions): tls.ConnectionOptions & { port: number } => ({
      ca: thing.ca_pem,
      ...over,
      port: ports[index] as number,
    });

    /** Whether it is resumed, and the broker lets its client in: without a certificate. */
    async function resume(session: Buffer, maxVersion: tls.SecureVersion): Promise<boolean> {
      try {
        const connection = await RawConnection.open(at(0, { session, maxVersion }));
        const isReused = (connection.socket as tls.TLSSocket).isSessionReused();
        const answer = await connection.connack();
        connection.close();
        return isReused && answer === 0;
      } catch {
        return false;
      }
    }
    async function sessionAt(options: tls.ConnectionOptions & { port: number }): Promise<Buffer> {
      const connection = await RawConnection.open(options);
      await connection.connack("thing", thing.password);
      await until("there is a session to resume", () => connection.session !== undefined);
      connection.close();
      return connection.session as Buffer;
    }

    test("takes no early data, which could be played again", async () => {
      const connect = generate({ cmd: "connect", clientId: "thing", protocolVersion: 4, keepalive: 60 }).toString();
      const { stdout } = await run(
        "openssl",
        ["s_client", "-connect", `127.0.0.1:${ports[PASSWORD_PORT]}`, "-tls1_3", "-ign_eof"],
        // At the second one the broker closes the connection.
        { input: connect + connect, limit: 20 },
      );
      expect(new Set(stdout.match(/Max Early Data: .*/g))).toEqual(new Set(["Max Early Data: 0"]));
    });

    test("is resumed on its own listener alone, and never after its certificate was revoked", async () => {
      const { cert_pem: cert = "", key_pem: key = "" } = thing;
      const sessions: [tls.SecureVersion, Buffer][] = [];
      for (const maxVersion of versionsOfTls) {
        const elsewhere = await sessionAt(at(PASSWORD_PORT, { maxVersion }));
        expect(await resume(elsewhere, maxVersion)).toBe(false);
        const own = await sessionAt(at(0, { cert, key, maxVersion }));
        // The certificate was shown when it began.
        expect(await resume(own, maxVersion)).toBe(true);
        sessions.push([maxVersion, own]);
      }
      await deployment.deploy(props(), clients(2));
      for (const [maxVersion, session] of sessions) expect(await resume(session, maxVersion)).toBe(false);
      thing = await deployment.bundle("thing");
    });
  });

  describe("to who guesses passwords:", () => {
    const connect = (): Promise<RawConnection> =>
      RawConnection.open({ ca: thing.ca_pem, port: ports[PASSWORD_PORT] as number });
    async function guess(password: string): Promise<number | undefined> {
      const connection = await connect();
      const answer = await connection.connack("thing", password);
      connection.close();
      return answer;
    }

    test("all guesses are refused, and the right password still gets in: there is no lock-out", async () => {
      const device = await Session.open(await deployment.bundle("other"));
      const guesses = Array.from({ length: 8 }, async (_, guesser) => {
        const answers = [];
        for (let number = 0; number < 20; number += 1) answers.push(await guess(`guess ${guesser} ${number}`));
        return answers;
      });
      expect(new Set((await Promise.all(guesses)).flat())).toEqual(new Set([NOT_AUTHORIZED]));
      expect(await guess(thing.password as string)).toBe(0);
      await device.publish("other/state", "still connected");
      expect(device.disconnects).toBe(0);
      await device.close();
    });

    test("no more connections than the listener has, and none of another listener's", async () => {
      const silent = await Promise.all(Array.from({ length: MAX_CONNECTIONS }, connect));
      await expect(
        connect().then((more) => more.closed.then(() => Promise.reject(new Error("closed")))),
      ).rejects.toThrow();
      const device = await Session.open(await deployment.bundle("other"));
      await device.close();
      for (const connection of silent) connection.close();
    });
  });

  describe("by its containers:", () => {
    const names = (): string[] => ["", "-writer", "-reloader"].map((suffix) => `${deployment.name}${suffix}`);

    test("the broker is not root, can write its data alone, and has no capability and only what it needs", async () => {
      const { Config, HostConfig, NetworkSettings } = await inspect(deployment.name);
      expect(Object.keys(NetworkSettings.Networks)).toEqual([deployment.name]);
      expect(Config.User).toBe("1883:1883");
      expect(HostConfig).toMatchObject({
        ...{ Privileged: false, ReadonlyRootfs: true, CapDrop: ["ALL"], CapAdd: null, PidMode: "" },
        ...{ SecurityOpt: ["no-new-privileges"], Memory: HostConfig.MemorySwap },
        LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
      });
      expect(HostConfig.Memory).toBeGreaterThan(0);
      expect(HostConfig.Ulimits).toEqual([expect.objectContaining({ Name: "nofile" })]);
      const status = await inside(deployment.name, "cat", "/proc/1/status");
      for (const line of [/^Uid:\s+1883\s+1883\s+1883\s+1883$/m, /^NoNewPrivs:\s+1$/m, /^Seccomp:\s+2$/m]) {
        expect(status).toMatch(line);
      }
      for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
        expect(status).toMatch(new RegExp(`^${set}:\\s+0+$`, "m"));
      }
    });

    test("what writes its files has no network, what reloads it no rights and no port, and neither stays", async () => {
      const [, writer, reloader] = await Promise.all(names().map(inspect));
      expect(writer?.HostConfig).toMatchObject({
        ...{ Privileged: false, CapDrop: ["ALL"], SecurityOpt: ["no-new-privileges"], NetworkMode: "none" },
        CapAdd: ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"],
      });
      expect(reloader?.Config.User).toBe("1883:1883");
      expect(reloader?.HostConfig).toMatchObject({
        ...{ Privileged: false, ReadonlyRootfs: true, CapDrop: ["ALL"], CapAdd: null },
        SecurityOpt: ["no-new-privileges"],
      });
      for (const helper of [writer, reloader]) {
        expect(helper?.State.Running).toBe(false);
        expect(helper?.HostConfig.PortBindings ?? {}).toEqual({});
      }
    });
  });

  describe("by its ports:", () => {
    test("another container on its network finds the declared ones open, and of 65535 no other", async () => {
      const scan =
        "use Socket; my $to = inet_aton(shift); for my $port (1..65535) { socket(my $s, PF_INET, SOCK_STREAM, 6); " +
        'print "$port\\n" if connect($s, pack_sockaddr_in($port, $to)); close($s) }';
      const args = ["run", "--rm", "--network", deployment.name, "--entrypoint", "perl", image.name];
      const open = await mustRun("docker", [...args, "-e", scan, deployment.name]);
      expect(open.trim().split("\n").map(Number)).toEqual([...ports].sort((one, other) => one - other));
    });

    test("the host has them at the declared addresses, and at no other of its addresses", async () => {
      const own = Object.values(os.networkInterfaces()).flatMap((addresses) => addresses ?? []);
      const addresses = new Set(["127.0.0.2", "127.0.0.3", ...own.filter(isPlain).map(({ address }) => address)]);
      const open: string[] = [];
      for (const address of addresses) {
        for (const port of ports) if (await accepts(address, port)) open.push(`${address}:${port}`);
      }
      expect(open.sort()).toEqual(
        [...ports.map((port) => `127.0.0.1:${port}`), `127.0.0.2:${ports[PASSWORD_PORT]}`].sort(),
      );
      const { NetworkSettings } = await inspect(deployment.name);
      const published = Object.entries(NetworkSettings.Ports).filter(([, where]) => where !== null);
      expect(published.map(([port]) => port).sort()).toEqual(ports.map((port) => `${port}/tcp`).sort());
    });
  });

  describe("by its files:", () => {
    /** What a user can read below folders, which are mounted: so folders above do not protect them. */
    async function readable(user: string, ...mounts: string[]): Promise<string[]> {
      const folders = mounts.flatMap((mount, index) => ["-v", `${mount}:/walk/${index}:ro`]);
      const confined = ["--network", "none", "--cap-drop", "ALL", "--user", user, "--entrypoint", "find"];
      const { stdout } = await run("docker", [
        ...["run", "--rm", ...folders, ...confined, image.name, "/walk", "-mindepth", "2", "-type", "f", "-readable"],
      ]);
      return stdout.split("\n").filter((line) => line !== "");
    }
    const volumes = (): string[] => ["config", "data"].map((volume) => `${deployment.name}-${volume}`);

    test("its own user can read what is on its volumes, and no other, not even of its group", async () => {
      expect((await readable("1883:1883", ...volumes())).length).toBeGreaterThan(10);
      for (const other of ["65534:65534", "1000:1000", "1000:1883"]) {
        expect(await readable(other, ...volumes())).toEqual([]);
      }
    });

    test("nobody else on the host can read store or state, nor of the output folder anything that is secret", async () => {
      const out = path.join(deployment.folder, "out");
      expect(await readable("65534:65534", deployment.folder, deployment.storeFolder)).toEqual([]);
      const files = (await readable("65534:65534", out)).map((file) => file.replace("/walk/0", out));
      expect(files.map((file) => path.basename(file))).toContain("cdk.tf.json");
      const secrets = secretsOf(deployment.storeFolder);
      expect(secrets.length).toBeGreaterThan(20);
      for (const file of files) {
        const text = fs.readFileSync(file, "latin1");
        expect([file, secrets.filter((secret) => text.includes(secret))]).toEqual([file, []]);
      }
    });
  });
});

const isPlain = ({ family, scopeid }: os.NetworkInterfaceInfo): boolean => family === "IPv4" || !scopeid;

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: 2000 });
    const end = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket
      .once("connect", () => end(true))
      .once("error", () => end(false))
      .once("timeout", () => end(false));
  });
}
