import * as fs from "node:fs";
import * as path from "node:path";
import { TextSource } from "../constructs";
import { makeFolder, removeFolder } from "./support/workspace";

const folder = makeFolder("text");
afterAll(() => removeFolder(folder));

const VARIABLE = "CDKTF_MOSQUITTO_TEST_TEXT";
afterEach(() => {
  delete process.env[VARIABLE];
});

/** A file there with this content. */
function written(name: string, content: string): string {
  const file = path.join(folder, name);
  fs.writeFileSync(file, content, { mode: 0o600 });
  return file;
}

const node = (code: string, ...args: string[]): TextSource =>
  TextSource.command([process.execPath, "-e", code, ...args]);
const read = (source: TextSource): string => source.read("the passphrase");

function messageOf(source: TextSource): string {
  try {
    read(source);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it was read");
}

describe("a text", () => {
  test("that is given is taken as it is", () => expect(read(TextSource.text(" a\n"))).toBe(" a\n"));

  test("comes from a file, without anything taken off", () => {
    expect(read(TextSource.file(written("text", "ünïcode\r\n")))).toBe("ünïcode\r\n");
  });

  test("comes from a file that is relative to where the app runs", () => {
    const file = written("relative", "here");
    expect(read(TextSource.file(path.relative(process.cwd(), file)))).toBe("here");
  });

  test("comes from what a command prints, and only from its standard output", () => {
    expect(read(node("console.log('out'); console.error('')"))).toBe("out\n");
  });

  test("comes from a command whose words no shell takes apart", () => {
    expect(read(node("process.stdout.write(process.argv[1])", "$HOME; `id` | *"))).toBe("$HOME; `id` | *");
  });

  test("comes from a variable of the environment as it is when the text is needed", () => {
    const source = TextSource.variable(VARIABLE);
    process.env[VARIABLE] = "later";
    expect(read(source)).toBe("later");
  });

  test("comes from a function, which is called each time that the text is needed and not before", () => {
    const callback = jest.fn(() => "called");
    const source = TextSource.callback(callback);
    expect(callback).not.toHaveBeenCalled();
    expect([read(source), read(source)]).toEqual(["called", "called"]);
    expect(callback).toHaveBeenCalledTimes(2);
  });

  test("that does not exist is no error before it is needed", () => {
    expect(TextSource.file("/nowhere/at/all").description).toBe("file /nowhere/at/all");
    expect(TextSource.command([]).description).toBe("command ");
  });
});

describe("a text that cannot be had", () => {
  const missing = path.join(folder, "missing");
  const cases: readonly [string, () => TextSource, string, string][] = [
    ["in a missing file", () => TextSource.file(missing), `file ${missing}`, "ENOENT"],
    ["in a folder", () => TextSource.file(folder), `file ${folder}`, "EISDIR"],
    ["in an empty file", () => TextSource.file(written("empty", "")), "file ", "it is empty"],
    ["in a variable that is not set", () => TextSource.variable(VARIABLE), VARIABLE, "it is not set"],
    ["of a missing command", () => TextSource.command(["/nowhere/pass"]), "command /nowhere/pass", "ENOENT"],
    ["of a failing command", () => node("process.exit(3)"), `command ${process.execPath}`, "it ended with 3"],
    [
      "of a command that is killed",
      () => node("process.kill(process.pid, 'SIGKILL')"),
      `command ${process.execPath}`,
      "it ended with SIGKILL",
    ],
    ["of a silent command", () => node(""), `command ${process.execPath}`, "it is empty"],
    ["of no command", () => TextSource.command([]), "command ", "ERR_INVALID_ARG_VALUE"],
    [
      "of a function that throws",
      () =>
        TextSource.callback(() => {
          throw new Error("the vault is shut");
        }),
      "the callback",
      "it threw an error",
    ],
    ["of a function that returns nothing", () => TextSource.callback(() => ""), "the callback", "it is empty"],
    [
      "of a function that returns a promise",
      () => TextSource.callback((() => Promise.resolve("late")) as unknown as () => string),
      "the callback",
      "it is empty",
    ],
    ["that is empty", () => TextSource.text(""), "the text given", "it is empty"],
  ];
  test.each(cases)("%s is an error that says what, where and why", (_, source, where, why) => {
    const message = messageOf(source());
    expect(message).toMatch(/^the passphrase cannot be read from .*; allowed: .*; remedy: /s);
    expect(message).toContain(where);
    expect(message).toContain(`(${why})`);
  });

  test("in an empty variable is an error too", () => {
    process.env[VARIABLE] = "";
    expect(messageOf(TextSource.variable(VARIABLE))).toContain("(it is empty)");
  });

  test("is an error that shows neither what a command printed nor its words", () => {
    const message = messageOf(node("console.log('s3cret-printed'); process.exit(1)", "s3cret-argument"));
    expect(message).not.toContain("s3cret");
  });

  test("is an error that keeps its cause", () => {
    const cause = new Error("the vault is shut");
    const source = TextSource.callback(() => {
      throw cause;
    });
    expect(() => read(source)).toThrow(
      expect.objectContaining({ cause: expect.objectContaining({ cause }) as Error }) as Error,
    );
  });
});
