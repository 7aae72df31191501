import { describeFault, Fault } from "../faults";
import { BundleEndpoint, ConnectionBundle } from "./connection-bundle";

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
 * A bundle that somebody else hands over.
 *
 * @param where where the text comes from, for the message
 * @throws {Error} when it is none; the text itself is not in the message
 */
export function parseBundle(text: string, where: string): ConnectionBundle {
  const { bundle, faults } = readBundle(text);
  if (bundle !== undefined) return bundle;
  const fault: Fault = {
    what: `${where} is no bundle: ${faults.join(", ")}`,
    allowed: "a connection bundle as JSON: the output connection_CLIENT, or `bundle --format json`",
    remedy: "take it from there again, whole",
  };
  throw new Error(describeFault(fault));
}

function isEndpoint(value: unknown): boolean {
  if (!isObject(value) || Object.keys(value).length !== Object.keys(ENDPOINT_FIELDS).length) return false;
  return Object.entries(ENDPOINT_FIELDS).every(([field, check]) => Object.hasOwn(value, field) && check(value[field]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
