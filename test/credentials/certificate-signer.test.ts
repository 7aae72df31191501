import { generateKeyPairSync } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { brokerFiles, renderMaterial } from "../../constructs/broker/material";
import {
  CertificateAuthority,
  CommandSigner,
  CommandSignerOptions,
  Credentials,
  Fulfilment,
  WantedCredentials,
} from "../../constructs/credentials";
import { TextSource } from "../../constructs/text-source";
import { ParsedCertificate } from "../../constructs/pki";
import { openssl } from "../pki/support";
import { authority, certificate, contents, DAY, issue, server, wanted } from "./support";
import { temporaryStores } from "./temporary-stores";

// An authority whose key this library never sees: a shell script signs with it, as a KMS or an HSM would.

const { parent, scratch, newFolder } = temporaryStores("certificate-signer");

let folder: string;
beforeEach(() => {
  folder = newFolder();
});

/** `sh SCRIPT FOLDER [LIE]`. Every lie is one way in which a signer can be wrong. */
const SCRIPT = `
set -eu
cd "$1"
lie=\${2:-}
echo "$CDKTF_MOSQUITTO_OPERATION \${CDKTF_MOSQUITTO_PURPOSE:-} \${CDKTF_MOSQUITTO_COMMON_NAME:-} \${CDKTF_MOSQUITTO_HOSTS:-}" >>asked
stamp() { printf %s "$1" | sed 's/\\.[0-9]*//; s/[-:T]//g'; }
case $lie in
  garbage) cat >request; echo garbage; exit 0 ;;
  silence) cat >request; exit 0 ;;
  hanging) sleep 60 ;;
esac
ca() { openssl ca -config ca.cnf -cert ca.crt -keyfile ca.key "$@" 2>errors || { cat errors >&2; exit 1; }; }
case $CDKTF_MOSQUITTO_OPERATION in
certificate)
  cat >request
  name=$CDKTF_MOSQUITTO_COMMON_NAME usage=\${CDKTF_MOSQUITTO_PURPOSE}Auth hosts=$CDKTF_MOSQUITTO_HOSTS constraints=CA:FALSE
  start=$(stamp "$CDKTF_MOSQUITTO_NOT_BEFORE") end=$(stamp "$CDKTF_MOSQUITTO_NOT_AFTER")
  subject="/CN=$name" digest=sha256 key_usage= extra=
  case $lie in
    name) subject=/CN=somebody-else ;;
    own-name) subject="/O=Company/CN=Issuing" ;;
    weak) digest=sha1 ;;
    longer) end=$(date -u -d "+3000 days" +%Y%m%d%H%M%SZ) ;;
    no-signing) key_usage="critical, keyEncipherment" ;;
    unknown) extra="1.2.3.4 = critical, ASN1:UTF8String:x" ;;
    key) openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other.key -subj /CN=x -out request 2>/dev/null ;;
    authority) constraints=CA:TRUE ;;
    usage) usage=emailProtection ;;
    no-usage) usage= ;;
    both-usages) usage=clientAuth,serverAuth hosts=DNS:broker.example ;;
    hosts) hosts=DNS:broker.example ;;
    no-hosts) hosts= ;;
    ended) start=20200101000000Z end=20200201000000Z ;;
    future) start=20900101000000Z end=20910101000000Z ;;
  esac
  {
    echo "basicConstraints = critical, $constraints"
    echo "subjectKeyIdentifier = hash"
    echo "authorityKeyIdentifier = keyid"
    [ -z "$usage" ] || echo "extendedKeyUsage = $usage"
    [ -z "$hosts" ] || echo "subjectAltName = $hosts"
    [ -z "$key_usage" ] || echo "keyUsage = $key_usage"
    echo "$extra"
  } >extensions
  ca -batch -notext -in request -md "$digest" -subj "$subject" -startdate "$start" -enddate "$end" -extfile extensions
  ;;
revocation-list)
  start=$(stamp "$CDKTF_MOSQUITTO_THIS_UPDATE") end=$(stamp "$CDKTF_MOSQUITTO_NEXT_UPDATE")
  number=$CDKTF_MOSQUITTO_NUMBER
  : >list.txt
  while read -r serial time reason; do
    [ "$lie" = fewer ] || printf 'R\\t491231235959Z\\t%s,%s\\t%s\\tunknown\\t/CN=x\\n' "$(stamp "$time" | cut -c3-)" "$reason" "$serial" >>list.txt
  done
  case $lie in
    ended) start=20200101000000Z end=20200201000000Z ;;
    future) start=20900101000000Z end=20910101000000Z ;;
    number) number=0 ;;
    soon) end=$(stamp "$SOON") ;;
  esac
  printf '%04X\\n' "$number" >number
  ca -gencrl -name lists -crl_lastupdate "$start" -crl_nextupdate "$end"
  ;;
esac
if [ "$lie" = failing ]; then exit 3; fi
`;

const CONFIG = `
[ca]
default_ca = certificates
[certificates]
database = issued.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
organizationName = optional
commonName = supplied
[lists]
database = list.txt
crlnumber = number
default_md = sha256
[req]
distinguished_name = dn
prompt = no
[dn]
O = Company
CN = Issuing
[ext]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
`;

/** A folder with an authority's key, which only the script goes into. */
function vault(): string {
  const place = fs.mkdtempSync(path.join(parent, "vault-"));
  fs.writeFileSync(path.join(place, "ca.cnf"), CONFIG);
  fs.writeFileSync(path.join(place, "issued.txt"), "");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path.join(place, "ca.key")];
  const config = ["-config", path.join(place, "ca.cnf"), "-extensions", "ext", "-days", "3650"];
  const { ok, text } = openssl("req", "-x509", ...key, ...config, "-out", path.join(place, "ca.crt"));
  if (!ok) throw new Error(text);
  return place;
}

const place = vault();
/** Another authority of the same name. */
const twin = vault();
const script = scratch.write("sign.sh", SCRIPT);
const now = new Date(Date.now() + 60_000);
const asked = (): string[] => fs.readFileSync(path.join(place, "asked"), "utf8").split("\n").slice(0, -1);

const external = (lie?: string, options: CommandSignerOptions = {}, from = place): CertificateAuthority =>
  CertificateAuthority.external({
    certificate: TextSource.file(path.join(place, "ca.crt")),
    signer: new CommandSigner(["sh", script, from, ...(lie === undefined ? [] : [lie])], options),
  });

/** Both authorities are the company's, and all is signed by the script. */
const declared = (of = external(), changed: Partial<WantedCredentials> = {}): WantedCredentials => {
  const both = authority("shared", of);
  return wanted({ serverAuthority: both, clientAuthority: both, passwords: [], ...changed });
};

const synth = (what: WantedCredentials): Fulfilment => issue(folder, what, { now });
const notes = ({ issued }: Fulfilment): string[] => issued.map(({ what, reason }) => `${what}: ${reason}`);
const fileOf = (credentials: Credentials, name: string): string => brokerFiles(credentials).get(name) as string;

interface Bundle {
  readonly ca_pem: string;
  readonly cert_pem: string;
  readonly key_pem?: string;
}

function materialOf(credentials: Credentials): ReadonlyMap<string, string> {
  const endpoint = { host: "broker.example", port: 8883, protocol: "mqtts", authentication: "certificate" } as const;
  return renderMaterial(credentials, [
    { name: "sensor-1", serverName: "broker.example", publish: ["a"], subscribe: [], deny: [], endpoints: [endpoint] },
  ]);
}

function bundleOf(credentials: Credentials): Bundle {
  return JSON.parse(materialOf(credentials).get("connections/sensor-1.json") as string) as Bundle;
}

function verdict(leaf: string, { credentials }: Fulfilment, purpose: "sslserver" | "sslclient"): string {
  const { ok, text } = openssl(
    "verify",
    ...["-x509_strict", "-crl_check", "-no-CAfile", "-no-CApath", "-purpose", purpose],
    ...["-attime", String(Math.floor(now.getTime() / 1000))],
    ...["-CAfile", scratch.write("ca.pem", fileOf(credentials!, "client-ca.crt"))],
    ...["-CRLfile", scratch.write("crl.pem", fileOf(credentials!, "crl.pem"))],
    scratch.write("leaf.pem", leaf),
  );
  return ok ? "OK" : (/certificate revoked/.exec(text)?.[0] ?? text);
}

/** A request as a device makes it. */
function deviceRequest(...key: string[]): { readonly pem: string; readonly key: string } {
  const [keyFile, requestFile] = [scratch.path("device.key"), scratch.path("device.csr")];
  const { ok, text } = openssl(
    ...["req", "-new", "-newkey", ...key, "-nodes", "-keyout", keyFile],
    ...["-subj", "/O=Vendor/CN=factory name", "-out", requestFile],
  );
  if (!ok) throw new Error(text);
  return { pem: fs.readFileSync(requestFile, "utf8"), key: fs.readFileSync(keyFile, "utf8") };
}

describe("a command", () => {
  test("signs server, client and list, and OpenSSL follows all of them", () => {
    const result = synth(declared());
    expect(verdict(fileOf(result.credentials!, "server.crt"), result, "sslserver")).toBe("OK");
    expect(verdict(bundleOf(result.credentials!).cert_pem, result, "sslclient")).toBe("OK");
    expect(bundleOf(result.credentials!).ca_pem).toBe(fs.readFileSync(path.join(place, "ca.crt"), "utf8"));
    const names = openssl(
      "x509",
      "-noout",
      "-ext",
      "subjectAltName",
      "-in",
      scratch.write("s.pem", fileOf(result.credentials!, "server.crt")),
    );
    expect(names.text).toMatch(
      /DNS:broker\.example, DNS:localhost, IP Address:127\.0\.0\.1, IP Address:0:0:0:0:0:0:0:1, DNS:generation-/,
    );
  });

  test("is asked once for each, with what it takes to sign, and never when nothing is to be issued", () => {
    const before = fs.existsSync(path.join(place, "asked")) ? asked().length : 0;
    synth(declared());
    const line = (one: string): string => one.replace(/generation-\d/, "generation-N");
    expect(asked().slice(before).map(line)).toEqual([
      "certificate server broker.example DNS:broker.example,DNS:localhost,IP:127.0.0.1,IP:::1,DNS:generation-N.test",
      "certificate client sensor-1 ",
      "revocation-list   ",
    ]);
    expect(synth(declared(external("failing"))).issued).toEqual([]);
    expect(issue(folder, declared(), { now, mayIssue: false }).missing).toEqual([]);
    expect(asked()).toHaveLength(before + 3);
  });

  test("keeps the authority's key: it is neither in the store nor in what is deployed", () => {
    const { credentials } = synth(declared());
    const everything = [...Object.values(contents(folder)), ...materialOf(credentials!).values()].join("\n");
    const [, first] = fs.readFileSync(path.join(place, "ca.key"), "utf8").split("\n");
    expect(first).toHaveLength(64);
    expect(everything.includes(first as string)).toBe(false);
  });

  test("signs lists with entries and their reasons", () => {
    const first = synth(declared());
    const client = bundleOf(first.credentials!).cert_pem;
    const without = synth(declared(external(), { certificates: [] }));
    expect(notes(without)).toEqual(["revocation list of shared authority 1: certificates to refuse: 1"]);
    expect(verdict(client, without, "sslclient")).toBe("certificate revoked");
    const list = scratch.write("list.pem", fileOf(without.credentials!, "crl.pem"));
    const { text } = openssl("crl", "-noout", "-text", "-in", list);
    expect(text).toMatch(/X509v3 CRL Number:\s+2\s/);
    expect(text).toMatch(/Certificate Hold/);
    const again = synth(declared());
    expect(notes(again)).toEqual(["revocation list of shared authority 1: certificates to refuse: 0"]);
    expect(verdict(client, again, "sslclient")).toBe("OK");
  });

  test.each([
    ["EC", ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"]],
    ["RSA", ["rsa:2048"]],
  ])("signs the request of a device that keeps its key (%s), by the name that is declared", (_, kind) => {
    const { pem, key } = deviceRequest(...kind);
    const certificates = [certificate("sensor-1", { requestPem: pem })];
    const result = synth(declared(external(), { certificates }));
    const bundle = bundleOf(result.credentials!);
    expect(bundle).not.toHaveProperty("key_pem");
    expect(verdict(bundle.cert_pem, result, "sslclient")).toBe("OK");
    const { x509 } = ParsedCertificate.fromPem(bundle.cert_pem);
    expect(x509.subject).toBe("CN=sensor-1");
    const publicKey = openssl("pkey", "-pubout", "-in", scratch.write("device.key", key)).text;
    expect(x509.publicKey.export({ type: "spki", format: "pem" })).toBe(publicKey);
    expect(synth(declared(external(), { certificates })).issued).toEqual([]);
  });
});

describe("what a signer must not get away with is refused, and nothing of it gets into the store", () => {
  const more = { certificates: [certificate("sensor-1"), certificate("sensor-2")] };
  const hosts = { server: server("broker.example", "other.example") };
  const fewer = { certificates: [] };

  test.each<[string, string, Partial<WantedCredentials>, RegExp]>([
    ["a client certificate with another name", "name", more, /common name is "somebody-else" and not "sensor-2"/],
    ["a client certificate for another key", "key", more, /it is for another key/],
    ["a server certificate for another key", "key", hosts, /it is for another key/],
    ["a client certificate of an authority", "authority", more, /it is one of an authority/],
    ["a server certificate of an authority", "authority", hosts, /it is one of an authority/],
    ["a client certificate for another purpose", "usage", more, /extended key usage has no clientAuth/],
    ["a server certificate for another purpose", "usage", hosts, /extended key usage has no serverAuth/],
    ["a client certificate without extended key usage", "no-usage", more, /extended key usage/],
    ["a server certificate without extended key usage", "no-usage", hosts, /extended key usage/],
    ["a client certificate that could pass for the server", "both-usages", more, /extended key usage/],
    ["a server certificate that lacks a host", "hosts", hosts, /subject alternative names have no other\.example/],
    ["a server certificate without hosts", "no-hosts", hosts, /subject alternative names have no broker\.example/],
    ["a client certificate that has ended", "ended", more, /it ended 2020/],
    ["a server certificate that has ended", "ended", hosts, /it ended 2020/],
    ["a client certificate of the future", "future", more, /valid only from 2090/],
    ["a client certificate that is valid longer than asked for", "longer", more, /valid longer than was asked for/],
    ["a server certificate that is valid longer than asked for", "longer", hosts, /valid longer than was asked for/],
    ["a client certificate signed with SHA-1", "weak", more, /signed with MD5 or SHA-1/],
    ["a server certificate signed with SHA-1", "weak", hosts, /signed with MD5 or SHA-1/],
    ["a client certificate that may not sign", "no-signing", more, /keyUsage has no digitalSignature/],
    ["a server certificate with an unknown critical extension", "unknown", hosts, /1\.2\.3\.4 is critical/],
    ["a server certificate with the authority's own name", "own-name", hosts, /subject is the authority's own name/],
    ["a list that has ended", "ended", fewer, /it ended 2020/],
    ["a list of the future", "future", fewer, /valid only from 2090/],
    ["a list that leaves one out", "fewer", fewer, /lack|miss|has no|leaves? out/],
    ["a list with a number from before", "number", fewer, /number/],
    ["garbage for a certificate", "garbage", more, /certificate cannot be read/],
    ["garbage for a list", "garbage", fewer, /X509 CRL/],
    ["no word for a certificate", "silence", more, /certificate cannot be read/],
    ["no word for a list", "silence", fewer, /X509 CRL/],
  ])("%s", (_, lie, changed, reason) => {
    synth(declared());
    const before = contents(folder);
    const attempt = (): unknown => synth(declared(external(lie), changed));
    expect(attempt).toThrow(
      /^the (certificate|revocation list).* that the signer made cannot be used: .+; allowed: .+; remedy: /,
    );
    expect(attempt).toThrow(reason);
    expect(contents(folder)).toEqual(before);
    // What was asked for is done as soon as the signer is mended.
    expect(synth(declared(external(), changed)).credentials).toBeDefined();
  });

  test.each<[string, Partial<WantedCredentials>, RegExp]>([
    ["a client certificate", more, /it was not signed by the authority/],
    ["a server certificate", hosts, /it was not signed by the authority/],
    ["a list", fewer, /signature does not match/],
  ])("%s of another authority of the same name", (_, changed, reason) => {
    synth(declared());
    const before = contents(folder);
    expect(() => synth(declared(external(undefined, {}, twin), changed))).toThrow(reason);
    expect(contents(folder)).toEqual(before);
  });

  test("a list that ends sooner than was asked for locks nobody out: it is refused, or made again in time", () => {
    const end = now.getTime() + 7 * DAY;
    process.env.SOON = new Date(end).toISOString();
    let first: Fulfilment;
    try {
      first = synth(declared(external("soon")));
    } catch (error) {
      expect(String(error)).toMatch(/the revocation list .*that the signer made cannot be used/);
      return;
    } finally {
      delete process.env.SOON;
    }
    expect(first.credentials!.nextAction.at.getTime()).toBeLessThanOrEqual(end);
    const { credentials } = issue(folder, declared(), { now: new Date(end + DAY) });
    const list = scratch.write("list.pem", fileOf(credentials!, "crl.pem"));
    const nextUpdate = openssl("crl", "-noout", "-nextupdate", "-in", list).text.replace("nextUpdate=", "");
    expect(Date.parse(nextUpdate)).toBeGreaterThan(end + DAY);
  });

  test("another subject than was asked for in a certificate for a device's request", () => {
    synth(declared());
    const before = contents(folder);
    const request = deviceRequest("ec", "-pkeyopt", "ec_paramgen_curve:P-256").pem;
    const certificates = [certificate("sensor-1"), certificate("device", { requestPem: request })];
    expect(() => synth(declared(external("name"), { certificates }))).toThrow(/common name is "somebody-else"/);
    expect(() => synth(declared(external("key"), { certificates }))).toThrow(/it is for another key/);
    expect(contents(folder)).toEqual(before);
  });
});

describe("a command that fails", () => {
  const more = { certificates: [certificate("sensor-1"), certificate("sensor-2")] };

  test("with another exit code than 0 is refused, though it printed a certificate", () => {
    synth(declared());
    const before = contents(folder);
    expect(() => synth(declared(external("failing"), more))).toThrow(
      /^the signing command "sh" failed \(it ended with 3\); allowed: a command that prints a PEM and ends with 0; remedy: /,
    );
    expect(contents(folder)).toEqual(before);
  });

  test("by hanging is ended when its time is up", () => {
    synth(declared());
    const before = contents(folder);
    const began = Date.now();
    expect(() => synth(declared(external("hanging", { timeoutSeconds: 1 }), more))).toThrow(
      /signing command .* failed \(.*ETIMEDOUT/,
    );
    expect(Date.now() - began).toBeLessThan(10_000);
    expect(contents(folder)).toEqual(before);
  });

  test("because there is no such program is named", () => {
    const signer = new CommandSigner(["/no/such/program"]);
    const of = CertificateAuthority.external({ certificate: TextSource.file(path.join(place, "ca.crt")), signer });
    expect(() => synth(declared(of))).toThrow(/signing command "\/no\/such\/program" failed \(.*ENOENT/);
  });

  test("keeps what was signed before it, and goes on from there", () => {
    // The list is the last thing that is signed.
    const signer = new CommandSigner(["sh", script, place]);
    const failing = { signCertificate: signer.signCertificate.bind(signer), signRevocationList: () => "garbage" };
    const of = CertificateAuthority.external({
      certificate: TextSource.file(path.join(place, "ca.crt")),
      signer: failing,
    });
    expect(() => synth(declared(of))).toThrow(/revocation list that the signer made/);
    expect(notes(synth(declared()))).toEqual([
      "revocation list of shared authority 1: first issue",
      "revocation list of control authority 1: first issue",
    ]);
  });
});

test("an external authority is judged like an imported one before anything is signed", () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const key = scratch.write("poor.key", privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  const out = scratch.path("poor.crt");
  openssl(
    ...["req", "-x509", "-new", "-key", key, "-subj", "/CN=Poor", "-days", "10", "-out", out],
    "-addext",
    "keyUsage=cRLSign",
  );
  const signer = new CommandSigner(["false"]);
  const of = CertificateAuthority.external({ certificate: TextSource.file(out), signer });
  expect(() => synth(declared(of))).toThrow(/^the shared authority cannot be taken from file /);
  expect(contents(folder)).toEqual({});
});
