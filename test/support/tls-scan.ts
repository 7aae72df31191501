import * as fs from "node:fs";
import * as path from "node:path";
import { ConnectionBundle } from "../../constructs";
import { run } from "./command";
import { evaluate } from "./tool-module";

/** The part of a scan that is read here; sslyze's documentation calls it ServerScanResult. */
interface ServerScan {
  readonly server_location: { readonly port: number };
  readonly scan_status: string;
  readonly scan_result: Readonly<Record<string, { readonly status: string; readonly result: unknown } | undefined>>;
}

export interface TlsScan {
  /** What sslyze has against a listener, measured by Mozilla's "intermediate" profile, one line each. */
  readonly findings: readonly string[];
  /** By the listener's port and the name of sslyze's scan command. */
  readonly results: ReadonlyMap<number, Readonly<Record<string, unknown>>>;
}

const COMMANDS = [
  ...["sslv2", "sslv3", "tlsv1", "tlsv1_1", "tlsv1_2", "tlsv1_3", "certinfo", "elliptic_curves", "ems", "fallback"],
  ...["compression", "heartbleed", "openssl_ccs", "reneg", "resum", "robot"],
].map((command) => `--${command}`);

/**
 * Where this broker is meant to be other than Mozilla's profile for public web servers. OpenSSL's own curves are stronger
 * than those of the profile, and its years are those of its own authority.
 */
const DEVIATIONS = { curves: ["X448", "secp521r1"], lifespan: 398 };

/** Scans ports of the loopback address all at once, as a client with this bundle's certificate. */
export async function scanTls(bundle: ConnectionBundle, ports: readonly number[], folder: string): Promise<TlsScan> {
  const modules = await evaluate<string>("setup/tls-scanner.mjs", "module.presentTlsScanner()");
  const file = (name: string, text = ""): string => {
    fs.writeFileSync(path.join(folder, name), text, { mode: 0o600 });
    return path.join(folder, name);
  };
  const output = file("scan.json");
  const { code, stdout, stderr } = await run(
    "python3",
    [
      ...["-m", "sslyze", ...COMMANDS, "--json_out", output, "--sni", "localhost"],
      ...["--cert", file("scan.crt", bundle.cert_pem), "--key", file("scan.key", bundle.key_pem)],
      ...["--certinfo_ca_file", file("scan-ca.crt", bundle.ca_pem)],
      ...["--custom_tls_config", file("profile.json", JSON.stringify(profile(modules)))],
      ...ports.map((port) => `127.0.0.1:${port}`),
    ],
    { env: { PYTHONPATH: modules } },
  );
  const report = stdout.slice(stdout.indexOf("COMPLIANCE AGAINST TLS CONFIGURATION"));
  const findings = report.split("\n").filter((line) => /\* |FAILED|ERROR/.test(line));
  if (code !== 0 && findings.length === 0) throw new Error(`sslyze ended with ${code}\n${stdout}\n${stderr}`);
  const { server_scan_results: scans } = JSON.parse(fs.readFileSync(output, "utf8")) as {
    server_scan_results: ServerScan[];
  };
  return { findings, results: new Map(scans.map((scan) => [scan.server_location.port, resultsOf(scan)])) };
}

function profile(modules: string): unknown {
  const folder = path.join(modules, "sslyze", "mozilla_tls_profile");
  const [name] = fs.readdirSync(folder).filter((one) => one.endsWith(".json"));
  const { configurations } = JSON.parse(fs.readFileSync(path.join(folder, name as string), "utf8")) as {
    configurations: { intermediate: { tls_curves: string[] } };
  };
  const { intermediate } = configurations;
  return {
    ...intermediate,
    tls_curves: [...intermediate.tls_curves, ...DEVIATIONS.curves],
    maximum_certificate_lifespan: DEVIATIONS.lifespan,
  };
}

/** @throws {Error} where a part of the scan was not made */
function resultsOf({ scan_result: parts, server_location: { port } }: ServerScan): Record<string, unknown> {
  const made = Object.entries(parts).filter(([, part]) => part?.status !== "NOT_SCHEDULED");
  for (const [name, part] of made) {
    if (part?.status !== "COMPLETED") throw new Error(`sslyze did not finish ${name} on port ${port}`);
  }
  return Object.fromEntries(made.map(([name, part]) => [name, part?.result]));
}
