import * as fs from "node:fs";
import * as path from "node:path";
import { CertificateAuthority, handOver, Issuing, revokeClient } from "../../constructs/credentials";
import { KeySource } from "../../constructs/pki";
import { makeFolder, removeFolder } from "../support/workspace";
import { ProcessPool, textsOf, wholeFiles } from "./process-pool";
import { Declared, names, Outcome, Step, Store } from "./process-steps";
import { authority, certificate, contents, DAY, issue, NOW, open, plain, wanted } from "./support";

jest.setTimeout(60_000);

const parent = makeFolder("disk-and-clock");
afterAll(() => removeFolder(parent));

let folder: string;
beforeEach(() => {
  folder = path.join(fs.mkdtempSync(path.join(parent, "x-")), "store");
});

describe("a disk that", () => {
  const pool = ProcessPool.build(path.join(parent, "code"));
  const clients = names(5);
  const FLEET: Declared = { clients };
  /** Three authorities, two certificates and two revocation lists, beside what the clients get. */
  const ALL = 7 + 2 * clients.length;
  /** With the steps of two authorities, which are not noted as issued. */
  const FILES = ALL + 2;
  const PASSPHRASE = "seven random words of a test";

  const issueInto = (store: Store, declared = FLEET): Step => ({ do: "issue", store, declared });
  const readFrom = (store: Store, declared = FLEET): Step => ({ do: "read", store, declared });
  const run = (program: string, ...args: string[]): Step => ({ do: "run", program, args });
  /** What a mount hides is the test's own to look at only through a copy. */
  const copyOut = (to: string): Step => run("cp", "-a", folder, to);
  const failed = (what: string, code: string): RegExp =>
    new RegExp(
      `^the credential store ${folder} failed to ${what} \\(${code}\\); allowed: .*room; remedy: mend the folder`,
    );
  const errors = (outcomes: readonly Outcome[]): (string | undefined)[] => outcomes.map(({ error }) => error);

  beforeEach(() => fs.mkdirSync(path.dirname(folder), { recursive: true }));

  /** A store in a file system of its own, with room for so much, that later gets enough. */
  async function filled(
    limit: string,
    store: Omit<Store, "folder">,
  ): Promise<{ error: string | undefined; had: number }> {
    const disk = path.dirname(folder);
    const copies = [`${disk}.full`, `${disk}.done`] as const;
    const opened = { folder, ...store };
    fs.mkdirSync(copies[0]);
    const [, full, , , first, second] = await pool.runApart(
      run("mount", "-t", "tmpfs", "-o", limit, "none", disk),
      issueInto(opened),
      // There is no store to copy where not even its folder had room.
      run("cp", "-a", `${disk}/.`, copies[0]),
      run("mount", "-o", "remount,size=4m,nr_inodes=1000", disk),
      issueInto(opened),
      issueInto(opened),
      run("cp", "-a", disk, copies[1]),
    );
    const [before, after] = copies.map((copy) => path.join(copy, "store")) as [string, string];
    const had = wholeFiles(before);
    expect([first!.error, second!.error]).toEqual([undefined, undefined]);
    expect(second!.issued).toEqual([]);
    expect(second!.credentials).toBe(first!.credentials);
    const whole = FILES + (store.passphrase === undefined ? 0 : 1);
    expect(wholeFiles(after)).toHaveLength(whole);
    expect(textsOf(after, had)).toEqual(textsOf(before, had));
    copies.forEach(removeFolder);
    return { error: full!.error, had: had.length };
  }

  describe("is full at any moment is an error that says so, and once there is room the next run completes the store:", () => {
    // Each record takes a page; each file, link and folder an inode.
    const pages = Array.from({ length: 19 }, (_, index) => `size=${4 * (index + 1)}k`);
    const inodes = Array.from({ length: 40 }, (_, index) => `nr_inodes=${index + 2}`);

    test.each<[string, readonly string[], Omit<Store, "folder">]>([
      ["no room for data", pages, {}],
      ["no room for files", inodes, {}],
      ["no room for data of a sealed store", pages.filter((_, index) => index % 4 === 0), { passphrase: PASSPHRASE }],
    ])("%s", async (_, limits, store) => {
      const moments = new Set<number>();
      for (const limit of limits) {
        const { error, had } = await filled(limit, store);
        moments.add(had);
        if (error === undefined) expect(had).toBeGreaterThanOrEqual(FILES);
        else expect(error).toMatch(failed("(be made|write \\S+\\.json)", "ENOSPC"));
        fs.rmSync(path.dirname(folder), { recursive: true });
        fs.mkdirSync(path.dirname(folder));
      }
      // It was full before the first record had its name.
      expect(moments.has(0)).toBe(true);
    });
  });

  test("may not be written is an error where something would be issued, and none where a store only is read", async () => {
    await pool.run(issueInto({ folder }));
    const before = contents(folder);
    const more = { clients: names(6) };
    const outcomes = await pool.runApart(
      run("mount", "--bind", folder, folder),
      run("mount", "-o", "remount,bind,ro", folder),
      readFrom({ folder }),
      issueInto({ folder }),
      issueInto({ folder }, more),
    );
    const [, , read, issued, refused] = outcomes;
    expect([read!.error, issued!.error]).toEqual([undefined, undefined]);
    expect(issued!.issued).toEqual([]);
    expect(issued!.credentials).toBe(read!.credentials);
    expect(refused!.error).toMatch(failed("be made", "EROFS"));
    expect(contents(folder)).toEqual(before);
    expect((await pool.run(issueInto({ folder }, more)))[0]!.issued).toHaveLength(2);
  });

  test("may not be written where the store is to be made is an error, and the next run makes it", async () => {
    const disk = path.dirname(folder);
    const outcomes = await pool.runApart(
      run("mount", "--bind", disk, disk),
      run("mount", "-o", "remount,bind,ro", disk),
      issueInto({ folder }),
    );
    expect(outcomes.at(-1)!.error).toMatch(failed("be made", "\\w+"));
    expect(fs.readdirSync(disk)).toEqual([]);
    expect((await pool.run(issueInto({ folder })))[0]!.issued).toHaveLength(ALL);
  });

  test("has a folder of somebody unknown in the store's place is an error, and that folder is left as it is", async () => {
    fs.mkdirSync(folder);
    fs.chmodSync(folder, 0o755);
    // In a namespace with one user this one is nobody.
    fs.chownSync(folder, 65533, 65533);
    const [outcome] = await pool.runApart(issueInto({ folder }));
    expect(outcome!.error).toMatch(failed("be made", "EPERM"));
    expect(fs.readdirSync(folder)).toEqual([]);
    expect(fs.statSync(folder)).toMatchObject({ uid: 65533, mode: 0o40755 });
    fs.chownSync(folder, process.getuid!(), process.getgid!());
    expect((await pool.run(issueInto({ folder })))[0]!.issued).toHaveLength(ALL);
  });

  test("has records of somebody unknown is an error that names the first, and they are left as they are", async () => {
    await pool.run(issueInto({ folder }));
    const [first] = wholeFiles(folder);
    fs.chownSync(path.join(folder, first!), 65533, 65533);
    const before = contents(folder);
    const outcomes = await pool.runApart(issueInto({ folder }), readFrom({ folder }));
    for (const error of errors(outcomes)) expect(error).toMatch(failed(`read ${first}`, "EACCES"));
    expect(contents(folder)).toEqual(before);
  });

  test("has a file in the store's place is an error, and the file is left as it is", async () => {
    fs.writeFileSync(folder, "kept");
    const outcomes = await pool.run(issueInto({ folder }), readFrom({ folder }));
    for (const error of errors(outcomes)) expect(error).toMatch(failed("be read", "ENOTDIR"));
    expect(fs.readFileSync(folder, "utf8")).toBe("kept");
    fs.rmSync(folder);
    expect((await pool.run(issueInto({ folder })))[0]!.issued).toHaveLength(ALL);
  });

  test("has a link to nowhere in the store's place is an error, and nothing is made where it points", async () => {
    const target = path.join(path.dirname(folder), "unmounted", "store");
    fs.symlinkSync(target, folder);
    const [outcome] = await pool.run(issueInto({ folder }));
    expect(outcome!.error).toMatch(failed("be made", "\\w+"));
    expect(fs.readdirSync(path.dirname(folder))).toEqual(["store"]);
    fs.mkdirSync(target, { recursive: true });
    expect((await pool.run(issueInto({ folder })))[0]!.issued).toHaveLength(ALL);
    expect(wholeFiles(target)).toHaveLength(FILES);
  });

  test("is full while a store is sealed leaves each record as it was or sealed, and once there is room all are", async () => {
    const disk = path.dirname(folder);
    const sealed = { folder, passphrase: PASSPHRASE };
    const copy = `${disk}.full`;
    const outcomes = await pool.runApart(
      run("mount", "-t", "tmpfs", "-o", "size=4m", "none", disk),
      issueInto({ folder }),
      { do: "list", store: { folder } },
      // A sealed record is a third longer, so there comes one that takes another page.
      run(
        "sh",
        "-c",
        `used=$(df -k --output=used "${disk}" | tail -1); mount -o remount,size=$((used + 4))k "${disk}"`,
      ),
      { do: "convert", store: sealed },
      copyOut(copy),
      run("mount", "-o", "remount,size=4m", disk),
      { do: "convert", store: sealed },
      { do: "list", store: sealed },
    );
    expect(outcomes[4]!.error).toMatch(failed("write \\S+\\.json", "ENOSPC"));
    expect(wholeFiles(copy).filter((name) => !name.startsWith("key."))).toHaveLength(FILES);
    expect(outcomes[7]!.error).toBeUndefined();
    expect(outcomes[8]!.records).toBe(outcomes[2]!.records);
    removeFolder(copy);
  });
});

describe("a clock that", () => {
  const at = (days: number, mayIssue = true): { now: Date; mayIssue: boolean } => ({
    now: new Date(NOW.getTime() + days * DAY),
    mayIssue,
  });
  const two = wanted({ certificates: [certificate("sensor-1"), certificate("sensor-2")] });
  const raised = wanted({ certificates: [certificate("sensor-1", { credentialVersion: 2 })] });
  const issuing = (days: number): Issuing => new Issuing(open(folder), at(days).now, new KeySource(new Map()));
  const SET_BACK =
    /^this machine's clock says 2030-05-\S+, but the store \S+ has a record that was issued 2030-06-01\S+; allowed: .*right to the day; remedy: set the clock.*nothing was changed$/;

  describe("is set back by more than a day issues nothing, and says why:", () => {
    test.each<[string, () => unknown]>([
      ["another client", () => issue(folder, two, at(-1.01))],
      ["a raised credentialVersion", () => issue(folder, raised, at(-2))],
      ["a client that is no longer declared", () => issue(folder, wanted({ certificates: [] }), at(-3))],
      ["a client to be revoked", () => revokeClient(issuing(-2), "sensor-1", "keyCompromise")],
      ["a bundle that was handed over", () => handOver(issuing(-2), issue(folder).credentials!, ["sensor-1"])],
    ])("%s", (_, work) => {
      issue(folder);
      const before = contents(folder);
      expect(work).toThrow(SET_BACK);
      expect(contents(folder)).toEqual(before);
    });
  });

  test("is set back, by a day or by years, goes on with what only reads", () => {
    const first = issue(folder);
    const before = contents(folder);
    for (const days of [-1, -2, -30, -4000]) {
      for (const mayIssue of [true, false]) {
        const result = issue(folder, wanted(), at(days, mayIssue));
        expect(result.issued).toEqual([]);
        expect(plain(result.credentials)).toEqual(plain(first.credentials));
      }
    }
    expect(issue(folder, two, at(-30, false)).missing).toMatchObject([{ what: "client certificate sensor-2" }]);
    expect(contents(folder)).toEqual(before);
  });

  test("is 12 hours behind issues as it should, and what it issued counts as the newest", () => {
    const first = issue(folder);
    const second = issue(folder, raised, at(-0.5));
    expect(second.issued.map(({ what }) => what)).toContain("client certificate sensor-1");
    const now = second.credentials!.clients.get("sensor-1")!.certificate!;
    expect(now.serial).not.toBe(first.credentials!.clients.get("sensor-1")!.certificate!.serial);
    // All its certificates are valid by the right clock, and by its own.
    expect(Date.parse(now.notBefore)).toBeLessThan(NOW.getTime() - 0.5 * DAY);
    const again = issue(folder, raised);
    expect(again.issued).toEqual([]);
    expect(plain(again.credentials)).toEqual(plain(second.credentials));
  });

  test("is a day behind to the millisecond may issue, and a millisecond more is too much", () => {
    issue(folder);
    expect(() => issue(folder, two, { now: new Date(NOW.getTime() - DAY - 1) })).toThrow(SET_BACK);
    expect(issue(folder, two, { now: new Date(NOW.getTime() - DAY) }).issued).toHaveLength(1);
  });

  test("was ahead while something was issued is told, once it is right again", () => {
    issue(folder);
    issue(folder, two, at(30));
    const before = contents(folder);
    expect(() => issue(folder, raised, at(0))).toThrow(/clock says 2030-06-01.*was issued 2030-07-01.*remedy/);
    expect(issue(folder, two, at(0)).issued).toEqual([]);
    expect(contents(folder)).toEqual(before);
  });

  const short = authority("clients", CertificateAuthority.managed({ validityDays: 400 }));

  test.each<[string, number, ReturnType<typeof wanted>, RegExp]>([
    ["all", 4000, wanted(), /server authority 1 in \S+store ended 2040-05-\S+,.*remedy/],
    ["one", 401, wanted({ clientAuthority: short }), /clients authority 1 in \S+store ended 2031-07-\S+,.*remedy/],
  ])(
    "is so far ahead that %s of the authorities ended is an error that names it, and does nothing",
    (_, days, ...rest) => {
      const [declared, message] = rest;
      const first = issue(folder, declared);
      const before = contents(folder);
      for (const mayIssue of [true, false]) {
        expect(() => issue(folder, declared, at(days, mayIssue))).toThrow(message);
        expect(() => issue(folder, { ...declared, certificates: two.certificates }, at(days, mayIssue))).toThrow(
          message,
        );
      }
      expect(contents(folder)).toEqual(before);
      expect(plain(issue(folder, declared).credentials)).toEqual(plain(first.credentials));
    },
  );
});
