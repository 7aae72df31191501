import { ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { until } from "../../tools/until";
import { mustRun, run } from "../support/command";
import { checkout, uniqueName } from "../support/workspace";

jest.setTimeout(60_000);

/** Connects as often as it is asked to, all at once, and prints how many came through within a second. */
const KNOCK = `
const [host, port, localAddress, times] = process.argv.slice(1);
const knock = () => new Promise((resolve) => {
  const socket = require("node:net").connect({ host, port, localAddress });
  const end = (came) => { socket.destroy(); resolve(came); };
  socket.once("connect", () => end(1)).once("error", () => end(0));
  setTimeout(() => end(0), 1000);
});
Promise.all(Array.from({ length: Number(times) }, knock)).then((all) => console.log(all.reduce((sum, one) => sum + one)));`;

const SERVE = `
for (const port of [8883, 8884]) require("node:net").createServer((socket) => socket.on("error", () => 0)).listen(port, () => console.log(port));`;

/** A client, a router with the chain of Docker, and a server: three network namespaces. */
describe("the documented firewall rule", () => {
  const name = uniqueName("fw");
  const [client, router, server] = ["c", "r", "s"].map((end) => `${name}-${end}`) as [string, string, string];
  const links = { client: "192.0.2", server: "198.51.100" };
  let serving: ChildProcess | undefined;

  const ip = (...args: string[]): Promise<string> => mustRun("ip", args);
  const within = (namespace: string, ...command: string[]): Promise<string> =>
    ip("netns", "exec", namespace, ...command);
  const knock = async (port: number, times: number, from = `${links.client}.2`): Promise<number> =>
    Number(await within(client, process.execPath, "-e", KNOCK, `${links.server}.2`, `${port}`, from, `${times}`));

  beforeAll(async () => {
    for (const namespace of [client, router, server]) {
      await ip("netns", "add", namespace);
      await ip("-n", namespace, "link", "set", "lo", "up");
    }
    for (const [end, namespace] of [
      ["client", client],
      ["server", server],
    ] as const) {
      await ip("-n", namespace, "link", "add", "out", "type", "veth", "peer", "name", end, "netns", router);
      for (const [where, device, last] of [
        [namespace, "out", 2],
        [router, end, 1],
      ] as const) {
        await ip("-n", where, "address", "add", `${links[end]}.${last}/24`, "dev", device);
        await ip("-n", where, "link", "set", device, "up");
      }
      await ip("-n", namespace, "route", "add", "default", "via", `${links[end]}.1`);
    }
    await ip("-n", client, "address", "add", `${links.client}.3/24`, "dev", "out");
    await within(router, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward");
    for (const rule of ["-N DOCKER-USER", "-A FORWARD -j DOCKER-USER"]) {
      await within(router, "iptables", ...rule.split(" "));
    }
    const guide = fs.readFileSync(path.join(checkout, "docs", "security.md"), "utf8");
    const [command] = /^iptables (?:.*\\\n)*.*$/m.exec(guide) ?? [];
    await within(router, "sh", "-c", command ?? "exit 9");
    // The program itself, which `ip` becomes.
    serving = spawn("ip", ["netns", "exec", server, process.execPath, "-e", SERVE]);
    let said = "";
    serving.stdout?.on("data", (text) => (said += text));
    await until("both ports listen", () => said.includes("8883") && said.includes("8884"));
  });
  afterAll(async () => {
    if (serving?.kill() === true) await once(serving, "exit");
    for (const namespace of [client, router, server]) await run("ip", ["netns", "del", namespace]);
  });

  test("lets an address connect to the password port twenty times, then hardly ever, and others as before", async () => {
    expect(await knock(8883, 60)).toBe(60);
    const came = await knock(8884, 60);
    expect(came).toBeGreaterThanOrEqual(20);
    expect(came).toBeLessThan(25);
    expect(await knock(8884, 10, `${links.client}.3`)).toBe(10);
    expect(await knock(8883, 60)).toBe(60);
  });
});
