import { Container } from "@cdktf/provider-docker/lib/container";
import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import { LocalBackend, TerraformStack } from "cdktf";
import { Authentication, BrokerNetwork, ConnectionOutputs, Listener, MosquittoBroker } from "cdktf-mosquitto";
import { Construct } from "constructs";
import { settings } from "./settings";

/** A broker that only containers of its own network reach, and two of them: one with a certificate, one with a password. */
export class PlantStack extends TerraformStack {
  readonly broker: MosquittoBroker;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    new DockerProvider(this, "docker", {});
    this.addOverride("terraform.required_providers.docker.version", ">= 3.6.2, < 5.0.0");
    new LocalBackend(this, { path: `${settings.state}/${id}.tfstate` });

    this.broker = new MosquittoBroker(this, "broker", {
      name: settings.name,
      image: settings.image,
      hosts: ["broker"],
      network: BrokerNetwork.internal(),
      listeners: [Listener.mutualTls(), Listener.passwordOverTls()],
      credentials: settings.credentials,
      protectData: false,
      // Only the dashboard, which is another stack's, is handed over by an output.
      connectionOutputs: ConnectionOutputs.withSecrets(),
    });
    const sensor = this.broker.addClient("sensor", { publish: ["plant/sensor/#"], connectionOutput: false });
    const historian = this.broker.addClient("historian", {
      authentication: Authentication.password(),
      subscribe: ["plant/#"],
      connectionOutput: false,
    });
    this.broker.addClient("dashboard", { subscribe: ["plant/#"] });

    new Container(this, "sensor", {
      name: `${settings.name}-sensor`,
      image: this.broker.container.image,
      entrypoint: ["/bin/sh", "-c"],
      // Every second a message, each over the same connection.
      command: [
        'while sleep 1; do date +%s; done | mosquitto_pub -h "$MQTT_HOST" -p "$MQTT_PORT" -i "$MQTT_CLIENT_ID" ' +
          '--cafile "$MQTT_CA_FILE" --cert "$MQTT_CERT_FILE" --key "$MQTT_KEY_FILE" -t plant/sensor/time -q 1 -l',
      ],
      restart: "unless-stopped",
      env: sensor.connection.environment(),
      upload: sensor.connection.uploads(),
      networksAdvanced: sensor.connection.networks(),
      dependsOn: [this.broker.ready],
    });
    new Container(this, "historian", {
      name: `${settings.name}-historian`,
      image: this.broker.container.image,
      entrypoint: ["/bin/sh", "-c"],
      // Its options come from a file: the arguments of a program can be read by everybody on the machine.
      command: [
        'umask 077; mkdir /tmp/mqtt; printf -- "-P %s\\n" "$(cat "$BROKER_PASSWORD_FILE")" >/tmp/mqtt/mosquitto_sub; ' +
          'XDG_CONFIG_HOME=/tmp/mqtt exec mosquitto_sub -h "$BROKER_HOST" -p "$BROKER_PORT" -i "$BROKER_CLIENT_ID" ' +
          '-u "$BROKER_USERNAME" --cafile "$BROKER_CA_FILE" -t "plant/#" -v',
      ],
      restart: "unless-stopped",
      env: historian.connection.environment("BROKER_", "/etc/historian"),
      upload: historian.connection.uploads("/etc/historian"),
      networksAdvanced: historian.connection.networks(),
      dependsOn: [this.broker.ready],
    });
  }
}
