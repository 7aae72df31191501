import { randomBytes } from "node:crypto";
import * as net from "node:net";
import { PATIENCE, serverNameIndication } from "./handshake";

/** A version as the handshake's octets have it. */
export const OLD_VERSIONS = { "TLS 1.0": 0x0301, "TLS 1.1": 0x0302, "TLS 1.2": 0x0303 } as const;

/** For keys of both kinds, with forward secrecy and without: those of TLS 1.0 and 1.1, then those of 1.2. */
const SUITES = [0xc009, 0xc00a, 0xc013, 0xc014, 0x002f, 0x0035, 0xc02b, 0xc02c, 0xc02f, 0xc030, 0xcca8, 0xcca9];
const GROUPS = [0x001d, 0x0017, 0x0018];
const SIGNATURES = [0x0403, 0x0503, 0x0804, 0x0401, 0x0501, 0x0203, 0x0201];

/** What a server says to a greeting that it may not like. */
export type HelloAnswer = "takes it" | "alert" | "closed" | "silent" | "no TLS";

/**
 * Greets a server as a client that knows no TLS beyond a version. Written out by hand (RFC 5246 section 7.4.1.2): what the
 * OpenSSL here still offers is not what a device offers.
 */
export function greet(
  { host, port, serverName }: { readonly host: string; readonly port: number; readonly serverName: string },
  version: number,
): Promise<HelloAnswer> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: PATIENCE });
    const end = (answer: HelloAnswer): void => {
      socket.removeAllListeners().on("error", () => undefined);
      socket.once("close", () => resolve(answer));
      socket.destroy();
    };
    socket.once("connect", () => socket.write(clientHello(version, serverName)));
    socket.once("data", ([type]: Buffer) => end(type === 22 ? "takes it" : type === 21 ? "alert" : "no TLS"));
    socket.once("end", () => end("closed"));
    socket.once("error", () => end("closed"));
    socket.once("timeout", () => end("silent"));
  });
}

function clientHello(version: number, serverName: string): Buffer {
  const { servername } = serverNameIndication(serverName);
  const name = Buffer.from(servername ?? "");
  const extensions = Buffer.concat([
    // Without a name that the server knows it may have no certificate (RFC 6066 section 3).
    ...(servername === undefined ? [] : [extension(0, sized(2, Buffer.concat([Buffer.of(0), sized(2, name)])))]),
    extension(10, sized(2, numbers(GROUPS))),
    extension(11, Buffer.of(1, 0)),
    ...(version === OLD_VERSIONS["TLS 1.2"] ? [extension(13, sized(2, numbers(SIGNATURES)))] : []),
  ]);
  const body = Buffer.concat([
    numbers([version]),
    randomBytes(32),
    Buffer.of(0),
    sized(2, numbers(SUITES)),
    Buffer.of(1, 0),
    sized(2, extensions),
  ]);
  const message = Buffer.concat([Buffer.of(1), sized(3, body)]);
  return Buffer.concat([Buffer.of(22, 3, 1), sized(2, message)]);
}

function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([numbers([type]), sized(2, content)]);
}

function numbers(values: readonly number[]): Buffer {
  return Buffer.from(values.flatMap((value) => [value >> 8, value & 0xff]));
}

function sized(octets: number, content: Buffer): Buffer {
  const length = Buffer.alloc(octets);
  length.writeUIntBE(content.length, 0, octets);
  return Buffer.concat([length, content]);
}
