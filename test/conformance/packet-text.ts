import { Packet } from "mqtt-packet";

/** A packet as one line, without packet identifiers: two brokers may number them differently. */
export function textOf(packet: Packet): string {
  const { cmd, ...fields } = packet;
  // The parser gives every packet the flags of PUBLISH.
  const ignored = ["length", "messageId", ...(cmd === "publish" ? [] : ["qos", "dup", "retain"])];
  const words = Object.entries(fields).flatMap(([name, value]: [string, unknown]) => {
    if (ignored.includes(name) || value === undefined || value === null || value === false) return [];
    return [value === true ? name : `${name}=${valueText(value)}`];
  });
  return [cmd.toUpperCase(), ...words].join(" ");
}

function valueText(value: unknown): string {
  if (Buffer.isBuffer(value)) {
    const text = value.toString();
    return text.length > 80 ? `(${value.length} bytes)` : JSON.stringify(text);
  }
  if (Array.isArray(value)) return `[${value.map(valueText).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([name, one]: [string, unknown]) => `${name}:${valueText(one)}`);
  return `{${entries.join(",")}}`;
}
