import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { parseCertificationRequest } from "../constructs/pki";
import { checkout, makeFolder, removeFolder } from "./support/workspace";

const guide = fs.readFileSync(path.join(checkout, "docs", "certificates.md"), "utf8");

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
  const tested = fs.readFileSync(path.join(checkout, "test", "deploy", "fresh-checkout.test.ts"), "utf8");
  const texts = [guide, fs.readFileSync(path.join(checkout, "README.md"), "utf8")].join("\n");
  const commands = [...texts.matchAll(/^npx cdktf(?:-mosquitto)? ([a-z-]+)/gm)].map(([, name]) => name as string);
  expect(commands.length).toBeGreaterThan(8);
  for (const name of new Set(commands)) expect(tested).toMatch(new RegExp(`"${name}"`));
});
