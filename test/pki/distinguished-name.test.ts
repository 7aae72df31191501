import { commonNameFault } from "../../constructs/pki";
import { parseDer } from "../../constructs/pki/asn1";
import { encodeName, isSameCommonName, onlyCommonName } from "../../constructs/pki/distinguished-name";

describe("a common name", () => {
  test.each(["a", "sensor-1", "dévice", "温度計", "🌡".repeat(64), "a, b / c + d = e # f"])("may be %j", (name) => {
    expect(commonNameFault("name", name)).toBeUndefined();
    expect(onlyCommonName(parseDer(encodeName(name)))).toBe(name);
  });

  test.each([
    ["", "give a name"],
    [7, "as a string"],
    ["a".repeat(65), "shorten it: it has 65 characters"],
    ["🌡".repeat(65), "shorten it: it has 65 characters"],
    ["a\nb", "control characters"],
    ["a\0b", "control characters"],
    ["a\u007f", "control characters"],
    ["a\u009f", "control characters"],
    ["a\u2028b", "control characters"],
    ["a\ud800", "control characters"],
    ["a\ufffe", "control characters"],
  ])("may not be %j", (name, remedy) => {
    expect(commonNameFault("name", name)).toMatchObject({ what: "name", value: name });
    expect(commonNameFault("name", name)?.remedy).toContain(remedy);
    expect(() => encodeName(name as string)).toThrow("the common name, got ");
  });

  test("is the same with other case and blanks, as verifiers see it", () => {
    expect(isSameCommonName("Plant  CA ", "plant ca")).toBe(true);
    expect(isSameCommonName("Plant CA", "PlantCA")).toBe(false);
  });
});
