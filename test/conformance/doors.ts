import * as net from "node:net";
import { Duplex } from "node:stream";
import * as tls from "node:tls";
import WebSocket, { createWebSocketStream } from "ws";
import { ConnectionBundle } from "../../constructs";
import { Door } from "./peer";

/** How each client has been told to connect. */
type Bundles = (name: string) => ConnectionBundle;

/** Over TCP, under whatever name: the broker asks for none. */
export function plainDoor(port: number): Door {
  return () => opened((ready) => net.connect({ host: "127.0.0.1", port, noDelay: true }, ready));
}

/** Over mutual TLS. */
export function tlsDoor(port: number, bundles: Bundles): Door {
  return (name) => {
    const { ca, cert, key } = proofOf(bundles(name));
    return opened((ready) => tls.connect({ host: "127.0.0.1", port, servername: "localhost", ca, cert, key }, ready));
  };
}

/** Over mutual TLS and WebSockets. */
export function webSocketDoor(port: number, bundles: Bundles): Door {
  return (name) =>
    opened((ready) => {
      const socket = new WebSocket(`wss://localhost:${port}/mqtt`, "mqtt", proofOf(bundles(name)));
      socket.once("open", ready);
      return createWebSocketStream(socket);
    });
}

function proofOf({ ca_pem: ca = "", cert_pem: cert = "", key_pem: key = "" }: ConnectionBundle): {
  ca: string;
  cert: string;
  key: string;
} {
  return { ca, cert, key };
}

function opened(open: (ready: () => void) => Duplex): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const stream = open(() => {
      stream.off("error", reject);
      resolve(stream);
    });
    stream.once("error", reject);
  });
}
