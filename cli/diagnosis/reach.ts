import { lookup } from "node:dns/promises";
import * as net from "node:net";
import * as tls from "node:tls";
import { ConnectionBundle, usesTls, usesWebSockets } from "../../constructs/client/connection-bundle";
import { greet, OLD_VERSIONS } from "../verification/client-hello";
import { PATIENCE, proving, ShownCertificate } from "../verification/handshake";
import { because, notChecked, ok, Verdict } from "./causes";

/** Whether the host has an address. */
export async function resolves({ host }: ConnectionBundle): Promise<Verdict> {
  if (net.isIP(host) !== 0) return ok(`${host} is an address`);
  try {
    const addresses = await lookup(host, { all: true });
    return ok(addresses.map(({ address }) => address).join(", "));
  } catch (error) {
    return because(
      "host-unknown",
      `the host name ${host} does not resolve here (${(error as { code?: string }).code})`,
    );
  }
}

/** Whether somebody takes the connection. */
export function connects({ host, port }: ConnectionBundle): Promise<Verdict> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: PATIENCE });
    const end = (verdict: Verdict): void => {
      socket.removeAllListeners().on("error", () => undefined);
      socket.once("close", () => resolve(verdict));
      socket.destroy();
    };
    socket.once("connect", () => end(ok(`${socket.remoteAddress} port ${port}`)));
    socket.once("timeout", () => end(because("no-way", `nothing at ${host} answers on port ${port}`)));
    socket.once("error", ({ code, message }: NodeJS.ErrnoException) => {
      const isClosed = code === "ECONNREFUSED";
      if (isClosed) end(because("port-closed", `port ${port} of ${host} is closed`));
      else end(because("no-way", `${host} port ${port}: ${message === "" ? code : message}`));
    });
  });
}

/** Milliseconds in which a full listener closes a connection, beside the way there and back. */
const AT_ONCE = 300;

/** Whether a connection is closed before anything was said: a server of TLS, MQTT or HTTP waits for the client to begin. */
export function closesAtOnce({ host, port }: ConnectionBundle): Promise<Verdict | undefined> {
  const begun = Date.now();
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: PATIENCE });
    const end = (isClosed: boolean): void => {
      socket.removeAllListeners().on("error", () => undefined);
      socket.once("close", () => resolve(isClosed ? because("listener-full", CLOSED_AT_ONCE) : undefined));
      socket.destroy();
    };
    socket.once("connect", () => socket.setTimeout(AT_ONCE + 2 * (Date.now() - begun)));
    socket.once("timeout", () => end(false));
    socket.once("end", () => end(true));
    socket.once("error", () => end(true));
  });
}

const CLOSED_AT_ONCE =
  "the port takes the connection and closes it at once: the listener is full, or nothing is behind the port";

/** Whether a listener that should speak clear text does. */
export async function speaksClearText(bundle: ConnectionBundle): Promise<Verdict> {
  const answer = await greet({ ...bundle, serverName: bundle.host }, OLD_VERSIONS["TLS 1.2"]);
  if (answer === "takes it" || answer === "alert") {
    return because("tls-asked-for", `the bundle says ${bundle.protocol}, in clear text, and the listener speaks TLS`);
  }
  return (await closesAtOnce(bundle)) ?? ok("clear text, as the bundle says");
}

/**
 * Whether the listener speaks MQTT or WebSockets, as the bundle says. It is asked by a request of HTTP, which is no CONNECT:
 * no session is touched.
 *
 * @param shown the client's certificate, where the listener asks for one
 */
export async function speaksProtocol(bundle: ConnectionBundle, shown: ShownCertificate | undefined): Promise<Verdict> {
  const answer = await upgrade(bundle, shown);
  const isWebSockets = answer.startsWith("HTTP/1.1 101");
  const { protocol } = bundle;
  if (usesWebSockets(bundle)) {
    if (isWebSockets) return ok(protocol);
    const what = answer.startsWith("HTTP/")
      ? `HTTP without MQTT over WebSockets (${answer})`
      : "something else, such as MQTT";
    return because("other-protocol", `the bundle says ${protocol}, and the listener speaks ${what}`);
  }
  if (answer.startsWith("HTTP/")) {
    return because("other-protocol", `the bundle says ${protocol}, and the listener speaks WebSockets`);
  }
  return answer === "silent" ? notChecked("no answer to a request that is not MQTT") : ok(protocol);
}

/** The first line of the answer to an upgrade (RFC 6455 section 4.1), `closed` or `silent`. */
function upgrade(bundle: ConnectionBundle, shown: ShownCertificate | undefined): Promise<string> {
  const { host, port, server_name: name = host } = bundle;
  return new Promise((resolve) => {
    const socket = usesTls(bundle)
      ? tls.connect({ host, port, ...proving({ serverName: name, caPem: bundle.ca_pem ?? "" }, shown) })
      : net.connect({ host, port });
    const end = (answer: string): void => {
      socket.removeAllListeners().on("error", () => undefined);
      socket.once("close", () => resolve(answer));
      socket.destroy();
    };
    socket.setTimeout(PATIENCE / 2).once("timeout", () => end("silent"));
    socket.once(usesTls(bundle) ? "secureConnect" : "connect", () => socket.write(upgradeRequest(host, port)));
    socket.once("data", (octets: Buffer) => end(octets.toString("latin1").split("\r\n")[0] ?? ""));
    socket.once("end", () => end("closed"));
    socket.once("error", () => end("closed"));
  });
}

function upgradeRequest(host: string, port: number): string {
  const lines = [
    "GET /mqtt HTTP/1.1",
    `Host: ${net.isIPv6(host) ? `[${host}]` : host}:${port}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    // Any 16 octets.
    "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
    "Sec-WebSocket-Protocol: mqtt",
    "Sec-WebSocket-Version: 13",
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}
