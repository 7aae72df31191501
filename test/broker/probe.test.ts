import * as fs from "node:fs";
import * as path from "node:path";
import { run } from "../support/command";
import { checkout, makeFolder, removeFolder } from "../support/workspace";

// How probe.sh judges what mosquitto_sub says. Over WebSockets it ends with 4, let in or not, when the broker closes first;
// whether it does is a matter of microseconds, so a script stands in for it.

const folder = makeFolder("probe");
afterAll(() => removeFolder(folder));

/** What `knock` ends with where mosquitto_sub says this, and ends with that. */
async function knock(said: string, code: number): Promise<number> {
  fs.writeFileSync(path.join(folder, "mosquitto_sub"), `#!/bin/sh\necho '${said}'\nexit ${code}\n`, { mode: 0o755 });
  const probe = path.join(checkout, "constructs", "broker", "scripts", "probe.sh");
  const script = `set -eu; files=/none; . ${probe}; came=0; knock 8443 wss || came=$?; exit $came`;
  const env = { PATH: `${folder}:${process.env.PATH ?? ""}` };
  return (await run("sh", ["-c", script], { env })).code;
}

test.each([
  ["is let in", "Client null received SUBACK", 0, 0],
  ["is let in, and hears the broker close before its good-bye is out", "Client null received SUBACK", 4, 0],
  ["hears nothing", "Client null sending CONNECT", 4, 4],
  ["is refused by MQTT", "Client null received CONNACK (5)", 5, 5],
])("a probe that %s is known as such", async (_, said, code, known) => {
  expect(await knock(said, code)).toBe(known);
});
