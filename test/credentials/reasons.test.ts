import { X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { hashPassword, verifyPassword } from "../../constructs/access";
import { CertificateAuthority, Fulfilment, Issuing, revokeClient } from "../../constructs/credentials";
import { KeyAlgorithm, KeySource } from "../../constructs/pki";
import { fileOf, makeFolder, removeFolder } from "../support/workspace";
import { authority, certificate, contents, DAY, issue, NOW, open, password, server, wanted } from "./support";

const parent = makeFolder("reasons");
afterAll(() => removeFolder(parent));

let folder: string;
beforeEach(() => {
  folder = path.join(fs.mkdtempSync(path.join(parent, "x-")), "store");
});

const later = (days: number): { now: Date } => ({ now: new Date(NOW.getTime() + days * DAY) });
const notes = ({ issued }: Fulfilment): string[] => issued.map(({ what, reason }) => `${what}: ${reason}`);
const p384 = KeyAlgorithm.ecdsaP384();

test("a host is missing where nothing may be issued, also when the certificate is due for renewal", () => {
  issue(folder);
  const more = wanted({ server: server("broker.example", "192.0.2.7") });
  const result = issue(folder, more, { mayIssue: false, ...later(300) });
  expect(result.missing).toEqual([{ what: "server certificate", reason: "host added: 192.0.2.7" }]);
  expect(result.credentials).toBeUndefined();
});

test("the server's and the control client's certificate follow their algorithm", () => {
  issue(folder);
  const { controlAuthority } = wanted();
  const result = issue(
    folder,
    wanted({
      server: { ...server("broker.example"), algorithm: p384 },
      controlAuthority: { ...controlAuthority, algorithm: p384 },
    }),
  );
  expect(notes(result)).toEqual([
    "server certificate: algorithm changed from ECDSA-P256 to ECDSA-P384",
    "control certificate: algorithm changed from ECDSA-P256 to ECDSA-P384",
  ]);
});

test("another generation of an authority issues its certificates again and leaves the others", () => {
  issue(folder);
  const rotation = (issuing: number): ReturnType<typeof wanted> =>
    wanted({ clientAuthority: authority("clients", CertificateAuthority.managed({ trusted: [1, 2], issuing })) });
  expect(notes(issue(folder, rotation(1)))).toEqual([
    "clients authority 2: rotation: generation 2 is to be trusted",
    "revocation list of clients authority 2: first issue",
  ]);
  const result = issue(folder, rotation(2));
  expect(notes(result)).toEqual(["client certificate sensor-1: rotation: clients authority 2 issues now"]);
  const { clientAuthorities, clients } = result.credentials!;
  const leaf = new X509Certificate(clients.get("sensor-1")!.certificate!.certificatePem);
  expect(leaf.verify(new X509Certificate(clientAuthorities[1]!.record.certificatePem).publicKey)).toBe(true);
});

test("an authority keeps its algorithm when only the default changed", () => {
  const first = issue(folder).credentials!;
  const { serverAuthority } = wanted();
  const second = issue(folder, wanted({ serverAuthority: { ...serverAuthority, algorithm: p384 } }));
  expect(second.issued).toEqual([]);
  expect(second.credentials!.serverAuthorities[0]!.record).toEqual(first.serverAuthorities[0]!.record);
});

test("a broker that asks no client for a certificate has no authority for clients", () => {
  const declared = { ...wanted({ certificates: [] }) };
  delete (declared as { clientAuthority?: unknown }).clientAuthority;
  const result = issue(folder, declared);
  expect(result.credentials!.clientAuthorities).toEqual([]);
  expect(result.credentials!.revocationListsPem.match(/BEGIN X509 CRL/g)).toHaveLength(1);
  expect(notes(result).filter((note) => note.includes("clients"))).toEqual([]);
});

test("a certificate that has ended is missing where nothing may be issued, and issued where it may", () => {
  const short = wanted({ certificates: [certificate("sensor-1", { validityDays: 10 })] });
  issue(folder, short);
  const missing = issue(folder, short, { mayIssue: false, ...later(10) }).missing;
  expect(missing.map(({ what }) => what)).toEqual(["client certificate sensor-1"]);
  expect(notes(issue(folder, short, later(10)))).toEqual([
    expect.stringMatching(/^client certificate sensor-1: renewal: it ends 2030-06-11/),
  ]);
});

test("a certificate is backdated by a day, for clocks that run behind", () => {
  const { notBefore, notAfter } = issue(folder).credentials!.clients.get("sensor-1")!.certificate!;
  expect(Date.parse(notBefore)).toBe(NOW.getTime() - DAY);
  expect(Date.parse(notAfter)).toBe(NOW.getTime() + 825 * DAY);
});

test("a client with certificate and password has both", () => {
  const both = wanted({ passwords: [password("sensor-1")] });
  const { certificate: own, password: text } = issue(folder, both).credentials!.clients.get("sensor-1")!;
  expect(own!.name).toBe("sensor-1");
  expect(verifyPassword(text!.value!, text!.hash)).toBe(true);
});

describe("a password", () => {
  const of = (result: Fulfilment): { value: string; hash: string } => {
    const { value = "", hash } = result.credentials!.clients.get("operator")!.password!;
    return { value, hash };
  };
  const given = (value: string, changed = {}): ReturnType<typeof wanted> =>
    wanted({ passwords: [password("operator", { value, ...changed })] });

  test("that is no longer given is generated, and the reason says so", () => {
    issue(folder, given("a given password"));
    const result = issue(folder);
    expect(notes(result)).toEqual(["password operator: password no longer given"]);
    expect(of(result).value).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect(verifyPassword(of(result).value, of(result).hash)).toBe(true);
    expect(of(issue(folder))).toEqual(of(result));
  });

  test("of which only the hash is given is kept as it was given, and its text is nowhere", () => {
    const hash = hashPassword("known to the device alone", { iterations: 3 });
    const declared = wanted({ passwords: [password("operator", { hash })] });
    const result = issue(folder, declared);
    expect(result.credentials!.clients.get("operator")!.password).toEqual({ hash });
    expect(JSON.stringify(contents(folder))).not.toContain("known to the device alone");
    expect(issue(folder, declared).issued).toEqual([]);
    const other = hashPassword("known to the device alone", { iterations: 4 });
    const changed = issue(folder, wanted({ passwords: [password("operator", { hash: other })] }));
    expect(notes(changed)).toEqual(["password operator: hash changed"]);
    expect(of(changed).hash).toBe(other);
    const generated = issue(folder);
    expect(notes(generated)).toEqual(["password operator: password no longer given"]);
    expect(of(generated).value).toMatch(/^[A-Za-z0-9_-]{32}$/);
  });

  test("whose hash was revoked works never again, given as a hash or as a text", () => {
    const hash = hashPassword("known to a thief as well", { iterations: 3 });
    const declared = wanted({ passwords: [password("operator", { hash })] });
    issue(folder, declared);
    revokeClient(new Issuing(open(folder), NOW, new KeySource(new Map())), "operator", "keyCompromise");
    for (const changed of [{ hash }, { value: "known to a thief as well", iterations: 3 }]) {
      const { credentials, warnings } = issue(folder, wanted({ passwords: [password("operator", changed)] }));
      expect(warnings.join()).toMatch(/password that client operator .* was revoked/);
      expect(credentials!.clients.has("operator")).toBe(false);
    }
  });

  test("that was generated gives way to a given one", () => {
    issue(folder);
    const result = issue(folder, given("a given password"));
    expect(of(result).value).toBe("a given password");
    expect(verifyPassword("a given password", of(result).hash)).toBe(true);
  });

  test("that is given is hashed again with other iterations, and says why", () => {
    issue(folder, given("a given password"));
    const result = issue(folder, given("a given password", { iterations: 20 }));
    expect(notes(result)).toEqual(["password operator: password or iterations changed"]);
    expect(of(result).hash).toMatch(/^\$7\$20\$/);
  });

  test("of a raised credentialVersion says so, and the lower version is refused afterwards", () => {
    issue(folder);
    const raised = wanted({ passwords: [password("operator", { credentialVersion: 2 })] });
    expect(notes(issue(folder, raised))).toEqual([
      "revocation of password operator: credentialVersion raised to 2",
      "password operator: credentialVersion raised to 2",
    ]);
    const before = contents(folder);
    expect(() => issue(folder)).toThrow(/operator.*credentialVersion 1.*allowed: 2 or more/);
    expect(contents(folder)).toEqual(before);
  });

  test("that is given again with a raised credentialVersion is refused: it would end nothing", () => {
    const given = (version: number, value = "a given password"): Fulfilment =>
      issue(folder, wanted({ passwords: [password("operator", { value, credentialVersion: version })] }));
    given(1);
    expect(() => given(2)).toThrow(/declared with was revoked \(superseded\); allowed: another password/);
    expect(() => given(2, "another password")).not.toThrow();
  });

  test("of a client that left and came back is the one it had", () => {
    const first = issue(folder);
    issue(folder, wanted({ passwords: [] }));
    expect(of(issue(folder))).toEqual(of(first));
  });
});

test("the tenth renewal counts after the ninth, although its file sorts before the second", () => {
  const short = wanted({ passwords: [], certificates: [certificate("sensor-1", { validityDays: 30 })] });
  let last: string | undefined;
  for (let round = 0; round < 12; round += 1) {
    last = issue(folder, short, later(round * 29)).credentials!.clients.get("sensor-1")!.certificate!.serial;
  }
  expect(fs.existsSync(fileOf(folder, "client.sensor-1.v1.12"))).toBe(true);
  const { clients } = issue(folder, short, later(11 * 29)).credentials!;
  expect(clients.get("sensor-1")!.certificate!.serial).toBe(last);
});
