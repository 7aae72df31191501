import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { Listener, MosquittoBroker } from "../constructs";
import { parseCertificationRequest } from "../constructs/pki";
import { declareBroker } from "./support/declare";
import { checkout, makeFolder, removeFolder } from "./support/workspace";

const read = (...names: string[]): string => fs.readFileSync(path.join(checkout, ...names), "utf8");
const guide = read("docs", "certificates.md");
const rules = read("docs", "listeners-clients-rules.md");

test("the guide's command for a request on a device makes one that is taken", () => {
  const folder = makeFolder("device");
  try {
    const [command] = /^openssl req .*$/m.exec(guide) ?? [];
    const { status, stderr } = spawnSync("sh", ["-c", command ?? "exit 9"], { cwd: folder, encoding: "utf8" });
    expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
    const request = fs.readFileSync(path.join(folder, "sensor-9.csr"), "utf8");
    expect(parseCertificationRequest(request).algorithm).toBe("ECDSA-P256");
  } finally {
    removeFolder(folder);
  }
});

test("every command of the guides and of the README is one that a deploy test of a fresh checkout runs", () => {
  const tested = read("test", "deploy", "fresh-checkout.test.ts");
  const texts = [guide, rules, read("README.md")].join("\n");
  const commands = [...texts.matchAll(/^npx cdktf(?:-mosquitto)? ([a-z-]+)/gm)].map(([, name]) => name as string);
  expect(commands.length).toBeGreaterThan(8);
  for (const name of new Set(commands)) expect(tested).toMatch(new RegExp(`"${name}"`));
});

describe("the guide to listeners, clients and rules", () => {
  const broker = (): MosquittoBroker => declareBroker({}, "plant");

  test("shows the matrix as it is", () => {
    const declared = broker();
    declared.addClient("sensor-1", { publish: ["plant/sensor-1/#"] });
    declared.addClient("dashboard", { subscribe: ["plant/#"], deny: ["plant/+/secret"] });
    const rows = declared
      .accessMatrix()
      .map(({ client, topics, publish, subscribe }) =>
        [client.padEnd(9), topics.padEnd(16), publish.padEnd(7), subscribe].join("  "),
      );
    expect(rules).toContain(`\nclient     topics            publish  subscribe\n${rows.join("\n")}\n`);
    expect(declared.canPublish("sensor-1", "plant/sensor-2/state")).toBe(false);
    expect(declared.canSubscribe("dashboard", "plant/sensor-1/state")).toBe(true);
    expect(declared.canSubscribe("dashboard", "plant/#")).toBe(false);
  });

  test("shows an error as it is", () => {
    let message = "";
    try {
      broker().addClient("sensor 1", { publish: ["plant#"] });
    } catch (error) {
      ({ message } = error as Error);
    }
    expect(rules).toContain(`\n${message}\n`);
  });

  test("names the ports that listeners have", () => {
    for (const kind of ["mutualTls", "passwordOverTls", "mutualTlsWithPassword", "plaintext"] as const) {
      const row = rules.split("\n").find((line) => line.startsWith(`| \`Listener.${kind}()`)) ?? "";
      const cells = row.split("|").map((cell) => cell.trim());
      expect(cells.slice(3, 5)).toEqual(
        [Listener[kind](), Listener[kind]({ webSockets: true })].map(({ port }) => `${port}`),
      );
    }
  });
});
