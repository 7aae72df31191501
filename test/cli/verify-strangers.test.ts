import * as net from "node:net";
import * as tls from "node:tls";
import { DeployedBroker } from "../../cli/outputs";
import { verifyBroker } from "../../cli/verification/broker";
import { greet, OLD_VERSIONS } from "../../cli/verification/client-hello";
import { Finding } from "../../cli/verification/finding";
import { shakeHands } from "../../cli/verification/handshake";
import { refusesCertificate, refusesClearText, refusesUser, refusesVersions } from "../../cli/verification/strangers";
import { CONTROL_PORT } from "../../constructs/broker/container-paths";
import { issueAuthority, issueServer, Issuer, KeyAlgorithm, parseHost } from "../../constructs/pki";

const algorithm = KeyAlgorithm.ecdsaP256();
const HOUR = 60 * 60 * 1000;
const validity = { notBefore: new Date(Date.now() - HOUR), notAfter: new Date(Date.now() + HOUR) };
const [own, other] = ["Own", "Other"].map((name) => {
  const authority = issueAuthority({ commonName: `${name} authority`, algorithm, ...validity });
  const issuer = Issuer.fromPem(authority.certificatePem, authority.privateKeyPem);
  const hosts = [parseHost("localhost")];
  const server = issueServer(issuer, { commonName: "server", hosts, algorithm, ...validity });
  return {
    caPem: authority.certificatePem,
    options: { cert: server.certificatePem, key: server.privateKeyPem },
  };
}) as [Authority, Authority];
interface Authority {
  readonly caPem: string;
  readonly options: { readonly cert: string; readonly key: string };
}

/** CONNACK of MQTT 5, not authorized. */
const NOT_AUTHORIZED = Buffer.of(0x20, 3, 0, 0x87, 0);

const open = new Set<net.Server>();
afterEach(async () => {
  for (const server of open) await new Promise((resolve) => server.close(resolve));
  open.clear();
});

async function listening(server: net.Server, port = 0, host = "127.0.0.1"): Promise<Target> {
  server.on("connection", (socket: net.Socket) => socket.on("error", () => undefined));
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  open.add(server);
  return { host, port: (server.address() as net.AddressInfo).port, serverName: "localhost", caPem: own.caPem };
}
type Target = Parameters<typeof shakeHands>[0];

test("a server that takes TLS 1.1 is a surprise, and one that takes TLS 1.2 where only 1.3 is declared", async () => {
  const old = { minVersion: "TLSv1", maxVersion: "TLSv1.3", ciphers: "DEFAULT@SECLEVEL=0" } as const;
  const target = await listening(tls.createServer({ ...own.options, ...old }));
  expect(await refusesVersions(target, ["TLS 1.0", "TLS 1.1"])).toEqual({
    check: "refuses TLS 1.0 and TLS 1.1",
    result: "surprise",
    detail: "TLS 1.0: takes it, TLS 1.1: takes it",
  });
  const modern = await listening(tls.createServer({ ...own.options, minVersion: "TLSv1.2" }));
  expect((await refusesVersions(modern, ["TLS 1.0", "TLS 1.1"])).result).toBe("ok");
  expect(await greet(modern, OLD_VERSIONS["TLS 1.2"])).toBe("takes it");
  const newest = await listening(tls.createServer({ ...own.options, minVersion: "TLSv1.3" }));
  expect((await refusesVersions(newest, ["TLS 1.2"])).result).toBe("ok");
});

test("any answer of MQTT in clear text is a surprise, also one that refuses", async () => {
  const server = net.createServer((socket) => socket.once("data", () => socket.write(NOT_AUTHORIZED)));
  const { port } = await listening(server);
  expect(await refusesClearText(`mqtts://127.0.0.1:${port}`, "any")).toMatchObject({
    result: "surprise",
    detail: "it answers in clear text: Not authorized",
  });
});

test("a user that is refused for another reason, such as a server that is too busy, is a surprise", async () => {
  /** Refuses whoever says CONNECT with the next of these reason codes; before MQTT 5 CONNACK has no properties. */
  const refusing = async (...codes: number[]): Promise<string> => {
    const server = net.createServer((socket) =>
      socket.once("data", ([, , , , , , , , version]: Buffer) => {
        const code = codes.shift() ?? 0;
        socket.write(version === 5 ? Buffer.of(0x20, 3, 0, code, 0) : Buffer.of(0x20, 2, 0, code));
      }),
    );
    const { port } = await listening(server);
    const { result, detail } = await refusesUser("any", `mqtt://127.0.0.1:${port}`, { clientId: "any" });
    return `${result}: ${detail}`;
  };
  expect(await refusing(0x87)).toBe("ok: Not authorized");
  expect(await refusing(0x86)).toBe("ok: Bad User Name or Password");
  expect(await refusing(0x89)).toBe("surprise: it was refused, but not for this: Server busy");
  // Older versions of MQTT are tried before an opinion is formed.
  expect(await refusing(0x84, 0x05)).toBe("ok: Not authorized");
  expect(await refusing(0x84, 0x01, 0x04)).toBe("ok: Bad username or password");
  expect(await refusing(0x01, 0x01, 0x01)).toMatch(
    /^surprise: it was refused, but not for this: Unacceptable protocol/,
  );
});

test("a certificate that is refused for another reason, or not at all, is a surprise", async () => {
  const asking = { ...own.options, requestCert: true, rejectUnauthorized: true, ca: own.caPem };
  const target = await listening(tls.createServer(asking));
  const stranger = { cert_pem: other.options.cert, key_pem: other.options.key };
  expect((await refusesCertificate(target, "a certificate that has expired", stranger)).result).toBe("surprise");
  const anybody = await listening(tls.createServer(own.options));
  expect(await refusesCertificate(anybody, "no certificate")).toMatchObject({
    result: "surprise",
    detail: "it was let in",
  });
});

describe("the control port", () => {
  const ADDRESS = "127.0.0.77";
  const control = async (): Promise<Finding | undefined> => {
    const [nobody] = await Promise.all([closedPort()]);
    const deployed: DeployedBroker = {
      broker: "plant/broker",
      endpoints: [
        {
          kind: "mutualTls",
          host: "localhost",
          port: nobody,
          protocol: "mqtts",
          url: "mqtts://localhost",
          hosts: ["localhost"],
        },
      ],
      certificates: [],
      caPem: own.caPem,
      nextActionAt: "",
      bundles: [],
    };
    return (await verifyBroker(deployed, "not here", ADDRESS)).at(-1);
  };

  test("that the broker answers at is a surprise, that another server has is none", async () => {
    expect(await control()).toMatchObject({ check: "keeps its control port to itself", result: "ok" });
    const server = tls.createServer(other.options);
    await listening(server, CONTROL_PORT, ADDRESS);
    expect(await control()).toMatchObject({ result: "ok", detail: "another server is there" });
    await new Promise((resolve) => server.close(resolve));
    open.delete(server);
    await listening(tls.createServer(own.options), CONTROL_PORT, ADDRESS);
    expect(await control()).toMatchObject({ result: "surprise", detail: "the broker answers there" });
  });
});

async function closedPort(): Promise<number> {
  const server = net.createServer();
  const { port } = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  open.delete(server);
  return port;
}
