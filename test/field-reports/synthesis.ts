import { App, TerraformStack } from "cdktf";
import * as fs from "node:fs";
import * as path from "node:path";
import { ConnectionBundle, CredentialStore, MosquittoBroker, MosquittoBrokerProps } from "../../constructs";
import { makeStack } from "../support/declare";
import { makeFolder, removeFolder } from "../support/workspace";

/** What a deploy would take, issued for real: nothing is left out but Docker. */
export class Synthesis {
  private static readonly folders: string[] = [];
  private readonly material: string;

  /** Takes away whatever this file of tests has issued. */
  static removeAll(): void {
    for (const folder of Synthesis.folders.splice(0)) removeFolder(folder);
  }

  constructor(props: Partial<MosquittoBrokerProps>, clients: (broker: MosquittoBroker) => void = () => undefined) {
    const folder = makeFolder("field-reports");
    Synthesis.folders.push(folder);
    const app = new App({ outdir: path.join(folder, "out") });
    const broker = new MosquittoBroker(makeStack(app), "broker", {
      hosts: ["broker.plant.example"],
      credentials: CredentialStore.folder(path.join(folder, "store")),
      ...props,
      name: "broker",
    });
    clients(broker);
    // What is issued is said on standard error, which is not what is tested here.
    const said = jest.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      app.synth();
    } finally {
      said.mockRestore();
    }
    const { node } = TerraformStack.of(broker);
    this.material = path.join(folder, "out", "stacks", node.id, "material", "broker");
  }

  /** A file of the set, such as `server.crt`. */
  file(name: string): string {
    return fs.readFileSync(path.join(this.material, name), "utf8");
  }

  bundle(client: string): ConnectionBundle {
    return JSON.parse(this.file(path.join("connections", `${client}.json`))) as ConnectionBundle;
  }

  get bundles(): ConnectionBundle[] {
    return fs
      .readdirSync(path.join(this.material, "connections"))
      .map((name) => this.bundle(name.replace(/\.json$/, "")));
  }
}

/** Each certificate, key or list of a text by itself. */
export function blocks(pem: string): string[] {
  return pem.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----\n?/g) ?? [];
}
