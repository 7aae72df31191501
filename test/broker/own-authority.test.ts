import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import { App, TerraformStack } from "cdktf";
import * as fs from "node:fs";
import * as path from "node:path";
import {
  Authentication,
  CertificateAuthority,
  CommandSigner,
  ConnectionBundle,
  CredentialStore,
  KeyAlgorithm,
  MosquittoBroker,
  MosquittoBrokerProps,
  TextSource,
} from "../../constructs";
import { LIVE_FOLDER } from "../../constructs/broker/container-paths";
import { newAuthority, openssl, Scratch } from "../pki/support";
import { config, containerNamed, declareBroker } from "../support/declare";
import { makeFolder, removeFolder } from "../support/workspace";

const scratch = new Scratch();
const parent = makeFolder("broker-authority");
beforeEach(() => {
  // What was issued is said on standard error.
  jest.spyOn(process.stderr, "write").mockReturnValue(true);
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(() => {
  removeFolder(parent);
  scratch.remove();
});

const company = newAuthority("Company");
const managed = CertificateAuthority.managed();
const trusted = (revocationList?: TextSource): CertificateAuthority =>
  CertificateAuthority.trusted({
    certificates: TextSource.text(company.ca.certificatePem),
    ...(revocationList && { revocationList }),
  });
const imported = (generation = 1): CertificateAuthority =>
  CertificateAuthority.imported({
    certificate: TextSource.text(company.ca.certificatePem),
    privateKey: TextSource.text(company.ca.privateKeyPem),
    generation,
  });
const intermediate = (root: CertificateAuthority, changed = {}): CertificateAuthority =>
  CertificateAuthority.intermediate({ root, ...changed });

describe("an authority is refused when it is declared", () => {
  test.each<[string, CertificateAuthority, RegExp]>([
    [
      "with three generations",
      CertificateAuthority.managed({ trusted: [1, 2, 3], issuing: 1 }),
      /Authority\.trusted, got \[ ?1, 2, 3 ?\]; allowed: one generation, or two/,
    ],
    [
      "with no generation",
      CertificateAuthority.managed({ trusted: [] }),
      /Authority\.trusted, got \[\]; allowed: one generation, or two/,
    ],
    [
      "with the same generation twice",
      CertificateAuthority.managed({ trusted: [1, 1], issuing: 1 }),
      /Authority\.trusted, got \[ ?1, 1 ?\].*two different ones/,
    ],
    [
      "with one issuing that is not trusted",
      CertificateAuthority.managed({ trusted: [1, 2], issuing: 3 }),
      /Authority\.issuing, got 3; allowed: one of the generations that are trusted: 1, 2/,
    ],
    [
      "with two trusted and none named to issue",
      CertificateAuthority.managed({ trusted: [1, 2] }),
      /Authority\.issuing, got undefined; .*name the old one in the first step/,
    ],
    [
      "with generation 0",
      CertificateAuthority.managed({ trusted: [0] }),
      /Authority\.generation, got 0; allowed: a whole number from 1/,
    ],
    ["with half a generation", CertificateAuthority.managed({ trusted: [1.5] }), /Authority\.generation, got 1\.5/],
    ["with a validity of no days", CertificateAuthority.managed({ validityDays: 0 }), /Authority\.validityDays, got 0/],
    [
      "with half a day of validity",
      CertificateAuthority.managed({ validityDays: 0.5 }),
      /Authority\.validityDays, got 0\.5/,
    ],
    [
      "with more than a century",
      CertificateAuthority.managed({ validityDays: 36_501 }),
      /Authority\.validityDays, got 36501/,
    ],
    [
      "replaced all the time",
      CertificateAuthority.managed({ validityDays: 30, renewBeforeDays: 30 }),
      /Authority\.renewBeforeDays, got 30; allowed: .* less than validityDays/,
    ],
    [
      "replaced all the time by default validity",
      CertificateAuthority.managed({ renewBeforeDays: 3650 }),
      /Authority\.renewBeforeDays, got 3650/,
    ],
    [
      "replaced less than never",
      CertificateAuthority.managed({ renewBeforeDays: -1 }),
      /Authority\.renewBeforeDays, got -1/,
    ],
    ["as an intermediate of no days", intermediate(managed, { validityDays: 0 }), /Authority\.validityDays, got 0/],
    [
      "as an intermediate below a root of no days",
      intermediate(CertificateAuthority.managed({ validityDays: 0 })),
      /Authority\.root\.validityDays, got 0/,
    ],
    [
      "as an intermediate of an intermediate",
      intermediate(intermediate(managed)),
      /Authority\.root, got "intermediate 1"; allowed: one managed or imported authority/,
    ],
    ["as an intermediate of one that is only trusted", intermediate(trusted()), /Authority\.root, got "trusted 1"/],
    [
      "as an intermediate of one whose key is elsewhere",
      intermediate(
        CertificateAuthority.external({
          certificate: TextSource.text(company.ca.certificatePem),
          signer: new CommandSigner(["false"]),
        }),
      ),
      /Authority\.root, got "external 1"/,
    ],
    [
      "as an intermediate below a rotation",
      intermediate(CertificateAuthority.managed({ trusted: [1, 2], issuing: 1 })),
      /Authority\.root, got "managed 1, managed 2".*rotate the intermediate together with its root/,
    ],
    [
      "as a rotation of two with one number",
      CertificateAuthority.rotation({ trusted: [managed, imported()], issuing: managed }),
      /Authority\.trusted, got \[ ?1, 1 ?\]/,
    ],
    [
      "as a rotation of which a third one issues",
      CertificateAuthority.rotation({ trusted: [managed, imported(2)], issuing: imported(3) }),
      /Authority\.issuing, got 3/,
    ],
    [
      "as a rotation of three",
      CertificateAuthority.rotation({ trusted: [managed, imported(2), imported(3)], issuing: managed }),
      /Authority\.trusted, got \[ ?1, 2, 3 ?\]/,
    ],
  ])("%s, for server and clients", (_, authority, message) => {
    expect(() => declareBroker({ serverAuthority: authority })).toThrow(message);
    expect(() => declareBroker({ serverAuthority: authority })).toThrow(/serverAuthority/);
    expect(() => declareBroker({ clientAuthority: authority })).toThrow(/clientAuthority/);
    expect(() => declareBroker({ clientAuthority: authority })).toThrow(message);
  });

  test("for the server, when it is only trusted", () => {
    expect(() => declareBroker({ serverAuthority: trusted() })).toThrow(
      /serverAuthority, got "CertificateAuthority\.trusted\(\)"; allowed: an authority that signs/,
    );
    const both = trusted();
    expect(() => declareBroker({ serverAuthority: both, clientAuthority: both })).toThrow(/serverAuthority, got/);
  });

  test("for the server, when one of two that take turns is only trusted", () => {
    const other = CertificateAuthority.trusted({
      certificates: TextSource.text(company.ca.certificatePem),
      generation: 2,
    });
    const rotation = CertificateAuthority.rotation({ trusted: [managed, other], issuing: managed });
    expect(() => declareBroker({ serverAuthority: rotation })).toThrow(
      /only clients' certificates can be issued elsewhere/,
    );
  });

  test("with every fault of both authorities in one error", () => {
    const props = {
      serverAuthority: CertificateAuthority.managed({ trusted: [1, 2, 3], issuing: 4, validityDays: 0 }),
      clientAuthority: CertificateAuthority.managed({ trusted: [] }),
    };
    const said = (): string => {
      try {
        declareBroker(props);
        return "";
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(said().match(/^ {2}- \w+\.\w+/gm)).toEqual(
      expect.arrayContaining([
        "  - serverAuthority.trusted",
        "  - serverAuthority.issuing",
        "  - serverAuthority.validityDays",
        "  - clientAuthority.trusted",
      ]),
    );
  });
});

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

const EC = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

describe("a certificate request is refused when it is declared", () => {
  const good = deviceRequest(...EC).pem;
  const add = (pem: string, props: Partial<MosquittoBrokerProps> = {}): unknown =>
    declareBroker(props).addClient("sensor-1", {
      authentication: Authentication.certificateRequest(pem),
      publish: ["a"],
    });

  test.each<[string, () => string, RegExp]>([
    ["that is garbage", () => "garbage", /certificate request: there is no "BEGIN CERTIFICATE REQUEST" block in it/],
    ["that is empty", () => "", /there is no "BEGIN CERTIFICATE REQUEST" block/],
    ["that is a certificate", () => company.ca.certificatePem, /there is no "BEGIN CERTIFICATE REQUEST" block/],
    ["that is damaged", () => good.replace(/\n[^\n]+\n-----END/, "\n-----END"), /it is damaged/],
    ["that holds two", () => good + good, /more than one request/],
    ["with an RSA key of 1024 bits", () => deviceRequest("rsa:1024").pem, /its key is rsa 1024 bits/],
    [
      "with another curve",
      () => deviceRequest("ec", "-pkeyopt", "ec_paramgen_curve:secp256k1").pem,
      /its key is ec secp256k1/,
    ],
    ["with an Ed25519 key", () => deviceRequest("ed25519").pem, /its key is ed25519/],
  ])("%s", (_, pem, message) => {
    expect(() => add(pem())).toThrow(message);
    expect(() => add(pem())).toThrow(
      /client "sensor-1".*allowed: a PKCS#10 request as PEM.*remedy: make one on the device/s,
    );
  });

  test("where clients' certificates are issued elsewhere", () => {
    expect(() => add(good, { clientAuthority: trusted() })).toThrow(
      /client "sensor-1".*the authority is only trusted.*remedy: have the request signed by that authority/s,
    );
  });
});

describe("clients whose certificates are issued elsewhere", () => {
  const synthesized = (clientAuthority: CertificateAuthority): ReturnType<typeof config> =>
    config(TerraformStack.of(declareBroker({ clientAuthority })));
  const confOf = (clientAuthority: CertificateAuthority): string => {
    const writer = containerNamed(synthesized(clientAuthority), "test-broker-writer");
    return writer.upload?.find(({ file }) => file.endsWith("/mosquitto.conf"))?.content ?? "";
  };
  /** Lines of each listener, by its port. */
  const listenersOf = (conf: string): ReadonlyMap<string, readonly string[]> =>
    new Map(
      [...conf.matchAll(/^listener (\d+).*\n((?:.+\n)*)/gm)].map(([, port = "", lines = ""]) => [
        port,
        lines.split("\n"),
      ]),
    );
  const hasList = (conf: string): boolean[] =>
    [...listenersOf(conf).values()].map((lines) => lines.some((line) => line.startsWith("crlfile ")));

  test("are checked against no list where there is none, on the published listener alone", () => {
    expect(hasList(confOf(trusted()))).toEqual([false, true]);
    expect(listenersOf(confOf(trusted())).get("8883")).toEqual(expect.arrayContaining(["require_certificate true"]));
  });

  test.each([
    ["a list is given", trusted(TextSource.text("read only at synth"))],
    ["they are issued here", managed],
    ["the key is imported", imported()],
  ])("are checked where %s", (_, authority) => {
    expect(hasList(confOf(authority))).toEqual([true, true]);
    expect(listenersOf(confOf(authority)).get("8883")).toContain(`crlfile ${LIVE_FOLDER}/crl.pem`);
  });

  test("are checked against no list while one of two authorities has none", () => {
    const other = CertificateAuthority.trusted({
      certificates: TextSource.text(company.ca.certificatePem),
      generation: 2,
    });
    const rotation = CertificateAuthority.rotation({ trusted: [managed, other], issuing: managed });
    expect(hasList(confOf(rotation))).toEqual([false, true]);
  });

  test("without a list make another authority a change of the container, which a reload would not read", () => {
    const labels = (authority: CertificateAuthority): unknown =>
      containerNamed(synthesized(authority), "test-broker").labels;
    const file = '"${path.module}/material/test-broker/client-ca.crt"';
    const always = { label: "cdktf-mosquitto.live-changes", value: "true" };
    expect(labels(trusted())).toEqual([
      always,
      { label: "cdktf-mosquitto.client-ca.crt", value: `\${fileexists(${file}) ? filesha256(${file}) : "absent"}` },
    ]);
    expect(labels(trusted(TextSource.text("read only at synth")))).toEqual([always]);
    expect(labels(managed)).toEqual([always]);
  });
});

describe("a client that keeps its key", () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(parent, "x-"));
  });

  /** Synthesises as an app does. @returns the client's bundle and all files that were written */
  function synth(
    request: string,
    props: Partial<MosquittoBrokerProps> = {},
  ): { bundle: ConnectionBundle; files: string[] } {
    const app = new App({ outdir: path.join(folder, "out") });
    const stack = new TerraformStack(app, "test");
    new DockerProvider(stack, "docker", {});
    const broker = new MosquittoBroker(stack, "broker", {
      hosts: ["broker.example"],
      credentials: CredentialStore.folder(path.join(folder, "store")),
      ...props,
    });
    broker.addClient("sensor-1", { authentication: Authentication.certificateRequest(request), publish: ["a"] });
    app.synth();
    const files = fs
      .readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name), "utf8"));
    const material = path.join(
      folder,
      "out",
      "stacks",
      "test",
      "material",
      "test-broker",
      "connections",
      "sensor-1.json",
    );
    return { bundle: JSON.parse(fs.readFileSync(material, "utf8")) as ConnectionBundle, files };
  }

  const publicKeyOf = (certificate: string): string =>
    openssl("x509", "-noout", "-pubkey", "-in", scratch.write("leaf.pem", certificate)).text;
  const said = (): string =>
    (process.stderr.write as unknown as jest.Mock<boolean, [string]>).mock.calls.map(([text]) => text).join("");

  test.each([
    ["EC P-256", EC],
    ["EC P-384", ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"]],
    ["RSA 2048", ["rsa:2048"]],
  ])("gets a certificate for that key and no other (%s)", (_, kind) => {
    const device = deviceRequest(...kind);
    const { bundle, files } = synth(device.pem);
    const own = openssl("pkey", "-pubout", "-in", scratch.write("device.key", device.key)).text;
    expect(publicKeyOf(bundle.cert_pem!)).toBe(own);
    expect(bundle).not.toHaveProperty("key_pem");
    expect(openssl("x509", "-noout", "-subject", "-in", scratch.write("leaf.pem", bundle.cert_pem!)).text).toBe(
      "subject=CN = sensor-1\n",
    );
    const [, first] = device.key.split("\n");
    expect(files.some((text) => text.includes(first as string))).toBe(false);
  });

  test("has no private key in the store and in its bundle, though the server has one", () => {
    synth(deviceRequest(...EC).pem);
    const store = path.join(folder, "store");
    const [record] = fs.readdirSync(store).filter((name) => name.startsWith("client.sensor-1."));
    expect(fs.readFileSync(path.join(store, record as string), "utf8")).not.toMatch(/PRIVATE KEY|privateKey/);
  });

  test("is left alone when another algorithm is declared for generated keys", () => {
    const { pem } = deviceRequest("rsa:2048");
    const { bundle } = synth(pem);
    const again = synth(pem, { keyAlgorithm: KeyAlgorithm.ecdsaP384() }).bundle;
    expect(again.cert_pem).toBe(bundle.cert_pem);
  });

  test("is left alone when it makes another request for the same key", () => {
    const device = deviceRequest(...EC);
    const { bundle } = synth(device.pem);
    const key = scratch.write("same.key", device.key);
    const request = scratch.path("same.csr");
    openssl("req", "-new", "-key", key, "-subj", "/CN=other name", "-out", request);
    expect(synth(fs.readFileSync(request, "utf8")).bundle.cert_pem).toBe(bundle.cert_pem);
  });

  test("gets another certificate for another key, and the synth says why", () => {
    synth(deviceRequest(...EC).pem);
    const device = deviceRequest(...EC);
    const { bundle } = synth(device.pem);
    expect(said()).toMatch("client certificate sensor-1: the client's request has another key");
    expect(publicKeyOf(bundle.cert_pem!)).toBe(
      openssl("pkey", "-pubout", "-in", scratch.write("device.key", device.key)).text,
    );
  });
});
