import { X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import { refusal, Session } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { CertificateAuthority, ConnectionBundle, CredentialStore, Listener, MosquittoBroker } from "../../constructs";
import { Deployment, images } from "../support/deployment";
import { inspect } from "../support/docker";
import { freePorts } from "../support/workspace";

jest.setTimeout(240_000);

const STEPS = [
  { trusted: [1], issuing: 1 },
  { trusted: [1, 2], issuing: 1 },
  { trusted: [1, 2], issuing: 2 },
  { trusted: [2], issuing: 2 },
] as const;

type Step = (typeof STEPS)[number];

const clients = (broker: MosquittoBroker): void => {
  for (const name of ["device", "watcher"]) broker.addClient(name, { publish: ["plant/#"], subscribe: ["plant/#"] });
};

// What each step costs on either version, the tests of changes measure.
describe("replacing both authorities", () => {
  const version = "2.1.2";
  const deployment = new Deployment();
  let propsOf: (step: Step) => Parameters<Deployment["deploy"]>[0];
  let containerId: string;
  let connected: Session;
  /** The device's bundle of every step so far. */
  const bundles: ConnectionBundle[] = [];

  async function deploy(step: Step): Promise<void> {
    await deployment.deploy(propsOf(step), clients);
    bundles.push(await deployment.bundle("device"));
  }

  beforeAll(async () => {
    const [port] = (await freePorts(1)) as [number];
    propsOf = (step) => ({
      hosts: ["localhost"],
      listeners: [Listener.mutualTls({ port })],
      image: images[version](),
      serverAuthority: CertificateAuthority.managed(step),
      clientAuthority: CertificateAuthority.managed(step),
    });
    await deploy(STEPS[0]);
    containerId = (await inspect(deployment.name)).Id;
    connected = await Session.open(await deployment.bundle("watcher"));
    await connected.subscribe("plant/#");
  });
  afterAll(async () => {
    await connected.close(true);
    await deployment.remove();
  });

  test.each([
    ["both are trusted", STEPS[1]],
    ["the new ones issue", STEPS[2]],
  ])("in the step in which %s, every bundle of every step before works, and no connection drops", async (_, step) => {
    await deploy(step);
    for (const [index, bundle] of bundles.entries()) {
      expect({ bundleOfStep: index, refusal: await refusal(bundle) }).toEqual({
        bundleOfStep: index,
        refusal: undefined,
      });
    }
    await connected.publish("plant/step", `${step.issuing}`);
    await until("the connected one hears itself", () => connected.payloads.includes(`${step.issuing}`));
    expect(connected.disconnects).toBe(0);
    expect((await inspect(deployment.name)).Id).toBe(containerId);
    expect(await deployment.plan()).toMatchObject({ changes: false, failed: false });
  });

  test("a device that got its new bundle has a certificate of the new authority, and trusts both", () => {
    const { ca_pem: trusted = "", cert_pem: own = "" } = bundles[2] as ConnectionBundle;
    expect(trusted.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(new X509Certificate(own).issuer).toMatch(/client authority 2$/);
  });

  test("in the last step the newest bundles work and those that know only the old authorities do not", async () => {
    await deploy(STEPS[3]);
    expect(await refusal(bundles[0] as ConnectionBundle)).toBeDefined();
    expect(await refusal(bundles[2] as ConnectionBundle)).toBeUndefined();
    expect(await refusal(bundles[3] as ConnectionBundle)).toBeUndefined();
    expect(connected.disconnects).toBe(0);
    expect((await inspect(deployment.name)).Id).toBe(containerId);
    expect(await deployment.plan()).toMatchObject({ changes: false, failed: false });
  });
});

describe("a rotation whose steps were synthesised but not deployed", () => {
  const deployment = new Deployment();
  let propsOf: (step: Step) => Parameters<Deployment["deploy"]>[0];

  beforeAll(async () => {
    const [port] = (await freePorts(1)) as [number];
    propsOf = (step) => ({
      hosts: ["localhost"],
      listeners: [Listener.mutualTls({ port })],
      image: images["2.1.2"](),
      clientAuthority: CertificateAuthority.managed(step),
    });
    await deployment.deploy(propsOf(STEPS[0]), clients);
  });
  afterAll(() => deployment.remove());

  test("is refused at plan: an authority may not issue before it was deployed as trusted", async () => {
    deployment.synth(propsOf(STEPS[1]), clients);
    deployment.synth(propsOf(STEPS[2]), clients);
    const plan = await deployment.plan();
    expect(plan.failed).toBe(true);
    expect(plan.text.replace(/[\s│]+/g, " ")).toContain(
      "Generation 2 of the clients authority of broker " +
        `${deployment.name} would sign before it was deployed as trusted`,
    );
  });

  test("is refused at plan: the old one may not be dropped before the new one was deployed as issuing", async () => {
    await deployment.deploy(propsOf(STEPS[1]), clients);
    deployment.synth(propsOf(STEPS[2]), clients);
    deployment.synth(propsOf(STEPS[3]), clients);
    const plan = await deployment.plan();
    expect(plan.failed).toBe(true);
    expect(plan.text.replace(/[\s│]+/g, " ")).toContain("would be dropped before 2 was deployed as issuing");
  });

  test("goes on from where it was deployed", async () => {
    await deployment.deploy(propsOf(STEPS[2]), clients);
    await deployment.deploy(propsOf(STEPS[3]), clients);
    expect(await refusal(await deployment.bundle("device"))).toBeUndefined();
  });
});

test("another generation from an empty store is refused at plan, unless the deployed one has ended", async () => {
  const deployment = new Deployment();
  try {
    const [port] = (await freePorts(1)) as [number];
    const props = (generation: number): Parameters<Deployment["deploy"]>[0] => ({
      hosts: ["localhost"],
      listeners: [Listener.mutualTls({ port })],
      image: images["2.1.2"](),
      serverAuthority: CertificateAuthority.managed({ trusted: [generation] }),
      clientAuthority: CertificateAuthority.managed({ trusted: [generation] }),
    });
    await deployment.deploy(props(1), clients);
    deployment.synth(props(2), clients, CredentialStore.folder(`${deployment.storeFolder}-2`));
    const refused = await deployment.plan();
    expect(refused.failed).toBe(true);
    expect(refused.text.replace(/[\s│]+/g, " ")).toContain("would sign before it was deployed as trusted");

    // As it will be in ten years.
    const state = fs.readFileSync(deployment.stateFile, "utf8");
    const aged = state.replace(/("end": )"20\d\d-[^"]*"/g, '$1"2020-01-01T00:00:00.000Z"');
    expect(aged).not.toBe(state);
    fs.writeFileSync(deployment.stateFile, aged);
    expect(await deployment.plan()).toMatchObject({ failed: false, changes: true });
    expect((await deployment.apply()).code).toBe(0);
    expect(await refusal(await deployment.bundle("device"))).toBeUndefined();
  } finally {
    await deployment.remove();
  }
});
