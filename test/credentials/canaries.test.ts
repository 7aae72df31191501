import * as path from "node:path";
import { CertificateAuthority } from "../../constructs/credentials";
import { KeyAlgorithm, ParsedCertificate, parseRevocationList } from "../../constructs/pki";
import { makeFolder, removeFolder } from "../support/workspace";
import { authority, contents, DAY, issue, NOW, wanted } from "./support";

const parent = makeFolder("canaries");
afterAll(() => removeFolder(parent));

const canaries = { revoked: "refused-1", expired: "refused-2", algorithm: KeyAlgorithm.ecdsaP256() };

const serialsOn = (pem: string): string[] =>
  pem.split(/(?<=END X509 CRL-----\n)/).flatMap((list) => (list === "" ? [] : parseRevocationList(list).serials));

test("a store has a certificate that is revoked from its first day, and one that has ended", () => {
  const folder = path.join(parent, "first");
  const { credentials, issued } = issue(folder, wanted({ canaries }));
  const { revoked, expired } = credentials!.canaries!;
  expect(issued.map(({ what }) => what)).toEqual(
    expect.arrayContaining(["certificate refused-1", "certificate refused-2"]),
  );
  expect(serialsOn(credentials!.revocationListsPem)).toEqual([revoked.serial]);
  // Good but for that: the broker has no other reason to refuse it.
  expect(Date.parse(revoked.notBefore)).toBeLessThan(NOW.getTime());
  expect(Date.parse(revoked.notAfter)).toBe(credentials!.clientAuthorities[0]!.end);
  expect(Date.parse(expired.notAfter)).toBeLessThan(NOW.getTime());
  const ca = ParsedCertificate.fromPem(credentials!.clientAuthorities[0]!.record.certificatePem);
  for (const { certificatePem, name } of [revoked, expired]) {
    const leaf = ParsedCertificate.fromPem(certificatePem);
    expect(leaf.wasSignedBy(ca)).toBe(true);
    expect(leaf.isNamed(name)).toBe(true);
  }
});

test("they are made once, and missed where nothing may be issued", () => {
  const folder = path.join(parent, "once");
  issue(folder);
  const { missing, credentials } = issue(folder, wanted({ canaries }), { mayIssue: false });
  expect(missing.map(({ what }) => what)).toEqual(["certificate refused-1", "certificate refused-2"]);
  expect(credentials).toBeUndefined();
  issue(folder, wanted({ canaries }));
  const before = contents(folder);
  for (const days of [0, 30]) issue(folder, wanted({ canaries }), { now: new Date(NOW.getTime() + days * DAY) });
  expect(contents(folder)).toEqual(before);
});

test("an authority that signs from now on has its own, and the one before refuses its own still", () => {
  const folder = path.join(parent, "rotated");
  const declared = (trusted: number[], issuing: number): ReturnType<typeof wanted> =>
    wanted({ canaries, clientAuthority: authority("clients", CertificateAuthority.managed({ trusted, issuing })) });
  const first = issue(folder, declared([1], 1)).credentials!.canaries!;
  expect(issue(folder, declared([1, 2], 1)).credentials!.canaries).toEqual(first);
  const { credentials } = issue(folder, declared([1, 2], 2));
  const second = credentials!.canaries!;
  expect(second.revoked.issuer256).toBe(credentials!.clientAuthorities[1]!.record.fingerprint256);
  expect(second.revoked.serial).not.toBe(first.revoked.serial);
  expect(second.expired.serial).not.toBe(first.expired.serial);
  expect(serialsOn(credentials!.revocationListsPem)).toEqual(
    expect.arrayContaining([first.revoked.serial, second.revoked.serial]),
  );
});
