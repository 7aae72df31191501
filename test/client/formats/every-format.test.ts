import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { SECRET_FIELDS, type ConnectionBundle } from "../../../constructs/client/connection-bundle";
import { BUNDLE_FORMATS, renderBundle } from "../../../constructs/client/formats";
import { anyBundle, CERTIFICATE, plainBundle, renderedAs, ROOTS } from "./any-bundle";

const FOLDER = join(__dirname, "../../../constructs/client/formats");
const KEY_STORES = ["pkcs12", "pkcs12-legacy", "java"];
const NAMES = BUNDLE_FORMATS.map(({ name }) => name);
const TEXTS = NAMES.filter((name) => !KEY_STORES.includes(name));

const sourceOf = (file: string): string => readFileSync(join(FOLDER, file), "utf8");

test("each format has a name of its own, which is its file's", () => {
  const files = readdirSync(FOLDER).filter((file) =>
    /: BundleFormat = |\bBundleFormat\b.*=> \(\{/.test(sourceOf(file)),
  );
  expect(new Set(NAMES).size).toBe(NAMES.length);
  expect(readdirSync(FOLDER)).toEqual(expect.arrayContaining(NAMES.map((name) => `${name}.ts`)));
  for (const file of files) expect(NAMES).toContain(file.replace(/\.ts$/, ""));
});

test.each(NAMES)("the file of format %s says once, above the format, what reads it", (name) => {
  const source = sourceOf(`${name}.ts`);
  expect(source.match(/^\/\/ Read by /gm)).toHaveLength(1);
  expect(source).toMatch(/^\/\/ Read by .*\n(?:\/\/.*\n)*export const \w+\b/m);
});

// What switches verification off in some software: none of these may be in a file, whatever the bundle.
const UNVERIFIED = [
  /insecure/i,
  /reject_?unauthorized/i,
  /ignore broker certificate validation/i,
  /verify_?none|CERT_NONE|verify(?:servercert|_peer|_host(?:name)?)?["' ]*[:=]+ *["']?(?:false|none|off|no\b|0)/i,
  /skip_(?:cert_common_name_check|verify)|skipVerify/i,
  /check_?hostname["' ]*[:=]+ *["']?(?:false|off|0)/i,
  /trust_?all|accept_?all|allow_?(?:invalid|untrusted|unauthorized)/i,
  /NODE_TLS_REJECT|danger(?:ous)?_?accept/i,
  /endpointIdentification|setHttpsHostnameVerificationEnabled/i,
];

/** Everything that a bundle itself brings: a password may say what it likes. */
const isUnsuspicious = (bundle: ConnectionBundle): boolean =>
  !UNVERIFIED.some((pattern) => pattern.test(JSON.stringify({ ...bundle, ca_pem: "", cert_pem: "", key_pem: "" })));

test.each(TEXTS)("format %s never switches verification off", (name) => {
  fc.assert(
    fc.property(anyBundle.filter(isUnsuspicious), (bundle) => {
      for (const [file, text] of renderedAs(name, bundle) ?? []) {
        // Base64 may spell anything.
        const words = text.replace(/^[ "]*[A-Za-z0-9+/=]{64}.*$/gm, "");
        for (const pattern of UNVERIFIED) if (pattern.test(words)) throw new Error(`${file} has ${String(pattern)}`);
      }
    }),
    { numRuns: 40 },
  );
});

const VARIANTS: [string, ConnectionBundle][] = [
  ["a certificate", withoutPassword(plainBundle(CERTIFICATE))],
  ["a password", plainBundle()],
  ["both", plainBundle(CERTIFICATE)],
];

function withoutPassword(bundle: ConnectionBundle): ConnectionBundle {
  return Object.fromEntries(
    Object.entries(bundle).filter(([field]) => field !== "username" && field !== "password"),
  ) as unknown as ConnectionBundle;
}

/** The text of all files, without what a language puts between the lines of a text. */
function essence(text: string): string {
  return text.replace(/\\n|[^A-Za-z0-9+/=]/g, "");
}

const body = (pem: string): string => essence(pem.replace(/-----[^-]+-----/g, ""));

describe.each(VARIANTS)("of a bundle with %s", (_, bundle) => {
  test.each(TEXTS)("format %s holds every secret that counts and every root, or refuses it", (name) => {
    const files = renderedAs(name, bundle);
    if (files === undefined) return;
    const raw = [...files.values()].join("\n");
    const all = essence(raw);
    // A URL is made for one place, and what else is needed is known there.
    if (name === "url") {
      if (bundle.password !== undefined) expect(raw).toContain(encodeURIComponent(bundle.password));
      return;
    }
    for (const root of ROOTS) expect(all).toContain(body(root));
    for (const field of SECRET_FIELDS) {
      const value = bundle[field];
      if (typeof value === "string") expect(all).toContain(body(value));
    }
    if (bundle.cert_pem !== undefined) expect(all).toContain(body(bundle.cert_pem));
  });
});

test.each(NAMES)("format %s makes files without a folder in their names", (name) => {
  for (const [, bundle] of VARIANTS) {
    for (const file of renderedAs(name, bundle)?.keys() ?? []) expect(file).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]*$/);
  }
});

test.each(NAMES)("format %s makes the same of the same bundle, but for the salts of key stores", (name) => {
  for (const [, bundle] of VARIANTS) {
    const options = { passphrase: "a passphrase to keep" };
    const [first, second] = [renderedAs(name, bundle, options), renderedAs(name, bundle, options)];
    if (first === undefined || second === undefined) continue;
    const texts = (files: ReadonlyMap<string, string>): [string, string][] =>
      [...files].filter(([file]) => !/\.(?:p12|jks|pfx)$/.test(file));
    expect([...second.keys()]).toEqual([...first.keys()]);
    expect(texts(second)).toEqual(texts(first));
  }
});

test.each([[""], [" /etc"], ["/etc\nuser root"], ["/etc\u0000"]])(
  "a folder %j is refused by every format",
  (installedIn) => {
    for (const { name } of BUNDLE_FORMATS) {
      expect(() => renderBundle(plainBundle(), name, { installedIn })).toThrow(
        /the folder that the files are installed in, got/,
      );
    }
  },
);
