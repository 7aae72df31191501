import * as tls from "node:tls";
import {
  Authentication,
  BundleEndpoint,
  ConnectionBundle,
  KeyAlgorithm,
  Listener,
  MosquittoBroker,
  TextSource,
} from "../../constructs";
import { hashPassword } from "../../constructs/access";
import { PERSISTENT, refusal, Session, without } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { Deployment, images, Version, versions } from "../support/deployment";
import { inspect, logs } from "../support/docker";
import { shownCertificate } from "../support/shown-certificate";
import { freePorts } from "../support/workspace";

jest.setTimeout(180_000);

const KINDS = ["mutualTls", "passwordOverTls", "mutualTlsWithPassword", "plaintext"] as const;
interface Door {
  readonly kind: (typeof KINDS)[number];
  readonly webSockets: boolean;
}

/** Every listener that a version can have: 2.0 checks no revocation list on WebSockets. */
function doors(version: Version): Door[] {
  return [false, true].flatMap((webSockets) =>
    KINDS.filter((kind) => !webSockets || version !== "2.0.21" || !kind.startsWith("mutualTls")).map((kind) => ({
      kind,
      webSockets,
    })),
  );
}

const title = ({ kind, webSockets }: Door): string => `${kind}${webSockets ? " over WebSockets" : ""}`;

/** A bundle that leads to one of its endpoints, with what counts there alone. */
function at(bundle: ConnectionBundle, index: number): ConnectionBundle {
  const endpoint = bundle.endpoints?.[index];
  if (endpoint === undefined) throw new Error(`${bundle.client_id} has no endpoint ${index}`);
  const { url, authentication } = endpoint;
  const moved = { ...bundle, url };
  if (authentication === "certificate") return without(moved, "username", "password");
  return authentication === "password" ? without(moved, "cert_pem", "key_pem") : moved;
}

describe.each(versions)("every kind of listener side by side on Mosquitto %s", (version) => {
  const deployment = new Deployment();
  const all = doors(version);
  const given = "given by the environment";
  const VARIABLE = `CDKTF_MOSQUITTO_TEST_PLC_${version.replace(/\W/g, "_")}`;
  let victim: ConnectionBundle;
  let attacker: ConnectionBundle;
  let ports: number[];

  const listeners = (): Listener[] =>
    all.map(({ kind, webSockets }, index) => Listener[kind]({ webSockets, port: ports[index] as number }));

  const clients = (broker: MosquittoBroker): void => {
    const authentication = Authentication.certificateOrPassword();
    broker.addClient("victim", { authentication, publishAndSubscribe: ["victim/#"] });
    broker.addClient("attacker", { authentication, publish: ["attacker"], subscribe: ["#"], deny: ["victim/#"] });
    broker.addClient("witness", { authentication: Authentication.password(), subscribe: ["#"] });
    broker.addClient("monitoring", { authentication: Authentication.password(), subscribe: ["$SYS/#"] });
  };

  beforeAll(async () => {
    ports = await freePorts(all.length);
    process.env[VARIABLE] = given;
    await deployment.deploy({ hosts: ["localhost"], image: images[version](), listeners: listeners() }, clients);
    [victim, attacker] = (await Promise.all(["victim", "attacker"].map((name) => deployment.bundle(name)))) as [
      ConnectionBundle,
      ConnectionBundle,
    ];
  });
  afterAll(async () => {
    delete process.env[VARIABLE];
    await deployment.remove();
  });

  test("a client of both proofs has an endpoint at each", () => {
    expect(victim.endpoints?.map(({ port }) => port)).toEqual(ports);
  });

  test.each(all.map((door, index) => [title(door), index] as const))(
    "%s: in with the right proof, out without",
    async (_, index) => {
      const bundle = at(victim, index);
      const session = await Session.open(bundle);
      await session.subscribe("victim/#");
      await session.publish("victim/state", `through ${index}`);
      await until("the message comes back", () => session.payloads.includes(`through ${index}`));
      await session.close();
      const { kind } = all[index] as Door;
      if (kind !== "mutualTls") {
        expect(await refusal(without(bundle, "username", "password"))).toBeDefined();
        expect(await refusal({ ...bundle, password: "not this one" })).toBeDefined();
      }
      if (kind.startsWith("mutualTls")) {
        expect(await refusal(without(bundle, "cert_pem", "key_pem"))).toBeDefined();
      }
    },
  );

  test.each(all.map((door, index) => [title(door), index] as const))(
    "a session over %s cannot be taken over from any listener",
    async (_, mine) => {
      const session = await Session.open(at(victim, mine), PERSISTENT);
      await session.subscribe("victim/#");
      for (const [theirs, door] of all.entries()) {
        const thief = await Session.open({ ...at(attacker, theirs), client_id: "victim" }, PERSISTENT);
        await thief.subscribe("#");
        const secret = `not for who came over ${title(door)}`;
        await session.publish("victim/secret", secret);
        await until("the victim has it", () => session.payloads.includes(secret));
        expect({ from: title(door), stolen: thief.messages, disconnects: session.disconnects }).toEqual({
          from: title(door),
          stolen: [],
          disconnects: 0,
        });
        await thief.close();
      }
      await session.close();
      const again = await Session.open(at(victim, mine), PERSISTENT);
      await again.publish("victim/state", "back");
      await until("its subscription is still there", () => again.payloads.includes("back"));
      await again.close();
    },
  );

  test("$SYS is for who is declared to receive it, and # does not include it", async () => {
    const monitoring = await Session.open(await deployment.bundle("monitoring"));
    const witness = await Session.open(await deployment.bundle("witness"));
    await witness.subscribe("#");
    await witness.subscribe("$SYS/#");
    await monitoring.subscribe("$SYS/broker/version");
    await until("the version comes", () => monitoring.payloads.some((payload) => payload.includes(version)));
    expect(witness.messages.filter(({ topic }) => topic.startsWith("$"))).toEqual([]);
    await Promise.all([monitoring.close(), witness.close()]);
  });

  test("a password of the environment or a hash alone works, and neither is in config, store or state", async () => {
    const known = "known to the device alone";
    await deployment.deploy({ hosts: ["localhost"], image: images[version](), listeners: listeners() }, (broker) => {
      clients(broker);
      const value = TextSource.variable(VARIABLE);
      broker.addClient("plc", { authentication: Authentication.password({ value }), publish: ["plc"] });
      const hash = hashPassword(known);
      broker.addClient("meter", { authentication: Authentication.password({ hash }), publish: ["meter"] });
    });
    const [plc, meter] = await Promise.all(["plc", "meter"].map((name) => deployment.bundle(name)));
    expect(plc?.password).toBe(given);
    expect(await refusal(plc as ConnectionBundle)).toBeUndefined();
    expect(meter).not.toHaveProperty("password");
    expect(await refusal({ ...(meter as ConnectionBundle), password: known })).toBeUndefined();
    expect(await refusal({ ...(meter as ConnectionBundle), password: "another one" })).toBeDefined();
  });

  test("a second plan is empty, and the broker's log has no warning and no error", async () => {
    expect(await deployment.plan()).toMatchObject({ changes: false, failed: false });
    const lines = (await logs(deployment.name)).split("\n");
    // Whoever is refused over TLS makes a line of OpenSSL's.
    expect(
      lines.filter(
        (line) =>
          /warning|error|deprecated/i.test(line) && !/OpenSSL Error|SSL routines|protocol error|TLS/i.test(line),
      ),
    ).toEqual([]);
  });

  if (version === "2.0.21") {
    test("another server certificate replaces the container, because WebSockets of 2.0 would keep the old one", async () => {
      const { Id } = await inspect(deployment.name);
      const endpoint = victim.endpoints?.[
        all.findIndex(({ kind, webSockets }) => webSockets && kind === "passwordOverTls")
      ] as BundleEndpoint;
      const before = await shownCertificate(victim, endpoint);
      await deployment.deploy(
        {
          hosts: ["localhost"],
          image: images[version](),
          listeners: listeners(),
          serverCertificate: { credentialVersion: 2 },
        },
        clients,
      );
      expect((await inspect(deployment.name)).Id).not.toBe(Id);
      const after = await shownCertificate(victim, endpoint);
      expect(after).not.toBe(before);
    });
  }
});

describe.each(versions)("other declarations, with RSA keys, on Mosquitto %s", (version) => {
  const deployment = new Deployment();
  let both: ConnectionBundle;
  let sensor: ConnectionBundle;
  let ports: readonly [number, number, number, number];

  beforeAll(async () => {
    ports = (await freePorts(4)) as [number, number, number, number];
    const listeners = [
      Listener.mutualTls({ port: ports[0] }),
      Listener.mutualTlsWithPassword({ port: ports[1] }),
      Listener.mutualTls({ port: ports[2], tlsVersion: "tlsv1.3", ciphersTls13: ["TLS_CHACHA20_POLY1305_SHA256"] }),
      Listener.mutualTls({ port: ports[3], ciphers: ["AES128-GCM-SHA256"] }),
    ];
    const props = { hosts: ["localhost"], image: images[version](), keyAlgorithm: KeyAlgorithm.rsa(2048), listeners };
    await deployment.deploy(props, (broker) => {
      broker.addClient("operator", {
        authentication: Authentication.certificateAndPassword(),
        publishAndSubscribe: ["plant/#"],
      });
      broker.addClient("sensor", { publishAndSubscribe: ["sensor/#"] });
    });
    both = await deployment.bundle("operator");
    sensor = await deployment.bundle("sensor");
  });
  afterAll(() => deployment.remove());

  describe("a client that needs certificate and password", () => {
    test("gets in with both, and with neither alone", async () => {
      const session = await Session.open(both);
      await session.subscribe("plant/#");
      await session.publish("plant/state", "on");
      await until("the message comes back", () => session.payloads.includes("on"));
      await session.close();
      expect(await refusal(without(both, "username", "password"))).toBeDefined();
      expect(await refusal(without(both, "cert_pem", "key_pem"))).toBeDefined();
      expect(await refusal({ ...both, password: "another one" })).toBeDefined();
    });

    test("may do nothing where the certificate alone is asked for", async () => {
      const alone = { ...without(both, "username", "password"), url: `mqtts://localhost:${ports[0]}` };
      const session = await Session.open(alone);
      await expect(session.publish("plant/state", "off")).rejects.toThrow(/not authorized/i);
      await session.close();
    });

    test("is not the only one whose certificate goes with its password, as the documentation says", async () => {
      const mixed = { ...both, cert_pem: sensor.cert_pem as string, key_pem: sensor.key_pem as string };
      expect(await refusal(mixed)).toBeUndefined();
    });
  });

  describe("TLS", () => {
    /** The protocol and cipher suite that a handshake ends with. */
    function handshake(listener: number, options: tls.ConnectionOptions): Promise<string> {
      const { ca_pem: ca = "", cert_pem: cert = "", key_pem: key = "" } = sensor;
      const port = ports[listener] as number;
      return new Promise((resolve, reject) => {
        const socket = tls.connect(
          { host: "127.0.0.1", port, ca, cert, key, servername: "localhost", ...options },
          () => {
            resolve(`${socket.getProtocol()} ${socket.getCipher().standardName}`);
            socket.destroy();
          },
        );
        socket.once("error", reject);
      });
    }
    const only = (tlsVersion: tls.SecureVersion): tls.ConnectionOptions => ({
      minVersion: tlsVersion,
      maxVersion: tlsVersion,
    });

    test("is 1.2 and 1.3 with the default's suites, and nothing older or weaker", async () => {
      expect(await handshake(0, only("TLSv1.2"))).toMatch(/^TLSv1\.2 TLS_ECDHE_RSA_WITH_.*(GCM|POLY1305)/);
      expect(await handshake(0, only("TLSv1.3"))).toMatch(/^TLSv1\.3 /);
      for (const ciphers of ["AES128-GCM-SHA256", "AES128-SHA", "ECDHE-RSA-AES128-SHA256"]) {
        await expect(handshake(0, { ...only("TLSv1.2"), ciphers })).rejects.toThrow(/handshake failure/i);
      }
      await expect(handshake(0, { ...only("TLSv1.1"), ciphers: "DEFAULT@SECLEVEL=0" })).rejects.toThrow(/version/i);
    });

    test("is 1.3 alone, with the suite that was named", async () => {
      await expect(handshake(2, only("TLSv1.2"))).rejects.toThrow(/version/i);
      expect(await handshake(2, {})).toBe("TLSv1.3 TLS_CHACHA20_POLY1305_SHA256");
      await expect(handshake(2, { ciphers: "TLS_AES_128_GCM_SHA256", ...only("TLSv1.3") })).rejects.toThrow();
    });

    test("has an old suite where it is named", async () => {
      const ciphers = "AES128-GCM-SHA256";
      expect(await handshake(3, { ...only("TLSv1.2"), ciphers })).toBe("TLSv1.2 TLS_RSA_WITH_AES_128_GCM_SHA256");
    });
  });
});
