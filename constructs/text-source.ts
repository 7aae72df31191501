import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

/** Milliseconds for a command; a person may have to touch a security key meanwhile. */
const COMMAND_PATIENCE = 120_000;

/**
 * Where a text comes from that is not part of the declaration: a passphrase, a key, a certificate. It is read only when
 * it is needed, and never in a snapshot test.
 */
export class TextSource {
  /** The text itself: for certificates, which are no secret. */
  static text(text: string): TextSource {
    return new TextSource("the text given", () => text);
  }

  /** @param file relative to the folder of cdktf.json, where an app runs, or absolute */
  static file(file: string): TextSource {
    return new TextSource(`file ${file}`, () => fs.readFileSync(path.resolve(file), "utf8"));
  }

  /**
   * What a command prints, such as `["pass", "plant/credentials"]`. It is run without a shell and may ask at the
   * terminal; it has two minutes.
   */
  static command(command: readonly string[]): TextSource {
    return new TextSource(`command ${command[0] ?? ""}`, () => outputOf(command));
  }

  /**
   * An environment variable. Every process that Terraform starts can read it: prefer a file or a command where there is
   * a choice.
   */
  static variable(name: string): TextSource {
    return new TextSource(`environment variable ${name}`, () => process.env[name] ?? fail("it is not set"));
  }

  /** A function, called when the text is needed. */
  static callback(read: () => string): TextSource {
    return new TextSource("the callback", () => {
      try {
        return read();
      } catch (cause) {
        // What it says may have a part of the text in it.
        throw new Error("it threw an error", { cause });
      }
    });
  }

  private constructor(
    /** For messages: never the text. */
    readonly description: string,
    private readonly readText: () => string,
  ) {}

  /**
   * @param what what it is, for the message
   * @throws {Error} when it cannot be had, or is empty
   */
  read(what: string): string {
    let text: unknown;
    try {
      text = this.readText();
      if (typeof text !== "string" || text === "") fail("it is empty");
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new Error(
        `${what} cannot be read from ${this.description} (${code ?? message}); allowed: a text that is not empty; ` +
          "remedy: bring it there, or declare another source",
        { cause: error },
      );
    }
    return text;
  }
}

function outputOf([program = "", ...args]: readonly string[]): string {
  const result = spawnSync(program, args, {
    encoding: "utf8",
    stdio: ["inherit", "pipe", "inherit"],
    timeout: COMMAND_PATIENCE,
  });
  if (result.error) throw result.error;
  if (result.status !== 0) fail(`it ended with ${result.status ?? result.signal}`);
  return result.stdout;
}

function fail(why: string): never {
  throw new Error(why);
}
