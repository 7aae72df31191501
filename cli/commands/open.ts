import * as fs from "node:fs";
import * as path from "node:path";
import { Files, writePrivateFiles } from "../private-files";
import { unarchive, unseal } from "../sealing";
import { passphrase } from "../terminal";
import { UsageError } from "../usage-error";

export interface OpenOptions {
  readonly identity?: string;
  readonly passphraseFile?: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** Opens what `bundle --seal` or `--recipient` sealed, or anything else in the age format. */
export async function open(file: string, options: OpenOptions): Promise<number> {
  const { identity, passphraseFile, out, force = false, json = false } = options;
  const sealed = fs.readFileSync(file === "-" ? 0 : file);
  const content = await unseal(
    sealed,
    identity !== undefined
      ? { identities: fs.readFileSync(identity, "utf8") }
      : { passphrase: await passphrase("the passphrase", passphraseFile) },
  );
  const name = file === "-" ? "opened" : path.basename(file).replace(/\.age$/, "");
  const files: Files = (await unarchive(name, content)) ?? new Map([[name, content]]);
  if (out !== undefined) {
    const paths = writePrivateFiles(new Map([[out, files]]), force);
    process.stdout.write(
      json ? `${JSON.stringify({ files: paths }, null, 2)}\n` : paths.map((one) => `${one}\n`).join(""),
    );
    return 0;
  }
  if (json) {
    const shown = [...files].map(([one, octets]) => ({ name: one, base64: Buffer.from(octets).toString("base64") }));
    process.stdout.write(`${JSON.stringify({ files: shown }, null, 2)}\n`);
    return 0;
  }
  if (files.size > 1) {
    throw new UsageError(
      `there are ${files.size} files in it: ${[...files.keys()].join(", ")}; remedy: name a folder by --out`,
    );
  }
  for (const octets of files.values()) process.stdout.write(octets);
  return 0;
}
