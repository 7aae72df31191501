import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import * as https from "node:https";
import * as tls from "node:tls";
import mqtt, { type IClientOptions } from "mqtt";
import { bundleTo, type ConnectionBundle } from "../../../constructs/client/connection-bundle";
import { formatFaults } from "../../../constructs/client/formats/format";
import { mqttjs } from "../../../constructs/client/formats/mqttjs";
import { issueServer } from "../../../constructs/pki";
import { newAuthority, P256, SPAN } from "../../pki/support";
import { bundlesFor, CERTIFICATE, fileOf, plainBundle } from "./any-bundle";

const defined = (values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
const read = (format: string, bundle: ConnectionBundle, installedIn?: string): unknown =>
  JSON.parse(fileOf(format, bundle, `${format}.json`, installedIn === undefined ? {} : { installedIn }));
const usesWebSockets = ({ protocol }: ConnectionBundle): boolean => protocol === "wss" || protocol === "ws";

/** The PEM files, by what the library calls them; the key's also where the client keeps it. */
const files = ({ ca_pem: ca, cert_pem: cert }: ConnectionBundle, names: readonly [string, string, string]): object =>
  defined({
    [names[0]]: ca && "/etc/mqtt/ca.crt",
    [names[1]]: cert && "/etc/mqtt/client.crt",
    [names[2]]: cert && "/etc/mqtt/client.key",
  });

test("the arguments of paho-mqtt's calls are exactly what is in the bundle", () => {
  for (const bundle of bundlesFor("paho-python", 100)) {
    const { host, port, username, password, server_name: serverName } = bundle;
    const isAddressInUrl = usesWebSockets(bundle) && host.includes(":");
    expect(read("paho-python", bundle, "/etc/mqtt")).toEqual(
      defined({
        client: { client_id: bundle.client_id, transport: usesWebSockets(bundle) ? "websockets" : "tcp" },
        username_pw_set: username && defined({ username, password }),
        tls_set: serverName && files(bundle, ["ca_certs", "certfile", "keyfile"]),
        ws_set_options: isAddressInUrl ? { headers: { Host: `[${host}]:${port}` } } : undefined,
        connect: { host, port },
      }),
    );
  }
});

test("the options of Paho for Go are exactly what is in the bundle", () => {
  for (const bundle of bundlesFor("paho-go", 100)) {
    const { username, password, server_name: serverName } = bundle;
    expect(read("paho-go", bundle, "/etc/mqtt")).toEqual(
      defined({
        broker: bundle.url.replace("mqtts://", "ssl://").replace("mqtt://", "tcp://"),
        clientId: bundle.client_id,
        ...{ username, password, serverName },
        ...files(bundle, ["caFile", "certFile", "keyFile"]),
      }),
    );
  }
});

test("the options of rumqttc are exactly what is in the bundle", () => {
  for (const bundle of bundlesFor("rumqttc", 100)) {
    const { port, username, password, protocol } = bundle;
    expect(read("rumqttc", bundle, "/etc/mqtt")).toEqual(
      defined({
        transport: { mqtts: "tls", mqtt: "tcp", wss: "wss", ws: "ws" }[protocol],
        host: usesWebSockets(bundle) ? bundle.url : bundle.host,
        port,
        client_id: bundle.client_id,
        ...{ username, password },
        ...files(bundle, ["ca_file", "cert_file", "key_file"]),
      }),
    );
  }
});

test("the options of MQTT.js are exactly what is in the bundle", () => {
  for (const bundle of bundlesFor("mqttjs", 100)) {
    const { url, options } = read("mqttjs", bundle) as { url: string; options: IClientOptions };
    expect(url).toBe(bundle.url);
    expect(options).toMatchObject(
      defined({
        clientId: bundle.client_id,
        username: bundle.username,
        password: bundle.password,
        ca: bundle.ca_pem,
        cert: bundle.cert_pem,
        key: bundle.key_pem,
      }),
    );
  }
});

describe("libraries that check the server's certificate against the host alone", () => {
  test.each(["paho-python", "rumqttc"])("format %s is refused where another name is to be checked", (name) => {
    expect(() => bundlesFor(name, 1)).not.toThrow();
    expect(bundlesFor(name, 50).every(({ host, server_name: checked = host }) => checked === host)).toBe(true);
  });

  test("format mqttjs is refused where an address is to be checked that is not the host", () => {
    const bundle = plainBundle({ host: "broker.example", server_name: "192.0.2.7" });
    expect(formatFaults(mqttjs, bundle)).toHaveLength(1);
    expect(formatFaults(mqttjs, { ...bundle, host: "192.0.2.7" })).toEqual([]);
  });
});

describe("MQTT.js at a server whose certificate is from the second of two roots", () => {
  const { ca, issuer } = newAuthority("Second CA");
  const roots = newAuthority("First CA").ca.certificatePem + ca.certificatePem;
  const issued = issueServer(issuer, {
    commonName: "server",
    hosts: [{ kind: "dns", value: "other.example" }],
    algorithm: P256,
    ...SPAN,
  });
  const identity = { cert: issued.certificatePem, key: issued.privateKeyPem };
  const refuse = Buffer.from([0x20, 3, 0, 0x87, 0]);

  // The server that MQTT.js' own dependency has.
  interface WebSocket {
    once(event: "message", listener: () => void): void;
    send(data: Buffer): void;
  }
  const { WebSocketServer } = createRequire(require.resolve("mqtt"))("ws") as {
    WebSocketServer: new (options: object) => {
      on(event: "connection", listener: (socket: WebSocket) => void): void;
    };
  };

  /** Why MQTT.js, with what is in the file, did not get in: only the server's refusal tells that TLS let it. */
  async function outcome(server: tls.Server, bundle: ConnectionBundle, address: string): Promise<string> {
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    const { port } = server.address() as AddressInfo;
    const { url, options } = read("mqttjs", bundleTo({ ...bundle, port }, address, bundle.server_name)) as {
      url: string;
      options: IClientOptions;
    };
    try {
      await mqtt.connectAsync(url, { ...options, protocolVersion: 5, connectTimeout: 5000 }, false);
      return "connected";
    } catch (error) {
      return (error as Error).message;
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  }

  const overTcp = (): tls.Server =>
    tls.createServer(identity, (socket) => socket.on("error", () => undefined).once("data", () => socket.end(refuse)));
  const overWebSockets = (): tls.Server => {
    const server = https.createServer(identity);
    new WebSocketServer({ server }).on("connection", (socket) => {
      socket.once("message", () => socket.send(refuse));
    });
    return server;
  };

  test.each([
    ["mqtts", "127.0.0.1", overTcp],
    ["mqtts", "::1", overTcp],
    ["wss", "127.0.0.1", overWebSockets],
    ["wss", "::1", overWebSockets],
  ] as const)("%s to %s checks the name that is in the bundle", async (protocol, address, server) => {
    const bundle = plainBundle({ ...CERTIFICATE, protocol, ca_pem: roots, server_name: "other.example" });
    expect(await outcome(server(), bundle, address)).toMatch(/Not authorized/i);
    expect(await outcome(server(), { ...bundle, server_name: "third.example" }, address)).toMatch(/altnames/);
    expect(await outcome(server(), { ...bundle, server_name: address }, address)).toMatch(/altnames/);
  });
});
