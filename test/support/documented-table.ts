import * as fs from "node:fs";
import * as path from "node:path";
import { checkout } from "./workspace";

/** A table of a guide that says what tests have measured. With `UPDATE_DOCS=1` they write it, else they compare. */
export class DocumentedTable {
  static readonly isUpdated = process.env.UPDATE_DOCS === "1";

  private readonly file: string;

  /** @param heading of its first column */
  constructor(
    guide: string,
    private readonly heading: string,
  ) {
    this.file = path.join(checkout, "docs", guide);
  }

  /** The cells of each row below the headings. */
  rows(): string[][] {
    return this.lines().slice(2).map(cellsOf);
  }

  /** Writes the rows, aligned as Prettier does. */
  write(rows: readonly (readonly string[])[]): void {
    const lines = this.lines();
    const all = [cellsOf(lines[0] as string), ...rows];
    const widths = (all[0] as readonly string[]).map((_, column) =>
      Math.max(...all.map((row) => row[column]?.length ?? 0)),
    );
    const [head, ...body] = all.map((row) => line(widths.map((width, column) => (row[column] ?? "").padEnd(width))));
    const table = [head, line(widths.map((width) => "-".repeat(width))), ...body].join("\n");
    fs.writeFileSync(
      this.file,
      fs.readFileSync(this.file, "utf8").replace(lines.join("\n"), () => table),
    );
  }

  private lines(): string[] {
    const all = fs.readFileSync(this.file, "utf8").split("\n");
    const start = all.findIndex((text) => text.startsWith("|") && cellsOf(text)[0] === this.heading);
    if (start < 0) throw new Error(`${this.file} has no table whose first heading is ${this.heading}`);
    const length = all.slice(start).findIndex((text) => !text.startsWith("|"));
    return all.slice(start, start + length);
  }
}

function cellsOf(text: string): string[] {
  return text
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
