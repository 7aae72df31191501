import { certificate, DAY, issue, open, wanted } from "../credentials/support";
import { makeFolder, removeFolder } from "../support/workspace";
import { judges, lint, type Chain } from "./judges";

// What a credential store keeps after some days of use, for brokers and devices alike.

jest.setTimeout(30_000);

const folder = makeFolder("judged-store");
afterAll(() => removeFolder(folder));

const start = Date.now() - 5 * DAY;
const after = (days: number): { now: Date } => ({ now: new Date(start + days * DAY) });
const only = (...names: string[]): ReturnType<typeof wanted> =>
  wanted({ certificates: names.map((name) => certificate(name)) });

issue(folder, only("early", "stays"), after(0));
issue(folder, only("early", "late", "stays"), after(1));
issue(folder, only("late", "stays"), after(2));
issue(folder, only("stays"), after(3));

const records = open(folder);
const certificates = [...records.all("authority"), ...records.all("server"), ...records.all("client")];

test("zlint finds nothing in any certificate of the store", async () => {
  const found = await lint(certificates.map(({ certificatePem }) => ({ certificate: certificatePem })));
  expect(found.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
});

test("zlint finds nothing in any revocation list of the store", async () => {
  const lists = records.all("crl");
  expect(lists.length).toBeGreaterThan(2);
  const found = await lint(lists.map(({ pem }) => ({ list: pem })));
  expect(found.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
});

test.each(judges.map((judge) => [judge.name, judge] as const))(
  "%s accepts the client that is left, and refuses those that are gone",
  async (_, judge) => {
    const list = records
      .all("crl")
      .filter(({ role }) => role === "clients")
      .sort((one, other) => one.sequence - other.sequence)
      .at(-1);
    const root = records.all("authority").find(({ role }) => role === "clients");
    const chainOf = (client: string): Chain => ({
      leaf: records.all("client").find(({ name }) => name === client)?.certificatePem ?? "",
      roots: [root?.certificatePem ?? ""],
      lists: [list?.pem ?? ""],
      usage: "clientAuth",
      allowMissingNames: true,
    });
    expect(await judge.chains(["stays", "early", "late"].map(chainOf))).toEqual([
      { accepted: ["stays", expect.any(String)] },
      { refused: expect.stringMatching(/revoked/) as string },
      { refused: expect.stringMatching(/revoked/) as string },
    ]);
  },
);
