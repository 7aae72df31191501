import * as fs from "node:fs";
import * as path from "node:path";
import { CommandResult } from "./command";
import type { Project, Surroundings } from "./project";
import { checkout } from "./workspace";

interface Block {
  readonly language: string;
  readonly text: string;
}

/** A part of a guide with commands: what stands in its blocks is what a test does, one block after another. */
export class Runbook {
  private readonly blocks: Block[];

  constructor(
    readonly title: string,
    private readonly project: Project,
    guide = "runbooks.md",
  ) {
    const page = partsOf(guide).get(title);
    if (page === undefined) throw new Error(`docs/${guide} has no part ${title}`);
    this.blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = "", text = ""]) => ({
      language,
      text,
    }));
  }

  /** Runs the next block of commands, after the changes of the declaration that stand before it. */
  async next(surroundings?: Surroundings): Promise<CommandResult> {
    for (;;) {
      const block = this.blocks.shift();
      if (block === undefined) throw new Error(`the page ${this.title} has no other step`);
      if (block.language === "sh") return this.project.sh(block.text, surroundings);
      // Which another test compiles.
      if (block.language === "ts") continue;
      if (block.language !== "diff") throw new Error(`the page ${this.title} has a block in ${block.language}`);
      this.project.declare(block.text);
    }
  }

  /** The same, of what must succeed. @returns its standard output */
  async mustNext(surroundings?: Surroundings): Promise<string> {
    const { code, stdout, stderr } = await this.next(surroundings);
    if (code !== 0) throw new Error(`a step of ${this.title} ended with ${code}\n${stdout}\n${stderr}`);
    return stdout;
  }

  /** @throws {Error} when the page has steps that were not taken */
  end(): void {
    if (this.blocks.length > 0) throw new Error(`not run of ${this.title}: ${JSON.stringify(this.blocks)}`);
  }
}

/** The parts of a guide, by title. */
export function partsOf(guide: string): ReadonlyMap<string, string> {
  const text = fs.readFileSync(path.join(checkout, "docs", guide), "utf8");
  const [, ...parts] = text.split(/^## /m);
  return new Map(parts.map((part) => [part.split("\n")[0] as string, part]));
}
