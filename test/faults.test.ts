import fc from "fast-check";
import { describeFault, Faults, show } from "../constructs/faults";

const fault = { what: "port", value: 0, allowed: "1 to 65535", remedy: "take another" };

test("a fault says what, the bad value, what is allowed and the remedy", () => {
  expect(describeFault(fault)).toBe("port, got 0; allowed: 1 to 65535; remedy: take another");
});

test("a secret value is left out", () => {
  const { what, allowed, remedy } = fault;
  expect(describeFault({ what, allowed, remedy })).toBe("port; allowed: 1 to 65535; remedy: take another");
});

test("all faults of one declaration are one error, and none is no error", () => {
  const faults = new Faults("broker test/broker");
  expect(() => faults.throwIfAny()).not.toThrow();
  faults.add(fault, undefined, { ...fault, what: "host" });
  expect(() => faults.throwIfAny()).toThrow(
    "broker test/broker cannot be declared like this:\n" +
      "  - port, got 0; allowed: 1 to 65535; remedy: take another\n" +
      "  - host, got 0; allowed: 1 to 65535; remedy: take another",
  );
});

test("whatever the value, it is shown on one line, short, without a character that a terminal obeys", () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true, withBigInt: false }), (value) => {
      const shown = show(value);
      expect(shown.length).toBeLessThanOrEqual(121);
      expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
    }),
  );
  expect(show("a\u007fb\u202ec\u2028d")).toBe('"a\\u{7f}b\\u{202e}c\\u{2028}d"');
});
