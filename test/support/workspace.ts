import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";

export const checkout = path.resolve(__dirname, "../..");

/** A name that no other run uses. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString("hex")}`;
}

/** A path inside the checkout's ignored `.work` that no other run uses. */
export function folderPath(prefix: string): string {
  return path.join(checkout, ".work", uniqueName(prefix));
}

/** A private folder there, which `removeFolder` takes away again. */
export function makeFolder(prefix: string): string {
  const folder = folderPath(prefix);
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

export function removeFolder(folder: string): void {
  fs.rmSync(folder, { recursive: true, force: true });
  const parent = path.dirname(folder);
  if (fs.existsSync(parent) && fs.readdirSync(parent).length === 0) fs.rmdirSync(parent);
}

/** Every file below a folder, by path relative to it. */
export function filesBelow(folder: string): string[] {
  return fs
    .readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

/** Ports that nobody listens on now. */
export async function freePorts(count: number, address = "127.0.0.1"): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<net.Server>((resolve, reject) => {
          const server = net.createServer();
          server.once("error", reject);
          server.listen(0, address, () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** The one file of a credential store that is about something, such as `client.sensor-1.v1.1`. */
export function fileOf(folder: string, subject: string): string {
  const names = fs.readdirSync(folder).filter((name) => name.startsWith(`${subject}-`) && name.endsWith(".json"));
  if (names.length !== 1) throw new Error(`${names.length} files about ${subject} in ${folder}`);
  return path.join(folder, names[0] as string);
}
