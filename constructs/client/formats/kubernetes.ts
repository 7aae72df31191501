import { createHash } from "node:crypto";
import { ConnectionBundle } from "../connection-bundle";
import { doubleQuoted } from "./double-quoted";
import { BundleFormat } from "./format";

// Read by `kubectl apply -f secret.yaml`, and then by whatever a binding is projected into (servicebinding.io, "Well-known
// Secret Entries"): `certificates` and `private-key` are the client's own. Theirs are all others but `ca.crt`, the roots that
// the server's certificate is checked against, `client-id`, `protocol` and `server-name`, which MQTT or TLS needs besides.
export const kubernetes: BundleFormat = {
  name: "kubernetes",
  readBy: "kubectl, and Service Binding for Kubernetes",
  abilities: { webSockets: true, otherServerName: true, withoutKey: true },
  render: (bundle) => {
    const lines = bindingEntries(bundle).map(([name, value]) => `  ${name}: ${scalar(value)}\n`);
    return new Map([["secret.yaml", `${head(secretName(bundle.client_id))}stringData:\n${lines.join("")}`]]);
  },
};

function head(name: string): string {
  return `apiVersion: v1\nkind: Secret\nmetadata:\n  name: ${doubleQuoted(name)}\ntype: servicebinding.io/mqtt\n`;
}

/**
 * A DNS subdomain (RFC 1123), another for each client: a name that is not one, or that looks as if a hash had been put
 * behind it, gets a hash.
 */
function secretName(clientId: string): string {
  const label = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?";
  if (new RegExp(`^${label}(?:\\.${label})*$`).test(clientId) && !/-[0-9a-f]{10}$/.test(clientId)) {
    return `mqtt-${clientId}`;
  }
  const hash = createHash("sha256").update(clientId).digest("hex").slice(0, 10);
  return `mqtt-${clientId.toLowerCase().replace(/[^a-z0-9]+/g, "-")}-${hash}`;
}

function bindingEntries(bundle: ConnectionBundle): [name: string, value: string][] {
  const entries: [string, string | undefined][] = [
    ["type", "mqtt"],
    ["provider", "mosquitto"],
    ["host", bundle.host],
    ["port", String(bundle.port)],
    ["uri", bundle.url],
    ["protocol", bundle.protocol],
    ["server-name", bundle.server_name],
    ["client-id", bundle.client_id],
    ["username", bundle.username],
    ["password", bundle.password],
    ["ca.crt", bundle.ca_pem],
    ["certificates", bundle.cert_pem],
    ["private-key", bundle.key_pem],
  ];
  return entries.filter((entry): entry is [string, string] => entry[1] !== undefined);
}

/** PEM over its lines, in a literal block (YAML 1.2 section 8.1.2); all else on one. */
function scalar(value: string): string {
  if (!/^(?:[\x21-\x7e][\x20-\x7e]*\n)+$/.test(value)) return doubleQuoted(value);
  return `|\n${value.replace(/^(?=.)/gm, "    ").trimEnd()}`;
}
