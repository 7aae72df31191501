import * as path from "node:path";
import { CertificateAuthority, CredentialStore } from "../../constructs/credentials";
import { TextSource } from "../../constructs/text-source";
import { KeyAlgorithm } from "../../constructs/pki";
import { makeFolder, removeFolder } from "../support/workspace";
import { NOW } from "./support";

const parent = makeFolder("stores");
afterAll(() => removeFolder(parent));

test("a store's folder is relative to where the app runs, or absolute", () => {
  const relative = CredentialStore.folder("credentials/dev");
  expect(relative.location).toBe("credentials/dev");
  expect(relative.directory).toBe(path.join(process.cwd(), "credentials/dev"));
  expect(CredentialStore.folder(parent).directory).toBe(parent);
});

test("a store issues at synth unless it is declared not to, and a sealed one only when it is declared to", () => {
  const passphrase = TextSource.text("correct horse battery staple");
  expect(CredentialStore.folder(parent).issue).toBe("whenMissing");
  expect(CredentialStore.folder(parent, { issue: "never" }).issue).toBe("never");
  expect(CredentialStore.sealed(parent, { passphrase }).issue).toBe("never");
  expect(CredentialStore.sealed(parent, { passphrase, issue: "whenMissing" }).issue).toBe("whenMissing");
});

test("a store that is not there yet opens empty", () => {
  const folder = CredentialStore.folder(path.join(parent, "absent")).open(NOW);
  expect(folder.isEmpty).toBe(true);
  expect(folder.directory).toBe(path.join(parent, "absent"));
});

describe("a managed authority", () => {
  test("is valid for ten years and takes the broker's algorithm", () => {
    const authority = CertificateAuthority.managed();
    expect(authority.generations).toEqual([{ generation: 1, source: { kind: "managed", validityDays: 3650 } }]);
    expect(authority.issuing).toBe(1);
    expect(authority.faults("serverAuthority")).toEqual([]);
  });

  test("takes what is declared", () => {
    const keyAlgorithm = KeyAlgorithm.ecdsaP384();
    expect(CertificateAuthority.managed({ validityDays: 90, keyAlgorithm }).issuer.source).toMatchObject({
      validityDays: 90,
      keyAlgorithm,
    });
  });

  test.each([1, 36_500])("may be valid for %p days", (validityDays) => {
    expect(CertificateAuthority.managed({ validityDays }).faults("x")).toEqual([]);
  });

  test.each([0, -1, 1.5, 36_501, NaN, Infinity])("may not be valid for %p days", (validityDays) => {
    expect(CertificateAuthority.managed({ validityDays }).faults("clientAuthority")).toMatchObject([
      { what: "clientAuthority.validityDays", value: validityDays },
    ]);
  });
});
