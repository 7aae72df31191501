import * as fs from "node:fs";
import * as path from "node:path";
import { VARIANTS } from "../bench/load/connections";
import { Listener } from "../constructs";
import { brokerSize } from "../constructs/broker/sizing";
import { checkout } from "./support/workspace";

const guide = fs.readFileSync(path.join(checkout, "docs", "performance.md"), "utf8");
const rows = guide.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));

describe("the guide to what a broker carries", () => {
  test.each([1000, 2000, 5000, 10_000])("says how large the container for %d devices is", (maxConnections) => {
    const { memory, files } = brokerSize([Listener.mutualTls({ maxConnections })]);
    const row = rows.find(([, devices]) => devices === maxConnections.toLocaleString("en")) ?? [];
    expect([row[2], row[4]]).toEqual([`${memory} MiB`, files.toLocaleString("en")]);
  });

  test("has the rows that the benchmark prints", () => {
    const titles = VARIANTS.map(({ title }) => title);
    const printed = rows.map(([, title]) => title as string).filter((title) => titles.includes(title));
    const messages = titles.slice(0, 3);
    const disturbed = [...titles.slice(0, 2), titles[3]];
    expect(printed).toEqual([...titles, ...titles, ...disturbed, ...messages, ...messages]);
  });
});
