import * as fs from "node:fs";
import * as path from "node:path";
import { checkout } from "../support/workspace";
import { knownDifferences } from "./known-differences";
import { runs } from "./scenarios";

const guide = fs.readFileSync(path.join(checkout, "docs", "conformance.md"), "utf8");

test("the documentation has every known difference from plain Mosquitto, and no other", () => {
  const rows = guide.slice(guide.indexOf("| What differs"), guide.indexOf("Limits differ")).match(/^\| .*$/gm) ?? [];
  expect(rows.length - 2).toBe(knownDifferences.length);
  knownDifferences.forEach(({ reason }, index) => expect(rows[index + 2]).toContain(reason));
});

test("the documentation lists what is compared", () => {
  for (const { scenario } of runs) {
    const [first = "", ...rest] = scenario.about;
    const versions = scenario.only5 === true ? "5" : "3.1.1, 5";
    expect(guide).toMatch(
      new RegExp(`^\\| ${(first.toUpperCase() + rest.join("")).replace(/[+$]/g, "\\$&")} +\\| ${versions} +\\|$`, "m"),
    );
  }
});
