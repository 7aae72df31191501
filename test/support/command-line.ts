import * as fs from "node:fs";
import * as path from "node:path";
import { CommandOptions, CommandResult, run } from "./command";
import { checkout, filesBelow } from "./workspace";

/** Whether `lib`, which the test run builds, is of the present sources. */
function isBuilt(): boolean {
  const written = (file: string): number =>
    fs.statSync(path.join(checkout, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return ["constructs", "cli"].every((folder) =>
    filesBelow(path.join(checkout, folder)).every((name) => {
      const source = path.join(folder, name);
      return written(path.join("lib", source.replace(/\.ts$/, ".js"))) >= written(source);
    }),
  );
}

// As npm ships it that starts in a third of the time; where it is not built, the sources run.
const built = isBuilt();
const program = built ? process.execPath : path.join(checkout, "node_modules", ".bin", "tsx");

/** `cdktf-mosquitto`, as words of a command line. */
export const command: readonly string[] = [program, path.join(checkout, built ? "lib/cli/main.js" : "cli/main.ts")];

/** Runs `cdktf-mosquitto`. */
export function cdktfMosquitto(args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  return run(program, [...command.slice(1), ...args], options);
}

/** What an app of a test requires for `cdktf-mosquitto`, as a literal of its code. */
export const library = JSON.stringify(path.join(checkout, built ? "lib/constructs" : "constructs"));

/** Writes an app in JavaScript, and the cdktf.json that says how it is run. */
export function writeApp(folder: string, code: string, settings: { readonly context?: unknown } = {}): void {
  fs.writeFileSync(path.join(folder, "app.js"), code);
  const app = `${program} app.js`;
  fs.writeFileSync(path.join(folder, "cdktf.json"), JSON.stringify({ language: "typescript", app, ...settings }));
}

/** Runs such an app as cdktf does. */
export function runApp(folder: string, env: Readonly<Record<string, string>>): Promise<CommandResult> {
  return run(program, ["app.js"], { cwd: folder, env });
}
