import * as path from "node:path";
import { CommandOptions, CommandResult, run } from "./command";
import { checkout } from "./workspace";

/** Runs code in a Node process of its own, with a module of `tools` as `module`: jest cannot import `.mjs`. */
export function withTool(
  file: string,
  code: string,
  options: CommandOptions & { readonly checkout?: string } = {},
): Promise<CommandResult> {
  const url = `file://${path.join(options.checkout ?? checkout, "tools", file)}`;
  const script = `
    import * as module from ${JSON.stringify(url)};
    const print = (value) => process.stdout.write(JSON.stringify(value ?? null));
    try { ${code} } catch (error) { process.stderr.write(error.message); process.exit(1); }`;
  return run(process.execPath, ["--input-type=module", "-e", script], options);
}

/** The value that an expression over `module` has. */
export async function evaluate<T>(file: string, expression: string): Promise<T> {
  const { code, stdout, stderr } = await withTool(file, `print(await (${expression}));`);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as T;
}
