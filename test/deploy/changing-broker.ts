import * as fs from "node:fs";
import * as path from "node:path";
import { TLSSocket } from "node:tls";
import { ConnectionBundle, CredentialStore } from "../../constructs";
import { Issuing, revokeClient } from "../../constructs/credentials";
import { KeySource } from "../../constructs/pki";
import { PERSISTENT, Session } from "../../tools/mqtt-session";
import { until } from "../../tools/until";
import { mustRun } from "../support/command";
import { Deployment, images, Version } from "../support/deployment";
import { inspect } from "../support/docker";
import { Flow, Traffic } from "../support/traffic";
import { freePorts, uniqueName } from "../support/workspace";
import { Change, Cost, Declared, firstDeclared, REVOKED_BY_COMMAND, Surroundings } from "./kinds-of-change";

const CONTAINERS = ["writer", "broker", "reloader"] as const;

/** Clients with a part to play; all others do nothing but stay connected. */
const PARTS: readonly string[] = ["publisher", "subscriber", "away", "newcomer"];

export interface Effect {
  readonly costs: Cost;
  /** The containers that were replaced. */
  readonly replaced: readonly string[];
  /** Those of which the plan had said it. */
  readonly planned: readonly string[];
  /** The clients whose connections were closed. */
  readonly dropped: readonly string[];
  readonly flow: Flow;
  /** What came afterwards to a client that was away meanwhile. */
  readonly kept: readonly string[];
}

/** One broker, deployed again and again while clients use it. */
export class ChangingBroker {
  private readonly deployment = new Deployment();
  private readonly network = uniqueName("cdktf-test-network");
  /** Every bundle that the newcomer has had. */
  private readonly bundles = new Set<string>();
  private readonly open: { close(): Promise<void> }[] = [];
  private surroundings!: Surroundings;
  private declared!: Declared;

  async start(version: Version): Promise<void> {
    await mustRun("docker", ["network", "create", this.network]);
    this.surroundings = {
      image: images[version](),
      otherImage: images[version === "2.0.21" ? "2.1.2" : "2.0.21"](),
      ports: (await freePorts(3)) as [number, number, number],
      network: this.network,
    };
    this.declared = firstDeclared(this.surroundings);
    this.synth();
    await this.apply();
    const away = await this.as("away", PERSISTENT);
    await away.client.subscribeAsync("queued", { qos: 2 });
    await away.close();
    const publisher = await this.as("publisher");
    await publisher.publish("kept", "retained", { retain: true });
    await publisher.close();
  }

  async remove(): Promise<void> {
    await this.close();
    await this.deployment.remove();
    await mustRun("docker", ["network", "rm", this.network]);
  }

  /** Deploys a change while messages flow and bystanders are connected. */
  async undergo(change: Change): Promise<Effect> {
    const traffic = await Traffic.open("traffic", this.bundleOf("publisher"), this.bundleOf("subscriber"), WILL);
    this.open.push(traffic);
    await traffic.publisher.publish("queued", "at least once");
    await traffic.publisher.client.publishAsync("queued", "exactly once", { qos: 2 });
    const bystanders = new Map<string, Session>();
    for (const name of this.bystanders()) {
      const session = await this.as(name);
      bystanders.set(name, session);
      this.open.push(session);
    }
    const bundles = [...this.bundles.add(JSON.stringify(this.bundleOf("newcomer")))];
    const before = { containers: await this.containerIds(), met: await met(bundles) };

    if (change.kinds.some(([what]) => what === REVOKED_BY_COMMAND)) this.revoke("gateway");
    this.declared = change.kinds.reduce((so, [, alter]) => alter(so, this.surroundings), this.declared);
    // Before the messages: it keeps this process busy.
    this.synth();
    const applying = this.apply();
    const flow = await traffic.during(applying);

    const dropped = [...bystanders].filter(([, { disconnects }]) => disconnects > 0).map(([name]) => name);
    for (const [name, session] of bystanders) {
      if (!dropped.includes(name)) await session.publish(`plant/${name}`, "still here");
    }
    if (traffic.disconnects > 0) dropped.push("publisher", "subscriber");
    const after = { containers: await this.containerIds(), met: await met(bundles) };
    await traffic.publisher.publish("queued", "since the change");
    const kept = await this.receivedAfterwards(traffic.publisher);
    await this.close();

    const replaced = CONTAINERS.filter((_, index) => after.containers[index] !== before.containers[index]);
    const planned = replacementsIn(await applying);
    const isMet = after.met.some((one, index) => one !== before.met[index]);
    return { costs: costOf(replaced, dropped, isMet), replaced, planned, dropped: dropped.sort(), flow, kept };
  }

  /** Who is connected while a change is deployed. */
  get connected(): string[] {
    return [...this.bystanders(), "publisher", "subscriber"].sort();
  }

  private async close(): Promise<void> {
    await Promise.all(this.open.splice(0).map((one) => one.close()));
  }

  private bystanders(): string[] {
    return Object.keys(this.declared.clients).filter((name) => !PARTS.includes(name));
  }

  private synth(): void {
    this.deployment.synth(this.declared.props, (broker) => {
      for (const [name, options] of Object.entries(this.declared.clients)) broker.addClient(name, options);
    });
  }

  /** @returns what Terraform said */
  private async apply(): Promise<string> {
    const { code, stdout, stderr } = await this.deployment.apply();
    if (code !== 0) throw new Error(`${stdout}\n${stderr}`);
    return stdout;
  }

  /** As the command does it. */
  private revoke(client: string): void {
    const now = new Date();
    const folder = CredentialStore.folder(this.deployment.storeFolder).open(now);
    revokeClient(new Issuing(folder, now, new KeySource(new Map())), client, "keyCompromise");
  }

  private as(name: string, options = {}): Promise<Session> {
    return Session.open(this.bundleOf(name), options);
  }

  /** From the material: not every client has an output. */
  private bundleOf(name: string): ConnectionBundle {
    const { stackFolder, name: broker } = this.deployment;
    return JSON.parse(
      fs.readFileSync(path.join(stackFolder, "material", broker, "connections", `${name}.json`), "utf8"),
    ) as ConnectionBundle;
  }

  private async containerIds(): Promise<string[]> {
    const { name } = this.deployment;
    return (await Promise.all([`${name}-writer`, name, `${name}-reloader`].map(inspect))).map(({ Id }) => Id);
  }

  /** The messages that were queued for a client that was away, and the retained one. */
  private async receivedAfterwards(publisher: Session): Promise<string[]> {
    const away = await this.as("away", PERSISTENT);
    await away.subscribe("kept");
    // What is queued is delivered before it. What is missing, the result says.
    await publisher.publish("queued", END);
    await until("the last has come", () => away.payloads.includes(END));
    await away.close();
    return away.payloads.filter((payload) => payload !== END).sort();
  }
}

const END = "the last";

/** To be published when its client has been away for an hour (MQTT 5 section 3.1.3.2.2). */
const WILL = {
  topic: "queued",
  payload: Buffer.from("will"),
  qos: 1,
  retain: false,
  properties: { willDelayInterval: 3600 },
} as const;

/** What a client meets that connects now, with each of these bundles: a server's certificate, or a refusal. */
async function met(bundles: readonly string[]): Promise<string[]> {
  const all: string[] = [];
  for (const bundle of bundles) {
    const session = await Session.open(JSON.parse(bundle) as ConnectionBundle).catch(() => undefined);
    const socket = session?.client.stream as TLSSocket | undefined;
    all.push(socket?.getPeerX509Certificate()?.fingerprint256 ?? "refused");
    await session?.close();
  }
  return all;
}

/** The containers that must be replaced, as the guide says how a plan shows it. */
function replacementsIn(plan: string): string[] {
  const lines = [...plan.matchAll(/^ *# docker_container\.broker_(writer_|reloader_|)[0-9A-F]{8} must be replaced$/gm)];
  const names = lines.map(([, helper]) => (helper === "" ? "broker" : helper?.slice(0, -1)));
  return CONTAINERS.filter((name) => names.includes(name));
}

function costOf(replaced: readonly string[], dropped: readonly string[], isMet: boolean): Cost {
  if (replaced.includes("broker")) return "restart";
  if (dropped.length > 0) return "its own session";
  return isMet ? "new connections only" : "nothing";
}
