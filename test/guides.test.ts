import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { REMEDIES } from "../cli/diagnosis/causes";
import { Listener, MosquittoBroker } from "../constructs";
import { BUNDLE_FORMATS } from "../constructs/client/formats";
import { parseCertificationRequest } from "../constructs/pki";
import { declareBroker } from "./support/declare";
import { partsOf } from "./support/runbook";
import { checkout, makeFolder, removeFolder } from "./support/workspace";

const read = (...names: string[]): string => fs.readFileSync(path.join(checkout, ...names), "utf8");
const guide = read("docs", "certificates.md");
const rules = read("docs", "listeners-clients-rules.md");
const connecting = read("docs", "connect.md");
const operations = read("docs", "operations.md");
const verifying = read("docs", "verify.md");

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

test("every command of the guides and of the README is one that a test of the command runs", () => {
  const tests = [
    ["deploy", "fresh-checkout"],
    ["deploy", "command"],
    ["deploy", "containers"],
    ["cli", "render"],
  ];
  const tested = tests.map(([folder, name]) => read("test", folder as string, `${name}.test.ts`)).join("\n");
  const texts = [
    guide,
    rules,
    connecting,
    operations,
    verifying,
    read("README.md"),
    read("examples", "containers", "README.md"),
  ].join("\n");
  const commands = [...texts.matchAll(/^npx cdktf(?:-mosquitto)? ([a-z-]+)/gm)].map(([, name]) => name as string);
  expect(commands.length).toBeGreaterThan(8);
  for (const name of new Set(commands)) expect(tested).toMatch(new RegExp(`"${name}"`));
});

describe("the runbooks and the guide to monitoring", () => {
  const tests = ["runbooks-credentials", "runbooks-operations", "rollback", "monitoring"]
    .map((name) => read("test", "deploy", `${name}.test.ts`))
    .join("\n");

  test.each(["runbooks.md", "monitoring.md"])(
    "of %s, every part with commands is run by a test as it stands",
    (guide) => {
      const titles = [...partsOf(guide)].flatMap(([title, text]) => (/^```(sh|diff)$/m.test(text) ? [title] : []));
      expect(titles.length).toBeGreaterThan(1);
      for (const title of titles) expect(tests).toContain(`new Runbook("${title}"`);
    },
  );

  test("every runbook that they point to is there", () => {
    const titles = [...partsOf("runbooks.md").keys()];
    const named = [
      ...[read("docs", "monitoring.md"), read("docs", "runbooks.md")].join("\n").matchAll(/(?<!\w)_([A-Z][^_]+)_/g),
    ];
    expect(named.length).toBeGreaterThan(3);
    for (const [, title] of named) expect(titles).toContain(title?.replace(/\s+/g, " "));
  });

  test("every figure of the broker that is an alert is one that a test sees", () => {
    const [alerts = ""] = (partsOf("monitoring.md").get("Alerts") ?? "").split("From Docker");
    const figures = [...alerts.matchAll(/^\| `([a-z0-9/]+)` /gm)].map(([, name]) => name as string);
    expect(figures.length).toBeGreaterThan(5);
    for (const name of figures) expect(tests).toContain(`"${name}"`);
  });
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

describe("the guide to connecting a client", () => {
  test("shows each program as it is run against a broker", () => {
    const programs = path.join("test", "interop", "clients");
    for (const file of ["c/client.sh", "python/client.py", "node/client.mjs", "go/main.go", "java/Client.java"]) {
      expect(connecting).toContain(`\n${read(programs, file).trimEnd()}\n\`\`\`\n`);
    }
    expect(connecting).toContain(`\n${read(programs, "rust/src/main.rs").trimEnd()}\n\`\`\`\n`);
  });

  test("has a row for each format, and says what reads it", () => {
    const table = connecting.slice(connecting.indexOf("## Formats"));
    const rows = [...table.matchAll(/^\| `([a-z0-9-]+)` +\| (.*?) +\|$/gm)].map(([, name, reader]) => [name, reader]);
    expect(rows).toEqual(BUNDLE_FORMATS.map(({ name, readBy }) => [name, readBy]));
  });

  test("names formats that there are, and every field of a bundle", () => {
    const named = [...connecting.matchAll(/--format ([a-z0-9-]+)/g)].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(8);
    const known = BUNDLE_FORMATS.map(({ name }) => name);
    expect(named.filter((name) => !known.includes(name as string))).toEqual([]);
    const fields = ["host", "port", "protocol", "url", "server_name", "ca_pem", "client_id", "username", "password"];
    for (const field of [...fields, "cert_pem", "key_pem", "expires_at", "endpoints", "publish", "subscribe", "deny"]) {
      expect(connecting).toMatch(new RegExp(`^\\| .*\`${field}\``, "m"));
    }
  });
});

test("the guide to verify has a row for each cause", () => {
  const named = [...verifying.matchAll(/^\|.*?\| `([a-z]+-[a-z-]+)` +\|/gm)].map(([, name]) => name);
  expect(named).toEqual(Object.keys(REMEDIES));
});
