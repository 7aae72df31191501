import fc from "fast-check";
import { literal } from "../constructs/terraform-text";

test("template marks are doubled and nothing else changes", () => {
  expect(literal("${a} %{b} $x %y $$ {}")).toBe("$${a} %%{b} $x %y $$ {}");
});

test("whatever the text, Terraform reads it back as it was", () => {
  const read = (text: string): string => text.replace(/\$\$\{/g, () => "${").replace(/%%\{/g, () => "%{");
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("a", "{", "}", "\n", "é", "%", "$x") }), (text) => {
      expect(read(literal(text))).toBe(text);
    }),
  );
});
