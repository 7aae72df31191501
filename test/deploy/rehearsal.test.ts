import * as fs from "node:fs";
import * as path from "node:path";
import { Session } from "../../tools/mqtt-session";
import { Authentication, KeyAlgorithm, Listener, MosquittoBroker } from "../../constructs";
import { generateKeyPair, issueAuthority, issueRevocationList, Issuer } from "../../constructs/pki";
import { mustRun } from "../support/command";
import { Deployment, images, versions } from "../support/deployment";
import { inspect } from "../support/docker";
import { freePorts } from "../support/workspace";

jest.setTimeout(180_000);

const DAY = 24 * 60 * 60 * 1000;

/** The list of an authority that nobody knows. */
function foreignList(): string {
  const validity = { notBefore: new Date(Date.now() - DAY), notAfter: new Date(Date.now() + DAY) };
  const authority = issueAuthority({ commonName: "Foreign", algorithm: KeyAlgorithm.ecdsaP256(), ...validity });
  const issuer = Issuer.fromPem(authority.certificatePem, authority.privateKeyPem);
  const { notBefore: thisUpdate, notAfter: nextUpdate } = validity;
  return issueRevocationList(issuer, { number: 1, thisUpdate, nextUpdate, revoked: [] });
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
  ["a revocation list of somebody else", inMaterial("crl.pem", foreignList), /unable to get certificate CRL|CRL/i],
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
});
