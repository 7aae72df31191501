import * as fs from "node:fs";
import * as path from "node:path";
import { BundleFormat, renderBundle } from "../../constructs/client/formats";
import { ConnectionBundle } from "../../constructs";
import { CommandResult, run } from "../support/command";
import { evaluate } from "../support/tool-module";
import { checkout } from "../support/workspace";

export const languages = ["C", "Python", "Node", "Go", "Java", "Rust"] as const;
export type Language = (typeof languages)[number];

/** What a program is to publish, and of which topics it takes the first message. */
export interface Exchange {
  readonly topic: string;
  readonly filter: string;
  readonly message: string;
}

/** A name that only the programs know, as the name of an address. */
export interface KnownHost {
  readonly name: string;
  readonly address: string;
}

interface Program {
  readonly format: BundleFormat["name"];
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const source = (...parts: string[]): string => path.join(checkout, "test", "interop", "clients", ...parts);

/** Every program but Mosquitto's own tools, which run in the image. */
async function builtPrograms(): Promise<Record<Exclude<Language, "C">, Program>> {
  const folders = await evaluate<Record<string, string>>("setup/interop.mjs", "module.presentInteropClients()");
  const at = (language: string, ...parts: string[]): string => path.join(folders[language] as string, ...parts);
  const paho = "org/eclipse/paho/org.eclipse.paho.client.mqttv3/1.2.5/org.eclipse.paho.client.mqttv3-1.2.5.jar";
  const classPath = [at("java", "target", "classes"), at("java", "repository", paho)].join(":");
  return {
    Python: {
      format: "paho-python",
      command: ["python3", source("python", "client.py")],
      env: { PYTHONPATH: at("python") },
    },
    Node: { format: "mqttjs", command: [process.execPath, source("node", "client.mjs")] },
    Go: { format: "paho-go", command: [at("go", "client")] },
    // It lives for a second, so thorough compiling is not worth its time.
    Java: { format: "java", command: ["java", "-XX:TieredStopAtLevel=1", "-cp", classPath, "Client"] },
    Rust: { format: "rumqttc", command: [at("rust", "client")] },
  };
}

/** Does everything, so many at once. */
export async function inGroups(size: number, tasks: readonly (() => Promise<void>)[]): Promise<void> {
  const waiting = [...tasks];
  const next = async (): Promise<void> => {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) await task();
  };
  await Promise.all(Array.from({ length: size }, next));
}

/** Runs the programs, each with a bundle in its library's own format. */
export class Programs {
  private folders = 0;

  private constructor(
    private readonly built: Record<Exclude<Language, "C">, Program>,
    private readonly folder: string,
    private readonly image: string,
    private readonly host: KnownHost,
  ) {}

  /**
   * @param folder for the bundles
   * @param image with Mosquitto's tools
   */
  static async in(folder: string, image: string, host: KnownHost): Promise<Programs> {
    const hosts = `${fs.readFileSync("/etc/hosts", "utf8")}\n${host.address} ${host.name}\n`;
    fs.writeFileSync(path.join(folder, "hosts"), hosts);
    return new Programs(await builtPrograms(), folder, image, host);
  }

  async run(
    language: Language,
    bundle: ConnectionBundle,
    { topic, filter, message }: Exchange,
  ): Promise<CommandResult> {
    const program = language === "C" ? undefined : this.built[language];
    const folder = this.write(bundle, program?.format ?? "pem");
    const [name, ...args] = program === undefined ? this.inImage(folder) : this.withHosts(program.command, folder);
    return run(name as string, [...args, topic, filter, message], { env: program?.env ?? {}, limit: 60 });
  }

  private write(bundle: ConnectionBundle, format: string): string {
    const folder = path.join(this.folder, `bundle-${++this.folders}`);
    fs.mkdirSync(folder, { mode: 0o700 });
    for (const [name, content] of renderBundle(bundle, format)) {
      fs.writeFileSync(path.join(folder, name), content, { mode: 0o600 });
    }
    return folder;
  }

  private inImage(folder: string): string[] {
    const { name, address } = this.host;
    const mounts = ["-v", `${folder}:/bundle:ro`, "-v", `${source("c", "client.sh")}:/client.sh:ro`];
    const network = ["--network", "host", "--add-host", `${name}:${address}`];
    return ["docker", "run", "--rm", ...network, ...mounts, "--entrypoint", "sh", this.image, "/client.sh", "/bundle"];
  }

  /** In a mount namespace of its own, where the name is known; nothing of it is left. */
  private withHosts(command: readonly string[], folder: string): string[] {
    const rights = process.getuid?.() === 0 ? [] : ["--map-root-user"];
    const script = `mount --bind "$0" /etc/hosts && exec "$@"`;
    return ["unshare", "--mount", ...rights, "sh", "-c", script, path.join(this.folder, "hosts"), ...command, folder];
  }
}
