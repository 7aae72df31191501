import { generate, Packet } from "mqtt-packet";
import { Lab, scenarios } from "./lab";
import { Peer, ProtocolVersion } from "./peer";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

/** Fixed header with this first byte, and the rest with its length. */
function packet(first: number, ...parts: (string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === "string" ? hex(part) : part)));
  return Buffer.concat([Buffer.from([first, body.length]), body]);
}
function utf8(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([0, bytes.length]), bytes]);
}

/** Bytes that break a rule of MQTT, by what is wrong with them, from a client that is connected. */
function afterConnect(lab: Lab): Record<string, Buffer> {
  const topic = utf8(lab.topic("t"));
  // In MQTT 5 properties follow; here there are none.
  const none = lab.version === 5 ? "00" : "";
  const generated = (what: Packet): Buffer => generate(what, { protocolVersion: lab.version });
  return {
    "packet type 0": packet(0x00),
    "packet type 15": packet(0xf0),
    "a second CONNECT": generated({
      cmd: "connect",
      clientId: lab.client(1),
      protocolVersion: lab.version,
      keepalive: 60,
    }),
    "CONNACK from a client": packet(0x20, "0000", none),
    "PINGRESP from a client": packet(0xd0),
    "SUBACK from a client": packet(0x90, "0001", none, "00"),
    "PINGREQ with a body": packet(0xc0, "00"),
    "PINGREQ with flags": packet(0xc1),
    "DISCONNECT with flags": packet(0xe1),
    "a length of five bytes": hex("30 ff ff ff ff 01"),
    "PUBLISH with QoS 3": packet(0x36, topic, "0001", none),
    "PUBLISH, QoS 0, with DUP": packet(0x38, topic, none),
    "PUBLISH to a filter with +": packet(0x30, utf8(lab.topic("+")), none),
    "PUBLISH to a filter with #": packet(0x30, utf8(lab.topic("#")), none),
    "PUBLISH to no topic": packet(0x30, "0000", none),
    "PUBLISH to $SYS": packet(0x32, utf8("$SYS/broker/version"), "0001", none),
    "PUBLISH to a topic that is not UTF-8": packet(0x30, "0002 c080", none),
    "PUBLISH to a topic with NUL": packet(0x30, "0003 610062", none),
    "PUBLISH to a topic with a surrogate": packet(0x30, "0003 eda080", none),
    "PUBLISH with a topic longer than the packet": packet(0x30, "00ff 61"),
    "PUBLISH with packet identifier 0": packet(0x32, topic, "0000", none),
    "PUBLISH without packet identifier": packet(0x32, topic),
    "PUBACK of what was never sent": packet(0x40, "0009"),
    "PUBREC of what was never sent": packet(0x50, "0009"),
    "PUBREL of what was never sent": packet(0x62, "0009"),
    "PUBCOMP of what was never sent": packet(0x70, "0009"),
    "PUBREL with wrong flags": packet(0x60, "0009"),
    "PUBACK with packet identifier 0": packet(0x40, "0000"),
    "PUBACK too short": packet(0x40, "00"),
    "SUBSCRIBE with wrong flags": packet(0x80, "0001", none, topic, "00"),
    "SUBSCRIBE without filters": packet(0x82, "0001", none),
    "SUBSCRIBE with packet identifier 0": packet(0x82, "0000", none, topic, "00"),
    "SUBSCRIBE with QoS 3": packet(0x82, "0001", none, topic, "03"),
    "SUBSCRIBE with reserved options": packet(0x82, "0001", none, topic, "c0"),
    "SUBSCRIBE to a/#/b": packet(0x82, "0001", none, utf8(lab.topic("#/b")), "00"),
    "SUBSCRIBE to a+": packet(0x82, "0001", none, utf8(lab.topic("a+")), "00"),
    "SUBSCRIBE to no filter": packet(0x82, "0001", none, "0000 00"),
    "SUBSCRIBE to $share without a filter": packet(0x82, "0001", none, utf8("$share/group/"), "00"),
    "SUBSCRIBE to $share with + in the group": packet(0x82, "0001", none, utf8(`$share/+/${lab.topic("t")}`), "00"),
    "UNSUBSCRIBE without filters": packet(0xa2, "0001", none),
    "UNSUBSCRIBE with wrong flags": packet(0xa0, "0001", none, topic),
    ...(lab.version === 5 && {
      "PUBLISH with an unknown property": packet(0x30, topic, "02 7f00"),
      "PUBLISH with a property twice": packet(0x30, topic, "04 0100 0100"),
      "PUBLISH with a property of CONNECT": packet(0x30, topic, "05 1100000000"),
      "PUBLISH with properties longer than the packet": packet(0x30, topic, "7f"),
      "PUBLISH with topic alias 0": packet(0x30, topic, "03 230000"),
      "PUBLISH with a subscription identifier": packet(0x30, topic, "02 0b01"),
      "PUBLISH of text that is not UTF-8": packet(0x30, topic, "02 0101", "c080"),
      "PUBLISH with a response topic with #": packet(0x30, topic, "04 08 0001 23"),
      "SUBSCRIBE with subscription identifier 0": packet(0x82, "0001 02 0b00", topic, "00"),
      "SUBSCRIBE with retain handling 3": packet(0x82, "0001 00", topic, "30"),
      "SUBSCRIBE to $share with no local": packet(0x82, "0001 00", utf8(`$share/group/${lab.topic("t")}`), "04"),
      "PUBACK with an unknown reason": packet(0x40, "0009 55"),
      "DISCONNECT with an unknown reason": packet(0xe0, "55"),
      "AUTH of who asked for none": packet(0xf0, "18 00"),
    }),
  };
}

/** The same, from who says nothing else. */
function beforeConnect(lab: Lab): Record<string, Buffer> {
  const { version } = lab;
  const id = utf8(lab.client(1));
  const none = version === 5 ? "00" : "";
  const connect = (name: string, level: number, flags: string, ...rest: (string | Buffer)[]): Buffer =>
    packet(0x10, utf8(name), Buffer.from([level]), flags, "003c", none, ...rest);
  return {
    "PINGREQ before CONNECT": packet(0xc0),
    "PUBLISH before CONNECT": packet(0x30, utf8(lab.topic("t")), none),
    "DISCONNECT before CONNECT": packet(0xe0),
    "an HTTP request": Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "an empty CONNECT": packet(0x10),
    "CONNECT of another protocol": connect("MQIT", version, "02", id),
    "CONNECT of version 6": connect("MQTT", 6, "02", id),
    "CONNECT with the reserved flag": connect("MQTT", version, "03", id),
    "CONNECT with wrong fixed flags": packet(0x11, utf8("MQTT"), Buffer.from([version]), "02 003c", none, id),
    "CONNECT with a will of QoS 3": connect("MQTT", version, "1e", id, none, utf8(lab.topic("w")), "0000"),
    "CONNECT with QoS of a will, without one": connect("MQTT", version, "0a", id),
    "CONNECT with a will on a filter": connect("MQTT", version, "06", id, none, utf8(lab.topic("#")), "0000"),
    "CONNECT with a client id that is not UTF-8": connect("MQTT", version, "02", "0002 c080"),
    "CONNECT that ends early": packet(0x10, utf8("MQTT"), Buffer.from([version]), "02"),
    "CONNECT with a rest": connect("MQTT", version, "02", id, "ffff"),
    "CONNECT that announces a user name and has none": connect("MQTT", version, "82", id),
  };
}

export const malformedScenarios = scenarios([
  {
    name: "malformed",
    about: "packets that break a rule",
    clients: 1,
    run: (lab) => outcomes(afterConnect(lab), lab.version, () => lab.connect(1)),
  },
  {
    name: "malformed-first",
    about: "first packets that break a rule",
    clients: 1,
    run: (lab) => outcomes(beforeConnect(lab), lab.version, () => lab.silent(1)),
  },
]);

async function outcomes(
  packets: Record<string, Buffer>,
  version: ProtocolVersion,
  open: () => Promise<Peer>,
): Promise<Record<string, string>> {
  const results: Record<string, string> = {};
  for (const [what, bytes] of Object.entries(packets)) {
    const peer = await open();
    const before = peer.packets.length;
    peer.send(bytes);
    await peer.ping();
    const came = peer.received().slice(before);
    results[what] = [...came, peer.isClosed ? "closed" : "open"].join("; ");
    if (!peer.isClosed) peer.drop();
  }
  return { ...results, version: `${version}` };
}
