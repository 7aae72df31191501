import * as fs from "node:fs";
import * as path from "node:path";
import { KeyAlgorithm, ParsedCertificate } from "../../constructs/pki";
import { brokerFiles, renderMaterial } from "../../constructs/broker/material";
import {
  CertificateAuthority,
  Credentials,
  Fulfilment,
  ImportedAuthorityOptions,
  WantedAuthority,
  WantedCredentials,
} from "../../constructs/credentials";
import { TextSource } from "../../constructs/text-source";
import { openssl } from "../pki/support";
import { authority, certificate, contents, DAY, issue, password, wanted } from "./support";
import { temporaryStores } from "./temporary-stores";

// The authorities of a company, made with the openssl command, which judges what is signed below them, too.

const { parent, scratch, newFolder } = temporaryStores("own-authority");

let folder: string;
beforeEach(() => {
  folder = newFolder();
});

interface Company {
  readonly certificate: string;
  readonly key: string;
  readonly pem: string;
}

interface CompanyOptions {
  readonly above?: Company;
  readonly extensions?: readonly string[];
  readonly key?: readonly string[];
  readonly digest?: string;
}

const CONSTRAINTS = "basicConstraints = critical, CA:TRUE";
const USAGE = "keyUsage = critical, keyCertSign, cRLSign";
const P256 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
let count = 0;

function mustRun(...args: string[]): void {
  const { ok, text } = openssl(...args);
  if (!ok) throw new Error(`openssl ${args.join(" ")}\n${text}`);
}

/** A root, or an authority below another one, valid for ten years from now. */
function company(
  name: string,
  { above, extensions = [CONSTRAINTS, USAGE], key = P256, digest = "-sha256" }: CompanyOptions = {},
): Company {
  const base = `company-${(count += 1)}`;
  const [certificate, keyFile, request] = ["crt", "key", "csr"].map((ending) => scratch.path(`${base}.${ending}`));
  const head = "[req]\ndistinguished_name = dn\nprompt = no\n[dn]\nO = Company\n";
  const config = scratch.write(`${base}.cnf`, `${head}CN = ${name}\n[ext]\n${extensions.join("\n")}\n`);
  const pair = ["-newkey", ...key, "-nodes", "-keyout", keyFile as string, "-config", config];
  if (above === undefined) {
    mustRun("req", "-x509", ...pair, digest, "-extensions", "ext", "-days", "3650", "-out", certificate as string);
  } else {
    mustRun("req", "-new", ...pair, "-out", request as string);
    const signer = ["-CA", above.certificate, "-CAkey", above.key, digest, "-days", "3650"];
    const added = ["-extfile", config, "-extensions", "ext"];
    mustRun("x509", "-req", "-in", request as string, ...signer, ...added, "-out", certificate as string);
  }
  const pem = fs.readFileSync(certificate as string, "utf8");
  return { certificate: certificate as string, key: keyFile as string, pem };
}

const root = company("Root");
const upper = company("Upper", { above: root });
const issuing = company("Issuing", { above: upper });
/** When all of them are valid for sure. */
const now = new Date(Date.now() + 60_000);

const imported = (from: Company, changed: Partial<ImportedAuthorityOptions> = {}): CertificateAuthority =>
  CertificateAuthority.imported({
    certificate: TextSource.file(from.certificate),
    privateKey: TextSource.file(from.key),
    ...changed,
  });

/** Server and clients below the same kind of authority, each with one of its own. */
const below = (server: CertificateAuthority, clients = server): WantedCredentials =>
  wanted({ serverAuthority: authority("server", server), clientAuthority: authority("clients", clients) });

interface Bundle {
  readonly ca_pem: string;
  readonly cert_pem?: string;
  readonly key_pem?: string;
}

/** All that a deploy would bring, by file name. */
function materialOf(credentials: Credentials): ReadonlyMap<string, string> {
  const endpoint = { host: "broker.example", port: 8883, protocol: "mqtts", authentication: "certificate" } as const;
  return renderMaterial(credentials, [
    { name: "sensor-1", serverName: "broker.example", publish: ["a"], subscribe: [], deny: [], endpoints: [endpoint] },
  ]);
}

function bundleOf(credentials: Credentials): Bundle {
  return JSON.parse(materialOf(credentials).get("connections/sensor-1.json") as string) as Bundle;
}

const fileOf = (credentials: Credentials, name: string): string => brokerFiles(credentials).get(name) as string;

/** The common names of the certificates of a PEM text, in their order. */
const namesIn = (pem: string): string[] =>
  ParsedCertificate.allFromPem(pem).map(({ x509 }) => /CN=(.*)/.exec(x509.subject)?.[1] ?? "");

/** OpenSSL's word on the first certificate of a PEM text, sent together with those after it. */
function verdict(sent: string, trusted: string, purpose: "sslserver" | "sslclient", lists = "", at = now): string {
  const [leaf, ...others] = ParsedCertificate.allFromPem(sent).map(({ pem }) => pem);
  const { ok, text } = openssl(
    "verify",
    "-x509_strict",
    ...["-no-CAfile", "-no-CApath", "-CAfile", scratch.write("trusted.pem", trusted)],
    ...["-purpose", purpose, "-attime", String(Math.floor(at.getTime() / 1000))],
    ...(others.length > 0 ? ["-untrusted", scratch.write("others.pem", others.join(""))] : []),
    ...(lists === "" ? [] : ["-crl_check", "-CRLfile", scratch.write("lists.pem", lists)]),
    scratch.write("leaf.pem", leaf as string),
  );
  return ok ? "OK" : text;
}

/** As a client judges the broker, and the broker a client, after the handshake. */
function verdicts(credentials: Credentials): string[] {
  const { ca_pem, cert_pem = "" } = bundleOf(credentials);
  const [clientAlone] = ParsedCertificate.allFromPem(cert_pem);
  const trusted = fileOf(credentials, "client-ca.crt");
  const lists = fileOf(credentials, "crl.pem");
  return [
    verdict(fileOf(credentials, "server.crt"), ca_pem, "sslserver"),
    verdict(cert_pem, trusted, "sslclient", lists),
    // Some clients send nothing else.
    verdict((clientAlone as ParsedCertificate).pem, trusted, "sslclient", lists),
  ];
}

const FINE = ["OK", "OK", "OK"];

const notes = ({ issued }: Fulfilment): string[] => issued.map(({ what, reason }) => `${what}: ${reason}`);
const read = (file: string): string => fs.readFileSync(file, "utf8");
/** Lines of a PEM key that stand nowhere else; the last ones of an EC key are its public key. */
const keyLines = (pem: string): string[] =>
  pem
    .split("\n")
    .filter((line) => /^[A-Za-z0-9+/]{40,}=*$/.test(line))
    .slice(0, 2);
/** Which of these secrets stand anywhere in the store or in what is deployed. */
const leaked = (credentials: Credentials, secrets: readonly string[]): string[] => {
  const everything = [...Object.values(contents(folder)), ...materialOf(credentials).values()].join("\n");
  return secrets.filter((secret) => everything.includes(secret));
};

describe("a root of the company", () => {
  test("signs what OpenSSL follows, and clients trust that root", () => {
    const { credentials } = issue(folder, below(imported(root)), { now });
    expect(verdicts(credentials!)).toEqual(FINE);
    expect(bundleOf(credentials!).ca_pem).toBe(root.pem);
    expect(namesIn(fileOf(credentials!, "server.crt"))).toEqual(["broker.example"]);
    expect(namesIn(fileOf(credentials!, "client-ca.crt"))).toEqual(["Root"]);
  });

  test("may be given as text as well as in files", () => {
    const declared = CertificateAuthority.imported({
      certificate: TextSource.text(root.pem),
      privateKey: TextSource.text(read(root.key)),
    });
    expect(verdicts(issue(folder, below(declared), { now }).credentials!)).toEqual(FINE);
  });

  test.each(["pkcs8", "sec1"])("may have an encrypted key (%s), which its passphrase opens", (form) => {
    const encrypted = scratch.path("encrypted.key");
    const args = form === "pkcs8" ? ["pkcs8", "-topk8", "-v2", "aes-256-cbc"] : ["ec", "-aes256"];
    mustRun(...args, "-in", root.key, "-passout", "pass:right one", "-out", encrypted);
    expect(read(encrypted)).toMatch(/ENCRYPTED/);
    const declared = imported(root, {
      privateKey: TextSource.file(encrypted),
      passphrase: TextSource.callback(() => "right one\n"),
    });
    const { credentials } = issue(folder, below(declared), { now });
    expect(verdicts(credentials!)).toEqual(FINE);
    expect(leaked(credentials!, ["right one", ...keyLines(read(root.key)), ...keyLines(read(encrypted))])).toEqual([]);
  });

  test("with an RSA key signs as well", () => {
    const rsa = company("RSA Root", { key: ["rsa:2048"] });
    const { credentials } = issue(folder, below(imported(rsa)), { now });
    expect(verdicts(credentials!)).toEqual(FINE);
    expect(credentials!.serverAuthorities[0]!.record.algorithm).toBe("RSA-2048");
  });
});

describe("an intermediate of the company", () => {
  const file = (name: string, ...parts: Company[]): TextSource =>
    TextSource.file(scratch.write(name, parts.map(({ pem }) => pem).join("")));
  const given = {
    "in one file, in order": { certificate: file("a.pem", issuing, upper, root) },
    "in one file, the root before the middle": { certificate: file("b.pem", issuing, root, upper) },
    "with its chain apart, in order": { chain: file("c.pem", upper, root) },
    "with its chain apart, the root first": { chain: file("d.pem", root, upper) },
    "with one part here and one there": { certificate: file("e.pem", issuing, root), chain: file("f.pem", upper) },
    "with some of them twice": {
      certificate: file("g.pem", issuing, upper),
      chain: file("h.pem", root, upper, issuing),
    },
  };

  test.each(Object.entries(given))("may be given %s", (_, options) => {
    const { credentials } = issue(folder, below(imported(issuing, options)), { now });
    expect(verdicts(credentials!)).toEqual(FINE);
    // The root is what clients trust; sent is all below it, and the broker knows the whole way up.
    expect(bundleOf(credentials!).ca_pem).toBe(root.pem);
    expect(namesIn(fileOf(credentials!, "server.crt"))).toEqual(["broker.example", "Issuing", "Upper"]);
    expect(namesIn(bundleOf(credentials!).cert_pem!)).toEqual(["sensor-1", "Issuing", "Upper"]);
    expect(namesIn(fileOf(credentials!, "client-ca.crt"))).toEqual(["Issuing", "Upper", "Root"]);
  });

  test("is refused by OpenSSL where nothing is sent with the server's certificate: the chain counts", () => {
    const { credentials } = issue(folder, below(imported(issuing, given["in one file, in order"])), { now });
    const [alone] = ParsedCertificate.allFromPem(fileOf(credentials!, "server.crt"));
    expect(verdict(alone!.pem, root.pem, "sslserver")).toMatch("unable to get local issuer certificate");
  });
});

describe("the private key of an imported authority", () => {
  test("is nowhere in the store and nowhere in what is deployed", () => {
    const { credentials } = issue(folder, below(imported(root)), { now });
    const lines = keyLines(read(root.key));
    expect(lines).toHaveLength(2);
    expect(leaked(credentials!, lines)).toEqual([]);
  });

  /** The root at a place from where it can be taken away. */
  function removable(): {
    readonly declared: WantedCredentials;
    readonly remove: (...what: ("crt" | "key")[]) => void;
  } {
    const place = fs.mkdtempSync(path.join(parent, "ca-"));
    const files = { crt: path.join(place, "ca.crt"), key: path.join(place, "ca.key") };
    fs.copyFileSync(root.certificate, files.crt);
    fs.copyFileSync(root.key, files.key);
    const at = { ...root, certificate: files.crt, key: files.key };
    return { declared: below(imported(at)), remove: (...what) => what.forEach((one) => fs.rmSync(files[one])) };
  }

  test("is not needed by a synth with nothing to issue", () => {
    const { declared, remove } = removable();
    const first = issue(folder, declared, { now });
    remove("key");
    const second = issue(folder, declared, { now });
    expect(second.issued).toEqual([]);
    expect(brokerFiles(second.credentials!)).toEqual(brokerFiles(first.credentials!));
  });

  test.each([true, false])(
    "may be gone with its certificate, too, when nothing is to be issued (may issue: %s)",
    (mayIssue) => {
      const { declared, remove } = removable();
      const first = issue(folder, declared, { now });
      remove("key", "crt");
      const second = issue(folder, declared, { now, mayIssue });
      expect(second.issued).toEqual([]);
      expect(brokerFiles(second.credentials!)).toEqual(brokerFiles(first.credentials!));
    },
  );

  test("is asked for by name when something is to be issued and it is gone, and nothing changes", () => {
    const { declared, remove } = removable();
    issue(folder, declared, { now });
    remove("key");
    const before = contents(folder);
    const more = {
      ...declared,
      certificates: [...declared.certificates, { ...declared.certificates[0]!, name: "new" }],
    };
    expect(() => issue(folder, more, { now })).toThrow(
      /authority's private key cannot be read from file .*ca\.key \(ENOENT\)/,
    );
    expect(contents(folder)).toEqual(before);
  });

  test("is not needed for a plan that tells what is missing", () => {
    const { declared, remove } = removable();
    remove("key", "crt");
    expect(issue(folder, declared, { now, mayIssue: false }).missing.map(({ what }) => what)).toContain(
      "server authority",
    );
    expect(contents(folder)).toEqual({});
  });
});

describe("another certificate under the same generation is refused", () => {
  const other = company("Other Root");
  const refusal =
    /the server authority is declared with another certificate .*allowed: ([0-9A-F]{2}:)+[0-9A-F]{2}; remedy: .*generation: 2/;

  test("when something is to be issued", () => {
    const declared = below(imported(root));
    issue(folder, declared, { now });
    const before = contents(folder);
    const certificates = [...declared.certificates, { ...declared.certificates[0]!, name: "sensor-2" }];
    expect(() => issue(folder, { ...below(imported(other)), certificates }, { now })).toThrow(refusal);
    expect(contents(folder)).toEqual(before);
  });

  test("when nothing is to be issued", () => {
    issue(folder, below(imported(root)), { now });
    expect(() => issue(folder, below(imported(other)), { now })).toThrow(refusal);
  });

  test("where the library made the first one itself", () => {
    issue(folder, below(CertificateAuthority.managed()), { now });
    expect(() => issue(folder, below(imported(root)), { now })).toThrow(
      /server authority is declared as imported, but the one in .* is managed; allowed: .*; remedy: .*generation 2/,
    );
  });

  test("where an intermediate is to take the place of a root that the library made", () => {
    issue(folder, below(CertificateAuthority.managed()), { now });
    const other = CertificateAuthority.intermediate({ root: CertificateAuthority.managed() });
    expect(() => issue(folder, below(other), { now })).toThrow(/server authority.*allowed: .*remedy: .*generation/);
  });
});

describe("an authority that cannot be used is one clear error, and nothing is written", () => {
  const CERT_ONLY = "keyUsage = critical, keyCertSign";
  const made = (extensions: string[], options: CompanyOptions = {}): CertificateAuthority =>
    imported(company("Bad", { extensions, ...options }));
  const text = (certificate: string, options: Partial<ImportedAuthorityOptions> = {}): CertificateAuthority =>
    imported(root, { certificate: TextSource.text(certificate), ...options });
  const file = (name: string, content: string): TextSource => TextSource.file(scratch.write(name, content));
  const encrypted = (): TextSource => {
    const target = scratch.path("bad-encrypted.key");
    mustRun("pkcs8", "-topk8", "-in", root.key, "-passout", "pass:right one", "-out", target);
    return TextSource.file(target);
  };
  const withRoot = (from: Company): CertificateAuthority => imported(from, { chain: TextSource.text(root.pem) });
  const tight = company("Tight", { extensions: ["basicConstraints = critical, CA:TRUE, pathlen:0", USAGE] });

  test.each<[string, () => CertificateAuthority, RegExp]>([
    [
      "basicConstraints that are not critical",
      () => made(["basicConstraints = CA:TRUE", USAGE]),
      /basicConstraints are not critical/,
    ],
    ["CA:FALSE", () => made(["basicConstraints = critical, CA:FALSE", USAGE]), /no basicConstraints with CA:TRUE/],
    ["no basicConstraints", () => made([USAGE]), /no basicConstraints with CA:TRUE/],
    ["no keyUsage", () => made([CONSTRAINTS]), /no keyUsage with keyCertSign/],
    [
      "a keyUsage without keyCertSign",
      () => made([CONSTRAINTS, "keyUsage = critical, cRLSign"]),
      /keyUsage without keyCertSign/,
    ],
    [
      "no subjectKeyIdentifier",
      () => made([CONSTRAINTS, USAGE, "subjectKeyIdentifier = none"]),
      /no subjectKeyIdentifier/,
    ],
    [
      "an RSA key of 1024 bits",
      () => made([CONSTRAINTS, USAGE], { key: ["rsa:1024"] }),
      /RSA key has 1024 bits, and 2048/,
    ],
    [
      "a signature with SHA-1 below a root",
      () => withRoot(company("Weak", { above: root, digest: "-sha1" })),
      /MD5 or SHA-1/,
    ],
    ["a missing link", () => withRoot(issuing), /the certificate of O=Company, CN=Upper, which signed it, is missing/],
    [
      "a missing root",
      () => imported(issuing, { chain: TextSource.text(upper.pem) }),
      /certificate of O=Company, CN=Root.*is missing/,
    ],
    [
      "a path length that is too short for what is below",
      () => imported(company("Low", { above: tight }), { chain: TextSource.text(tight.pem) }),
      /CN=Tight: its path length 0 does not allow the 1 authorities below it/,
    ],
    [
      "a bad authority above it",
      () => {
        const loose = company("Loose", { extensions: ["basicConstraints = CA:TRUE", USAGE] });
        return imported(company("Low", { above: loose }), { chain: TextSource.text(loose.pem) });
      },
      /CN=Loose: its basicConstraints are not critical/,
    ],
    [
      "a key of another authority",
      () => imported(root, { privateKey: TextSource.file(upper.key) }),
      /private key does not belong/,
    ],
    [
      "the root before the authority itself",
      () => text(root.pem + issuing.pem, { privateKey: TextSource.file(issuing.key) }),
      /private key does not belong/,
    ],
    [
      "a wrong passphrase",
      () => imported(root, { privateKey: encrypted(), passphrase: TextSource.text("wrong") }),
      /cannot be opened with its passphrase/,
    ],
    [
      "an encrypted key without a passphrase",
      () => imported(root, { privateKey: encrypted() }),
      /private key cannot be read.*not encrypted/,
    ],
    [
      "a key that is garbage",
      () => imported(root, { privateKey: TextSource.text("garbage") }),
      /private key cannot be read/,
    ],
    ["a certificate that is garbage", () => text("garbage"), /no "BEGIN CERTIFICATE" block/],
    [
      "a damaged certificate",
      () => text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
      /certificate cannot be read/,
    ],
    [
      "an empty file",
      () => imported(root, { certificate: file("empty.pem", "") }),
      /the certificate cannot be read from file .*it is empty/,
    ],
    [
      "an empty key file",
      () => imported(root, { privateKey: file("empty.key", "") }),
      /private key cannot be read from file .*it is empty/,
    ],
    [
      "a file that is not there",
      () => imported(root, { certificate: TextSource.file("/no/such.pem") }),
      /file \/no\/such\.pem.*ENOENT/,
    ],
  ])("%s", (_, declared, reason) => {
    const attempt = (): unknown => issue(folder, below(declared()), { now });
    expect(attempt).toThrow(/^the server authority cannot be taken from .+; allowed: .+; remedy: /);
    expect(attempt).toThrow(reason);
    expect(contents(folder)).toEqual({});
  });

  test("a keyUsage without cRLSign, for clients and for both; a server's authority needs none", () => {
    const poor = made([CONSTRAINTS, CERT_ONLY]);
    expect(() => issue(folder, below(imported(root), poor), { now })).toThrow(
      /^the clients authority cannot be taken from .*: its keyUsage has no cRLSign; allowed: /,
    );
    const both = authority("shared", poor);
    const shared = wanted({ serverAuthority: both, clientAuthority: both });
    const second = path.join(path.dirname(folder), "second");
    expect(() => issue(second, shared, { now })).toThrow(/its keyUsage has no cRLSign/);
    const third = path.join(path.dirname(folder), "third");
    expect(verdicts(issue(third, below(poor, imported(root)), { now }).credentials!)).toEqual(FINE);
  });

  test.each([
    ["has ended", 3651, /it ended 20/],
    ["is not valid yet", -2, /it is valid only from 20/],
  ])("a certificate that %s", (_, days, reason) => {
    const at = new Date(now.getTime() + days * DAY);
    expect(() => issue(folder, below(imported(root)), { now: at })).toThrow(reason);
    expect(contents(folder)).toEqual({});
  });
});

describe("a generated intermediate", () => {
  const intermediate = (above: CertificateAuthority): CertificateAuthority =>
    CertificateAuthority.intermediate({ root: above });
  const pathLengths = (pem: string): number[] => ParsedCertificate.allFromPem(pem).map(({ pathLength }) => pathLength);

  test("below a generated root signs what OpenSSL follows, with path lengths 1 below 2", () => {
    const result = issue(folder, below(intermediate(CertificateAuthority.managed())), { now });
    expect(verdicts(result.credentials!)).toEqual(FINE);
    expect(namesIn(fileOf(result.credentials!, "client-ca.crt"))).toEqual([
      "plant clients authority 1",
      "plant clients root 1",
    ]);
    expect(pathLengths(fileOf(result.credentials!, "client-ca.crt"))).toEqual([1, 2]);
    expect(namesIn(bundleOf(result.credentials!).ca_pem)).toEqual(["plant server root 1"]);
    expect(namesIn(fileOf(result.credentials!, "server.crt"))).toEqual(["broker.example", "plant server authority 1"]);
    expect(notes(result)).toEqual(
      expect.arrayContaining(["root of the server authority: first issue", "server authority: first issue"]),
    );
    expect(issue(folder, below(intermediate(CertificateAuthority.managed())), { now }).issued).toEqual([]);
  });

  test.each([
    ["without a limit", CONSTRAINTS, 1],
    ["with path length 2", "basicConstraints = critical, CA:TRUE, pathlen:2", 1],
    ["with path length 1", "basicConstraints = critical, CA:TRUE, pathlen:1", 0],
  ])("below an imported root %s has what that leaves", (_, constraints, expected) => {
    const above = company("Above", { extensions: [constraints, USAGE] });
    const { credentials } = issue(folder, below(intermediate(imported(above))), { now });
    expect(verdicts(credentials!)).toEqual(FINE);
    expect(bundleOf(credentials!).ca_pem).toBe(above.pem);
    expect(credentials!.serverAuthorities.map(({ record }) => pathLengths(record.certificatePem))).toEqual([
      [expected],
    ]);
  });

  test("is refused below an imported root with path length 0, in words that name the root's path length", () => {
    const tight = company("Tight", { extensions: ["basicConstraints = critical, CA:TRUE, pathlen:0", USAGE] });
    expect(() => issue(folder, below(intermediate(imported(tight))), { now })).toThrow(
      /path length (is )?0.*; allowed: .*; remedy: /,
    );
  });

  test("is made below a fit root after one with path length 0 was refused", () => {
    const tight = company("Tight", { extensions: ["basicConstraints = critical, CA:TRUE, pathlen:0", USAGE] });
    expect(() => issue(folder, below(intermediate(imported(tight))), { now })).toThrow();
    expect(verdicts(issue(folder, below(intermediate(imported(root))), { now }).credentials!)).toEqual(FINE);
  });

  test("is refused when its root is declared as another one than it was made below", () => {
    issue(folder, below(intermediate(imported(root))), { now });
    expect(() => issue(folder, below(intermediate(imported(company("Other Root")))), { now })).toThrow(
      /declared with another certificate/,
    );
  });

  test("stands below an intermediate of the company, too", () => {
    const above = imported(issuing, { chain: TextSource.text(upper.pem + root.pem) });
    const { credentials } = issue(folder, below(intermediate(above)), { now });
    expect(verdicts(credentials!)).toEqual(FINE);
    expect(namesIn(fileOf(credentials!, "client-ca.crt"))).toEqual([
      "plant clients authority 1",
      "Issuing",
      "Upper",
      "Root",
    ]);
    expect(bundleOf(credentials!).ca_pem).toBe(root.pem);
  });

  test("needs the imported root's key only when it is made", () => {
    const place = fs.mkdtempSync(path.join(parent, "ca-"));
    const key = path.join(place, "ca.key");
    fs.copyFileSync(root.key, key);
    const declared = below(intermediate(imported({ ...root, key })));
    const first = issue(folder, declared, { now }).credentials!;
    expect(leaked(first, keyLines(read(key)))).toEqual([]);
    fs.rmSync(key);
    const certificates = [...declared.certificates, { ...declared.certificates[0]!, name: "sensor-2" }];
    const result = issue(folder, { ...declared, certificates }, { now });
    expect(notes(result)).toEqual(["client certificate sensor-2: first issue"]);
    expect(verdicts(result.credentials!)).toEqual(FINE);
    // A year on, everything below it is issued again, and the root is still offline.
    const at = new Date(now.getTime() + 390 * DAY);
    const renewed = issue(folder, declared, { now: at }).credentials!;
    expect(verdict(fileOf(renewed, "server.crt"), bundleOf(renewed).ca_pem, "sslserver", "", at)).toBe("OK");
  });

  test("ends with its root at the latest", () => {
    const short = CertificateAuthority.managed({ validityDays: 400 });
    const { credentials } = issue(folder, below(intermediate(short)), { now });
    const [server] = credentials!.serverAuthorities;
    const [, above] = ParsedCertificate.allFromPem(server!.wholePem);
    expect(server!.end).toBe(above!.notAfter.getTime());
  });
});

describe("one authority", () => {
  const whole = imported(issuing, { chain: TextSource.text(upper.pem + root.pem) });
  const kinds: [string, CertificateAuthority][] = [
    ["generated", CertificateAuthority.managed()],
    ["imported", whole],
    ["intermediate", CertificateAuthority.intermediate({ root: CertificateAuthority.managed() })],
  ];

  test.each(kinds)(
    "for server and clients has one record and one list, and OpenSSL follows both (%s)",
    (_, declared) => {
      const both: WantedAuthority = authority("shared", declared);
      const { credentials } = issue(folder, wanted({ serverAuthority: both, clientAuthority: both }), { now });
      expect(verdicts(credentials!)).toEqual(FINE);
      expect(credentials!.clientAuthorities).toEqual(credentials!.serverAuthorities);
      expect(fileOf(credentials!, "crl.pem").match(/BEGIN X509 CRL/g)).toHaveLength(2);
      expect(Object.keys(contents(folder)).filter((name) => /^authority\.shared\./.test(name))).toHaveLength(1);
      // Although they share an authority, neither can be taken for the other.
      const trusted = fileOf(credentials!, "client-ca.crt");
      expect(verdict(fileOf(credentials!, "server.crt"), trusted, "sslclient")).toMatch(
        /unsuitable certificate purpose/i,
      );
      expect(verdict(bundleOf(credentials!).cert_pem!, trusted, "sslserver")).toMatch(
        /unsuitable certificate purpose/i,
      );
    },
  );

  test.each(kinds)("each for server and clients keeps them apart (%s)", (kind, declared) => {
    const { credentials } = issue(folder, below(declared), { now });
    expect(verdicts(credentials!)).toEqual(FINE);
    const trusted = fileOf(credentials!, "client-ca.crt");
    const word = verdict(bundleOf(credentials!).cert_pem!, bundleOf(credentials!).ca_pem, "sslclient");
    // The company's own is the same one twice.
    expect(word === "OK").toBe(kind === "imported");
    expect(trusted.includes(bundleOf(credentials!).ca_pem)).toBe(kind === "imported");
  });
});

describe("an authority that is only trusted", () => {
  /** A list of a company's authority, as `openssl ca` publishes it. */
  function list(from: Company, serials: readonly string[] = [], until = new Date(now.getTime() + 30 * DAY)): string {
    const number = 0x1000 + (count += 1);
    const base = `list-${number}`;
    const stamp = (date: Date): string => date.toISOString().replace(/[-:T]|\.\d+/g, "");
    const lines = serials.map((serial) => `R\t360101000000Z\t260101000000Z\t${serial}\tunknown\t/CN=x\n`);
    const database = scratch.write(`${base}.txt`, lines.join(""));
    scratch.write(`${base}.txt.attr`, "unique_subject = no\n");
    const numberFile = scratch.write(`${base}.number`, `${number.toString(16)}\n`);
    const config = scratch.write(
      `${base}.cnf`,
      `[ca]\ndefault_ca = own\n[own]\ndatabase = ${database}\ncrlnumber = ${numberFile}\ndefault_md = sha256\n`,
    );
    const out = scratch.path(`${base}.pem`);
    const dates = ["-crl_lastupdate", stamp(new Date(until.getTime() - 60 * DAY)), "-crl_nextupdate", stamp(until)];
    const signer = ["-keyfile", from.key, "-cert", from.certificate];
    mustRun("ca", "-gencrl", "-config", config, ...signer, ...dates, "-out", out);
    return read(out);
  }

  const trusted = (revocationList?: string): CertificateAuthority =>
    CertificateAuthority.trusted({
      // In any order, since there is no key that says which one it is.
      certificates: TextSource.text(root.pem + issuing.pem + upper.pem),
      ...(revocationList !== undefined && { revocationList: TextSource.text(revocationList) }),
    });
  const declared = (revocationList?: string): WantedCredentials => ({
    ...below(CertificateAuthority.managed(), trusted(revocationList)),
    certificates: [],
  });
  const device = company("device", {
    above: issuing,
    extensions: ["basicConstraints = critical, CA:FALSE", "extendedKeyUsage = clientAuth"],
  });
  const serial = ParsedCertificate.fromPem(device.pem).x509.serialNumber;
  const own = fs.readFileSync(device.certificate, "utf8");

  test("has nothing issued below it, and bundles have neither certificate nor key", () => {
    const result = issue(folder, declared(), { now });
    expect(notes(result).filter((note) => note.startsWith("client "))).toEqual([]);
    const bundle = bundleOf(result.credentials!);
    expect(bundle).not.toHaveProperty("cert_pem");
    expect(bundle).not.toHaveProperty("key_pem");
    expect(namesIn(bundle.ca_pem)).toEqual(["plant server authority 1"]);
    expect(namesIn(fileOf(result.credentials!, "client-ca.crt"))).toEqual(["Issuing", "Upper", "Root"]);
    expect(verdict(own, fileOf(result.credentials!, "client-ca.crt"), "sslclient")).toBe("OK");
  });

  test("without a list leaves only the broker's own list in the material", () => {
    const { credentials } = issue(folder, declared(), { now });
    expect(fileOf(credentials!, "crl.pem").match(/BEGIN X509 CRL/g)).toHaveLength(1);
  });

  test("with a list refuses who is on it, and no one else", () => {
    const free = issue(folder, declared(list(issuing)), { now }).credentials!;
    const words = (credentials: Credentials): string =>
      verdict(own, fileOf(credentials, "client-ca.crt"), "sslclient", fileOf(credentials, "crl.pem"));
    expect(words(free)).toBe("OK");
    const second = path.join(path.dirname(folder), "second");
    expect(words(issue(second, declared(list(issuing, [serial])), { now }).credentials!)).toMatch(
      "certificate revoked",
    );
  });

  test("has a new list taken over, with a reason, and kept for a plan where nothing may be issued", () => {
    issue(folder, declared(list(issuing)), { now });
    const next = list(issuing, [serial]);
    const result = issue(folder, declared(next), { now });
    expect(notes(result)).toEqual(["revocation list of clients authority 1: another list was given"]);
    expect(fileOf(result.credentials!, "crl.pem")).toContain(next);
    const plan = issue(folder, declared(list(issuing)), { now, mayIssue: false });
    expect(fileOf(plan.credentials!, "crl.pem")).toContain(next);
  });

  test("has an older list than the present one refused: it would let in again who was shut out", () => {
    const older = list(issuing);
    const newer = list(issuing, [serial]);
    issue(folder, declared(newer), { now });
    const more = { ...declared(older), passwords: [password("another")] };
    expect(() => issue(folder, more, { now })).toThrow(/older|number/);
    expect(() => issue(folder, declared(older), { now })).toThrow(/older|number/);
  });

  test("has word given that the kept list has ended, where nothing may be issued: the broker would let nobody in", () => {
    const given = declared(list(issuing, [], new Date(now.getTime() + 3 * DAY)));
    issue(folder, given, { now });
    const later = new Date(now.getTime() + 4 * DAY);
    const { missing, due, warnings } = issue(folder, given, { now: later, mayIssue: false });
    expect([...[...missing, ...due].map(({ what }) => what), ...warnings].join("\n")).toMatch(
      /revocation list of clients authority 1/,
    );
  });

  test("says when the next list has to be brought, also when nothing is to be issued", () => {
    const until = new Date(now.getTime() + 3 * DAY);
    const given = declared(list(issuing, [], until));
    const expected = { what: "revocation list of clients authority 1: bring the next one" };
    expect(issue(folder, given, { now }).credentials!.nextAction).toMatchObject(expected);
    expect(issue(folder, given, { now }).credentials!.nextAction).toMatchObject(expected);
  });

  const refusal =
    /^the revocation list from the text given cannot be used: .*remedy: get it from the authority's owner/;
  const bad: [string, () => string, RegExp][] = [
    ["that has ended", () => list(issuing, [], new Date(now.getTime() - DAY)), /it ended 20/],
    ["of the future", () => list(issuing, [], new Date(now.getTime() + 70 * DAY)), /valid only from 20/],
    ["of another authority", () => list(upper), /the list of another authority/],
    ["that is garbage", () => "garbage", /X509 CRL/],
  ];

  test.each(bad)("has a list %s refused at once", (_, given, reason) => {
    const pem = given();
    expect(() => issue(folder, declared(pem), { now })).toThrow(refusal);
    expect(() => issue(folder, declared(pem), { now })).toThrow(reason);
  });

  test.each(bad)("has a list %s refused after a good one, though nothing is to be issued", (_, given, reason) => {
    issue(folder, declared(list(issuing)), { now });
    const before = contents(folder);
    expect(() => issue(folder, declared(given()), { now })).toThrow(reason);
    expect(contents(folder)).toEqual(before);
  });

  test("has a list refused that another one of the same name signed", () => {
    const twin = company("Issuing", { above: upper });
    expect(() => issue(folder, declared(list(twin)), { now })).toThrow(/signature does not match/);
  });

  test("is refused where its certificates name two authorities side by side", () => {
    const side = CertificateAuthority.trusted({ certificates: TextSource.text(root.pem + company("Side").pem) });
    expect(() => issue(folder, below(CertificateAuthority.managed(), side), { now })).toThrow(
      /the clients authority cannot be taken from the text given: it has more than one authority/,
    );
  });
});

describe("a device that keeps its key", () => {
  /** A request of a new key, or of one that is there. */
  function deviceRequest(existing?: string): { readonly key: string; readonly requestPem: string } {
    const base = `device-${(count += 1)}`;
    const key = existing ?? scratch.path(`${base}.key`);
    const kind = existing === undefined ? ["-newkey", ...P256, "-nodes", "-keyout", key] : ["-key", key];
    mustRun("req", "-new", ...kind, "-subj", "/CN=factory name", "-out", scratch.path(`${base}.csr`));
    return { key, requestPem: read(scratch.path(`${base}.csr`)) };
  }

  const declared = (requestPem?: string, of = imported(root), changed = {}): WantedCredentials => ({
    ...below(of),
    certificates: [certificate("sensor-1", { ...(requestPem !== undefined && { requestPem }), ...changed })],
  });
  const isFor = (key: string, { credentials }: Fulfilment): boolean => {
    const leaf = scratch.write("device.pem", bundleOf(credentials!).cert_pem as string);
    return openssl("x509", "-noout", "-pubkey", "-in", leaf).text === openssl("pkey", "-pubout", "-in", key).text;
  };

  test("gets a certificate that OpenSSL follows, and a bundle without a key", () => {
    const { key, requestPem } = deviceRequest();
    const result = issue(folder, declared(requestPem), { now });
    expect(verdicts(result.credentials!)).toEqual(FINE);
    expect(isFor(key, result)).toBe(true);
    expect(bundleOf(result.credentials!)).not.toHaveProperty("key_pem");
    expect(leaked(result.credentials!, keyLines(read(key)))).toEqual([]);
  });

  test("gets another certificate for another key, with the reason, and none for the same key", () => {
    const { key, requestPem } = deviceRequest();
    issue(folder, declared(requestPem), { now });
    expect(issue(folder, declared(deviceRequest(key).requestPem), { now }).issued).toEqual([]);
    const other = deviceRequest();
    const result = issue(folder, declared(other.requestPem), { now });
    expect(notes(result)).toEqual(["client certificate sensor-1: the client's request has another key"]);
    expect(isFor(other.key, result)).toBe(true);
  });

  test("is renewed for the key that it has", () => {
    const { key, requestPem } = deviceRequest();
    issue(folder, declared(requestPem, undefined, { validityDays: 30 }), { now });
    const later = new Date(now.getTime() + 29 * DAY);
    const result = issue(folder, declared(requestPem, undefined, { validityDays: 30 }), { now: later });
    expect(notes(result)).toEqual([expect.stringMatching(/^client certificate sensor-1: renewal: it ends /)]);
    expect(isFor(key, result)).toBe(true);
  });

  test("is not asked about the algorithm of generated keys", () => {
    const { requestPem } = deviceRequest();
    issue(folder, declared(requestPem), { now });
    const changed = { algorithm: KeyAlgorithm.ecdsaP384() };
    expect(issue(folder, declared(requestPem, undefined, changed), { now }).issued).toEqual([]);
  });

  test("follows a rotation with the key that it has", () => {
    const { key, requestPem } = deviceRequest();
    const steps: [number[], number][] = [
      [[1], 1],
      [[1, 2], 1],
      [[1, 2], 2],
      [[2], 2],
    ];
    for (const [trusted, signs] of steps) {
      const of = CertificateAuthority.managed({ trusted, issuing: signs });
      const result = issue(folder, declared(requestPem, of), { now });
      expect(verdicts(result.credentials!)).toEqual(FINE);
      expect(isFor(key, result)).toBe(true);
    }
  });

  test("gets a key from here when it has no request any longer, and keeps its own when it has one again", () => {
    const { key, requestPem } = deviceRequest();
    issue(folder, declared(requestPem), { now });
    const generated = issue(folder, declared(), { now });
    expect(notes(generated)).toEqual(["client certificate sensor-1: the client no longer has a request"]);
    expect(bundleOf(generated.credentials!).key_pem).toMatch(/BEGIN PRIVATE KEY/);
    const again = issue(folder, declared(requestPem), { now });
    expect(notes(again)).toEqual(["client certificate sensor-1: the client's request has another key"]);
    expect(isFor(key, again)).toBe(true);
    expect(bundleOf(again.credentials!)).not.toHaveProperty("key_pem");
  });
});
