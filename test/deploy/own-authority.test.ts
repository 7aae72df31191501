import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { refusal, Session } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import {
  Authentication,
  CertificateAuthority,
  CommandSigner,
  ConnectionBundle,
  CredentialStore,
  KeyAlgorithm,
  Listener,
  MosquittoBroker,
  TextSource,
} from "../../constructs";
import { Deployment, images, Version } from "../support/deployment";
import { inspect } from "../support/docker";
import { refusalByBroker } from "../support/refusals";
import { checkout, filesBelow, freePorts, makeFolder, removeFolder } from "../support/workspace";

jest.setTimeout(240_000);

const ca = makeFolder("ca");
const file = (name: string): string => path.join(ca, name);
afterAll(() => removeFolder(ca));

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { cwd: ca, stdio: "pipe" });
}

const P256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
const AUTHORITY = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];

/** A company's root, and what it signs, all by openssl. */
beforeAll(() => {
  fs.mkdirSync(file("ca"));
  openssl(
    "req",
    "-x509",
    ...P256,
    ...AUTHORITY,
    "-keyout",
    "root.key",
    "-out",
    "root.crt",
    "-subj",
    "/O=Plant/CN=Root",
    "-days",
    "3650",
  );
  openssl("req", ...P256, "-keyout", "ca/issuing.key", "-out", "issuing.csr", "-subj", "/O=Plant/CN=Issuing");
  fs.writeFileSync(
    file("issuing.ext"),
    "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
  );
  openssl(
    "x509",
    "-req",
    "-in",
    "issuing.csr",
    "-CA",
    "root.crt",
    "-CAkey",
    "root.key",
    "-CAcreateserial",
    "-days",
    "1800",
    "-extfile",
    "issuing.ext",
    "-out",
    "ca/issuing.crt",
  );
  openssl("req", ...P256, "-keyout", "device.key", "-out", "device.csr", "-subj", "/CN=whatever");
  // The signer of the guide, word for word.
  const guide = fs.readFileSync(path.join(checkout, "docs", "certificates.md"), "utf8");
  const [, script] = /^```sh\n(#!\/bin\/sh\n.*?)^```$/ms.exec(guide) ?? [];
  fs.writeFileSync(file("sign.sh"), (script ?? "").replaceAll("ca/issuing", file("ca/issuing")), { mode: 0o700 });
});

/** The bundle of a client that brought a request, with the key that only it has. */
function withOwnKey(bundle: ConnectionBundle): ConnectionBundle {
  return { ...bundle, key_pem: fs.readFileSync(file("device.key"), "utf8") };
}

const clients = (broker: MosquittoBroker): void => {
  broker.addClient("sensor", { publish: ["plant/#"] });
  broker.addClient("old-device", {
    authentication: Authentication.certificate({ keyAlgorithm: KeyAlgorithm.rsa(2048) }),
    publish: ["plant/#"],
  });
  broker.addClient("dashboard", { subscribe: ["plant/#"] });
  broker.addClient("device", {
    authentication: Authentication.certificateRequest(fs.readFileSync(file("device.csr"), "utf8")),
    publish: ["plant/#"],
  });
};

describe("a company's authority", () => {
  test.each<[string, Version, () => CertificateAuthority]>([
    [
      "imported, an intermediate with its chain",
      "2.0.21",
      () =>
        CertificateAuthority.imported({
          certificate: TextSource.file(file("ca/issuing.crt")),
          privateKey: TextSource.file(file("ca/issuing.key")),
          chain: TextSource.file(file("root.crt")),
        }),
    ],
    [
      "a root with an intermediate that was generated",
      "2.1.2",
      () =>
        CertificateAuthority.intermediate({
          root: CertificateAuthority.imported({
            certificate: TextSource.file(file("root.crt")),
            privateKey: TextSource.file(file("root.key")),
          }),
        }),
    ],
    [
      "elsewhere, reached by a command",
      "2.1.2",
      () =>
        CertificateAuthority.external({
          certificate: TextSource.file(file("ca/issuing.crt")),
          chain: TextSource.file(file("root.crt")),
          signer: new CommandSigner([file("sign.sh")]),
        }),
    ],
  ])("%s, signs server and clients on Mosquitto %s; a removed one is refused", async (_, version, authority) => {
    const deployment = new Deployment();
    try {
      const [port] = (await freePorts(1)) as [number];
      const one = authority();
      const props = {
        hosts: ["localhost"],
        listeners: [Listener.mutualTls({ port })],
        image: images[version](),
        serverAuthority: one,
        clientAuthority: one,
      };
      await deployment.deploy(props, clients);
      const dashboard = await Session.open(await deployment.bundle("dashboard"));
      await dashboard.subscribe("plant/#");
      const device = await deployment.bundle("device");
      expect(device).not.toHaveProperty("key_pem");
      for (const bundle of [
        await deployment.bundle("sensor"),
        await deployment.bundle("old-device"),
        withOwnKey(device),
      ]) {
        expect(bundle.ca_pem?.match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
        const session = await Session.open(bundle);
        await session.publish("plant/hello", bundle.client_id);
        await session.close();
      }
      await until("all are heard", () => dashboard.payloads.length === 3);
      expect(await deployment.plan()).toMatchObject({ changes: false, failed: false });

      await deployment.deploy(props, (broker) => {
        broker.addClient("sensor", { publish: ["plant/#"] });
        broker.addClient("dashboard", { subscribe: ["plant/#"] });
      });
      expect(await refusalByBroker(withOwnKey(device))).toMatch(/revoked/i);
      expect(await refusal(await deployment.bundle("sensor"))).toBeUndefined();
      expect(dashboard.disconnects).toBe(0);
      await dashboard.close();
    } finally {
      await deployment.remove();
    }
  });
});

describe("clients whose certificates are issued elsewhere", () => {
  const deployment = new Deployment();
  afterAll(() => deployment.remove());

  function issueElsewhere(name: string, authority: string): ConnectionBundle["cert_pem"] {
    fs.writeFileSync(
      file(`${name}.ext`),
      "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
    );
    openssl("req", ...P256, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      "-CA",
      `${authority}.crt`,
      "-CAkey",
      `${authority}.key`,
      "-CAcreateserial",
      "-days",
      "300",
      "-extfile",
      `${name}.ext`,
      "-out",
      `${name}.crt`,
    );
    return fs.readFileSync(file(`${name}.crt`), "utf8");
  }

  test("get in with what they have when they are declared, and can do nothing when they are not", async () => {
    const [port] = (await freePorts(1)) as [number];
    const props = {
      hosts: ["localhost"],
      listeners: [Listener.mutualTls({ port })],
      image: images["2.1.2"](),
      clientAuthority: CertificateAuthority.trusted({ certificates: TextSource.file(file("root.crt")) }),
    };
    await deployment.deploy(props, (broker) =>
      broker.addClient("theirs", { publish: ["plant/#"], subscribe: ["plant/#"] }),
    );
    const bundle = await deployment.bundle("theirs");
    expect(Object.keys(bundle)).not.toEqual(expect.arrayContaining(["cert_pem"]));
    const own = (name: string, authority = "root"): ConnectionBundle => ({
      ...bundle,
      client_id: name,
      cert_pem: issueElsewhere(name, authority) ?? "",
      key_pem: fs.readFileSync(file(`${name}.key`), "utf8"),
    });
    const theirs = await Session.open(own("theirs"));
    await theirs.subscribe("plant/#");
    await theirs.publish("plant/a", "hello");
    await until("it hears itself", () => theirs.payloads.includes("hello"));
    const stranger = await Session.open(own("stranger"));
    await expect(stranger.publish("plant/a", "from a stranger")).rejects.toThrow(/Not authorized/);
    await Promise.all([theirs.close(), stranger.close()]);

    // Without a list of revocations a reload would not read another authority: the container makes way.
    const before = (await inspect(deployment.name)).Id;
    openssl(
      "req",
      "-x509",
      ...P256,
      ...AUTHORITY,
      "-keyout",
      "next.key",
      "-out",
      "next.crt",
      "-subj",
      "/CN=Next",
      "-days",
      "3650",
    );
    const both = CertificateAuthority.rotation({
      trusted: [
        CertificateAuthority.trusted({ certificates: TextSource.file(file("root.crt")) }),
        CertificateAuthority.trusted({ certificates: TextSource.file(file("next.crt")), generation: 2 }),
      ],
      issuing: CertificateAuthority.trusted({ certificates: TextSource.file(file("root.crt")) }),
    });
    await deployment.deploy({ ...props, clientAuthority: both }, (broker) =>
      broker.addClient("theirs", { publish: ["plant/#"] }),
    );
    expect((await inspect(deployment.name)).Id).not.toBe(before);
    expect(await refusal(own("theirs"))).toBeUndefined();
    expect(await refusal(own("theirs", "next"))).toBeUndefined();
  });
});

test("a sealed store deploys, where its passphrase is; where it is not, the plan says so and destroy still works", async () => {
  const deployment = new Deployment();
  try {
    const [port] = (await freePorts(1)) as [number];
    const props = { hosts: ["localhost"], listeners: [Listener.mutualTls({ port })], image: images["2.1.2"]() };
    const sealed = (passphrase: string): CredentialStore =>
      CredentialStore.sealed(deployment.storeFolder, { passphrase: TextSource.text(passphrase), issue: "never" });
    const issuing = CredentialStore.sealed(deployment.storeFolder, {
      passphrase: TextSource.text("correct horse battery staple"),
      issue: "whenMissing",
    });
    deployment.synth(props, clients, issuing);
    deployment.synth(props, clients, sealed("correct horse battery staple"));
    expect((await deployment.apply()).code).toBe(0);
    expect(await refusal(await deployment.bundle("sensor"))).toBeUndefined();
    for (const name of filesBelow(deployment.storeFolder)) {
      expect(fs.readFileSync(path.join(deployment.storeFolder, name), "utf8")).not.toMatch(/PRIVATE KEY|localhost/);
    }
    deployment.synth(props, clients, sealed("not the passphrase"));
    const plan = await deployment.plan();
    expect(plan.failed).toBe(true);
    expect(plan.text.replace(/[\s│]+/g, " ")).toContain("are not on this machine, or not complete");
    await deployment.destroy();
    expect(await deployment.leftovers()).toEqual([]);
  } finally {
    await deployment.remove();
  }
});
