import { clientNameFault, passwordFault, ruleFilterFault } from "../access";
import { describeFault, Fault } from "../faults";
import { hostFault, parseHost, readPemFile } from "../pki";
import { BundleEndpoint, ConnectionBundle, endpointUrl, usesTls } from "./connection-bundle";

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string" && value !== "";
const isPort: Check = (value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65535;
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);
const isProtocol: Check = (value) => ["mqtts", "wss", "mqtt", "ws"].includes(value as string);
const isAuthentication: Check = (value) =>
  ["certificate", "password", "certificateAndPassword"].includes(value as string);

const ENDPOINT_FIELDS: Readonly<Record<keyof BundleEndpoint, Check>> = {
  host: isText,
  port: isPort,
  protocol: isProtocol,
  authentication: isAuthentication,
  url: isText,
};

const FIELDS: Readonly<Record<keyof ConnectionBundle, Check>> = {
  host: isText,
  port: isPort,
  protocol: isProtocol,
  url: isText,
  server_name: isText,
  client_id: isText,
  username: isText,
  password: isText,
  ca_pem: isText,
  cert_pem: isText,
  key_pem: isText,
  expires_at: (value) => isText(value) && !Number.isNaN(Date.parse(value as string)),
  // Of a single one the fields beside tell all.
  endpoints: (value) => Array.isArray(value) && value.length > 1 && value.every(isEndpoint),
  publish: isTexts,
  subscribe: isTexts,
  deny: (value) => isTexts(value) && (value as unknown[]).length > 0,
};
const ALWAYS: readonly (keyof ConnectionBundle)[] = [
  "host",
  "port",
  "protocol",
  "url",
  "client_id",
  "publish",
  "subscribe",
];

/** A bundle as the text that a client is handed. */
export function renderBundleText(bundle: ConnectionBundle): string {
  return `${JSON.stringify(bundle, null, 2)}\n`;
}

/** A bundle as its reader finds it, or what is wrong with its form. The faults hold no secret. */
export function readBundle(text: string): { readonly bundle?: ConnectionBundle; readonly faults: readonly string[] } {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return { faults: ["it is not JSON"] };
  }
  if (!isObject(read)) return { faults: ["it is no JSON object"] };
  const found = read;
  const checks: Readonly<Record<string, Check | undefined>> = FIELDS;
  const faults = [
    ...Object.keys(found).flatMap((field) => {
      const check = Object.hasOwn(checks, field) ? checks[field] : undefined;
      if (check === undefined) return [`it has an unknown field ${JSON.stringify(field)}`];
      return check(found[field]) ? [] : [`its ${field} is not of the right kind`];
    }),
    ...ALWAYS.filter((field) => !Object.hasOwn(found, field)).map((field) => `it has no ${field}`),
  ];
  return faults.length > 0 ? { faults } : { bundle: found as unknown as ConnectionBundle, faults };
}

/**
 * A bundle that somebody else hands over: in its own order of fields, and with nothing in it that could be read as something
 * else where it will stand.
 *
 * @param where where the text comes from, for the message
 * @throws {Error} when it is none; neither the text nor a secret is in the message
 */
export function parseBundle(text: string, where: string): ConnectionBundle {
  const { bundle, faults } = readBundle(text);
  const all = bundle === undefined ? faults : contentFaults(bundle);
  if (bundle !== undefined && all.length === 0) {
    const fields = Object.keys(FIELDS).filter((field) => Object.hasOwn(bundle, field));
    return Object.fromEntries(fields.map((field) => [field, bundle[field as keyof ConnectionBundle]])) as never;
  }
  const fault: Fault = {
    what: `${where} is no bundle: ${all.join(", ")}`,
    allowed: "a connection bundle as JSON: the output connection_CLIENT, or `bundle --format json`",
    remedy: "take it from there again, whole",
  };
  throw new Error(describeFault(fault));
}

function contentFaults(bundle: ConnectionBundle): string[] {
  const { client_id: id, username = id, password, server_name: name, ca_pem: ca, cert_pem: certificate } = bundle;
  const places: readonly Place[] = [bundle, ...(bundle.endpoints ?? [])];
  const isTls = places.some(usesTls);
  const filters = [...bundle.publish, ...bundle.subscribe, ...(bundle.deny ?? [])];
  const bad: [boolean, string][] = [
    [clientNameFault("client_id", id) !== undefined, "its client_id is no client's name"],
    [username !== id, "its username is not its client_id"],
    [password !== undefined && passwordFault("password", password) !== undefined, "its password cannot be one"],
    [places.some(({ host }) => !isHost(host)), "its host is none"],
    [places.some((place) => place.url !== endpointUrl(place)), "its url does not lead to its host and port"],
    [name !== undefined && !isHost(name), "its server_name is none"],
    [isTls !== (ca !== undefined) || isTls !== (name !== undefined), "its ca_pem and server_name go with TLS"],
    [!isPem("CERTIFICATE", ca) || !isPem("CERTIFICATE", certificate), "it has a certificate that is not whole PEM"],
    [!isPem("PRIVATE KEY", bundle.key_pem), "its key_pem is not whole PEM"],
    [certificate === undefined && bundle.key_pem !== undefined, "it has a key_pem without a cert_pem"],
    [(certificate === undefined) !== (bundle.expires_at === undefined), "its expires_at goes with a cert_pem"],
    [filters.some((filter) => ruleFilterFault("filter", filter) !== undefined), "it has a topic filter that is none"],
  ];
  return bad.flatMap(([isBad, what]) => (isBad ? [what] : []));
}

type Place = Pick<BundleEndpoint, "host" | "port" | "protocol" | "url">;

/** In the one form that the library writes. */
function isHost(value: string): boolean {
  return hostFault("host", value) === undefined && parseHost(value).value === value;
}

function isPem(label: string, text: string | undefined): boolean {
  if (text === undefined) return true;
  try {
    return readPemFile(label, text).length > 0;
  } catch {
    return false;
  }
}

function isEndpoint(value: unknown): boolean {
  if (!isObject(value) || Object.keys(value).length !== Object.keys(ENDPOINT_FIELDS).length) return false;
  return Object.entries(ENDPOINT_FIELDS).every(([field, check]) => Object.hasOwn(value, field) && check(value[field]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
