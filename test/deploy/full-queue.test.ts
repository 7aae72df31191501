import { PERSISTENT, Session } from "../../tools/mqtt-session";
import { Listener } from "../../constructs";
import { Deployment, images, versions } from "../support/deployment";
import { inspect } from "../support/docker";
import { freePorts } from "../support/workspace";

jest.setTimeout(180_000);

describe.each(versions)("more messages than memory, on Mosquitto %s", (version) => {
  const deployment = new Deployment();
  afterAll(() => deployment.remove());

  test("are refused for a sleeping client, and the broker lives on", async () => {
    const [port] = (await freePorts(1)) as [number];
    const props = { hosts: ["localhost"], listeners: [Listener.mutualTls({ port })], image: images[version]() };
    await deployment.deploy(props, (broker) => {
      broker.addClient("camera", { publish: ["images/#"] });
      broker.addClient("sleeper", { subscribe: ["images/#"] });
      broker.addClient("other", { publish: ["state"], subscribe: ["state"] });
    });
    const sleeper = await Session.open(await deployment.bundle("sleeper"), PERSISTENT);
    await sleeper.subscribe("images/#");
    await sleeper.close();

    // The container's memory. The broker closes the connection where it has no room, so each has its own.
    const payload = "x".repeat(1_900_000);
    const { HostConfig } = await inspect(deployment.name);
    const bundle = await deployment.bundle("camera");
    let refused = 0;
    for (let sent = 0; sent < HostConfig.Memory; sent += payload.length) {
      try {
        const camera = await Session.open(bundle);
        await camera.publish("images/1", payload);
        await camera.close(true);
      } catch {
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(0);

    const { RestartCount, State } = await inspect(deployment.name);
    expect({ RestartCount, Running: State.Running }).toEqual({ RestartCount: 0, Running: true });
    const other = await Session.open(await deployment.bundle("other"));
    await other.close();
  });
});
