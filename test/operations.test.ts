import * as fs from "node:fs";
import * as path from "node:path";
import { TerraformStack } from "cdktf";
import { MosquittoImage } from "../constructs";
import { Alteration, CHANGES, firstDeclared, KINDS_OF_CHANGE } from "./deploy/kinds-of-change";
import { Config, config, containerNamed, declareBroker } from "./support/declare";
import { DocumentedTable } from "./support/documented-table";
import { checkout } from "./support/workspace";

const read = (...names: string[]): string => fs.readFileSync(path.join(checkout, ...names), "utf8");
const guide = read("docs", "operations.md");

describe("the guide to what a change costs", () => {
  test("has a row for each kind of change that is measured, and no other", () => {
    const rows = new DocumentedTable("operations.md", "Change").rows();
    expect(rows.map(([what]) => what)).toEqual(KINDS_OF_CHANGE);
  });

  test("names every property of a broker and of a client", () => {
    const properties = [
      ["broker", "mosquitto-broker-props.ts", "MosquittoBrokerProps"],
      ["broker", "conf", "broker-options.ts", "BrokerOptions"],
      ["client", "mosquitto-client.ts", "AccessRuleOptions"],
      ["client", "mosquitto-client.ts", "ClientOptions"],
    ].flatMap((place) => {
      const [, members = ""] =
        new RegExp(`^export interface ${place.at(-1)}\\b[^{]*\\{$(.*?)^\\}$`, "ms").exec(
          read("constructs", ...place.slice(0, -1)),
        ) ?? [];
      return [...members.matchAll(/^ {2}readonly (\w+)/gm)].map(([, name]) => name as string);
    });
    expect(properties.length).toBeGreaterThan(25);
    expect(properties.filter((name) => !guide.includes(`\`${name}\``))).toEqual([]);
  });
});

const unaltered: Alteration = (declared) => declared;

/** What the broker's container is made from: with another, it is replaced. */
function container(alteration = unaltered): unknown {
  const synthesized = synthesizedWith(alteration);
  return [containerNamed(synthesized, "plant"), synthesized.resource.docker_image];
}

/** Name of mosquitto.conf, as the writer is told it. */
function confName(alteration = unaltered): string | undefined {
  const { env } = containerNamed(synthesizedWith(alteration), "plant-writer") as unknown as { env: string[] };
  return env.find((one) => one.startsWith("CONF="));
}

function synthesizedWith(alteration: Alteration): Config & { resource: { docker_image: unknown } } {
  const surroundings = {
    image: MosquittoImage.named("mosquitto:one", "2.1.2"),
    otherImage: MosquittoImage.named("mosquitto:other", "2.0.21"),
    ports: [8883, 8884, 8885] as const,
    network: "plant",
  };
  const { props, clients } = alteration(firstDeclared(surroundings), surroundings);
  const broker = declareBroker({ ...props, name: "plant" });
  for (const [name, options] of Object.entries(clients)) broker.addClient(name, options);
  return config(TerraformStack.of(broker)) as Config & { resource: { docker_image: unknown } };
}

describe("each kind of change alone, as together with others,", () => {
  const each = CHANGES.flatMap(({ costs, kinds }) =>
    kinds.map(([what, alteration]) => [what, costs === "restart", alteration] as const),
  );

  test.each(each)("%s: replaces the broker's container: %s", (_, isReplaced, alteration) => {
    if (isReplaced) {
      expect(container(alteration)).not.toEqual(container());
      // By which the writer knows that it is, and makes the set live before the start.
      expect(confName(alteration)).not.toBe(confName());
    } else expect(container(alteration)).toEqual(container());
  });
});

test("with liveChanges: false, any other set replaces the broker's container", () => {
  const containersOf = (
    liveChanges: boolean,
  ): { broker: unknown; set: unknown; replacedWith: string; files: string } => {
    const broker = declareBroker({ hosts: ["localhost"], name: "plant", liveChanges });
    const synthesized = config(TerraformStack.of(broker));
    const writer = containerNamed(synthesized, "plant-writer") as unknown as {
      env: string[];
      labels: { value: string }[];
    };
    const variable = (name: string): string =>
      writer.env.find((one) => one.startsWith(`${name}=`))?.split("=")[1] ?? "";
    return {
      broker: containerNamed(synthesized, "plant").labels,
      set: writer.labels[0]?.value,
      replacedWith: variable("REPLACED_WITH"),
      files: variable("FILES"),
    };
  };
  // A label at all, because Docker's provider leaves those alone of a container that is declared without any.
  expect(containersOf(true)).toMatchObject({
    broker: [{ label: "cdktf-mosquitto.live-changes", value: "true" }],
    replacedWith: "",
  });
  const { broker, set, replacedWith, files } = containersOf(false);
  expect(broker).toEqual([{ label: "cdktf-mosquitto.set", value: set }]);
  // The writer takes the broker for one that goes on where none of them is another.
  expect(replacedWith).toBe(files);
});
