import * as net from "node:net";

/** A broker in clear text that lets nobody in, and notes what each client shows: its identifier, user name and password. */
export class ConnectListener {
  readonly shown: string[][] = [];
  private readonly server = net.createServer((socket) => {
    let received = Buffer.alloc(0);
    socket.on("error", () => undefined);
    socket.on("data", (part) => {
      received = Buffer.concat([received, part]);
      const packet = wholePacket(received);
      if (packet === undefined) return;
      received = Buffer.alloc(0);
      this.shown.push(stringsOf(packet));
      // CONNACK, not authorized; with no properties in MQTT 5.
      socket.end(Buffer.from(isMqtt5(packet) ? [0x20, 3, 0, 0x87, 0] : [0x20, 2, 0, 5]));
    });
  });

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return (this.server.address() as net.AddressInfo).port;
  }

  async close(): Promise<void> {
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** What follows the fixed header of CONNECT, once it is there. */
function wholePacket(received: Buffer): Buffer | undefined {
  const length = variableInteger(received.subarray(1));
  if (length === undefined || received.length < 1 + length.size + length.value) return undefined;
  return received.subarray(1 + length.size);
}

function isMqtt5(packet: Buffer): boolean {
  return packet[6] === 5;
}

/** The strings of its payload (MQTT 3.1.1 and 5, section 3.1.3); there is no will. */
function stringsOf(packet: Buffer): string[] {
  const properties = isMqtt5(packet) ? variableInteger(packet.subarray(10)) : { value: 0, size: 0 };
  if (properties === undefined) throw new Error("malformed CONNECT");
  const strings: string[] = [];
  for (let at = 10 + properties.size + properties.value; at < packet.length; at += 2 + packet.readUInt16BE(at)) {
    strings.push(packet.toString("utf8", at + 2, at + 2 + packet.readUInt16BE(at)));
  }
  return strings;
}

function variableInteger(bytes: Buffer): { value: number; size: number } | undefined {
  const size = bytes.findIndex((byte) => byte < 0x80) + 1;
  if (size === 0) return undefined;
  return { value: bytes.subarray(0, size).reduceRight((value, byte) => value * 128 + (byte & 0x7f), 0), size };
}
