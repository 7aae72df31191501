import { DockerProvider } from "@cdktf/provider-docker/lib/provider";
import { App, LocalBackend, TerraformStack, TerraformVariable } from "cdktf";
import { Construct } from "constructs";
import { appendFileSync, chmodSync, mkdirSync } from "node:fs";
import { MosquittoBroker, MosquittoImage } from "./constructs";
import { Environment, environments } from "./environments";

/** One environment: a broker and its clients on one Docker host. */
export class BrokerStack extends TerraformStack {
  readonly broker: MosquittoBroker;

  constructor(scope: Construct, environment: Environment) {
    super(scope, environment.name);
    new DockerProvider(this, "docker", environment.dockerHost === undefined ? {} : { host: environment.dockerHost });
    // The bindings pin one version exactly; everything used here is the same from 3.6.2 on.
    this.addOverride("terraform.required_providers.docker.version", ">= 3.6.2, < 5.0.0");
    // Relative to the stack's output folder, so that another checkout synthesises the same.
    new LocalBackend(this, { path: `../../../state/${environment.name}.tfstate` });

    const official = MosquittoImage.official();
    const image = new TerraformVariable(this, "mosquitto_image", {
      type: "string",
      default: official.name,
      description: `The image that runs the broker, with Mosquitto ${official.version} in it`,
    });
    const { clients, hosts, listeners, network, credentials, serverAuthority, clientAuthority } = environment;
    this.broker = new MosquittoBroker(this, "broker", {
      hosts,
      listeners,
      network,
      credentials,
      serverAuthority,
      clientAuthority,
      image: MosquittoImage.named(image.stringValue, official.version),
      connectionOutputs: environment.connectionOutputs,
      protectData: environment.protectData,
    });
    for (const [name, options] of Object.entries(clients)) this.broker.addClient(name, options);
  }
}

/** Terraform writes a new state, which holds clients' keys, for everybody to read; one that is there keeps its mode. */
function keepStatePrivate(environment: Environment): void {
  mkdirSync("state", { recursive: true, mode: 0o700 });
  for (const file of [`state/${environment.name}.tfstate`, `state/${environment.name}.tfstate.backup`]) {
    appendFileSync(file, "", { mode: 0o600 });
    chmodSync(file, 0o600);
  }
}

if (require.main === module) {
  const app = new App();
  for (const environment of environments) {
    new BrokerStack(app, environment);
    keepStatePrivate(environment);
  }
  app.synth();
}
