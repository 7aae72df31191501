import fc from "fast-check";
import * as fs from "node:fs";
import * as path from "node:path";
import { ClientList, CsvOptions } from "../../constructs";
import { makeFolder, removeFolder } from "../support/workspace";

const folder = makeFolder("client-list");
afterAll(() => removeFolder(folder));

/** A file there with this content. */
function written(content: string | Buffer, name = "devices.csv"): string {
  const file = path.join(folder, name);
  fs.writeFileSync(file, content);
  return file;
}

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect((error as Error).name).toBe("Error");
    return (error as Error).message;
  }
  throw new Error("it was read");
}

const read = (content: string | Buffer, options?: CsvOptions): ReturnType<typeof ClientList.csv> =>
  ClientList.csv(written(content), options);

const DELIMITERS = [",", ";", "|", "\t"] as const;
const BOM = "\ufeff";

interface Style {
  readonly delimiter: string;
  readonly lineEnd: string;
  readonly bom: boolean;
  readonly endsWithLineEnd: boolean;
  /** Whether cells are quoted that need not be. */
  readonly quotesAll: boolean;
}

/** Writes a table as RFC 4180 says. */
function csvOf(rows: readonly (readonly string[])[], style: Style): string {
  const cell = (value: string): string => {
    // An empty line would be skipped, and a BOM at the very beginning be taken for the file's.
    const needsQuotes = value === "" || /["\r\n\ufeff]/.test(value) || value.includes(style.delimiter);
    return style.quotesAll || needsQuotes ? `"${value.replace(/"/g, '""')}"` : value;
  };
  const lines = rows.map((row) => row.map(cell).join(style.delimiter));
  return (style.bom ? BOM : "") + lines.join(style.lineEnd) + (style.endsWithLineEnd ? style.lineEnd : "");
}

const style: fc.Arbitrary<Style> = fc.record({
  delimiter: fc.constantFrom(...DELIMITERS),
  lineEnd: fc.constantFrom("\n", "\r\n"),
  bom: fc.boolean(),
  endsWithLineEnd: fc.boolean(),
  quotesAll: fc.boolean(),
});

const cell = fc
  .array(
    fc.oneof(
      fc.constantFrom(...'",;|\t\n\r #ä$', "\r\n", '""', BOM, "plant-1"),
      fc.string({ unit: "grapheme", maxLength: 3 }),
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(""));

const table = fc
  .uniqueArray(fc.oneof(cell, fc.constantFrom("group", "__proto__", "constructor", "columns", "origin")), {
    maxLength: 4,
  })
  .map((others) => others.filter((each) => each !== "name"))
  .chain((others) =>
    fc.record({
      columns: fc.shuffledSubarray(["name", ...others], { minLength: others.length + 1 }),
      rows: fc.array(fc.array(cell, { minLength: others.length + 1, maxLength: others.length + 1 }), { maxLength: 5 }),
    }),
  );

test("whatever the names, columns and cells, a table that is written as RFC 4180 says is read back", () => {
  fc.assert(
    fc.property(table, style, ({ columns, rows }, how) => {
      const clients = read(csvOf([columns, ...rows], how), { delimiter: how.delimiter });
      expect(clients).toHaveLength(rows.length);
      clients.forEach((client, index) => {
        const row = rows[index] as string[];
        const of = (column: string): string | undefined => row[columns.indexOf(column)];
        expect(client.name).toBe(of("name"));
        // An empty cell is no group.
        expect(client.group).toBe(of("group") === "" ? undefined : of("group"));
        expect(Object.entries(client.columns ?? {}).sort()).toEqual(
          columns.map((column, place) => [column, row[place]]).sort(),
        );
      });
    }),
    { numRuns: 400 },
  );
});

test("whatever the cells, each client says the file and the line on which its row begins", () => {
  const rows = fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(rows, style, fc.nat(3), (cells, how, emptyLines) => {
      const lineEnd = how.lineEnd;
      const head = csvOf([["name", "x"]], { ...how, endsWithLineEnd: true }) + lineEnd.repeat(emptyLines);
      let text = head;
      const expected: string[] = [];
      for (const row of cells) {
        // An editor counts each kind of line end.
        expected.push(`devices.csv line ${text.split(/\r\n|\r|\n/).length}`);
        text += csvOf([row], { ...how, bom: false, endsWithLineEnd: true });
      }
      const clients = ClientList.csvText(text, { delimiter: how.delimiter, origin: "devices.csv" });
      expect(clients.map(({ origin }) => origin)).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

test("whatever the text, it is a list or an error in words that names the file, and no cell of it", () => {
  // Characters that no message has, so that a match is a cell.
  const piece = fc.constantFrom(..."жщю", '"', '""', ",", ";", "\n", "\r\n", "\r", BOM, " ", "name", "\0");
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 20 }).map((parts) => `name,secret\n${parts.join("")}`),
      (text) => {
        try {
          ClientList.csvText(text, { origin: "devices.csv" });
        } catch (error) {
          const { name, message } = error as Error;
          expect(name).toBe("Error");
          expect(message).toMatch(/^devices\.csv .*; allowed: .*; remedy: /);
          expect(message).toMatch(/line \d+/);
          expect(message).not.toMatch(/[жщю\p{Cc}]/u);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test.each<[string, unknown]>([
  ["nothing", undefined],
  ["null", null],
  ["a number", 7],
  ["an object", {}],
])("a text that is %s is an error in words, as plain JavaScript may pass it", (_, text) => {
  expect(messageOf(() => ClientList.csvText(text as string))).toMatch(/^the list of clients .*allowed: .*; remedy: /s);
});

describe("a list with a header line", () => {
  test("gives name, group, all columns and the line", () => {
    const file = written("name,group,site\nplc-1,plc,north\nsensor-1,,south\n");
    expect(ClientList.csv(file)).toEqual([
      {
        name: "plc-1",
        group: "plc",
        columns: { name: "plc-1", group: "plc", site: "north" },
        origin: `${file} line 2`,
      },
      { name: "sensor-1", columns: { name: "sensor-1", group: "", site: "south" }, origin: `${file} line 3` },
    ]);
  });

  test("may be in any order, and has no group where there is no such column", () => {
    expect(read("site,name\nnorth,plc-1\n")).toMatchObject([{ name: "plc-1", columns: { site: "north" } }]);
    expect(read("site,name\nnorth,plc-1\n")[0]).not.toHaveProperty("group");
  });

  test("and nothing else is an empty list", () => expect(read("name,group\n")).toEqual([]));

  test("is relative to where the app runs", () => {
    const file = path.relative(process.cwd(), written("name\na\n"));
    expect(ClientList.csv(file)).toMatchObject([{ name: "a", origin: `${file} line 2` }]);
  });

  test("has blanks of a cell as they are, which a name must not have", () => {
    expect(read("name,x\na , b\n")).toMatchObject([{ name: "a ", columns: { x: " b" } }]);
  });
});

test("a file whose lines end in different ways has no line end in a cell", () => {
  for (const text of ["name,x\na,b\r\nc,d\n", "name,x\r\na,b\nc,d\r\n", "name,x\na,b\r\nc,d\r\n"]) {
    let cells: unknown[];
    try {
      cells = read(text).map(({ columns }) => columns);
    } catch (error) {
      expect((error as Error).message).toMatch(/line \d+.*allowed: .*; remedy: /);
      continue;
    }
    expect(cells).toEqual([
      { name: "a", x: "b" },
      { name: "c", x: "d" },
    ]);
  }
});

describe("a list is an error that names the file, the line and the remedy", () => {
  test.each([
    ["with a row that is too short", "name,group\na,b\nc\n", 3],
    ["with a row that is too long", "name,group\na,b,c\n", 2],
    ["with a row that is too long below empty lines", "name,group\n\n\na,b,c\n", 4],
    ["with a quote that is not closed", 'name,group\na,"b\nc,d\n', 2],
    ["with a quote inside of a cell", 'name,group\na,b"c\n', 2],
    ["with text behind a quote", 'name,group\na,"b"c\n', 2],
  ])("%s", (_, text, line) => {
    const file = written(text);
    const message = messageOf(() => ClientList.csv(file));
    expect(message).toContain(file);
    expect(message).toMatch(new RegExp(`line ${line}\\b`));
    expect(message).toMatch(/allowed: .*RFC 4180.*; remedy: mend that line/);
  });

  test.each([
    ["that is empty", ""],
    ["that has only empty lines", "\n\n"],
    ["without a header line", "plc-1,plc\nplc-2,plc\n"],
    ["with the column Name", "Name,group\na,b\n"],
    ["with a blank before name", "group, name\na,b\n"],
    ["with the column name twice", "name,name\na,b\n"],
    ["with another column twice", "name,site,site\na,b,c\n"],
  ])("%s, for its header", (_, text) => {
    const file = written(text);
    const message = messageOf(() => ClientList.csv(file));
    expect(message).toContain(file);
    expect(message).toMatch(/allowed: a header line with the column name, and each column once; remedy: .*first line/);
  });

  test.each(DELIMITERS.flatMap((is) => DELIMITERS.filter((said) => said !== is).map((said) => [is, said] as const)))(
    "of %j that is read with %j, and says to name the delimiter",
    (is, said) => {
      const file = written(`name${is}group\na${is}b\n`);
      const message = messageOf(() => ClientList.csv(file, { delimiter: said }));
      expect(message).toContain(file);
      expect(message).toMatch(/(first line|line 1).*delimiter|delimiter.*(first line|line 1)/);
    },
  );

  test("that shows which columns are twice", () => {
    expect(messageOf(() => ClientList.csvText("name,site,site\n"))).toMatch(/site/);
  });
});

describe("a file that cannot be read is an error that names it", () => {
  test.each([
    ["a missing one", path.join(folder, "missing.csv"), "ENOENT"],
    ["a folder", folder, "EISDIR"],
  ])("%s", (_, file, code) => {
    const message = messageOf(() => ClientList.csv(file));
    expect(message).toBe(
      `the list of clients ${file} cannot be read (${code}); allowed: a CSV file in UTF-8; ` +
        "remedy: give its path relative to the folder of cdktf.json, or absolute",
    );
  });

  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["a number", 7],
    ["an object", {}],
  ])("%s, as plain JavaScript may pass it", (_, file) => {
    expect(messageOf(() => ClientList.csv(file as string))).toMatch(/^the list of clients .*allowed: .*; remedy: /);
  });

  test("one that is no UTF-8, whose letters would be others", () => {
    const file = written(Buffer.from("name,site\na,K\xf6ln\n", "latin1"));
    expect(messageOf(() => ClientList.csv(file))).toMatch(/UTF-8.*allowed: .*; remedy: /);
  });
});

test.each<[unknown]>([[""], [",,"], [" "], ["\n"], ['"'], ["a"], [null], [1], [[","]], [{}]])(
  "the delimiter %j is refused, with those that are allowed",
  (delimiter) => {
    const message = messageOf(() => read("name\n", { delimiter } as CsvOptions));
    expect(message).toMatch(/^the delimiter of .*devices\.csv, got .*allowed: "," ";" "\|" and a tab; remedy: /);
  },
);

test.each<[string, unknown]>([
  ["null", null],
  ["text", ";"],
])("options that are %s are refused in words, as plain JavaScript may pass them", (_, options) => {
  expect(messageOf(() => read("name\n", options as CsvOptions))).toMatch(/allowed: .*; remedy: /);
});
