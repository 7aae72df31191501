import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import { TerraformStack } from "cdktf";
import { Authentication, Listener, MosquittoBroker } from "cdktf-mosquitto";
import { Construct } from "constructs";

/** A plant's broker: devices come with certificates, people with passwords. */
export class PlantStack extends TerraformStack {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    new DockerProvider(this, "docker", {});

    const broker = new MosquittoBroker(this, "broker", {
      hosts: ["broker.plant.example"],
      listeners: [Listener.mutualTls({ port: 8883 }), Listener.passwordOverTls({ port: 8884 })],
    });
    broker.addClient("sensor-1", { publish: ["plant/sensor-1/#"], subscribe: ["plant/sensor-1/commands"] });
    broker.addClient("dashboard", { subscribe: ["plant/#"] });
    broker.addClient("operator", {
      authentication: Authentication.password(),
      publish: ["plant/+/commands"],
      subscribe: ["plant/#"],
    });
  }
}
