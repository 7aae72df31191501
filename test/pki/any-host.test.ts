import { isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import { hostFault, parseHost } from "../../constructs/pki";

// Whatever is given as a host, and what other programs take it for.

const NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

describe("any string as a host", () => {
  const hostlike = fc.stringMatching(/^[a-zA-Z0-9.:_%*\-[\]/@ ]{0,40}$/);
  const anything = fc.oneof(fc.string(), fc.string({ unit: "binary" }), hostlike, fc.webUrl());
  const usual = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV4Extended(), fc.ipV6());

  test("is refused, or comes out as one clean host, which is then taken as it is", () => {
    fc.assert(
      fc.property(fc.oneof(anything, usual), (value) => {
        if (hostFault("the host", value) !== undefined) {
          expect(() => parseHost(value)).toThrow("; remedy: ");
          return;
        }
        const host = parseHost(value);
        if (host.kind === "ip") expect(isIPv4(host.value) || isIPv6(host.value)).toBe(true);
        else expect(host.value).toMatch(NAME);
        expect(host.value).toMatch(/^[a-z0-9.:-]+$/);
        expect(parseHost(host.value)).toEqual(host);
      }),
      { numRuns: 2000 },
    );
  });

  test("is an address to us exactly if it is one to what dials it (WHATWG URL)", () => {
    fc.assert(
      fc.property(fc.oneof(fc.stringMatching(/^[0-9a-fxX.]{1,16}$/), fc.ipV4Extended()), (value) => {
        fc.pre(hostFault("the host", value) === undefined);
        const { hostname } = new URL(`http://${value}/`);
        expect(hostname).toBe(parseHost(value).value);
        expect(isIPv4(hostname)).toBe(parseHost(value).kind === "ip");
      }),
      { numRuns: 2000 },
    );
  });

  test("that is an IPv6 address has the short form that the WHATWG URL standard has as well", () => {
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const written = groups.map((number) => number.toString(16)).join(":");
        fc.pre(hostFault("the host", written) === undefined);
        expect(`[${parseHost(written).value}]`).toBe(new URL(`http://[${written}]`).hostname);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a name outside of ASCII", () => {
  test.each([
    ["bücher.example", "xn--bcher-kva.example"],
    ["broker.例え.jp", "broker.xn--r8jz45g.jp"],
    ["ＢＲＯＫＥＲ.example", "broker.example"],
  ])("%s is refused with its punycode, which is then taken", (name, punycode) => {
    expect(hostFault("host", name)?.remedy).toBe(`give the punycode form, ${punycode}: certificates hold ASCII only`);
    expect(parseHost(punycode)).toEqual({ kind: "dns", value: punycode });
  });

  test("that has no punycode is refused without inventing one", () => {
    expect(hostFault("host", "\ufffd.example")?.remedy).toBe(
      "give the punycode form (xn--…): certificates hold ASCII only",
    );
  });
});
