import { isIP, isIPv6 } from "node:net";
import * as path from "node:path";
import { Fault } from "../../faults";
import { ConnectionBundle } from "../connection-bundle";
import { BundleFormat } from "./format";
import { KEY_STORE_FILE, keyStores, TRUST_STORE_FILE } from "./key-stores";

const FILE = "connection.properties";

// Read by java.util.Properties and java.security.KeyStore, for Eclipse Paho (serverURI, and the stores as com.ibm.ssl.*
// or in an SSLContext) and for HiveMQ's client (host and port, and the stores in its factories). The passwords of the
// stores are in it where they were generated; a passphrase that was given is not, because beside the stores it would
// protect nothing: the program gets it as it gets its other secrets.
export const java: BundleFormat = {
  name: "java",
  readBy: "Java clients such as Eclipse Paho and HiveMQ",
  abilities: { webSockets: true, otherServerName: false, withoutKey: false },
  options: ["installedIn", "passphrase"],
  faults: ({ host, password = "", server_name: serverName }) => [
    ...(hasReadableEnd(host) ? [] : [unreadableHost(host)]),
    ...(isIPv6(host) && serverName !== undefined ? [uncheckableHost(host)] : []),
    ...([...password].every((one) => (one.codePointAt(0) as number) < FIRST_REFUSED) ? [] : [UNREADABLE_PASSWORD]),
  ],
  render(bundle, options) {
    const { files, generatedPassphrase } = keyStores(bundle, options, "modern");
    const at = (name: string): string | undefined =>
      files.has(name) ? path.posix.join(options.installedIn ?? "", name) : undefined;
    const store = (property: string, file: string | undefined): [string, string | undefined][] => [
      [property, file],
      [`${property}Type`, file && "PKCS12"],
      [`${property}Password`, file && generatedPassphrase],
    ];
    const properties: [string, string | undefined][] = [
      ["serverURI", serverUri(bundle)],
      ["host", bundle.host],
      ["port", String(bundle.port)],
      ["clientId", bundle.client_id],
      ["username", bundle.username],
      ["password", bundle.password],
      ...store("keyStore", at(KEY_STORE_FILE)),
      ...store("trustStore", at(TRUST_STORE_FILE)),
    ];
    return new Map<string, string | Buffer>([[FILE, propertiesText(properties)], ...files]);
  },
};

/** Paho's own words for MQTT over TLS and over TCP; those of WebSockets are the same. */
function serverUri({ url }: ConnectionBundle): string {
  return url.replace(/^mqtts:/, "ssl:").replace(/^mqtt:/, "tcp:");
}

/** RFC 2396 section 3.2.2, toplabel. */
function hasReadableEnd(host: string): boolean {
  return isIP(host) !== 0 || !/\.\d[^.]*$/.test(host);
}

function unreadableHost(host: string): Fault {
  return {
    what: "format java, for the host",
    value: host,
    allowed: "names whose last label begins with a letter, because java.net.URI finds no host in others",
    remedy: "connect to another name of the broker, or choose another format",
  };
}

/** Paho 1.2.5 puts it into the handshake as a name: "Contains non-LDH ASCII characters". */
function uncheckableHost(host: string): Fault {
  return {
    what: "format java, for the host",
    value: host,
    allowed: "a name or an IPv4 address, because Eclipse Paho cannot connect to an IPv6 address over TLS",
    remedy: "connect to a name of the broker, or choose another format",
  };
}

/** Paho 1.2.5 takes it and all that follow for no characters ("Invalid UTF-8 char"), when it connects. */
const FIRST_REFUSED = 0xfdd0;
const UNREADABLE_PASSWORD: Fault = {
  what: "format java, for a password with a character from U+FDD0 on, such as an emoji or a full-width letter",
  allowed: "passwords without them, because Eclipse Paho refuses to send them",
  remedy: "choose another format, such as json, or a generated password",
};

function propertiesText(properties: readonly (readonly [string, string | undefined])[]): string {
  return properties.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${escaped(value)}\n`])).join("");
}

/** As `java.util.Properties.load` reads a value: ASCII, for that reads a stream as ISO 8859-1. */
function escaped(value: string): string {
  return value
    .replace(/\\/g, "\\\\")
    .replace(/^ /, "\\ ")
    .replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
