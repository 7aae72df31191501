import { MonitoringClientOptions } from "../../constructs";
import { declareBroker } from "../support/declare";

describe("a monitoring client", () => {
  test("receives the broker's figures, publishes nothing and receives nothing else", () => {
    const broker = declareBroker();
    const client = broker.addMonitoringClient();
    expect(client).toMatchObject({ name: "monitoring", publish: [], subscribe: ["$SYS/broker/#"], deny: [] });
    expect(broker.canSubscribe(client, "$SYS/broker/clients/connected")).toBe(true);
    expect(broker.canSubscribe(client, "plant/sensor-1/state")).toBe(false);
    expect(broker.canPublish(client, "$SYS/broker/clients/connected")).toBe(false);
    expect(broker.canPublish(client, "plant/sensor-1/state")).toBe(false);
  });

  test("takes a name and all options of a client but its rules", () => {
    const broker = declareBroker();
    const client = broker.addMonitoringClient("telegraf", { credentialVersion: 2, connectionOutput: false });
    expect(client).toMatchObject({ name: "telegraf", credentialVersion: 2, subscribe: ["$SYS/broker/#"] });
    for (const rule of ["publish", "subscribe", "publishAndSubscribe", "deny"]) {
      const options = { [rule]: ["plant/#"] } as MonitoringClientOptions;
      expect(() => broker.addMonitoringClient("other", options)).toThrow(
        new RegExp(`monitoring client\\.${rule}, got .*plant/#.*; allowed: no rules.*; remedy: leave it out`),
      );
    }
    expect(() => broker.addMonitoringClient("other", null as unknown as MonitoringClientOptions)).toThrow(/is null/);
  });

  test("is refused where the broker publishes no figures", () => {
    expect(() => declareBroker({ sysInterval: 0 }).addMonitoringClient()).toThrow(
      /\$SYS where the broker publishes it, and sysInterval is 0; remedy: leave out sysInterval/,
    );
  });
});
