import { parse } from "csv-parse/sync";
import * as fs from "node:fs";
import * as path from "node:path";
import { show } from "../faults";

/** One of many clients, as a list names it. */
export interface ListedClient {
  readonly name: string;
  /** What decides its rules, where the list has groups. */
  readonly group?: string;
  /** All columns of its row by their names, where it came from a table. */
  readonly columns?: Readonly<Record<string, string>>;
  /** Where it stands, for messages, such as `devices.csv line 7`. */
  readonly origin?: string;
}

export interface CsvOptions {
  /**
   * The character between two columns: `,`, `;`, `|` or a tab.
   *
   * @default ","
   */
  readonly delimiter?: string;
}

/** Reads lists of clients, for `broker.addClients()`. */
export class ClientList {
  /**
   * The rows of a CSV file (RFC 4180) with a header line. The column `name` is needed, `group` is used where it is there;
   * all columns are handed on. Empty lines are skipped.
   *
   * @param file relative to the folder of cdktf.json, where an app runs, or absolute
   * @throws {Error} naming the file and the line, when it cannot be read as such
   */
  static csv(file: string, options: CsvOptions = {}): readonly ListedClient[] {
    let text: string;
    try {
      text = fs.readFileSync(path.resolve(file), "utf8");
    } catch (error) {
      throw new Error(
        `the list of clients ${file} cannot be read (${(error as NodeJS.ErrnoException).code}); allowed: a CSV file; ` +
          "remedy: give its path relative to the folder of cdktf.json, or absolute",
        { cause: error },
      );
    }
    return ClientList.csvText(text, { ...options, origin: file });
  }

  /** The same from a text. */
  static csvText(text: string, options: CsvOptions & { readonly origin?: string } = {}): readonly ListedClient[] {
    const { delimiter = ",", origin = "the list of clients" } = options;
    if (![",", ";", "|", "\t"].includes(delimiter)) {
      throw new Error(
        `the delimiter of ${origin}, got ${show(delimiter)}; allowed: "," ";" "|" and a tab; remedy: leave it out for ","`,
      );
    }
    const [header, ...rows] = rowsOf(text, delimiter, origin);
    const names = header?.cells ?? [];
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (!names.includes("name") || twice !== undefined) {
      throw new Error(
        `${origin} has the columns ${show(names)}; allowed: a header line with the column name, and each column once; ` +
          "remedy: put name, or name and group, into the first line",
      );
    }
    return rows.map(({ cells, line }) => {
      const columns = Object.fromEntries(names.map((name, index) => [name, cells[index] as string]));
      const { name = "", group = "" } = columns;
      return { name, ...(group !== "" && { group }), columns, origin: `${origin} line ${line}` };
    });
  }

  private constructor() {}
}

interface Row {
  readonly cells: readonly string[];
  readonly line: number;
}

function rowsOf(text: string, delimiter: string, origin: string): Row[] {
  try {
    const parsed = parse(text, { bom: true, delimiter, info: true, skip_empty_lines: true }) as unknown as {
      readonly info: { readonly lines: number };
      readonly record: readonly string[];
    }[];
    return parsed.map(({ record, info }) => ({ cells: record, line: info.lines }));
  } catch (error) {
    throw new Error(
      `${origin} is not a table (${(error as Error).message}); allowed: CSV as RFC 4180 has it, with as many columns in each ` +
        "line as in the first; remedy: mend that line, or name another delimiter",
      { cause: error },
    );
  }
}
