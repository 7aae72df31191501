import { Testing } from "cdktf";
import { existsSync } from "node:fs";
import { environments } from "../environments";
import { BrokerStack } from "../main";
import { config } from "./support/declare";

test.each(environments.map((environment) => [environment.name, environment] as const))(
  "the config of %s is as it was",
  (_, environment) => {
    expect(config(new BrokerStack(Testing.app(), environment))).toMatchSnapshot();
  },
);

test("the environments are dev, staging and prod", () => {
  expect(environments.map(({ name }) => name)).toEqual(["dev", "staging", "prod"]);
});

test("synthesising for a snapshot opens no store", () => {
  const environment = { ...environments[0]!, credentials: environments[1]!.credentials };
  const directory = environment.credentials.directory;
  const before = existsSync(directory);
  config(new BrokerStack(Testing.app(), environment));
  expect(existsSync(directory)).toBe(before);
});

test.each(
  environments.filter(({ name }) => name !== "dev").map((environment) => [environment.name, environment] as const),
)(
  "%s never issues at synth, keeps keys out of the state, protects its data and runs elsewhere",
  (_, { credentials, connectionOutputs, protectData, dockerHost }) => {
    expect(credentials.issue).toBe("never");
    expect(connectionOutputs.includesSecrets).toBe(false);
    expect(protectData).toBe(true);
    expect(dockerHost).toMatch(/^ssh:\/\//);
  },
);
