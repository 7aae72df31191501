import { Packet, generate, parser } from "mqtt-packet";
import * as net from "node:net";
import * as tls from "node:tls";

/** One connection over which a test sends MQTT packets, or any bytes, itself. */
export class RawConnection {
  readonly packets: Packet[] = [];
  /** Of TLS, for another connection to resume (RFC 8446 section 2.2). The last one that came. */
  session: Buffer | undefined;
  /** Resolves once the other side has closed it. */
  readonly closed: Promise<void>;

  private constructor(
    readonly socket: net.Socket,
    protocolVersion: number,
  ) {
    const reader = parser({ protocolVersion });
    reader.on("packet", (packet: Packet) => this.packets.push(packet));
    reader.on("error", () => socket.destroy());
    socket.on("data", (bytes) => reader.parse(bytes));
    socket.on("session", (session: Buffer) => (this.session = session));
    // Whoever is refused over TLS 1.3 hears it after the handshake, as an error.
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
  }

  /** @param options TLS where a `ca` is among them. @throws {Error} when the handshake fails */
  static open(options: tls.ConnectionOptions & { readonly port: number }, protocolVersion = 4): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const isTls = options.ca !== undefined;
      const socket = isTls
        ? tls.connect({ host: "127.0.0.1", servername: "localhost", ...options })
        : net.connect({ host: "127.0.0.1", port: options.port });
      const connection = new RawConnection(socket, protocolVersion);
      socket.once("error", reject);
      socket.once(isTls ? "secureConnect" : "connect", () => resolve(connection));
    });
  }

  send(what: Packet | Buffer, protocolVersion = 4): void {
    this.socket.write(Buffer.isBuffer(what) ? what : generate(what, { protocolVersion }));
  }

  /** The answer to CONNECT, or undefined where the broker closes without one. */
  async connack(username?: string, password?: string): Promise<number | undefined> {
    const proof = username === undefined ? {} : { username, password: Buffer.from(password ?? "") };
    this.send({
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 4,
      clientId: "raw",
      clean: true,
      keepalive: 60,
      ...proof,
    });
    const came = new Promise<void>((resolve) => this.socket.on("data", () => this.packets.length > 0 && resolve()));
    await Promise.race([came, this.closed]);
    const [packet] = this.packets;
    return packet?.cmd === "connack" ? packet.returnCode : undefined;
  }

  close(): void {
    this.socket.destroy();
  }
}
