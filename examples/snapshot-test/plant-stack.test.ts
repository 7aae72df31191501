import { Testing } from "cdktf";
import { PlantStack } from "./plant-stack";

test("the plant's config is as it was", () => {
  const stack = new PlantStack(Testing.app(), "plant");
  // Parsed, because frameworks format the text differently.
  expect(JSON.parse(Testing.synth(stack))).toMatchSnapshot();
});
