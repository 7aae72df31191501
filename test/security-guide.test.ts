import * as fs from "node:fs";
import * as path from "node:path";
import { generatePassword } from "../constructs/access";
import { checkout } from "./support/workspace";

const guide = fs.readFileSync(path.join(checkout, "docs", "security.md"), "utf8");

test("the security guide names tests that there are", () => {
  const cells = [...guide.matchAll(/^\|.*\|([^|]*)\|$/gm)].map(([, cell = ""]) => cell);
  const names = cells.flatMap((cell) => [...cell.matchAll(/`([a-z/-]+)`/g)].map(([, name]) => name as string));
  expect(names.length).toBeGreaterThan(15);
  for (const name of names.filter((one) => !one.startsWith("test/"))) {
    expect(fs.existsSync(path.join(checkout, "test", "deploy", `${name}.test.ts`)) || name).toBe(true);
  }
});

test("the security guide's sums are right", () => {
  const guesses = 1600;
  const years = (bits: number): number => 2 ** (bits - 1) / guesses / (365.25 * 86_400);
  const rounded = (value: number): string => value.toExponential(0).replace("e+", " × 10^");
  expect(guide).toContain(
    `${guesses.toLocaleString("en")} guesses a second half of them are tried in ${rounded(years(192))} years`,
  );
  expect(guide).toMatch(new RegExp(`128 bits\\s+would take ${rounded(years(128)).replace("^", "\\^")}`));
  expect(Buffer.from(generatePassword(), "base64url").length * 8).toBe(192);
  expect(10e6 / guesses / 3600).toBeLessThan(2);
  expect(10e6 / 10 / 60 / 24 / 365).toBeCloseTo(2, 0);
});
