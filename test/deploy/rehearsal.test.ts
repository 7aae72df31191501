import * as fs from "node:fs";
import * as path from "node:path";
import { refusal, Session } from "../../tools/mqtt-session";
import { Authentication, KeyAlgorithm, Listener, MosquittoBroker } from "../../constructs";
import {
  generateKeyPair,
  issueAuthority,
  issueRevocationList,
  Issuer,
  parseRevocationList,
} from "../../constructs/pki";
import { mustRun, run } from "../support/command";
import { Deployment, images, versions } from "../support/deployment";
import { inspect } from "../support/docker";
import { freePorts } from "../support/workspace";

jest.setTimeout(180_000);

const DAY = 24 * 60 * 60 * 1000;

const fromNow = (milliseconds: number): Date => new Date(Date.now() + milliseconds);

/** An authority that nobody knows. */
function stranger(): Issuer {
  const validity = { notBefore: fromNow(-DAY), notAfter: fromNow(DAY) };
  const authority = issueAuthority({ commonName: "Foreign", algorithm: KeyAlgorithm.ecdsaP256(), ...validity });
  return Issuer.fromPem(authority.certificatePem, authority.privateKeyPem);
}

/** The authority that signs clients' certificates. */
function ofClients({ storeFolder }: Deployment): Issuer {
  const file = fs.readdirSync(storeFolder).find((name) => name.startsWith("authority.clients.1-")) ?? "";
  const { certificatePem, privateKeyPem } = JSON.parse(fs.readFileSync(path.join(storeFolder, file), "utf8")) as Record<
    string,
    string
  >;
  return Issuer.fromPem(certificatePem ?? "", privateKeyPem ?? "");
}

/** Puts another list in the place of the clients' authority's; the control listener's own stays. */
function listOf(
  issuerOf: (deployment: Deployment) => Issuer,
  [thisUpdate, nextUpdate]: readonly [number, number],
  entries: "the same" | "none" = "the same",
): (deployment: Deployment) => void {
  return (deployment) =>
    inMaterial("crl.pem", (text) => {
      const [clients = "", control = ""] = text.split(/(?<=END X509 CRL-----\n)/);
      const revoked =
        entries === "none"
          ? []
          : parseRevocationList(clients).serials.map((serial) => ({ serial, revokedAt: fromNow(-DAY) }));
      const dates = { thisUpdate: fromNow(thisUpdate), nextUpdate: fromNow(nextUpdate) };
      return issueRevocationList(issuerOf(deployment), { number: 99, ...dates, revoked }) + control;
    })(deployment);
}

/** What a broker must never run on, brought to it round everything that would find it before. */
const FAULTS: readonly (readonly [name: string, spoil: (deployment: Deployment) => void, words: RegExp])[] = [
  [
    "a server key that is another certificate's",
    inMaterial("server.key", () => generateKeyPair(KeyAlgorithm.ecdsaP256()).privateKeyPem),
    /key values mismatch|Unable to load server key file|inconsistent/i,
  ],
  [
    "a certificate that is none",
    inMaterial("server.crt", (text) => text.slice(0, 200)),
    /Unable to load server certificate/,
  ],
  ["a password in clear text", inMaterial("passwd", (text) => `${text}plain:text\n`), /Invalid password hash|Error/],
  ["a revocation list of somebody else", listOf(stranger, [-DAY, DAY]), /shuts out a client with good credentials/],
  ["a revocation list that has ended", listOf(ofClients, [-2 * DAY, -DAY]), /shuts out a client with good credentials/],
  ["a revocation list of the future", listOf(ofClients, [DAY, 2 * DAY]), /shuts out a client with good credentials/],
  ["a revocation list that forgets", listOf(ofClients, [-DAY, DAY], "none"), /lets in a certificate that is revoked/],
  ["a revocation list that is none", inMaterial("crl.pem", () => "none\n"), /CRL|crlfile/i],
  ["rules that are none", inAccessControlList((text) => `user somebody\nnonsense a/b\n${text}`), /acl|ACL/],
];

function inMaterial(name: string, change: (text: string) => string): (deployment: Deployment) => void {
  return ({ stackFolder, name: broker }) => {
    const file = path.join(stackFolder, "material", broker, name);
    fs.writeFileSync(file, change(fs.readFileSync(file, "utf8")));
  };
}

function inAccessControlList(change: (text: string) => string): (deployment: Deployment) => void {
  return ({ stackFolder }) => {
    const file = path.join(stackFolder, "cdk.tf.json");
    const config = JSON.parse(fs.readFileSync(file, "utf8")) as {
      resource: { docker_container: Record<string, { upload?: { file: string; content?: string }[] }> };
      locals: Record<string, string>;
    };
    for (const { upload = [] } of Object.values(config.resource.docker_container)) {
      for (const one of upload) if (one.file.endsWith("/acl")) one.content = change(one.content ?? "");
    }
    fs.writeFileSync(file, JSON.stringify(config));
  };
}

describe.each(versions)("on Mosquitto %s, before a set goes live,", (version) => {
  const deployment = new Deployment();
  let props: Parameters<Deployment["deploy"]>[0];
  let session: Session;
  let container: string;
  let clients = 0;

  /** Another set each time. */
  const declare = (broker: MosquittoBroker): void => {
    broker.addClient("sensor-1", { publish: ["plant/sensor-1/#"] });
    broker.addClient("operator", { authentication: Authentication.password(), publish: ["plant/#"] });
    for (let number = 0; number < clients; number++) broker.addClient(`more-${number}`, { publish: ["more"] });
  };
  const live = async (): Promise<string> => {
    const volume = ["-v", `${deployment.name}-config:/c`, "--entrypoint", "/bin/sh", images[version]().name];
    return (
      await mustRun("docker", ["run", "--rm", "--network", "none", ...volume, "-c", "readlink /c/live; ls /c/sets"])
    ).trim();
  };

  beforeAll(async () => {
    const [mutual, password] = (await freePorts(2)) as [number, number];
    const listeners = [Listener.mutualTls({ port: mutual }), Listener.passwordOverTls({ port: password })];
    props = { hosts: ["localhost"], listeners, image: images[version]() };
    await deployment.deploy(props, declare);
    container = (await inspect(deployment.name)).Id;
    session = await Session.open(await deployment.bundle("sensor-1"));
  });
  afterAll(async () => {
    await session.close(true);
    await deployment.remove();
  });

  test.each(FAULTS)(
    "%s fails the deploy with the broker's own words, and the old set stays",
    async (_, spoil, words) => {
      const before = await live();
      clients += 1;
      deployment.synth(props, declare);
      spoil(deployment);
      const { code, stdout, stderr } = await deployment.apply();
      expect(code).not.toBe(0);
      const said =
        /the broker does not run on set [^]*/.exec(stdout + stderr)?.[0] ?? `no rehearsal: ${stdout}${stderr}`;
      expect(said).toMatch(words);
      expect(await live()).toBe(before);
      await session.publish("plant/sensor-1/a", "still here");
      expect(session.disconnects).toBe(0);
    },
  );

  test("then a deploy with good input succeeds, and nothing of the others is left", async () => {
    await deployment.deploy(props, declare);
    await session.publish("plant/sensor-1/a", "still here");
    expect(session.disconnects).toBe(0);
    expect((await inspect(deployment.name)).Id).toBe(container);
    expect((await live()).split("\n").filter((line) => line.endsWith(".new"))).toEqual([]);
    expect((await deployment.plan()).changes).toBe(false);
  });

  test("a mosquitto.conf that the broker refuses fails the deploy, and the broker is back on the one before", async () => {
    const before = await live();
    const kept = await deployment.bundle("operator");
    // Allowed, with a warning: a later Mosquitto may know it.
    deployment.synth({ ...props, extraConfig: ["some_option that_nobody_knows"] }, declare);
    const { code, stdout, stderr } = await deployment.apply();
    expect(code).not.toBe(0);
    expect((stdout + stderr).replace(/[│\s]+/g, " ")).toMatch(
      /the broker does not run on set .*some_option.*restarted on what it had before/,
    );
    expect(await live()).toBe(before);
    expect(await refusal(kept)).toBeUndefined();
    expect((await inspect(deployment.name)).Id).not.toBe(container);
  });

  test("the same declaration with good material is then deployed at the second try, since the broker must start anew", async () => {
    const other = { ...props, sysInterval: 20 };
    deployment.synth(other, declare);
    inMaterial("server.key", () => generateKeyPair(KeyAlgorithm.ecdsaP256()).privateKeyPem)(deployment);
    expect((await deployment.apply()).code).not.toBe(0);
    deployment.synth(other, declare);
    const { code, stdout, stderr } = await deployment.apply();
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(/deploy once more/);
    await deployment.deploy(other, declare);
    expect(await refusal(await deployment.bundle("operator"))).toBeUndefined();
    expect((await deployment.plan()).changes).toBe(false);
  });

  test("a broker that forgets a revocation at the reload itself is put back on the set before", async () => {
    const [list = "", control = ""] = fs
      .readFileSync(path.join(deployment.stackFolder, "material", deployment.name, "crl.pem"), "utf8")
      .split(/(?<=END X509 CRL-----\n)/);
    expect(list).not.toBe("");
    const [thisUpdate, nextUpdate] = [fromNow(-DAY), fromNow(DAY)];
    const forgetful = issueRevocationList(ofClients(deployment), { number: 99, thisUpdate, nextUpdate, revoked: [] });
    const [before = ""] = (await live()).split("\n");
    const { Env } = (await inspect(`${deployment.name}-reloader`)).Config;
    const own = Env.filter((one) => !one.startsWith("SET=")).flatMap((one) => ["-e", one]);
    const namespaces = ["--pid", `container:${deployment.name}`, "--network", `container:${deployment.name}`];
    const mount = [
      "-v",
      `${deployment.name}-config:/mosquitto/config`,
      "--user",
      "1883:1883",
      "--entrypoint",
      "/bin/sh",
    ];
    const script = `cd /mosquitto/config && cp -r ${before} sets/forged && chmod -R u+w sets/forged &&
      sed -i "s#set/.*#set/forged#" sets/forged/acl && printf %s "$LIST" >sets/forged/crl.pem &&
      sh sets/forged/reloader.sh; code=$?; rm -rf sets/forged; exit $code`;
    const { code, stderr } = await run("docker", [
      ...["run", "--rm", ...namespaces, ...mount, ...own, "-e", "SET=forged", "-e", `LIST=${forgetful}${control}`],
      ...[images[version]().name, "-c", script],
    ]);
    expect(stderr).toMatch(/does not refuse whom it must: port \d+ lets in a certificate that is revoked/);
    expect(code).not.toBe(0);
    expect((await live()).split("\n")[0]).toBe(before);
    expect(await refusal(await deployment.bundle("operator"))).toBeUndefined();
  });

  test("and a good mosquitto.conf is deployed at once", async () => {
    await deployment.deploy(props, declare);
    expect(await refusal(await deployment.bundle("operator"))).toBeUndefined();
    expect((await deployment.plan()).changes).toBe(false);
  });
});
