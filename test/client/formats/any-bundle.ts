import fc from "fast-check";
import { clientNameFault, passwordFault, publishFilterFault, subscribeFilterFault } from "../../../constructs/access";
import { connectionBundle, type ConnectionBundle } from "../../../constructs/client/connection-bundle";
import { BUNDLE_FORMATS, type FormatOptions } from "../../../constructs/client/formats";
import { formatFaults } from "../../../constructs/client/formats/format";
import { issueClient } from "../../../constructs/pki";
import { newAuthority, P256, SPAN } from "../../pki/support";

const { ca, issuer } = newAuthority("Old CA");
const client = issueClient(issuer, { commonName: "sensor-1", algorithm: P256, ...SPAN });

/** The roots of a server, one of which replaces the other. */
export const ROOTS = [ca.certificatePem, newAuthority("New CA").ca.certificatePem];

// What some reader takes for an escape, a quote, a variable, a reference, a comment, a line end or nothing at all.
const awkward = fc.constantFrom(
  ...Array.from("\"'`\\$#!%&*|<>:;,=?@{}[]()~^ \u00a0\u1680\u2028\u2029\ufeff\ufffe\u200b\u202eäß€0f7"),
  ...[
    "😀",
    "??/",
    "\\u0041",
    "${HOME}",
    "$(HOME)",
    "$HOME",
    "@{store:key}",
    "!a b",
    "\\n",
    ")PEM",
    '"""',
    "'''",
    "{{",
    "%s",
  ],
  ...["---", "no", "~", "0x1F", "1e3", "true", "#", " #", ": ", "a", "Z"],
);
const text = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof({ weight: 4, arbitrary: awkward }, fc.string({ unit: "binary", maxLength: 2 })), {
      minLength,
      maxLength,
    })
    .map((parts) => parts.join(""));

const password = fc
  .oneof(text(12, 24), fc.constantFrom("${ENVIRONMENT}", "$(ENVIRONMENT)", "@{store:key}!!!", "!secret password"))
  .filter((value) => passwordFault("password", value) === undefined);
const name = fc
  .stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
  .filter((value) => clientNameFault("name", value) === undefined);
const filters = (fault: (what: string, value: unknown) => unknown): fc.Arbitrary<string[]> => {
  const level = fc.oneof(fc.constantFrom("+", "a", ""), text(1, 4));
  const filter = fc
    .tuple(fc.constantFrom("", "$share/group/"), fc.array(level, { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([share, levels, open]) => `${share}${levels.join("/")}${open ? "/#" : ""}`)
    .filter((value) => fault("filter", value) === undefined);
  return fc.array(filter, { maxLength: 3 });
};

/** Any bundle that leads to one endpoint. */
export const anyBundle: fc.Arbitrary<ConnectionBundle> = fc
  .record({
    name,
    host: fc.constantFrom("broker.example", "localhost", "192.0.2.7", "2001:db8::1"),
    port: fc.integer({ min: 1, max: 65_535 }),
    protocol: fc.constantFrom("mqtts", "mqtts", "wss", "mqtt", "ws"),
    shows: fc.constantFrom("certificate", "password", "certificateAndPassword"),
    keepsKey: fc.boolean(),
    password: fc.option(password, { nil: undefined, freq: 6 }),
    otherName: fc.boolean(),
    publish: filters(publishFilterFault),
    subscribe: filters(subscribeFilterFault),
  })
  .map(({ name, host, port, protocol, shows, keepsKey, password, otherName, publish, subscribe }) => {
    const isOverTls = protocol === "mqtts" || protocol === "wss";
    const authentication = isOverTls ? shows : "password";
    const certificate = {
      certificatePem: client.certificatePem,
      ...(!keepsKey && { privateKeyPem: client.privateKeyPem }),
      notAfter: "2124-01-01T00:00:00.000Z",
    };
    const hasPassword = authentication !== "certificate";
    return connectionBundle(
      [{ host, port, protocol, authentication }],
      { name, serverName: otherName ? "other.example" : host, publish, subscribe, deny: [] },
      {
        ...(isOverTls && { caPem: ROOTS.join("") }),
        ...(authentication !== "password" && { certificate }),
        hasPassword,
        ...(hasPassword && password !== undefined && { password }),
      },
    );
  });

/** What a format makes of a bundle; nothing where it refuses it. */
export function renderedAs(
  formatName: string,
  bundle: ConnectionBundle,
  options: FormatOptions = {},
): ReadonlyMap<string, string> | undefined {
  const format = BUNDLE_FORMATS.find((one) => one.name === formatName);
  if (format === undefined) throw new Error(`there is no format ${formatName}`);
  if (formatFaults(format, bundle).length > 0) return undefined;
  return new Map([...format.render(bundle, options)].map(([file, content]) => [file, content.toString("latin1")]));
}

/** Many bundles that a format takes, for a reader that is started once. */
export function bundlesFor(formatName: string, count: number): ConnectionBundle[] {
  const isTaken = (bundle: ConnectionBundle): boolean => renderedAs(formatName, bundle) !== undefined;
  return fc.sample(anyBundle.filter(isTaken), count);
}

/** One file that a format makes of a bundle that it takes. */
export function fileOf(
  formatName: string,
  bundle: ConnectionBundle,
  file: string,
  options: FormatOptions = {},
): string {
  const content = BUNDLE_FORMATS.find((one) => one.name === formatName)
    ?.render(bundle, options)
    .get(file);
  if (typeof content !== "string") throw new Error(`format ${formatName} makes no text ${file}`);
  return content;
}

/** A bundle without anything awkward, and what is to be otherwise. */
export function plainBundle(other: Partial<ConnectionBundle> = {}): ConnectionBundle {
  return {
    host: "broker.example",
    port: 8883,
    protocol: "mqtts",
    url: "mqtts://broker.example:8883",
    server_name: "broker.example",
    client_id: "sensor-1",
    username: "sensor-1",
    password: "a long password",
    ca_pem: ROOTS.join(""),
    publish: ["plant/sensor-1/#"],
    subscribe: ["plant/orders"],
    ...other,
  };
}

export const CERTIFICATE = { cert_pem: client.certificatePem, key_pem: client.privateKeyPem };
