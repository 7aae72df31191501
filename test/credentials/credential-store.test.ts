import * as path from "node:path";
import { CertificateAuthority, CredentialStore, ISSUE_VARIABLE } from "../../constructs/credentials";
import { KeyAlgorithm } from "../../constructs/pki";
import { makeFolder, removeFolder } from "../support/workspace";

const parent = makeFolder("stores");
afterAll(() => removeFolder(parent));

const before = process.env[ISSUE_VARIABLE];
beforeEach(() => {
  delete process.env[ISSUE_VARIABLE];
});
afterAll(() => {
  if (before === undefined) delete process.env[ISSUE_VARIABLE];
  else process.env[ISSUE_VARIABLE] = before;
});

test("a store's folder is relative to where the app runs, or absolute", () => {
  const relative = CredentialStore.folder("credentials/dev");
  expect(relative.location).toBe("credentials/dev");
  expect(relative.directory).toBe(path.join(process.cwd(), "credentials/dev"));
  expect(CredentialStore.folder(parent).directory).toBe(parent);
});

test("a store issues at synth unless it is declared not to", () => {
  expect(CredentialStore.folder(parent).mayIssue("dev")).toBe(true);
  expect(CredentialStore.folder(parent, { issue: "whenMissing" }).mayIssue("dev")).toBe(true);
  expect(CredentialStore.folder(parent, { issue: "never" }).mayIssue("dev")).toBe(false);
});

test.each(["whenMissing", "never"] as const)("the issue command lets one stack issue and no other (%s)", (issue) => {
  process.env[ISSUE_VARIABLE] = "dev";
  const store = CredentialStore.folder(parent, { issue });
  expect(store.mayIssue("dev")).toBe(true);
  expect(store.mayIssue("prod")).toBe(false);
  expect(store.mayIssue("")).toBe(false);
});

test("an empty variable is as good as none, also for a stack without a name", () => {
  process.env[ISSUE_VARIABLE] = "";
  expect(CredentialStore.folder(parent, { issue: "never" }).mayIssue("")).toBe(false);
  expect(CredentialStore.folder(parent).mayIssue("dev")).toBe(true);
});

test("a store that is not there yet opens empty", () => {
  const folder = CredentialStore.folder(path.join(parent, "absent")).open();
  expect(folder.isEmpty).toBe(true);
  expect(folder.directory).toBe(path.join(parent, "absent"));
});

describe("a managed authority", () => {
  test("is valid for ten years and takes the broker's algorithm", () => {
    const authority = CertificateAuthority.managed();
    expect(authority.validityDays).toBe(3650);
    expect(authority.keyAlgorithm).toBeUndefined();
    expect(authority.faults("serverAuthority")).toEqual([]);
  });

  test("takes what is declared", () => {
    const keyAlgorithm = KeyAlgorithm.ecdsaP384();
    expect(CertificateAuthority.managed({ validityDays: 90, keyAlgorithm })).toMatchObject({
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
