import { Container } from "@cdktf/provider-docker/lib/container";
import { Image } from "@cdktf/provider-docker/lib/image";
import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import { DataTerraformRemoteStateLocal, LocalBackend, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { settings } from "./settings";

/** A stack that knows of the broker only what the outputs of the plant's stack say. */
export class DashboardStack extends TerraformStack {
  constructor(scope: Construct, id: string, plant: string) {
    super(scope, id);
    new DockerProvider(this, "docker", {});
    this.addOverride("terraform.required_providers.docker.version", ">= 3.6.2, < 5.0.0");
    new LocalBackend(this, { path: `${settings.state}/${id}.tfstate` });

    const outputs = new DataTerraformRemoteStateLocal(this, "plant", { path: `${settings.state}/${plant}.tfstate` });
    const field = (name: string): string => outputs.getString(`connection_dashboard.${name}`);
    const image = new Image(this, "image", { name: settings.image.name, keepLocally: true });
    new Container(this, "dashboard", {
      name: `${settings.name}-dashboard`,
      image: image.imageId,
      entrypoint: ["/bin/sh", "-c"],
      command: [
        'exec mosquitto_sub -h "$MQTT_HOST" -p "$MQTT_PORT" -i "$MQTT_CLIENT_ID" ' +
          '--cafile /run/mqtt/ca.crt --cert /run/mqtt/client.crt --key /run/mqtt/client.key -t "plant/#" -v',
      ],
      restart: "unless-stopped",
      env: [
        `MQTT_HOST=${field("host")}`,
        `MQTT_PORT=${outputs.getNumber("connection_dashboard.port")}`,
        `MQTT_CLIENT_ID=${field("client_id")}`,
      ],
      // Their content is in the state of this stack, too, as it is in that of the outputs.
      upload: [
        { file: "/run/mqtt/ca.crt", content: field("ca_pem") },
        { file: "/run/mqtt/client.crt", content: field("cert_pem") },
        { file: "/run/mqtt/client.key", content: field("key_pem") },
      ],
      networksAdvanced: [{ name: settings.name }],
    });
  }
}
