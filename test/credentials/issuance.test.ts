import { X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { KeyAlgorithm, parseRevocationList } from "../../constructs/pki";
import { run } from "../support/command";
import { checkout, makeFolder, removeFolder } from "../support/workspace";
import { CertificateAuthority } from "../../constructs/credentials";
import { authority, certificate, contents, DAY, issue, NOW, password, plain, server, wanted } from "./support";

const parent = makeFolder("issuance");
afterAll(() => removeFolder(parent));

let folder: string;
beforeEach(() => {
  folder = path.join(fs.mkdtempSync(path.join(parent, "x-")), "store");
});

const later = (days: number): { now: Date } => ({ now: new Date(NOW.getTime() + days * DAY) });
const notes = (result: ReturnType<typeof issue>): string[] =>
  result.issued.map(({ what, reason }) => `${what}: ${reason}`);
/** The serials that the clients' authority refuses. */
const refused = (result: ReturnType<typeof issue>): string[] => {
  const [clients] = result.credentials!.revocationListsPem.split(/(?<=-----END X509 CRL-----\n)/);
  return parseRevocationList(clients as string).serials;
};
const serialOf = (result: ReturnType<typeof issue>, name: string): string =>
  result.credentials!.clients.get(name)!.certificate!.serial;

test("the first synth issues everything, and says so", () => {
  expect(notes(issue(folder))).toEqual([
    "server authority: first issue",
    "clients authority: first issue",
    "control authority: first issue",
    "server certificate: first issue",
    "control certificate: first issue",
    "client certificate sensor-1: first issue",
    "password operator: first issue",
    "revocation list of clients authority 1: first issue",
    "revocation list of control authority 1: first issue",
  ]);
});

test("a synth with nothing changed issues nothing and changes no byte", () => {
  const first = issue(folder);
  const before = contents(folder);
  const second = issue(folder, wanted(), later(30));
  expect(second.issued).toEqual([]);
  expect(plain(second.credentials)).toEqual(plain(first.credentials));
  expect(contents(folder)).toEqual(before);
});

test("each certificate is signed by its own authority, and by no other", () => {
  const { serverAuthorities, clientAuthorities, controlAuthority, ...leaves } = issue(folder).credentials!;
  const { server: issued, control, clients } = leaves;
  const signed = (leaf: { certificatePem: string }): string[] =>
    [...serverAuthorities, ...clientAuthorities, controlAuthority]
      .filter(({ record }) =>
        new X509Certificate(leaf.certificatePem).verify(new X509Certificate(record.certificatePem).publicKey),
      )
      .map(({ record }) => record.role);
  expect(signed(issued)).toEqual(["server"]);
  expect(signed(control)).toEqual(["control"]);
  expect(signed(clients.get("sensor-1")!.certificate!)).toEqual(["clients"]);
});

test("the server's certificate is for every host, localhost, the loopback addresses and its generation", () => {
  const { server: issued } = issue(
    folder,
    wanted({ server: server("broker.example", "192.0.2.7", "2001:db8::1") }),
  ).credentials!;
  const x509 = new X509Certificate(issued.certificatePem);
  for (const host of ["broker.example", "localhost", issued.generationHost]) expect(x509.checkHost(host)).toBe(host);
  for (const address of ["192.0.2.7", "2001:db8::1", "127.0.0.1", "::1"]) expect(x509.checkIP(address)).toBe(address);
});

test("a host too long for a common name is still a host", () => {
  const host = `${"a".repeat(60)}.${"b".repeat(60)}.example`;
  const { server: issued } = issue(folder, wanted({ server: server(host) })).credentials!;
  expect(new X509Certificate(issued.certificatePem).checkHost(host)).toBe(host);
});

test("an added host replaces the server's certificate alone, under another generation name", () => {
  const first = issue(folder).credentials!;
  const second = issue(folder, wanted({ server: server("broker.example", "192.0.2.7") }));
  expect(notes(second)).toEqual(["server certificate: host added: 192.0.2.7"]);
  expect(second.credentials!.server.generationHost).not.toBe(first.server.generationHost);
});

test("a host that is no longer declared changes nothing", () => {
  issue(folder, wanted({ server: server("broker.example", "192.0.2.7") }));
  expect(issue(folder).issued).toEqual([]);
});

test("another algorithm replaces the certificate and says from what to what", () => {
  issue(folder);
  const result = issue(
    folder,
    wanted({ certificates: [certificate("sensor-1", { algorithm: KeyAlgorithm.ecdsaP384() })] }),
  );
  expect(notes(result)).toEqual(["client certificate sensor-1: algorithm changed from ECDSA-P256 to ECDSA-P384"]);
});

test("an authority's algorithm cannot be declared otherwise than it was made", () => {
  issue(folder);
  const other = authority("server", CertificateAuthority.managed({ keyAlgorithm: KeyAlgorithm.ecdsaP384() }));
  expect(() => issue(folder, wanted({ serverAuthority: other }))).toThrow(/ECDSA-P384.*ECDSA-P256.*remedy/);
});

test("an authority that has ended is an error that names it, its end and its store", () => {
  issue(folder);
  expect(() => issue(folder, wanted(), later(3651))).toThrow(/server authority 1 in .*store ended 2040-05.*remedy/s);
});

describe("renewal", () => {
  test("comes in the last third of a certificate's life, not before, and says until when the old one lasts", () => {
    issue(folder);
    expect(issue(folder, wanted(), later(825 * (2 / 3) - 300)).issued).toEqual([]);
    const names = notes(issue(folder, wanted(), later(825 * 0.71)));
    expect(names.some((note) => note.startsWith("client certificate sensor-1: renewal: it ends 2032-"))).toBe(true);
  });

  test("of a fleet that was issued in one day is spread over many", () => {
    const fleet = wanted({ certificates: Array.from({ length: 60 }, (_, index) => certificate(`sensor-${index}`)) });
    issue(folder, fleet);
    const days = Array.from({ length: 30 }, (_, index) => {
      const result = issue(folder, fleet, later(825 * (2 / 3) + index));
      return result.issued.filter(({ what }) => what.startsWith("client certificate")).length;
    });
    expect(days.reduce((sum, count) => sum + count)).toBe(60);
    expect(Math.max(...days)).toBeLessThan(20);
  });

  test("leaves the old certificate valid, so that a device has time to fetch the new one", () => {
    const first = issue(folder);
    const second = issue(folder, wanted(), later(825 * 0.71));
    expect(serialOf(second, "sensor-1")).not.toBe(serialOf(first, "sensor-1"));
    expect(refused(second)).toEqual([]);
  });

  test("does not chase the end of an authority that its leaves cannot outlive", () => {
    const clientAuthority = authority("clients", CertificateAuthority.managed({ validityDays: 400 }));
    const short = wanted({ clientAuthority });
    issue(folder, short);
    expect(notes(issue(folder, short, later(380))).filter((note) => note.includes("client"))).toEqual([]);
  });
});

describe("who is shut out", () => {
  test("a client that is no longer declared, until it is declared again", () => {
    const both = wanted({ certificates: [certificate("sensor-1"), certificate("sensor-2")] });
    const first = issue(folder, both);
    expect(refused(first)).toEqual([]);
    expect(refused(issue(folder))).toEqual([serialOf(first, "sensor-2")]);
    const again = issue(folder, both);
    expect(refused(again)).toEqual([]);
    expect(serialOf(again, "sensor-2")).toBe(serialOf(first, "sensor-2"));
  });

  test("the earlier certificate of a client whose credentialVersion was raised", () => {
    const first = issue(folder);
    const second = issue(folder, wanted({ certificates: [certificate("sensor-1", { credentialVersion: 2 })] }));
    expect(notes(second)).toContain("client certificate sensor-1: credentialVersion raised to 2");
    expect(refused(second)).toEqual([serialOf(first, "sensor-1")]);
  });

  test("and whose sessions are to be closed is told", () => {
    issue(folder, wanted({ certificates: [certificate("sensor-1"), certificate("sensor-2")] }));
    const result = issue(folder, wanted({ certificates: [certificate("sensor-1", { credentialVersion: 2 })] }));
    expect(result.credentials!.ended).toMatchObject([
      { name: "sensor-1", version: 1 },
      { name: "sensor-2", version: 1 },
    ]);
    expect(issue(folder, wanted({ certificates: [] })).credentials!.ended).toHaveLength(3);
  });

  test("by the list as it is, when a certificate on it ends, also where nothing may be issued", () => {
    const old = wanted({
      certificates: [certificate("sensor-1", { validityDays: 3000 }), certificate("old", { validityDays: 100 })],
    });
    const declared = wanted({
      certificates: [certificate("sensor-1", { validityDays: 3000 })],
      server: { ...server("broker.example"), lifetime: { validityDays: 3000, renewBeforeDays: 1000 } },
    });
    issue(folder, old);
    const complete = plain(issue(folder, declared).credentials);
    expect(plain(issue(folder, declared, { mayIssue: false, ...later(99) }).credentials)).toEqual(complete);
    expect(issue(folder, declared, { mayIssue: false, ...later(101) }).missing).toEqual([]);
    expect(issue(folder, declared, later(101)).issued).toEqual([]);
  });

  test("and a version that was ended cannot be declared again", () => {
    issue(folder, wanted({ certificates: [certificate("sensor-1", { credentialVersion: 2 })] }));
    expect(() => issue(folder)).toThrow(/sensor-1.*credentialVersion 1.*version 2 was issued.*allowed: 2 or more/);
  });

  test("nobody by a list that is of the future or ends before its authority", () => {
    const result = issue(folder);
    const lists = result
      .credentials!.revocationListsPem.split(/(?<=-----END X509 CRL-----\n)/)
      .map(parseRevocationList);
    expect(lists).toHaveLength(2);
    for (const list of lists) {
      expect(list.thisUpdate.getTime()).toBeLessThanOrEqual(NOW.getTime() - DAY + 1000);
      expect(list.nextUpdate.toISOString()).toBe(result.credentials!.clientAuthorities[0]!.record.notAfter);
    }
  });
});

describe("a password", () => {
  const value = (result: ReturnType<typeof issue>): string =>
    result.credentials!.clients.get("operator")!.password!.value!;
  const hash = (result: ReturnType<typeof issue>): string =>
    result.credentials!.clients.get("operator")!.password!.hash;

  test("that was generated stays until its credentialVersion is raised", () => {
    const first = issue(folder);
    expect(value(issue(folder))).toBe(value(first));
    expect(value(issue(folder, wanted({ passwords: [password("operator", { credentialVersion: 2 })] })))).not.toBe(
      value(first),
    );
  });

  test("that was generated stays when only its iterations change, and is hashed again", () => {
    const first = issue(folder);
    const second = issue(folder, wanted({ passwords: [password("operator", { iterations: 20 })] }));
    expect(value(second)).toBe(value(first));
    expect(hash(second)).toMatch(/^\$7\$20\$/);
  });

  test("that is given keeps its hash while it is the same, and is nowhere in the store", () => {
    const given = (text: string): ReturnType<typeof wanted> =>
      wanted({ passwords: [password("operator", { value: text })] });
    const first = issue(folder, given("a given password"));
    const second = issue(folder, given("a given password"));
    expect(second.issued).toEqual([]);
    expect(hash(second)).toBe(hash(first));
    const third = issue(folder, given("another password"));
    expect(notes(third)).toEqual(["password operator: password or iterations changed"]);
    expect(JSON.stringify(contents(folder))).not.toMatch(/a given password|another password/);
  });
});

describe("a store that may not issue", () => {
  test("says everything that is missing and writes nothing", () => {
    const result = issue(folder, wanted(), { mayIssue: false });
    expect(result.credentials).toBeUndefined();
    expect(result.missing.map(({ what }) => what)).toEqual(
      expect.arrayContaining(["server authority", "client certificate sensor-1", "password operator"]),
    );
    expect(fs.existsSync(folder)).toBe(false);
  });

  test("is enough when everything is there, and goes on with what should be renewed while it is valid", () => {
    const first = issue(folder);
    expect(plain(issue(folder, wanted(), { mayIssue: false }).credentials)).toEqual(plain(first.credentials));
    const late = issue(folder, wanted(), { mayIssue: false, ...later(300) });
    expect(plain(late.credentials)).toEqual(plain(first.credentials));
    expect(late.due.map(({ what }) => what)).toEqual(["server certificate"]);
    expect(issue(folder, wanted(), { mayIssue: false, ...later(400) }).missing.map(({ what }) => what)).toEqual([
      "server certificate",
    ]);
  });
});

test("two processes that issue at once end with one outcome", async () => {
  const script = path.join(parent, "issue.ts");
  const modules = path.join(checkout, "test", "credentials", "support");
  fs.writeFileSync(
    script,
    `import { issue, plain } from ${JSON.stringify(modules)};\nconsole.log(JSON.stringify(plain(issue(process.argv[2]!).credentials), (_, v) => v instanceof Map ? [...v] : v));\n`,
  );
  for (let round = 0; round < 3; round += 1) {
    const shared = `${folder}-${round}`;
    const results = await Promise.all([0, 1, 2].map(() => run("npx", ["tsx", script, shared], { cwd: checkout })));
    expect(results.map(({ code, stderr }) => ({ code, stderr }))).toEqual(results.map(() => ({ code: 0, stderr: "" })));
    expect(new Set(results.map(({ stdout }) => stdout)).size).toBe(1);
    const { credentials, issued } = issue(shared);
    expect(issued).toEqual([]);
    const leaf = new X509Certificate(credentials!.clients.get("sensor-1")!.certificate!.certificatePem);
    expect(leaf.verify(new X509Certificate(credentials!.clientAuthorities[0]!.record.certificatePem).publicKey)).toBe(
      true,
    );
  }
}, 60_000);
