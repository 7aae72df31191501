import * as fs from "node:fs";
import * as path from "node:path";

/** Every password of a store, and every line of its private keys: the last one of a key may be short. */
export function secretsOf(storeFolder: string): string[] {
  const records = fs.readdirSync(storeFolder).filter((name) => name.endsWith(".json"));
  return records.flatMap((name) => {
    const text = fs.readFileSync(path.join(storeFolder, name), "utf8");
    const { privateKeyPem = "", password } = JSON.parse(text) as { privateKeyPem?: string; password?: string };
    const lines = privateKeyPem.split("\n").filter((line) => line.length >= 16 && !line.startsWith("-----"));
    return password === undefined ? lines : [...lines, password];
  });
}
