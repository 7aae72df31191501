import * as fs from "node:fs";
import * as path from "node:path";
import { verifyPassword } from "../../constructs/access";
import { CertificateAuthority, fulfil, Fulfilment, WantedCredentials } from "../../constructs/credentials";
import { KeyAlgorithm, parseRevocationList } from "../../constructs/pki";
import { makeFolder, removeFolder } from "../support/workspace";
import { authority, certificate, contents, issue, NOW, open, password, plain, server, wanted } from "./support";

const parent = makeFolder("overtaken");
afterAll(() => removeFolder(parent));

let folder: string;
beforeEach(() => {
  folder = path.join(fs.mkdtempSync(path.join(parent, "x-")), "store");
});

/** Two synths that both read the store before either writes; the second writes last. */
function race(first: WantedCredentials, second: WantedCredentials): [Fulfilment, Fulfilment] {
  const folders = [open(folder), open(folder)] as const;
  return [fulfil(folders[0], first, true, NOW), fulfil(folders[1], second, true, NOW)];
}

test("of two synths of one declaration the later one takes everything over, and says that it issued nothing", () => {
  const [first, second] = race(wanted(), wanted());
  expect(plain(second.credentials)).toEqual(plain(first.credentials));
  expect(first.issued).toHaveLength(9);
  expect(second.issued).toEqual([]);
});

test("of two synths that add different hosts each gets a certificate with its own hosts", () => {
  issue(folder);
  const [first, second] = race(
    wanted({ server: server("broker.example", "a.example") }),
    wanted({ server: server("broker.example", "b.example") }),
  );
  expect(first.credentials!.server.hosts).toContain("a.example");
  expect(second.credentials!.server.hosts).toContain("b.example");
  expect(second.issued).toEqual([{ what: "server certificate", reason: "host added: b.example" }]);
});

test("of two synths that remove different clients each shuts out the ones it does not declare", () => {
  const named = (...names: string[]): WantedCredentials =>
    wanted({ certificates: names.map((name) => certificate(name)) });
  const { clients } = issue(folder, named("a", "b", "c")).credentials!;
  const serial = (name: string): string => clients.get(name)!.certificate!.serial;
  const refused = ({ credentials }: Fulfilment): string[] =>
    parseRevocationList(credentials!.revocationListsPem.split(/(?<=-----END X509 CRL-----\n)/)[0]!).serials;

  const [first, second] = race(named("a", "b"), named("b", "c"));
  expect(refused(first)).toEqual([serial("c")]);
  expect(refused(second)).toEqual([serial("a")]);
  expect(issue(folder, named("b", "c")).issued).toEqual([]);
});

test("of two synths that give one client different passwords each has the hash of its own", () => {
  const given = (value: string): WantedCredentials => wanted({ passwords: [password("operator", { value })] });
  for (const [result, value] of [
    [race(given("the password of one"), given("the password of two"))[1], "the password of two"],
    [issue(folder, given("the password of one")), "the password of one"],
  ] as const) {
    expect(verifyPassword(value, result.credentials!.clients.get("operator")!.password!.hash)).toBe(true);
  }
});

test("a client's certificate that was taken over in another algorithm is issued again in the declared one", () => {
  const inP384 = wanted({ certificates: [certificate("sensor-1", { algorithm: KeyAlgorithm.ecdsaP384() })] });
  const [, second] = race(wanted(), inP384);
  expect(second.credentials!.clients.get("sensor-1")!.certificate!.algorithm).toBe("ECDSA-P384");
});

test("an authority that was taken over against the declaration is the error that it is at any other time", () => {
  const other = authority("server", CertificateAuthority.managed({ keyAlgorithm: KeyAlgorithm.ecdsaP384() }));
  expect(() => race(wanted(), wanted({ serverAuthority: other }))).toThrow(/ECDSA-P384.*ECDSA-P256.*remedy/);
});

test("no file that one synth wrote is changed by another", () => {
  const folders = [open(folder), open(folder)] as const;
  fulfil(folders[0], wanted(), true, NOW);
  const before = contents(folder);
  fulfil(folders[1], wanted({ certificates: [certificate("sensor-2")] }), true, NOW);
  expect(contents(folder)).toMatchObject(before);
});
