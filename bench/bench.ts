/** `npm run bench`: what issuing and synthesising cost, as ratios against a baseline that runs beside them. */
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import { App, TerraformStack } from "cdktf";
import { CredentialStore, KeyAlgorithm, MosquittoBroker } from "../constructs";
import { issueAuthority, issueClient, Issuer } from "../constructs/pki";
import { deployReport } from "./deploy";
import { time } from "./measure";

/** Smaller in the test that the benchmark still runs. */
const CLIENTS = Number(process.env.BENCH_CLIENTS ?? 1000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const DAY = 24 * 60 * 60 * 1000;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cdktf-mosquitto-bench-"));

function main(): void {
  console.log(
    `Node ${process.version}, ${os.cpus().length} cores; ${CLIENTS} ECDSA P-256 clients, median of ${ROUNDS}\n`,
  );

  const bare = median(() => repeat(bareCertificate));
  const ours = median(() => repeat(certificateMaker()));
  const openssl = time(() => opensslLoop(CLIENTS / 10)) * 10;
  row("bare node:crypto: key, signature, PEM", bare);
  row("certificates of this library", ours, `${ratio(ours, bare)} times bare node:crypto (goal: 3 at most)`);
  row(
    "shell loop of openssl (a tenth of it, times ten)",
    openssl,
    `this library is ${ratio(openssl, ours)} times as fast (goal: 20 at least)`,
  );

  const fresh = median(() => synth(CLIENTS, path.join(folder, `fresh-${Math.random()}`)));
  const store = path.join(folder, "store");
  const single = path.join(folder, "single");
  synth(CLIENTS, store);
  synth(1, single);
  const again = median(() => synth(CLIENTS, store));
  const one = median(() => synth(1, single));
  row(
    `fresh synth, ${CLIENTS} clients, store and outputs included`,
    fresh,
    `${ratio(fresh, bare)} times bare node:crypto`,
  );
  row("synth again, 1 client", one);
  row(`synth again, ${CLIENTS} clients, nothing changed`, again, `${ratio(again, one)} times 1 client, in one process`);

  const processOne = median(() => synthProcess(1, single));
  const processAll = median(() => synthProcess(CLIENTS, store));
  row("the same as a whole process, 1 client", processOne);
  row(
    `the same as a whole process, ${CLIENTS} clients`,
    processAll,
    `${ratio(processAll, processOne)} times 1 client (goal: 2 at most)`,
  );
  console.log(`\n${deployReport().join("\n")}`);
}

function bareCertificate(): void {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  sign("sha256", Buffer.alloc(400), privateKey).toString("base64");
  privateKey.export({ type: "pkcs8", format: "pem" });
}

function certificateMaker(): (index: number) => void {
  const algorithm = KeyAlgorithm.ecdsaP256();
  const validity = { notBefore: new Date(Date.now() - DAY), notAfter: new Date(Date.now() + 365 * DAY) };
  const authority = issueAuthority({ commonName: "bench authority", algorithm, ...validity });
  const issuer = Issuer.fromPem(authority.certificatePem, authority.privateKeyPem);
  return (index) => void issueClient(issuer, { commonName: `client-${index}`, algorithm, ...validity });
}

function opensslLoop(count: number): void {
  const script = `
    set -e
    cd "$1"
    openssl ecparam -name prime256v1 -genkey -noout -out ca.key
    openssl req -x509 -new -key ca.key -subj /CN=authority -days 365 -out ca.crt
    printf 'basicConstraints=critical,CA:FALSE\\nkeyUsage=critical,digitalSignature\\nextendedKeyUsage=clientAuth\\nsubjectKeyIdentifier=hash\\nauthorityKeyIdentifier=keyid\\n' > ext
    for number in $(seq "$2"); do
      openssl ecparam -name prime256v1 -genkey -noout -out "$number.key"
      openssl req -new -key "$number.key" -subj "/CN=client-$number" -out "$number.csr"
      openssl x509 -req -in "$number.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -extfile ext -out "$number.crt"
    done`;
  const work = fs.mkdtempSync(path.join(folder, "openssl-"));
  execFileSync("sh", ["-c", script, "sh", work, String(count)], { stdio: "ignore" });
}

/** @returns milliseconds */
function synth(clients: number, store: string): number {
  const app = new App({ outdir: path.join(`${store}-out`) });
  const stack = new TerraformStack(app, "bench");
  new DockerProvider(stack, "docker", {});
  const broker = new MosquittoBroker(stack, "broker", {
    hosts: ["broker.example"],
    credentials: CredentialStore.folder(store),
  });
  for (let index = 0; index < clients; index += 1) {
    broker.addClient(`client-${index}`, { publish: [`plant/client-${index}/#`] });
  }
  const start = performance.now();
  app.synth();
  return performance.now() - start;
}

/** @returns milliseconds */
function synthProcess(clients: number, store: string): number {
  return time(() => {
    execFileSync("npx", ["tsx", __filename, String(clients), store], { stdio: "ignore" });
  });
}

function repeat(work: (index: number) => void): number {
  return time(() => {
    for (let index = 0; index < CLIENTS; index += 1) work(index);
  });
}

function median(measure: () => number): number {
  const measured = Array.from({ length: ROUNDS }, measure).sort((one, other) => one - other);
  return measured[Math.floor(ROUNDS / 2)] as number;
}

function ratio(one: number, other: number): string {
  return (one / other).toFixed(1);
}

function row(what: string, milliseconds: number, comparison = ""): void {
  console.log(`${what.padEnd(58)} ${milliseconds.toFixed(0).padStart(7)} ms  ${comparison}`);
}

const [clients, store] = process.argv.slice(2);
try {
  // Called by itself, to measure a whole process.
  if (clients !== undefined && store !== undefined) synth(Number(clients), store);
  else main();
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
