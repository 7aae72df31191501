import * as fs from "node:fs";
import * as path from "node:path";
import { RecordFolder } from "../../constructs/credentials/record-folder";
import { fileOf, makeFolder, removeFolder } from "../support/workspace";
import { contents, issue, open } from "./support";

const parent = makeFolder("records");
afterAll(() => removeFolder(parent));

let folder: string;
beforeEach(() => {
  folder = path.join(fs.mkdtempSync(path.join(parent, "x-")), "store");
});

const record = (hash: string): Parameters<RecordFolder["add"]>[0] => ({
  kind: "password",
  name: "operator",
  version: 1,
  sequence: 1,
  hash,
  issuedAt: "2030-01-01T00:00:00.000Z",
  reason: "first issue",
});

function added(one: ReturnType<typeof record>): void {
  const opened = open(folder);
  opened.add(one);
  opened.flush();
}

test("a store is a private folder of private files", () => {
  issue(folder);
  expect(fs.statSync(folder).mode & 0o777).toBe(0o700);
  const files = fs.readdirSync(folder).filter((name) => !name.endsWith(".claim"));
  for (const name of files) expect(fs.statSync(path.join(folder, name)).mode & 0o777).toBe(0o600);
});

test("a new store keeps itself out of git, and an existing folder is left as it is", () => {
  issue(folder);
  expect(fs.readFileSync(path.join(folder, ".gitignore"), "utf8")).toBe("*\n");
  fs.rmSync(path.join(folder, ".gitignore"));
  added(record("one"));
  expect(fs.existsSync(path.join(folder, ".gitignore"))).toBe(false);
});

test("a store that only is read is not made", () => {
  expect(open(folder).isEmpty).toBe(true);
  expect(fs.existsSync(folder)).toBe(false);
});

test("a record comes back as it was written", () => {
  added(record("one"));
  expect(open(folder).all("password")).toEqual([record("one")]);
});

test("of two writers of one record the first one counts, and the second takes the first one's", () => {
  const [one, other] = [open(folder), open(folder)];
  one.add(record("one"));
  one.flush();
  const before = contents(folder);
  expect(other.add(record("other"))).toEqual(record("one"));
  expect(other.all("password")).toEqual([record("one")]);
  expect(contents(folder)).toEqual(before);
});

test("what a dead process left half written is no record, and goes away in time", () => {
  fs.mkdirSync(folder);
  const [fresh, stale] = [".client.a.v1.1-0123abcd.json.pending", ".client.b.v1.1.claim"].map((name) =>
    path.join(folder, name),
  ) as [string, string];
  fs.writeFileSync(fresh, "{");
  fs.writeFileSync(stale, "{");
  const hourAgo = new Date(Date.now() - 60 * 60 * 1000);
  fs.utimesSync(stale, hourAgo, hourAgo);
  added(record("one"));
  expect(fs.existsSync(fresh)).toBe(true);
  expect(fs.existsSync(stale)).toBe(false);
});

describe("a record that cannot be used is an error that names the file, and nothing is changed:", () => {
  const damaged = (change: (file: string, text: string) => void): void => {
    issue(folder);
    const file = fileOf(folder, "client.sensor-1.v1.1");
    change(file, fs.readFileSync(file, "utf8"));
  };

  test.each<[string, (file: string, text: string) => void, RegExp]>([
    ["cut short", (file, text) => fs.writeFileSync(file, text.slice(0, -20)), /not JSON/],
    ["empty", (file) => fs.writeFileSync(file, ""), /not JSON/],
    ["one letter changed", (file, text) => fs.writeFileSync(file, text.replace("BEGIN", "BEGUN")), /checksum/],
    [
      "its checksum taken away",
      (file, text) => fs.writeFileSync(file, text.replace(/,\s*"sha256": "[0-9a-f]+"/, "")),
      /checksum/,
    ],
    [
      "of a newer format",
      (file, text) => fs.writeFileSync(file, text.replace('"format": 1', '"format": 2')),
      /format is 2.*newer version/,
    ],
    ["something else", (file) => fs.writeFileSync(file, '{"hello":"world"}'), /no format number/],
    ["not an object", (file) => fs.writeFileSync(file, "null"), /not a record/],
    ["of an unknown kind", (file) => fs.writeFileSync(file, '{"format":1}'), /checksum/],
  ])("%s", (_, change, message) => {
    damaged(change);
    const name = path.basename(fileOf(folder, "client.sensor-1.v1.1"));
    const before = contents(folder);
    expect(() => issue(folder)).toThrow(message);
    expect(() => issue(folder)).toThrow(path.join(folder, name));
    expect(contents(folder)).toEqual(before);
  });

  test("renamed", () => {
    damaged((file) => fs.renameSync(file, path.join(folder, "client.sensor-2.v1.1-0123abcd.json")));
    expect(() => issue(folder)).toThrow(/sensor-2.*renamed.*client\.sensor-1\.v1\.1-[0-9a-f]{8}\.json/);
  });
});

test("a folder that cannot be one is a clear error", () => {
  fs.writeFileSync(path.dirname(folder) + "/file", "kept");
  const below = path.join(path.dirname(folder), "file", "store");
  expect(() => issue(below)).toThrow(/credential store .*file\/store failed.*ENOTDIR.*remedy/);
  expect(fs.readFileSync(path.dirname(folder) + "/file", "utf8")).toBe("kept");
});
