import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { CredentialStore, fulfil, Fulfilment, WantedCredentials } from "../../constructs/credentials";
import { TextSource } from "../../constructs/text-source";
import { isKeyFileName } from "../../constructs/credentials/record-codec";
import { subjectOfFileName } from "../../constructs/credentials/record";
import { parseKeyFile, parseSealedRecord, SealingKey } from "../../constructs/credentials/sealing";
import { run } from "../support/command";
import { checkout, fileOf, makeFolder, removeFolder } from "../support/workspace";
import { deriveAtOnce } from "./quick-derivation";
import { certificate, contents, DAY, NOW, plain, wanted } from "./support";

// Where keys are derived as they are for people, each time that a store is opened takes half a second, on purpose.
jest.setTimeout(120_000);

const OLD = "correct horse battery staple";
const NEW = "another one, of several words";

const parent = makeFolder("sealed");
afterAll(() => removeFolder(parent));

let repository: string;
let folder: string;
beforeEach(() => {
  repository = fs.mkdtempSync(path.join(parent, "x-"));
  folder = path.join(repository, "store");
});

const text = (passphrase: string): TextSource => TextSource.callback(() => passphrase);
const sealed = (passphrase = OLD, at = folder): CredentialStore =>
  CredentialStore.sealed(at, { passphrase: text(passphrase) });
const resealed = (passphrase: string, previous: string, at = folder): CredentialStore =>
  CredentialStore.sealed(at, { passphrase: text(passphrase), previousPassphrase: text(previous) });
const unsealed = (previous: string, at = folder): CredentialStore =>
  CredentialStore.folder(at, { previousPassphrase: text(previous) });

/** One synth's work on a store. */
function issue(store: CredentialStore, declared = wanted(), now = NOW): Fulfilment {
  return fulfil(store.open(now), declared, true, now);
}

/** All that a store says, whatever its form. */
function says(store: CredentialStore): unknown {
  const records = store.open(NOW);
  const kinds = ["authority", "server", "control", "client", "password", "crl", "revocation"] as const;
  return kinds.map((kind) => records.all(kind));
}

/** What is in a folder for somebody who commits it: no file that a process leaves while it writes. */
const files = (at = folder): Record<string, string> =>
  Object.fromEntries(Object.entries(contents(at)).filter(([name]) => !/^\..*\.claim$/.test(name)));
const recordNames = (at = folder): string[] =>
  Object.keys(files(at)).filter((name) => name.endsWith(".json") && !isKeyFileName(name));
const keyNames = (at = folder): string[] => Object.keys(files(at)).filter(isKeyFileName);
const read = (name: string, at = folder): string => fs.readFileSync(path.join(at, name), "utf8");

function git(...args: string[]): string {
  // A person's own settings must not decide what is seen here.
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  const who = ["-c", "user.name=Test", "-c", "user.email=test@plant.example"];
  return execFileSync("git", [...who, ...args], { cwd: repository, env, encoding: "utf8" });
}

function commit(): void {
  git("add", "-A");
  git("commit", "-q", "-m", "a change");
}

/** What a commit would now bring, as "A client.sensor-1.v1.1". */
function diff(): string[] {
  git("add", "-A");
  return git("diff", "--cached", "--name-status", "--no-renames")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [change, file] = line.split("\t") as [string, string];
      return `${change} ${subjectOfFileName(path.basename(file))}`;
    });
}

function messageOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was refused");
}

describe("a sealed store", () => {
  test("only reads unless it is told otherwise", () => {
    expect(sealed().issue).toBe("never");
    expect(sealed().isSealed).toBe(true);
    expect(CredentialStore.sealed(folder, { passphrase: text(OLD), issue: "whenMissing" }).issue).toBe("whenMissing");
  });

  test("that nothing was issued into is empty, is not made, and asks for no passphrase", () => {
    const ask = jest.fn(() => OLD);
    const store = CredentialStore.sealed(folder, { passphrase: TextSource.callback(ask) });
    expect(store.open(NOW).isEmpty).toBe(true);
    expect(fulfil(store.open(NOW), wanted(), false, NOW).credentials).toBeUndefined();
    expect(fs.existsSync(folder)).toBe(false);
    expect(ask).not.toHaveBeenCalled();
  });

  test("gives the next synth what was issued, changes no byte, and has one key", () => {
    const first = issue(sealed());
    const before = contents(folder);
    const second = issue(sealed(), wanted(), new Date(NOW.getTime() + 30 * DAY));
    expect(second.issued).toEqual([]);
    expect(plain(second.credentials)).toEqual(plain(first.credentials));
    expect(contents(folder)).toEqual(before);
    expect(keyNames()).toHaveLength(1);
    expect(recordNames().every((name) => parseSealedRecord(read(name)) !== undefined)).toBe(true);
  });

  test("is read by another process with the passphrase in a file, with or without the end of a line", async () => {
    const { credentials } = issue(sealed());
    for (const ending of ["", "\n", "\r\n"]) {
      fs.writeFileSync(path.join(repository, "passphrase"), OLD + ending);
      const code = `
        import { CredentialStore, TextSource } from ${JSON.stringify(path.join(checkout, "constructs"))};
        const store = CredentialStore.sealed("store", { passphrase: TextSource.file("passphrase") });
        process.stdout.write(store.open(new Date()).all("client")[0]?.serial ?? "");`;
      fs.writeFileSync(path.join(repository, "read.ts"), code);
      const tsx = path.join(checkout, "node_modules", ".bin", "tsx");
      const { stdout, stderr } = await run(tsx, ["read.ts"], { cwd: repository });
      expect(stderr).toBe("");
      expect(stdout).toBe(credentials!.clients.get("sensor-1")!.certificate!.serial);
    }
  });

  test("is a private folder of private files that show no host, key or password", () => {
    const { credentials } = issue(sealed());
    const password = credentials!.clients.get("operator")!.password!;
    expect(fs.statSync(folder).mode & 0o777).toBe(0o700);
    for (const [name, content] of Object.entries(files())) {
      expect(fs.statSync(path.join(folder, name)).mode & 0o777).toBe(0o600);
      for (const secret of ["broker.example", "-----BEGIN", "plant ", password.value, password.hash, OLD]) {
        expect(content).not.toContain(secret);
      }
    }
  });

  test("of two processes that seal a new one at once, ends with one key that opens all", () => {
    const [one, two] = [sealed().open(NOW), sealed().open(NOW)];
    const more = wanted({ certificates: [certificate("sensor-1"), certificate("sensor-2")] });
    const first = fulfil(one, wanted(), true, NOW);
    const second = fulfil(two, more, true, NOW);
    expect(second.issued.map(({ what }) => what)).toEqual(["client certificate sensor-2"]);
    expect(second.credentials!.server).toEqual(first.credentials!.server);
    expect(keyNames()).toHaveLength(1);
    expect(issue(sealed(), more).issued).toEqual([]);
  });

  test("of two processes that seal a new one at once with different passphrases, refuses the later one", () => {
    const [one, two] = [sealed(OLD).open(NOW), sealed(NEW).open(NOW)];
    fulfil(one, wanted(), true, NOW);
    const before = files();
    expect(() => fulfil(two, wanted(), true, NOW)).toThrow(/the passphrase does not open the sealed store/);
    expect(files()).toEqual(before);
  });

  test("with a passphrase that is too short is not made", () => {
    expect(() => issue(sealed("too short"))).toThrow(/9 characters; allowed: 12 or more; remedy/);
    expect(recordNames()).toEqual([]);
    expect(keyNames()).toEqual([]);
  });
});

describe("in a git repository", () => {
  deriveAtOnce();
  const declared = (...names: string[]): WantedCredentials =>
    wanted({ certificates: [certificate("short", { validityDays: 30 }), ...names.map((name) => certificate(name))] });

  beforeEach(() => {
    git("init", "-q", "-b", "main");
    issue(sealed(), declared("sensor-1"));
    commit();
  });

  test("every record, the key and the .gitignore of a sealed store are let in, and what a process leaves is not", () => {
    fs.writeFileSync(path.join(folder, ".client.x.v1.1-00000000.json.pending"), "half");
    fs.writeFileSync(path.join(folder, ".client.x.v1.1-00000000.json.0000.new"), "half");
    fs.symlinkSync("client.x.v1.1-00000000.json", path.join(folder, ".client.x.v1.1.claim"));
    const committed = git("ls-files", "store").trimEnd().split("\n").sort();
    const all = [".gitignore", ...recordNames(), ...keyNames()].map((name) => `store/${name}`).sort();
    expect(committed).toEqual(all);
    expect(git("status", "--porcelain")).toBe("");
    const ignored = fs.readdirSync(folder).filter((name) => !all.includes(`store/${name}`));
    expect(ignored.length).toBeGreaterThanOrEqual(3);
    expect(git("check-ignore", ...ignored.map((name) => `store/${name}`)).split("\n")).toHaveLength(ignored.length + 1);
    expect(() => git("check-ignore", ...all)).toThrow();
  });

  test("nothing of a plain store is let in", () => {
    issue(CredentialStore.folder(path.join(repository, "plain")));
    expect(git("status", "--porcelain")).toBe("");
  });

  test("a synth with nothing changed is no change", () => {
    issue(sealed(), declared("sensor-1"));
    expect(git("status", "--porcelain")).toBe("");
  });

  test("a clone has all that is needed", () => {
    const clone = path.join(repository, "clone");
    git("clone", "-q", ".", clone);
    const elsewhere = path.join(clone, "store");
    expect(issue(sealed(OLD, elsewhere), declared("sensor-1")).issued).toEqual([]);
    expect(says(sealed(OLD, elsewhere))).toEqual(says(sealed()));
  });

  test("an added client is a change of that client's file alone", () => {
    issue(sealed(), declared("sensor-1", "sensor-2"));
    expect(diff()).toEqual(["A client.sensor-2.v1.1"]);
  });

  test("a renewed client is a change of that client's file alone", () => {
    issue(sealed(), declared("sensor-1"), new Date(NOW.getTime() + 25 * DAY));
    expect(diff()).toEqual(["A client.short.v1.2"]);
  });

  test("a client that is taken away is a change of the revocation list alone", () => {
    issue(sealed(), declared());
    expect(diff()).toEqual(["A crl.clients.1.2"]);
  });

  test("a raised credentialVersion shows the client's new certificate, the end of the old one, and the list", () => {
    const raised = [certificate("short", { validityDays: 30 }), certificate("sensor-1", { credentialVersion: 2 })];
    issue(sealed(), wanted({ certificates: raised }));
    expect(diff()).toEqual([
      "A client.sensor-1.v2.1",
      "A crl.clients.1.2",
      expect.stringMatching(/^A revocation\.client\.sensor-1\.v1\.1\.[0-9a-f]{8}$/),
    ]);
  });

  test("converting a plain store to a sealed one makes it fit to be committed, and back keeps it out", () => {
    const other = path.join(repository, "other");
    issue(CredentialStore.folder(other));
    sealed(OLD, other).convert(NOW);
    const [change, ...rest] = git("status", "--porcelain", "-uall").trimEnd().split("\n");
    expect([change, ...rest]).toHaveLength(1 + recordNames(other).length + keyNames(other).length);
    unsealed(OLD, other).convert(NOW);
    expect(git("status", "--porcelain", "-uall")).toBe("");
  });
});

describe("an error of a sealed store changes no byte", () => {
  deriveAtOnce();
  let before: Record<string, string>;
  beforeEach(() => {
    issue(sealed());
    before = contents(folder);
  });
  afterEach(() => expect(contents(folder)).toEqual(before));

  const refused = (store: CredentialStore): string => messageOf(() => issue(store));

  test.each([NEW, OLD.toUpperCase(), `${OLD}\n\n`, "short"])(
    "for the wrong passphrase %j, which names the store and not the passphrase",
    (wrong) => {
      const message = refused(sealed(wrong));
      expect(message).toContain(`the passphrase does not open the sealed store ${folder} (${keyNames()[0]})`);
      expect(message).toMatch(/allowed: .*; remedy: .*`previousPassphrase`.*; nothing was changed$/);
      expect(message).not.toContain(wrong);
    },
  );

  const sources: readonly [string, TextSource, RegExp][] = [
    ["a variable that is not set", TextSource.variable("CDKTF_MOSQUITTO_TEST_NONE"), /CDKTF_MOSQUITTO_TEST_NONE/],
    ["a missing file", TextSource.file("/nowhere/passphrase"), /file \/nowhere\/passphrase \(ENOENT\)/],
    ["an empty file", TextSource.file("/dev/null"), /file \/dev\/null \(it is empty\)/],
    [
      "a command that fails after it printed the passphrase",
      TextSource.command([process.execPath, "-e", `console.log(${JSON.stringify(OLD)}); process.exit(4)`]),
      /command .*node \(it ended with 4\)/,
    ],
    [
      "a function that throws",
      TextSource.callback(() => {
        throw new Error("the vault is shut");
      }),
      /the callback \(it threw an error\)/,
    ],
  ];
  test.each(sources)("for %s, and says where it was looked for", (_, source, where) => {
    const message = refused(CredentialStore.sealed(folder, { passphrase: source }));
    expect(message).toMatch(/^the passphrase cannot be read from /);
    expect(message).toMatch(where);
    expect(message).toMatch(/allowed: .*; remedy: /);
    expect(message).not.toContain(OLD);
  });

  test("for a declaration as a plain folder, and says how to declare it", () => {
    const message = refused(CredentialStore.folder(folder));
    expect(message).toContain(folder);
    expect(message).toMatch(/it is sealed, .*CredentialStore\.sealed\(\).*`previousPassphrase`.*convert STACK/);
  });

  test("for a wrong passphrase to convert with, and a wrong one before it", () => {
    for (const store of [sealed(NEW), resealed(NEW, "a wrong one before it"), unsealed(NEW)]) {
      expect(messageOf(() => store.convert(NOW))).toContain(`does not open the sealed store ${folder}`);
    }
  });

  test("for a passphrase to convert to that is too short", () => {
    expect(messageOf(() => resealed("too short", OLD).convert(NOW))).toMatch(/9 characters; allowed: 12 or more/);
  });

  test("for converting to a plain folder without the passphrase that it was sealed with", () => {
    expect(messageOf(() => CredentialStore.folder(folder).convert(NOW))).toMatch(
      /the store is sealed and declared as a plain folder; .*`previousPassphrase`/,
    );
  });
});

describe("a sealed store that somebody changed", () => {
  deriveAtOnce();
  beforeEach(() => {
    issue(sealed(), wanted({ certificates: [certificate("a"), certificate("b")] }));
  });

  const opening = (): string => messageOf(() => sealed().open(NOW));

  test("with a plain record among the sealed ones is refused with the way to seal it", () => {
    const other = path.join(repository, "plain");
    issue(CredentialStore.folder(other), wanted({ certificates: [certificate("c")] }));
    const added = fileOf(other, "client.c.v1.1");
    fs.copyFileSync(added, path.join(folder, path.basename(added)));
    expect(opening()).toContain(path.join(folder, path.basename(added)));
    expect(opening()).toMatch(/it is not sealed, .*npx cdktf-mosquitto convert STACK/);
    expect(sealed().convert(NOW)).toBe(1);
    expect(
      sealed()
        .open(NOW)
        .all("client")
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["a", "b", "c"]);
  });

  test("that was a plain one before and was not converted is refused with the way to seal it", () => {
    const other = path.join(repository, "plain");
    issue(CredentialStore.folder(other));
    const before = contents(other);
    expect(messageOf(() => issue(sealed(OLD, other)))).toMatch(/it is not sealed, .*convert STACK/);
    expect(contents(other)).toEqual(before);
  });

  test("by giving one client's record the name of another one's is refused", () => {
    const [a, b] = [fileOf(folder, "client.a.v1.1"), fileOf(folder, "client.b.v1.1")];
    const [textOfA, textOfB] = [read(path.basename(a)), read(path.basename(b))];
    fs.writeFileSync(a, textOfB);
    fs.writeFileSync(b, textOfA);
    expect(opening()).toContain(`${a} cannot be used: it was renamed: by its content it is ${path.basename(b)}`);
  });

  test("by a record under another name is refused", () => {
    const file = fileOf(folder, "client.a.v1.1");
    fs.renameSync(file, file.replace("client.a.", "client.z."));
    expect(opening()).toContain(`it was renamed: by its content it is ${path.basename(file)}`);
  });

  test("by a record whose content names the other file as well is refused", () => {
    const [a, b] = [fileOf(folder, "client.a.v1.1"), fileOf(folder, "client.b.v1.1")];
    fs.writeFileSync(b, read(path.basename(a)).replace(path.basename(a), path.basename(b)));
    expect(opening()).toContain(`${b} cannot be used: it was changed since it was sealed`);
  });

  test("by a record of another store with the same passphrase is refused", () => {
    const other = path.join(repository, "other");
    issue(sealed(OLD, other), wanted({ certificates: [certificate("c")] }));
    const file = fileOf(other, "client.c.v1.1");
    fs.copyFileSync(file, path.join(folder, path.basename(file)));
    expect(opening()).toContain(`the key file that it was sealed with is missing: ${keyNames(other)[0]}`);
  });

  test("by taking the key away is refused, and nothing is sealed with a new one", () => {
    const [name] = keyNames() as [string];
    fs.rmSync(path.join(folder, name));
    const before = files();
    expect(opening()).toMatch(/the key file that it was sealed with is missing/);
    expect(opening()).toContain("remedy: restore that file");
    expect(messageOf(() => sealed().convert(NOW))).toContain("missing");
    expect(files()).toEqual(before);
  });

  test("by damaging the key is refused with its file", () => {
    const [name] = keyNames() as [string];
    fs.writeFileSync(path.join(folder, name), read(name).slice(0, -20));
    expect(opening()).toMatch(
      new RegExp(`the key file .*${name} cannot be used: it is not a key.*restore that file.*nothing was changed`),
    );
  });

  test("by giving the key another name is refused, or loses nothing when it is converted", () => {
    const [name] = keyNames() as [string];
    const before = says(sealed());
    fs.renameSync(path.join(folder, name), path.join(folder, "key.0123456789ab.json"));
    try {
      sealed().convert(NOW);
    } catch {
      // To refuse it is well.
    }
    expect(keyNames()).not.toEqual([]);
    fs.renameSync(path.join(folder, "key.0123456789ab.json"), path.join(folder, name));
    expect(says(sealed())).toEqual(before);
  });

  test("by cutting a record short is not converted, and the message names the file", () => {
    const file = fileOf(folder, "client.a.v1.1");
    fs.writeFileSync(file, read(path.basename(file)).slice(0, 100));
    const before = files();
    expect(messageOf(() => sealed().convert(NOW))).toContain(file);
    expect(files()).toEqual(before);
  });

  test.each([
    ["sealed anew", (): CredentialStore => resealed(NEW, OLD)],
    ["unsealed", (): CredentialStore => unsealed(OLD)],
  ])("by changing a record is not %s, and the message names the file", (_, store) => {
    const file = fileOf(folder, "client.a.v1.1");
    const { record } = JSON.parse(read(path.basename(file))) as { record: { tag: string } };
    const tag = Buffer.alloc(16).toString("base64");
    fs.writeFileSync(file, read(path.basename(file)).replace(record.tag, tag));
    expect(messageOf(() => store().convert(NOW))).toContain(file);
    expect(fs.existsSync(path.join(folder, keyNames()[0] as string))).toBe(true);
  });
});

describe("convert", () => {
  deriveAtOnce();
  const declared = wanted({ certificates: [certificate("a"), certificate("b")] });

  /** Half of the files of a conversion that has ended, over a store where it has not begun. */
  function interrupted(unconverted: string, converted: string): string {
    const at = path.join(repository, "interrupted");
    fs.cpSync(unconverted, at, { recursive: true, verbatimSymlinks: true });
    // The key is written before the first record, and an old one is taken away after the last.
    for (const name of keyNames(converted)) fs.copyFileSync(path.join(converted, name), path.join(at, name));
    const names = recordNames(converted);
    for (const name of names.slice(0, names.length / 2)) {
      fs.copyFileSync(path.join(converted, name), path.join(at, name));
    }
    return at;
  }

  function copyOf(at: string): string {
    const copy = path.join(repository, "before");
    fs.cpSync(at, copy, { recursive: true, verbatimSymlinks: true });
    return copy;
  }

  test("seals a plain store and unseals it again to the same bytes", () => {
    issue(CredentialStore.folder(folder), declared);
    const before = files();
    const said = says(CredentialStore.folder(folder));
    expect(sealed().convert(NOW)).toBe(recordNames().length);
    expect(says(sealed())).toEqual(said);
    expect(issue(sealed(), declared).issued).toEqual([]);
    for (const content of Object.values(files())) expect(content).not.toContain("PRIVATE KEY");
    expect(unsealed(OLD).convert(NOW)).toBe(recordNames().length);
    expect(files()).toEqual(before);
    expect(fs.readdirSync(folder).filter((name) => /\.(new|pending)$/.test(name))).toEqual([]);
  });

  test("keeps every file private", () => {
    issue(CredentialStore.folder(folder), declared);
    sealed().convert(NOW);
    for (const name of Object.keys(files())) expect(fs.statSync(path.join(folder, name)).mode & 0o777).toBe(0o600);
  });

  test("with a new passphrase says the same, and nothing opens with the old one", () => {
    issue(sealed(OLD), declared);
    const said = says(sealed(OLD));
    const [old] = keyNames() as [string];
    expect(resealed(NEW, OLD).convert(NOW)).toBe(recordNames().length);
    expect(says(sealed(NEW))).toEqual(said);
    expect(keyNames()).toHaveLength(1);
    expect(keyNames()).not.toContain(old);
    for (const name of keyNames()) expect(SealingKey.open(parseKeyFile(read(name)), OLD)).toBeUndefined();
    const [, id] = /^key\.(.*)\.json$/.exec(old) as unknown as [string, string];
    for (const content of Object.values(files())) expect(content).not.toContain(id);
    expect(() => sealed(OLD).open(NOW)).toThrow(/does not open the sealed store/);
  });

  test("may be left declared with both passphrases", () => {
    issue(sealed(OLD), declared);
    resealed(NEW, OLD).convert(NOW);
    const before = files();
    expect(issue(resealed(NEW, OLD), declared).issued).toEqual([]);
    expect(files()).toEqual(before);
  });

  test("between passphrases may be put off: what is issued meanwhile is in the store afterwards", () => {
    issue(sealed(OLD), declared);
    issue(resealed(NEW, OLD), wanted({ certificates: [...declared.certificates, certificate("c")] }));
    const said = says(resealed(NEW, OLD));
    resealed(NEW, OLD).convert(NOW);
    expect(says(sealed(NEW))).toEqual(said);
  });

  const conversions: readonly [string, () => CredentialStore, (at?: string) => CredentialStore][] = [
    ["plain to sealed", () => CredentialStore.folder(folder), (at) => sealed(OLD, at)],
    ["sealed to plain", () => sealed(OLD), (at) => unsealed(OLD, at)],
    ["sealed to sealed anew", () => sealed(OLD), (at) => resealed(NEW, OLD, at)],
  ];

  test.each(conversions)("from %s is harmless when it is run twice", (_, from, to) => {
    issue(from(), declared);
    expect(to().convert(NOW)).toBeGreaterThan(0);
    const before = files();
    expect(to().convert(NOW)).toBe(0);
    expect(files()).toEqual(before);
  });

  test.each(conversions)("from %s that was interrupted completes when it is run again", (_, from, to) => {
    issue(from(), declared);
    const said = says(from());
    const before = copyOf(folder);
    const all = to().convert(NOW);
    const at = interrupted(before, folder);
    expect(to(at).convert(NOW)).toBe(all - Math.floor(all / 2));
    expect(says(to(at))).toEqual(said);
    expect(issue(to(at), declared).issued).toEqual([]);
    expect(to(at).convert(NOW)).toBe(0);
    expect(keyNames(at)).toEqual(keyNames());
  });

  test("does not seal a plain record that is damaged, and names its file", () => {
    issue(CredentialStore.folder(folder), declared);
    const file = fileOf(folder, "client.a.v1.1");
    fs.writeFileSync(file, read(path.basename(file)).slice(0, 100));
    expect(messageOf(() => sealed().convert(NOW))).toContain(file);
    expect(read(path.basename(file))).toHaveLength(100);
  });

  test.each([
    ["sealed", (): CredentialStore => sealed()],
    ["plain", (): CredentialStore => CredentialStore.folder(folder)],
  ])("of a %s store where nothing was issued yet makes nothing", (_, store) => {
    expect(store().convert(NOW)).toBe(0);
    expect(fs.existsSync(folder)).toBe(false);
  });

  test("asks for a passphrase once, for a person may have to touch a security key", () => {
    issue(sealed(OLD), declared);
    const [ask, askPrevious] = [jest.fn(() => NEW), jest.fn(() => OLD)];
    const passphrase = TextSource.callback(ask);
    CredentialStore.sealed(folder, { passphrase, previousPassphrase: TextSource.callback(askPrevious) }).convert(NOW);
    expect(ask).toHaveBeenCalledTimes(1);
    expect(askPrevious).toHaveBeenCalledTimes(1);
  });
});
