import { parse } from "csv-parse/sync";
import * as fs from "node:fs";
import * as path from "node:path";
import { show } from "../faults";
import { optionsFault } from "../value-faults";

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
      text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(fs.readFileSync(path.resolve(file)));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const why = code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "it is not UTF-8" : (code ?? "it is no path");
      throw new Error(
        `the list of clients ${typeof file === "string" ? file : show(file)} cannot be read (${why}); allowed: a CSV file in ` +
          "UTF-8; remedy: give its path relative to the folder of cdktf.json, or absolute",
        { cause: error },
      );
    }
    return read(text, options, file);
  }

  /**
   * The same from a text.
   *
   * @param options `origin` is where it comes from, for messages
   */
  static csvText(text: string, options: CsvOptions & { readonly origin?: string } = {}): readonly ListedClient[] {
    const origin: unknown = optionsFault("options", options) === undefined ? options.origin : undefined;
    return read(text, options, typeof origin === "string" ? origin : "the list of clients");
  }

  private constructor() {}
}

/** @param origin where it comes from, for messages */
function read(text: string, options: CsvOptions, origin: string): readonly ListedClient[] {
  const isObject = optionsFault("options", options) === undefined;
  const delimiter: unknown = isObject && options.delimiter === undefined ? "," : options?.delimiter;
  if (typeof text !== "string") {
    throw new Error(
      `${origin} is no text, got ${show(text)}; allowed: a text; remedy: pass what the file holds, or use ClientList.csv()`,
    );
  }
  if (!isObject || typeof delimiter !== "string" || !DELIMITERS.includes(delimiter)) {
    throw new Error(
      `the delimiter of ${origin}, got ${show(isObject ? delimiter : options)}; allowed: "," ";" "|" and a tab; remedy: leave ` +
        'it out for ",", or write { delimiter: ";" }',
    );
  }
  const [header, ...rows] = rowsOf(text, delimiter, origin);
  const names = header?.cells ?? [];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (!names.includes("name") || twice !== undefined) {
    throw new Error(
      `${origin} has the columns ${show(names)}; allowed: a header line with the column name, and each column once; remedy: ` +
        "put name, or name and group, into the first line, or name another delimiter",
    );
  }
  return rows.map(({ cells, line }) => {
    const columns = Object.fromEntries(names.map((name, index) => [name, cells[index] as string]));
    const { name = "", group = "" } = columns;
    return { name, ...(group !== "" && { group }), columns, origin: `${origin} line ${line}` };
  });
}

interface Row {
  readonly cells: readonly string[];
  /** The first one that it stands on. */
  readonly line: number;
}

const DELIMITERS = [",", ";", "|", "\t"];
const LINE_BREAK = /\r\n|\r|\n/g;

function rowsOf(text: string, delimiter: string, origin: string): Row[] {
  const octets = Buffer.from(text);
  const rows: Row[] = [];
  let end = 0;
  let lines = 1;
  /** The line on which the next row begins, and how many it has. */
  const next = (until: number): { line: number; breaks: number } => {
    const passed = octets.subarray(end, until).toString();
    const skipped = /^(?:\r\n|\r|\n)+/.exec(passed)?.[0] ?? "";
    return { line: lines + breaksIn(skipped), breaks: breaksIn(passed) };
  };
  const failed = tried(() => {
    parse(octets, {
      bom: true,
      delimiter,
      record_delimiter: ["\r\n", "\n", "\r"],
      skip_empty_lines: true,
      on_record: (cells: string[], { bytes }: { readonly bytes: number }) => {
        const { line, breaks } = next(bytes);
        rows.push({ cells, line });
        lines += breaks;
        end = bytes;
        return null;
      },
    });
  });
  if (failed === undefined) return rows;
  const why =
    failed === "CSV_RECORD_INCONSISTENT_FIELDS_LENGTH"
      ? "it has more or fewer columns than the first line"
      : "a quotation mark is not where it may be";
  throw new Error(
    `${origin} line ${next(octets.length).line} cannot be read: ${why}; allowed: CSV as RFC 4180 has it, with as many columns ` +
      "in each line as in the first; remedy: mend that line, or name another delimiter",
  );
}

/** Only the code of what went wrong: the parser's own words show what stands in the cells. */
function tried(read: () => void): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return (error as { readonly code?: string }).code ?? "unknown";
  }
}

function breaksIn(text: string): number {
  return text.match(LINE_BREAK)?.length ?? 0;
}
