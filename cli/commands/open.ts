import * as fs from "node:fs";
import * as path from "node:path";
import { writePrivateFiles } from "../private-files";
import { unseal } from "../sealing";
import { passphrase } from "../terminal";

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
  const sealed = fs.readFileSync(file);
  const content = await unseal(
    sealed,
    identity !== undefined
      ? { identities: fs.readFileSync(identity, "utf8") }
      : { passphrase: await passphrase("the passphrase", passphraseFile, false) },
  );
  const name = path.basename(file).replace(/\.age$/, "");
  if (out === undefined && !json) {
    process.stdout.write(content);
    return 0;
  }
  const paths = writePrivateFiles(out ?? ".", new Map([[name, content]]), force);
  process.stdout.write(
    json ? `${JSON.stringify({ files: paths }, null, 2)}\n` : paths.map((one) => `${one}\n`).join(""),
  );
  return 0;
}
