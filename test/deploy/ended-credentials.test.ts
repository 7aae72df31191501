import { refusal, Session } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { CredentialStore, Listener, MosquittoBroker } from "../../constructs";
import { Issuing, revokeClient } from "../../constructs/credentials";
import { KeySource } from "../../constructs/pki";
import { Deployment, images, versions } from "../support/deployment";
import { inspect, logs } from "../support/docker";
import { refusalByBroker } from "../support/refusals";
import { freePorts } from "../support/workspace";

jest.setTimeout(180_000);

describe.each(versions)("a credential that ends, on Mosquitto %s", (version) => {
  const deployment = new Deployment();
  let props: Parameters<Deployment["deploy"]>[0];
  let other: Session;
  let containerId: string;

  const declare =
    (names: readonly string[], credentialVersion = 1) =>
    (broker: MosquittoBroker): void => {
      broker.addClient("other", { publish: ["plant/#"], subscribe: ["#"] });
      for (const name of names)
        broker.addClient(name, { publish: ["plant/#"], subscribe: ["plant/#"], credentialVersion });
    };

  beforeAll(async () => {
    const [port] = (await freePorts(1)) as [number];
    props = { hosts: ["localhost"], listeners: [Listener.mutualTls({ port })], image: images[version]() };
    await deployment.deploy(props, declare(["stolen", "removed"]));
    containerId = (await inspect(deployment.name)).Id;
    other = await Session.open(await deployment.bundle("other"));
    await other.subscribe("#");
  });
  afterAll(async () => {
    await other.close(true);
    await deployment.remove();
  });

  test("because its credentialVersion is raised: the open session of whoever holds it is closed, and it is refused", async () => {
    const bundle = await deployment.bundle("stolen");
    const thief = await Session.open(bundle);
    await thief.publish("plant/a", "from the thief");
    await deployment.deploy(props, (broker) => {
      declare(["removed"])(broker);
      broker.addClient("stolen", { publish: ["plant/#"], subscribe: ["plant/#"], credentialVersion: 2 });
    });
    await until("the thief is disconnected", () => thief.disconnects > 0);
    expect(await refusalByBroker(bundle)).toMatch(/revoked/i);
    expect(await logs(`${deployment.name}-reloader`)).toContain(
      "the session of an ended certificate of stolen is closed",
    );
  });

  test("once only: the device that came back with its new certificate is left alone by later deploys", async () => {
    const device = await Session.open(await deployment.bundle("stolen"));
    await deployment.deploy(props, (broker) => {
      declare(["removed", "newcomer"])(broker);
      broker.addClient("stolen", { publish: ["plant/#"], subscribe: ["plant/#"], credentialVersion: 2 });
    });
    await device.publish("plant/a", "still here");
    expect(device.disconnects).toBe(0);
    await device.close();
  });

  test("because its client is removed: the open session is closed, and may come back when it is declared again", async () => {
    const bundle = await deployment.bundle("removed");
    const session = await Session.open(bundle);
    await deployment.deploy(props, declare(["stolen"], 2));
    await until("it is disconnected", () => session.disconnects > 0);
    expect(await refusalByBroker(bundle)).toMatch(/revoked/i);
    await deployment.deploy(props, (broker) => {
      declare(["stolen"], 2)(broker);
      broker.addClient("removed", { subscribe: ["plant/#"] });
    });
    expect(await refusal(bundle)).toBeUndefined();
  });

  test("because it is revoked: the session is closed, and no declaration ever makes that certificate work again", async () => {
    const declared = declare(["stolen"], 2);
    await deployment.deploy(props, declared);
    const bundle = await deployment.bundle("stolen");
    const thief = await Session.open(bundle);
    const now = new Date();
    const folder = CredentialStore.folder(deployment.storeFolder).open(now);
    revokeClient(new Issuing(folder, now, new KeySource(new Map())), "stolen", "keyCompromise");

    await deployment.deploy(props, declared);
    await until("the thief is disconnected", () => thief.disconnects > 0);
    expect(await refusalByBroker(bundle)).toMatch(/revoked/i);
    expect(await refusal(await deployment.bundle("stolen"))).toBeUndefined();

    for (const names of [[], ["stolen"]]) {
      await deployment.deploy(props, declare(names, 2));
      expect(await refusalByBroker(bundle)).toMatch(/revoked/i);
    }
    expect(await refusal(await deployment.bundle("stolen"))).toBeUndefined();
  });

  test("and meanwhile no other session was closed, no container replaced, and no probe was seen by a client with #", async () => {
    await other.publish("plant/a", "still here");
    expect(other.disconnects).toBe(0);
    expect((await inspect(deployment.name)).Id).toBe(containerId);
    expect(other.messages.filter(({ topic }) => !topic.startsWith("plant/"))).toEqual([]);
  });
});
