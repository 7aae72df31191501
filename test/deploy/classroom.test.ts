import * as fs from "node:fs";
import * as path from "node:path";
import { refusal, Session, without } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { Authentication, ConnectionBundle, Listener, MosquittoBroker } from "../../constructs";
import { Capture } from "../support/capture";
import { Deployment, images } from "../support/deployment";
import { freePorts } from "../support/workspace";

jest.setTimeout(180_000);

/** The address that the server's certificate is made for, and one that leads to the same broker but is not in it. */
const ADDRESS = "127.0.0.5";
const OTHER_ADDRESS = "127.0.0.6";
const BOTH = { bindAddresses: [ADDRESS, OTHER_ADDRESS] };

describe("the classroom walk, from a password in clear text to mutual TLS", () => {
  const deployment = new Deployment();
  let port: number;

  const props = (listener: Listener): Parameters<Deployment["deploy"]>[0] => ({
    hosts: [ADDRESS],
    listeners: [listener],
    image: images["2.1.2"](),
  });
  const clients =
    (authentication: Authentication) =>
    (broker: MosquittoBroker): void => {
      broker.addClient("publisher", { authentication, publish: ["class/room"] });
      broker.addClient("subscriber", { authentication, subscribe: ["class/#"] });
    };

  /** Publishes and receives one message under a capture. @returns what the network saw */
  async function exchange(
    payload: string,
    change = (bundle: ConnectionBundle): ConnectionBundle => bundle,
  ): Promise<Buffer> {
    const capture = await Capture.start(port, path.join(deployment.folder, "loopback.pcap"));
    const subscriber = await Session.open(change(await deployment.bundle("subscriber")));
    const publisher = await Session.open(change(await deployment.bundle("publisher")));
    await subscriber.subscribe("class/#");
    await publisher.publish("class/room", payload);
    await until("the message has come", () => subscriber.payloads.includes(payload));
    await Promise.all([publisher.close(), subscriber.close()]);
    return capture.stop();
  }

  beforeAll(async () => {
    [port] = (await freePorts(1, ADDRESS)) as [number];
  });
  afterAll(() => deployment.remove());

  test("step 1: with passwords only, the network reads payload and password", async () => {
    await deployment.deploy(props(Listener.plaintext({ port, ...BOTH })), clients(Authentication.password()));
    const bundle = await deployment.bundle("publisher");
    expect(bundle.url).toBe(`mqtt://${ADDRESS}:${port}`);

    const seen = await exchange("everybody can read this");
    expect(seen.includes("everybody can read this")).toBe(true);
    expect(seen.includes(bundle.password as string)).toBe(true);
    expect(await refusal({ ...bundle, password: "not the password" })).toMatch(/not authori[sz]ed/i);
    expect(await refusal(without(bundle, "username", "password"))).toMatch(/not authori[sz]ed/i);
  });

  test("step 2: over TLS, the client needs the authority and the address that the certificate is for", async () => {
    await deployment.deploy(props(Listener.passwordOverTls({ port, ...BOTH })), clients(Authentication.password()));
    const bundle = await deployment.bundle("publisher");
    expect(bundle.url).toBe(`mqtts://${ADDRESS}:${port}`);

    expect(await refusal(without(bundle, "ca_pem"))).toMatch(/SELF_SIGNED|UNABLE_TO/);
    const elsewhere = { ...bundle, host: OTHER_ADDRESS, url: `mqtts://${OTHER_ADDRESS}:${port}` };
    expect(await refusal(elsewhere)).toMatch(/ERR_TLS_CERT_ALTNAME_INVALID.*127\.0\.0\.6/s);
    expect(await refusal({ ...bundle, url: `mqtts://${ADDRESS}:1` })).toMatch(/ECONNREFUSED/);

    const seen = await exchange("nobody can read this");
    expect(seen.length).toBeGreaterThan(1000);
    expect(seen.includes("nobody can read this")).toBe(false);
    expect(seen.includes(bundle.password as string)).toBe(false);
  });

  test("step 3: over mutual TLS, the same client fails without a certificate of its own and works with it", async () => {
    const before = await deployment.bundle("publisher");
    await deployment.deploy(props(Listener.mutualTls({ port, ...BOTH })), clients(Authentication.certificate()));
    const bundle = await deployment.bundle("publisher");
    expect(bundle.password).toBeUndefined();

    expect(await refusal(before)).toMatch(/CERTIFICATE_REQUIRED/i);
    expect(
      await refusal({ ...before, cert_pem: bundle.cert_pem as string, key_pem: bundle.key_pem as string }),
    ).toBeUndefined();
    const seen = await exchange("still nobody can read this");
    expect(seen.includes("still nobody can read this")).toBe(false);
  });

  test("step 4: everything is removed, and no container, volume, network or key is left", async () => {
    await deployment.destroy();
    expect(await deployment.leftovers()).toEqual([]);
    await deployment.remove();
    expect(fs.existsSync(deployment.folder)).toBe(false);
  });
});
