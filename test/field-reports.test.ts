import * as fs from "node:fs";
import * as path from "node:path";
import { checkout } from "./support/workspace";

interface Row {
  readonly line: string;
  readonly report: string;
  readonly here: string;
  readonly texts: readonly string[];
  readonly test: string;
}

const page = fs.readFileSync(path.join(checkout, "docs", "field-reports.md"), "utf8");
const [header, , ...lines] = page.split("\n").filter((line) => line.startsWith("|"));
const rows: readonly Row[] = lines.map((line) => {
  const cells = line.split("|").map((cell) => cell.trim());
  const [, report = "", what = "", here = "", how = "", test = ""] = cells;
  return { line, report, here, texts: [what, how], test };
});

/** Every link of a text: what it shows, and where it leads. */
function links(text: string): [shown: string, address: string][] {
  return [...text.matchAll(/\[([^\]]*)\]\(([^)]*)\)/g)].map(([, shown = "", address = ""]) => [shown, address]);
}

const REFERENCE = /^([A-Za-z0-9-]+\/[A-Za-z0-9._-]+)#([1-9]\d*)$/;

test("the page of field reports has its table, and every line of it all five cells", () => {
  expect(header?.split("|").map((cell) => cell.trim())).toEqual([
    "",
    "Report",
    "What went wrong",
    "Here",
    "How",
    "Test",
    "",
  ]);
  expect(rows.length).toBeGreaterThan(70);
  for (const { line, texts, here } of rows) {
    expect([line, line.split("|").length]).toEqual([line, 7]);
    for (const text of texts) expect([line, text]).toEqual([line, expect.stringMatching(/^[A-Z0-9`].*\.$/)]);
    expect([line, here]).toEqual([line, expect.stringMatching(/^(prevented|refused|right)$/)]);
  }
});

test("every report is a public reference that leads to its own page, and none stands twice", () => {
  const references = rows.flatMap(({ line, report }) => {
    const found = links(report);
    expect([line, report.replace(/\[[^\]]*\]\([^)]*\)/g, "").replace(/, /g, "")]).toEqual([line, ""]);
    expect(found.length).toBeGreaterThan(0);
    for (const [shown, address] of found) {
      const [, repository, number] = REFERENCE.exec(shown) ?? [];
      expect([shown, address]).toEqual([shown, `https://github.com/${repository}/issues/${number}`]);
    }
    return found.map(([shown]) => shown.toLowerCase());
  });
  expect(references.filter((one, index) => references.indexOf(one) !== index)).toEqual([]);
});

test("every report has a test, which is in the file that is named, under exactly that name", () => {
  for (const { report, test } of rows) {
    const [, file, title] = /^`(test\/[a-z0-9/.-]+\.ts) › (.+)`$/.exec(test) ?? [];
    expect([report, file, title]).toEqual([report, expect.any(String), expect.any(String)]);
    const full = path.join(checkout, file as string);
    expect([report, file, fs.existsSync(full)]).toEqual([report, file, true]);
    expect([report, titlesOf(fs.readFileSync(full, "utf8")).includes(title as string)]).toEqual([report, true]);
  }
});

/** The titles of the tests in a file, as they stand there; of `test.each` what stands behind the table. */
function titlesOf(source: string): string[] {
  return [...source.matchAll(/(?:\btest|^\s*[\])}]+|\))\(\s*"((?:[^"\\]|\\.)*)",/gm)].map(
    ([, title]) => JSON.parse(`"${title}"`) as string,
  );
}
