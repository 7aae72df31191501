import { Container } from "@cdktf/provider-docker/lib/container";
import { TerraformOutput, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { Authentication, Listener, MosquittoBroker } from "../constructs";
import { config, makeStack } from "./support/declare";

/** What a user of the library writes: a broker and an application that uses it, as one construct. */
class Plant extends Construct {
  readonly broker: MosquittoBroker;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.broker = new MosquittoBroker(this, "broker", {
      hosts: ["broker.plant.example", "192.168.1.13"],
      listeners: [Listener.mutualTls(), Listener.passwordOverTls({ port: 8884 })],
      outputPrefix: `${id}_`,
    });
    this.broker.addClient("historian", { subscribe: ["plant/#"] });
    this.broker.addClient("dashboard", { authentication: Authentication.password(), subscribe: ["plant/#"] });
    new Container(this, "historian", {
      name: `${id}-historian`,
      image: "historian:1.0",
      networksAdvanced: [{ name: this.broker.networkName }],
      dependsOn: [this.broker.container],
    });
  }
}

function largerStack(): TerraformStack {
  const stack = makeStack();
  new Plant(stack, "north");
  new Plant(stack, "south");
  new TerraformOutput(stack, "unrelated", { value: "kept" });
  return stack;
}

test("a larger stack with two brokers among other constructs is as it was", () => {
  expect(config(largerStack())).toMatchSnapshot();
});

test("its snapshot does not depend on the folder or the day", () => {
  const here = config(largerStack());
  const folder = process.cwd();
  jest.useFakeTimers({ now: new Date("2031-05-05T05:05:05Z") });
  try {
    process.chdir("/");
    expect(config(largerStack())).toEqual(here);
  } finally {
    process.chdir(folder);
    jest.useRealTimers();
  }
});
