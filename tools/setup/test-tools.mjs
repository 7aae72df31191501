// @ts-check
import { run } from "./command.mjs";
import { interopClients } from "./interop.mjs";
import { judges } from "./judges.mjs";
import { loadClient } from "./load-client.mjs";
import { step } from "./progress.mjs";
import { installSystemPackages } from "./system-packages.mjs";
import { tlsScanner } from "./tls-scanner.mjs";

/** What only the tests need: outside judges, by the package that has them. */
const programs = [
  { program: "tcpdump", args: ["--version"], package: "tcpdump" },
  { program: "busybox", args: ["true"], package: "busybox" },
  { program: "dash", args: ["-c", "true"], package: "dash" },
  { program: "openssl", args: ["version"], package: "openssl" },
  { program: "script", args: ["--version"], package: "bsdutils" },
  { program: "python3", args: ["--version"], package: "python3" },
  { program: "cargo", args: ["--version"], package: "cargo" },
  { program: "javac", args: ["-version"], package: "default-jdk-headless" },
  { program: "mvn", args: ["--version"], package: "maven" },
  { program: "ip", args: ["-Version"], package: "iproute2" },
  { program: "iptables", args: ["--version"], package: "iptables" },
  { program: "unshare", args: ["--version"], package: "util-linux" },
];

/** @param {boolean} interactive */
export async function testTools(interactive) {
  await step("test tools", async () => {
    const results = await Promise.all(programs.map(({ program, args }) => run(program, args)));
    const missing = programs.filter((_, index) => results[index]?.missing === true).map((entry) => entry.package);
    if (missing.length === 0) return { result: undefined, summary: "present, skipped" };
    await installSystemPackages(missing, `The tests need ${missing.join(", ")}`, interactive);
    return { result: undefined, summary: `installed ${missing.join(", ")}` };
  });
  // These are installed by some of those.
  await Promise.all([judges(interactive), interopClients(interactive), tlsScanner(interactive), loadClient()]);
}
