import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import {
  CertificateAuthority,
  Credentials,
  CredentialStore,
  fulfil,
  Fulfilment,
  Issuing,
  revokeClient,
  WantedCredentials,
} from "../../constructs/credentials";
import { TextSource } from "../../constructs/text-source";
import { isKeyFileName } from "../../constructs/credentials/record-codec";
import { KeySource, ParsedCertificate, parseRevocationList, revocationListFault } from "../../constructs/pki";
import { run } from "../support/command";
import { makeFolder, removeFolder } from "../support/workspace";
import { deriveAtOnce } from "./quick-derivation";
import { authority, certificate, contents, DAY, NOW, server, wanted } from "./support";

jest.setTimeout(120_000);
deriveAtOnce();

const parent = makeFolder("branches");
afterAll(() => removeFolder(parent));

const HOUR = 60 * 60 * 1000;
const hours = (count: number): Date => new Date(NOW.getTime() + count * HOUR);
const declared = (...names: string[]): WantedCredentials =>
  wanted({ certificates: names.map((name) => certificate(name)), passwords: [] });

let root: string;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(parent, "x-"));
});

/** A checkout of a branch, with a store in it, as one colleague has it. */
class Checkout {
  constructor(
    readonly folder: string,
    private readonly form: Form,
  ) {}

  get store(): CredentialStore {
    return this.form.store(path.join(this.folder, "store"));
  }

  /** One synth that may issue. */
  issue(wanted: WantedCredentials, now: Date): Fulfilment {
    return fulfil(this.store.open(now), wanted, true, now);
  }

  revoke(now: Date, ...names: string[]): void {
    const issuing = new Issuing(this.store.open(now), now, new KeySource(new Map()));
    for (const name of names) revokeClient(issuing, name, "keyCompromise");
  }

  commit(): void {
    this.git("add", ...this.form.add(this.folder));
    this.git("commit", "-q", "-m", "a change");
  }

  /** A colleague's checkout of a new branch of it. */
  branch(name: string): Checkout {
    const folder = path.join(root, name);
    this.git("worktree", "add", "-q", "-b", name, folder);
    return new Checkout(folder, this.form);
  }

  /** Fails where git finds a conflict. */
  merge(...branches: string[]): void {
    for (const branch of branches) this.git("merge", "-q", "--no-edit", branch);
    expect(this.git("status", "--porcelain")).toBe("");
  }

  git(...args: string[]): string {
    // A person's own settings must not decide what is seen here.
    const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
    const who = ["-c", "user.name=Test", "-c", "user.email=test@plant.example"];
    return execFileSync("git", [...who, ...args], { cwd: this.folder, env, encoding: "utf8" });
  }

  /** The files of the store that are committed, but for its .gitignore. */
  files(): Record<string, string> {
    return Object.fromEntries(
      Object.entries(contents(path.join(this.folder, "store"))).filter(([name]) => !name.startsWith(".")),
    );
  }
}

interface Form {
  readonly store: (folder: string) => CredentialStore;
  /** What is given to `git add`. */
  readonly add: (folder: string) => readonly string[];
}

const SEALED: Form = {
  store: (folder) =>
    CredentialStore.sealed(folder, { passphrase: TextSource.callback(() => "correct horse battery staple") }),
  add: () => ["-A"],
};
const PLAIN: Form = {
  store: (folder) => CredentialStore.folder(folder),
  add: (folder) => [
    "-f",
    ...fs
      .readdirSync(path.join(folder, "store"))
      .filter((name) => name.endsWith(".json"))
      .map((name) => `store/${name}`),
  ],
};

function repository(form: Form): Checkout {
  const folder = path.join(root, "main");
  fs.mkdirSync(folder);
  const main = new Checkout(folder, form);
  main.git("init", "-q", "-b", "main");
  fs.writeFileSync(path.join(folder, "README"), "a plant\n");
  main.git("add", "README");
  main.git("commit", "-q", "-m", "the beginning");
  return main;
}

/** The list of the clients' authority that the broker would get; every authority must have a good one. */
function clientList({ credentials }: Fulfilment, now: Date): ReturnType<typeof parseRevocationList> & { pem: string } {
  const { clientAuthorities, controlAuthority, revocationListsPem } = credentials!;
  const lists = revocationListsPem.split(/(?<=-----END X509 CRL-----\n)/);
  for (const { record } of [...clientAuthorities, controlAuthority]) {
    const faults = lists.map((pem) => revocationListFault(pem, ParsedCertificate.fromPem(record.certificatePem), now));
    expect(faults).toContain(undefined);
  }
  const pem = lists[0] as string;
  return { ...parseRevocationList(pem), pem };
}

/** Whether a broker with this material lets in who has the certificate; OpenSSL is what the broker asks. */
async function letsIn({ credentials }: Fulfilment, pem: string, now: Date): Promise<boolean> {
  const trusted = credentials!.clientAuthorities.map(({ record }) => record.certificatePem).join("");
  const { code, said } = await verify({ ca: trusted, crl: credentials!.revocationListsPem, leaf: pem }, now);
  if (code !== 0) expect(said).toContain("certificate revoked");
  return code === 0;
}

/** Whether a client that trusts only this root takes what the server sends. */
async function verifies(rootPem: string, chain: string, leaf: string, now: Date): Promise<boolean> {
  return (await verify({ ca: rootPem, chain, leaf }, now)).code === 0;
}

async function verify(
  files: { readonly ca: string; readonly leaf: string; readonly crl?: string; readonly chain?: string },
  now: Date,
): Promise<{ readonly code: number; readonly said: string }> {
  const folder = fs.mkdtempSync(path.join(root, "verify-"));
  for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), content);
  const time = String(Math.floor(now.getTime() / 1000));
  const lists = files.crl === undefined ? [] : ["-crl_check", "-CRLfile", "crl"];
  const chain = files.chain === undefined ? [] : ["-untrusted", "chain"];
  const args = ["verify", "-x509_strict", "-attime", time, "-CAfile", "ca", ...lists, ...chain, "leaf"];
  const { code, stdout, stderr } = await run("openssl", args, { cwd: folder });
  return { code, said: stdout + stderr };
}

/** A synth after a merge ends well, and the one after it changes nothing. */
function settle(main: Checkout, wanted: WantedCredentials, now: Date): Fulfilment {
  const first = main.issue(wanted, now);
  expect(first.credentials).toBeDefined();
  clientList(first, now);
  const before = contents(path.join(main.folder, "store"));
  expect(main.issue(wanted, new Date(now.getTime() + HOUR)).issued).toEqual([]);
  expect(contents(path.join(main.folder, "store"))).toEqual(before);
  return first;
}

/** All clients that anybody ever declared are revoked; then the list refuses every certificate that was there. */
function expectAllRevocable(main: Checkout, now: Date): void {
  const records = main.store.open(now);
  const all = records.all("client");
  const ended = new Set(records.all("revocation").map(({ of }) => of));
  const alive = new Set(all.filter(({ serial }) => !ended.has(serial)).map(({ name }) => name));
  main.revoke(now, ...alive);
  const { serials } = clientList(settle(main, declared(...alive), now), now);
  expect(serials.map(padded)).toEqual(expect.arrayContaining(all.map(({ serial }) => padded(serial))));
}

const padded = (serial: string): string => serial.toUpperCase().replace(/^0+/, "");

/** Merges both branches; nothing that either has issued is lost or changed. */
function mergeBoth(main: Checkout, a: Checkout, b: Checkout): void {
  for (const branch of [a, b]) branch.commit();
  main.merge("a", "b");
  expect(main.files()).toEqual({ ...a.files(), ...b.files() });
}

describe.each([
  ["sealed", SEALED],
  ["plain, added by force", PLAIN],
])("two branches of a repository with a committed store (%s)", (_, form) => {
  let main: Checkout;
  let a: Checkout;
  let b: Checkout;
  let first: Credentials;
  beforeEach(() => {
    main = repository(form);
    first = main.issue(declared("sensor-1", "sensor-2", "sensor-3"), NOW).credentials!;
    main.commit();
    [a, b] = [main.branch("a"), main.branch("b")];
  });

  test("that each issue for another new client merge, and both clients are let in", async () => {
    const one = a.issue(declared("sensor-1", "sensor-2", "sensor-3", "new-a"), hours(1));
    const two = b.issue(declared("sensor-1", "sensor-2", "sensor-3", "new-b"), hours(2));
    mergeBoth(main, a, b);
    const result = settle(main, declared("sensor-1", "sensor-2", "sensor-3", "new-a", "new-b"), hours(3));
    expect(result.issued).toEqual([]);
    for (const [name, { credentials }] of [
      ["new-a", one],
      ["new-b", two],
    ] as const) {
      const issued = credentials!.clients.get(name)!.certificate!;
      expect(result.credentials!.clients.get(name)!.certificate).toEqual(issued);
      expect(await letsIn(result, issued.certificatePem, hours(3))).toBe(true);
    }
    expectAllRevocable(main, hours(5));
  });

  test.each([
    ["one after the other", hours(1), hours(2)],
    ["in the same moment", hours(1), hours(1)],
  ])(
    "that both issue for the same new client, %s, merge, and both certificates are let in",
    async (_when, at, later) => {
      const all = declared("sensor-1", "sensor-2", "sensor-3", "new");
      const issued = [a.issue(all, at), b.issue(all, later)].map(
        ({ credentials }) => credentials!.clients.get("new")!.certificate!,
      );
      mergeBoth(main, a, b);
      const result = settle(main, all, hours(3));
      expect(result.issued).toEqual([]);
      const used = result.credentials!.clients.get("new")!.certificate!;
      expect(issued).toContainEqual(used);
      if (later > at) expect(used).toEqual(issued[1]);
      expect(clientList(result, hours(3)).serials).toEqual([]);
      for (const { certificatePem } of issued) expect(await letsIn(result, certificatePem, hours(3))).toBe(true);

      main.revoke(hours(5), "new");
      const after = settle(main, all, hours(5));
      for (const { certificatePem } of issued) expect(await letsIn(after, certificatePem, hours(5))).toBe(false);
      const next = after.credentials!.clients.get("new")!.certificate!;
      expect(await letsIn(after, next.certificatePem, hours(5))).toBe(true);
      expectAllRevocable(main, hours(7));
    },
  );

  test("that each remove another client merge, and a list with a higher number refuses both", async () => {
    const lists = [
      clientList(a.issue(declared("sensor-2", "sensor-3"), hours(1)), hours(1)),
      clientList(b.issue(declared("sensor-1", "sensor-3"), hours(2)), hours(2)),
    ];
    expect(lists.map(({ number }) => number)).toEqual([2, 2]);
    mergeBoth(main, a, b);
    const result = settle(main, declared("sensor-3"), hours(3));
    expect(result.issued.map(({ what }) => what)).toEqual(["revocation list of clients authority 1"]);
    const list = clientList(result, hours(3));
    expect(list.number).toBeGreaterThan(2);
    expect(new Set(list.serials)).toEqual(new Set(lists.flatMap(({ serials }) => serials)));
    for (const [name, expected] of [
      ["sensor-1", false],
      ["sensor-2", false],
      ["sensor-3", true],
    ] as const) {
      const { certificatePem } = first.clients.get(name)!.certificate!;
      expect(await letsIn(result, certificatePem, hours(3))).toBe(expected);
    }
    expectAllRevocable(main, hours(5));
  });

  test("that both raise one client's credentialVersion merge: the old certificate is refused, both new ones work", async () => {
    const old = first.clients.get("sensor-1")!;
    const raised = wanted({ certificates: [certificate("sensor-1", { credentialVersion: 2 })], passwords: [] });
    const both = {
      ...raised,
      certificates: [...raised.certificates, certificate("sensor-2"), certificate("sensor-3")],
    };
    const issued = [a.issue(both, hours(1)), b.issue(both, hours(2))].map(
      ({ credentials }) => credentials!.clients.get("sensor-1")!.certificate!,
    );
    mergeBoth(main, a, b);
    const result = settle(main, both, hours(3));
    expect(result.credentials!.clients.get("sensor-1")!.certificate).toEqual(issued[1]);
    expect(await letsIn(result, old.certificate!.certificatePem, hours(3))).toBe(false);
    for (const { certificatePem } of issued) expect(await letsIn(result, certificatePem, hours(3))).toBe(true);
    expect(clientList(result, hours(3)).number).toBeGreaterThanOrEqual(2);
    main.revoke(hours(5), "sensor-1");
    const after = settle(main, both, hours(5));
    for (const { certificatePem } of issued) expect(await letsIn(after, certificatePem, hours(5))).toBe(false);
  });

  test("that both renew the server's certificate merge, and the later one is used", () => {
    const all = declared("sensor-1", "sensor-2", "sensor-3");
    const due = 300 * 24;
    const renewed = [a.issue(all, hours(due)), b.issue(all, hours(due + 1))];
    for (const { issued } of renewed) expect(issued.map(({ what }) => what)).toEqual(["server certificate"]);
    mergeBoth(main, a, b);
    const result = settle(main, all, hours(due + 2));
    expect(result.issued).toEqual([]);
    expect(result.credentials!.server).toEqual(renewed[1]!.credentials!.server);
  });
});

describe("two branches of a repository with a committed store (plain)", () => {
  let main: Checkout;
  let a: Checkout;
  let b: Checkout;
  let first: Credentials;
  function begin(): void {
    main = repository(PLAIN);
    first = main.issue(declared("sensor-1", "sensor-2", "sensor-3"), NOW).credentials!;
    main.commit();
    [a, b] = [main.branch("a"), main.branch("b")];
  }
  beforeEach(begin);

  test("that each revoke another client for good merge, and both stay revoked", async () => {
    const all = declared("sensor-1", "sensor-2", "sensor-3");
    a.revoke(hours(1), "sensor-1");
    a.issue(all, hours(1));
    b.revoke(hours(2), "sensor-2");
    b.issue(all, hours(2));
    mergeBoth(main, a, b);
    const result = settle(main, all, hours(3));
    expect(clientList(result, hours(3)).number).toBeGreaterThan(2);
    for (const name of ["sensor-1", "sensor-2"]) {
      const { certificatePem } = first.clients.get(name)!.certificate!;
      expect(await letsIn(result, certificatePem, hours(3))).toBe(false);
      const next = result.credentials!.clients.get(name)!.certificate!;
      expect(await letsIn(result, next.certificatePem, hours(3))).toBe(true);
    }
    expectAllRevocable(main, hours(5));
  });

  test("that add a host each merge, and one certificate has both hosts", () => {
    const names = ["sensor-1", "sensor-2", "sensor-3"];
    const at = (...hosts: string[]): WantedCredentials => ({ ...declared(...names), server: server(...hosts) });
    a.issue(at("broker.example", "a.example"), hours(1));
    b.issue(at("broker.example", "b.example"), hours(2));
    mergeBoth(main, a, b);
    const all = ["broker.example", "a.example", "b.example"];
    const result = settle(main, at(...all), hours(3));
    expect(result.credentials!.server.hosts).toEqual(all);
  });

  test("in one folder, one after the other, merge as well, for nothing of one stands in the way of the other", () => {
    for (const name of ["c", "d"]) {
      main.git("checkout", "-q", "-b", name, "main");
      main.issue(declared("sensor-2", "sensor-3", "new"), hours(1));
      main.commit();
      main.git("checkout", "-q", "main");
    }
    main.merge("c", "d");
    expect(
      main.store
        .open(NOW)
        .all("client")
        .filter(({ name }) => name === "new"),
    ).toHaveLength(2);
    settle(main, declared("sensor-2", "sensor-3", "new"), hours(3));
  });

  test("that renew everything at other times merge in the other order to the same credentials", () => {
    const all = declared("sensor-1", "sensor-2", "sensor-3", "new");
    // When the last of them is due, whatever its part of the window.
    a.issue(all, hours(650 * 24));
    b.issue(all, hours(651 * 24));
    for (const branch of [a, b]) branch.commit();
    const elsewhere = main.branch("elsewhere");
    main.merge("a", "b");
    elsewhere.merge("b", "a");
    const [here, there] = [main, elsewhere].map((one) => one.issue(all, hours(652 * 24)));
    expect(here!.issued).toEqual([]);
    expect(there!.issued).toEqual([]);
    expect(there!.credentials!.server).toEqual(here!.credentials!.server);
    expect(there!.credentials!.clients).toEqual(here!.credentials!.clients);
    expect(there!.credentials!.revocationListsPem).toEqual(here!.credentials!.revocationListsPem);
  });

  test("that each begin the same rotation merge, and who trusts only the old authority still gets to what is used", async () => {
    const trustsWhatIsUsed = ({ credentials }: Fulfilment): Promise<boolean> => {
      const { server: used, serverChainPem } = credentials!;
      return verifies(first.serverAuthorities[0]!.rootPem, serverChainPem, used.certificatePem, hours(6));
    };
    // Which of the two is found first is chance.
    for (let round = 0; round < 6; round += 1) {
      root = fs.mkdtempSync(path.join(parent, "x-"));
      begin();
      const step = (issuing: 1 | 2): WantedCredentials => ({
        ...declared("sensor-1"),
        serverAuthority: authority("server", CertificateAuthority.managed({ trusted: [1, 2], issuing })),
      });
      for (const [branch, hour] of [
        [a, 1],
        [b, 3],
      ] as const) {
        branch.issue(step(1), hours(hour));
        expect(await trustsWhatIsUsed(branch.issue(step(2), hours(hour + 1)))).toBe(true);
      }
      mergeBoth(main, a, b);
      expect(await trustsWhatIsUsed(settle(main, step(2), hours(6)))).toBe(true);
    }
  });

  test("that each begin the same rotation of the clients' authority merge, and every client is let in", async () => {
    const step = (issuing: 1 | 2): WantedCredentials => ({
      ...declared("sensor-1", "sensor-2"),
      clientAuthority: authority("clients", CertificateAuthority.managed({ trusted: [1, 2], issuing })),
    });
    for (const [branch, hour] of [
      [a, 1],
      [b, 3],
    ] as const) {
      branch.issue(step(1), hours(hour));
      branch.issue(step(2), hours(hour + 1));
    }
    mergeBoth(main, a, b);
    const result = settle(main, step(2), hours(6));
    for (const { certificate: used } of result.credentials!.clients.values()) {
      expect(await letsIn(result, used!.certificatePem, hours(6))).toBe(true);
    }
  });
});

describe("two branches that each begin a store", () => {
  test.each([
    ["sealed", SEALED, hours(1), hours(2)],
    ["sealed, in the same moment", SEALED, hours(1), hours(1)],
    ["plain, added by force", PLAIN, hours(1), hours(2)],
  ])("(%s) merge, and every client is let in with what is in use", async (_, form, at, later) => {
    const main = repository(form);
    const [a, b] = [main.branch("a"), main.branch("b")];
    a.issue(declared("sensor-1", "new-a"), at);
    b.issue(declared("sensor-1", "new-b"), later);
    mergeBoth(main, a, b);
    const before = main.files();
    expect(Object.keys(before).filter(isKeyFileName)).toHaveLength(form === SEALED ? 2 : 0);

    const result = settle(main, declared("sensor-1", "new-a", "new-b"), hours(3));
    for (const { certificate: used } of result.credentials!.clients.values()) {
      expect(await letsIn(result, used!.certificatePem, hours(3))).toBe(true);
    }
    const list = clientList(result, hours(3));
    expect(list.number).toBeGreaterThanOrEqual(1);
    expect(main.files()).toMatchObject(before);
    main.revoke(hours(5), "sensor-1", "new-a", "new-b");
    const after = settle(main, declared("sensor-1", "new-a", "new-b"), hours(5));
    for (const { certificate: revoked } of result.credentials!.clients.values()) {
      expect(await letsIn(after, revoked!.certificatePem, hours(5))).toBe(false);
    }
  });

  test("seal what comes next with one key on every machine, and converting keeps what both sealed", () => {
    const main = repository(SEALED);
    const [a, b] = [main.branch("a"), main.branch("b")];
    a.issue(declared("sensor-1"), hours(1));
    b.issue(declared("sensor-1"), hours(1));
    mergeBoth(main, a, b);
    const serials = (): string[] =>
      main.store
        .open(NOW)
        .all("client")
        .map(({ serial }) => serial);
    const before = serials();
    expect(before).toHaveLength(2);
    main.store.convert(hours(2));
    expect(serials()).toEqual(before);
    const keys = Object.entries(main.files())
      .filter(([name]) => !isKeyFileName(name))
      .map(([, content]) => (JSON.parse(content) as { sealedWith: string }).sealedWith);
    expect(new Set(keys).size).toBe(1);
  });
});

test("of two branches with different passphrases the merged store is refused, and one conversion joins them", () => {
  const main = repository(SEALED);
  const [a, b] = [main.branch("a"), main.branch("b")];
  a.issue(declared("sensor-1"), hours(1));
  const other = TextSource.callback(() => "another one, of several words");
  const store = (folder: string): CredentialStore => CredentialStore.sealed(folder, { passphrase: other });
  fulfil(store(path.join(b.folder, "store")).open(hours(2)), declared("sensor-2"), true, hours(2));
  mergeBoth(main, a, b);
  expect(() => main.store.open(NOW)).toThrow(/the passphrase does not open the sealed store/);
  const passphrase = TextSource.callback(() => "correct horse battery staple");
  const folder = path.join(main.folder, "store");
  CredentialStore.sealed(folder, { passphrase, previousPassphrase: other }).convert(hours(3));
  expect(
    new Set(
      main.store
        .open(NOW)
        .all("client")
        .map(({ name }) => name),
    ),
  ).toEqual(new Set(["sensor-1", "sensor-2"]));
});

test("a certificate that has ended long ago is no reason for another list", () => {
  const main = repository(PLAIN);
  const brief = wanted({ certificates: [certificate("brief", { validityDays: 30 }), certificate("sensor-1")] });
  main.issue(brief, NOW);
  main.issue(declared("sensor-1"), hours(1));
  expect(main.issue(declared("sensor-1"), new Date(NOW.getTime() + 60 * DAY)).issued).toEqual([]);
});
