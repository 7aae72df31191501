/** What certificates cost, against bare node:crypto and a shell loop of openssl, which run beside. */
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { KeyAlgorithm } from "../constructs";
import { issueAuthority, issueClient, Issuer, KeySource } from "../constructs/pki";
import { median, ratio, row, time } from "./measure";

const DAY = 24 * 60 * 60 * 1000;
const ECDSA = KeyAlgorithm.ecdsaP256();
const RSA = KeyAlgorithm.rsa(2048);

/**
 * @param clients a thousand, unless the benchmark itself is tested
 * @param rsaClients of them take seconds each second one
 */
export function reportCertificates(folder: string, clients: number, rsaClients: number): void {
  const counts = [clients, clients * 10];
  const [bare, ours] = [bareCertificates, certificates].map((work) =>
    counts.map((count) => median(() => time(() => work(count, ECDSA)))),
  ) as [number[], number[]];
  const openssl = time(() => opensslLoop(folder, clients / 10)) * 10;
  counts.forEach((count, index) => {
    row(`bare node:crypto, ${count} times: ECDSA P-256 key, signature, PEM`, bare[index] as number);
    const goal = index === 0 ? "3" : "1.5";
    row(
      `${count} certificates of this library`,
      ours[index] as number,
      `${ratio(ours[index] as number, bare[index] as number)} times bare node:crypto (goal: ${goal} at most)`,
    );
  });
  console.log(
    `ten times as many take ${ratio(ours[1] as number, ours[0] as number)} times as long (goal: 11 at most)`.padStart(
      20,
    ),
  );
  row(
    `shell loop of openssl for ${clients} (a tenth of it, times ten)`,
    openssl,
    `this library is ${ratio(openssl, ours[0] as number)} times as fast (goal: 20 at least)`,
  );

  // One round each: how long RSA keys take is luck, which many of them even out.
  const bareRsa = time(() => bareCertificates(rsaClients, RSA));
  const oursRsa = time(() => certificates(rsaClients, RSA));
  row(`bare node:crypto, ${rsaClients} times: RSA-2048, on one core`, bareRsa);
  row(
    `${rsaClients} certificates of this library with RSA-2048, on all cores`,
    oursRsa,
    `${(oursRsa / (bareRsa / os.availableParallelism())).toFixed(2)} times bare node:crypto on as many cores (goal: 1.1 at most)`,
  );
}

function bareCertificates(count: number, { parameters }: KeyAlgorithm): void {
  for (let index = 0; index < count; index += 1) {
    const { privateKey } =
      parameters.type === "ec" ? generateKeyPairSync("ec", parameters) : generateKeyPairSync("rsa", parameters);
    sign("sha256", Buffer.alloc(400), privateKey).toString("base64");
    privateKey.export({ type: "pkcs8", format: "pem" });
  }
}

function certificates(count: number, algorithm: KeyAlgorithm): void {
  const validity = { notBefore: new Date(Date.now() - DAY), notAfter: new Date(Date.now() + 365 * DAY) };
  const authority = issueAuthority({ commonName: "bench authority", algorithm: ECDSA, ...validity });
  const issuer = Issuer.fromPem(authority.certificatePem, authority.privateKeyPem);
  const keys = new KeySource(new Map([[algorithm.id, count]]));
  for (let index = 0; index < count; index += 1) {
    issueClient(issuer, { commonName: `client-${index}`, algorithm, keyPair: keys.take(algorithm), ...validity });
  }
  keys.close();
}

function opensslLoop(folder: string, count: number): void {
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
