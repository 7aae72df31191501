import { isIPv4, isIPv6 } from "node:net";
import { domainToASCII } from "node:url";
import * as fc from "fast-check";
import { hostFault, parseHost } from "../../constructs/pki";

function remedyFor(value: unknown): string | undefined {
  return hostFault("hosts[0]", value)?.remedy;
}

describe("a DNS name", () => {
  test.each([
    ["broker.example"],
    ["localhost"],
    ["a"],
    ["3com.example"],
    ["xn--bcher-kva.example"],
    ["a-b.c--d.example"],
    ["1.2.3.4.example"],
    ["1.2.3.x4"],
    ["0x7f.example"],
    ["cafe"],
  ])("%s is taken as it is", (name) => {
    expect(parseHost(name)).toEqual({ kind: "dns", value: name });
  });

  test("is kept in lower case, for DNS does not tell the cases apart", () => {
    expect(parseHost("Broker.EXAMPLE")).toEqual({ kind: "dns", value: "broker.example" });
  });

  test("may have labels of 63 characters and 253 characters in all, and not one more", () => {
    const label = "a".repeat(63);
    const longest = [label, label, label, "a".repeat(61)].join(".");
    expect(longest).toHaveLength(253);
    expect(parseHost(longest).value).toBe(longest);
    expect(remedyFor(`${longest}a`)).toBe("shorten it to 253 characters: it has 254");
    expect(remedyFor(`${label}a.example`)).toMatch(/^shorten the label a{64} to 63 characters$/);
  });
});

describe("an IP address", () => {
  test.each([["127.0.0.1"], ["10.0.0.255"], ["192.168.1.1"], ["8.8.8.8"], ["169.254.1.1"]])(
    "%s is taken as an IPv4 address, not as a DNS name",
    (value) => {
      expect(parseHost(value)).toEqual({ kind: "ip", value });
    },
  );

  test.each([
    ["::1", "::1"],
    ["2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["FE80::A", "fe80::a"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["1::", "1::"],
  ])("the IPv6 address %s is kept as %s (RFC 5952)", (value, short) => {
    expect(parseHost(value)).toEqual({ kind: "ip", value: short });
  });

  test("of version 6 is kept in one form, however it is written: the same one that the WHATWG URL standard has", () => {
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), fc.boolean(), (groups, isPadded) => {
        const written = groups.map((number) => number.toString(16).padStart(isPadded ? 4 : 1, "0")).join(":");
        fc.pre(hostFault("host", written) === undefined);
        expect(`[${parseHost(written).value}]`).toBe(new URL(`mqtt-test://[${written}]`).hostname);
      }),
    );
  });
});

describe("what is no single host is refused with what to do about it", () => {
  const addressGroups = "give a valid IPv6 address; it has up to 8 groups of hex digits, and at most one ::";
  const noAddress =
    "give an IPv4 address as four numbers from 0 to 255 without leading zeros, or end the name with a letter";
  const noProtocol = "give only the host, without protocol, user, path and prefix length";
  const noBlanks = "give only the host, without blanks, line ends and control characters";
  const noPort = "give only the host, without the port: ports belong to the listeners";
  const noBrackets = "give only the host, the IPv6 address without brackets and port";
  const noZone = 'give only the host, the IPv6 address without its zone (all from "%" on)';
  const noMany = "give the address of one machine: this one stands for many";
  const noUnderscore = "leave the underscore out: host names have letters, digits and dashes";

  test.each([
    ["nothing", "", "give a host"],
    ["blanks", " \t", "give a host"],
    ["a URL", "mqtts://broker.example", noProtocol],
    ["a URL with a port", "mqtts://broker.example:8883/", noProtocol],
    ["a user", "admin@broker.example", noProtocol],
    ["a path", "broker.example/mqtt", noProtocol],
    ["a query", "broker.example?x", noProtocol],
    ["a fragment", "broker.example#x", noProtocol],
    ["a backslash", "broker\\example", noProtocol],
    ["an IPv4 network", "10.0.0.0/8", noProtocol],
    ["an IPv6 network", "2001:db8::/32", noProtocol],
    ["a port after a name", "broker.example:8883", noPort],
    ["a port after an IPv4 address", "10.0.0.1:8883", noPort],
    ["a colon with no port", "broker.example:", noPort],
    ["an IPv6 address in brackets", "[::1]", noBrackets],
    ["a port after an IPv6 address", "[::1]:8883", noBrackets],
    ["an IPv6 zone", "fe80::1%eth0", noZone],
    ["a blank inside", "broker example", noBlanks],
    ["a blank before", " broker.example", noBlanks],
    ["a line end", "broker.example\n", noBlanks],
    ["a carriage return", "broker.example\r", noBlanks],
    ["a NUL", "broker.example\0.evil.example", noBlanks],
    ["a DEL", "broker\x7f.example", noBlanks],
    ["a C1 control character", "broker\x85.example", noBlanks],
    ["a line separator", "broker\u2028.example", noBlanks],
    ["a no-break space", "broker\u00a0.example", noBlanks],
    ["an underscore", "my_broker.example", noUnderscore],
    ["a dot at the end", "broker.example.", "leave the dot at the end out"],
    ["a dot at the start", ".example", "put a label between the dots"],
    ["two dots", "broker..example", "put a label between the dots"],
    ["a dash before a label", "-broker.example", "let the label -broker start and end with a letter or digit"],
    ["a dash after a label", "broker-.example", "let the label broker- start and end with a letter or digit"],
    ["a comma", "a.example,b.example", "write the name with letters, digits, dashes and dots only"],
    ["a shell variable", "$HOST", "write the name with letters, digits, dashes and dots only"],
    ["an IPv4 address with a number above 255", "300.1.1.1", noAddress],
    ["an IPv4 address with a leading zero", "010.0.0.1", noAddress],
    ["an IPv4 address of three numbers", "10.0.1", noAddress],
    ["an IPv4 address of five numbers", "1.2.3.4.5", noAddress],
    ["a whole number", "2130706433", noAddress],
    ["a hexadecimal number", "0x7f000001", noAddress],
    ["a name that ends in a hexadecimal number", "127.0.0.0X1", noAddress],
    ["an IPv6 address of nine groups", "1:2:3:4:5:6:7:8:9", addressGroups],
    ["an IPv6 address with :: twice", "1::2::3", addressGroups],
    ["an IPv6 address with five hex digits", "12345::1", addressGroups],
    ["an IPv6 address with a wrong letter", "::g", addressGroups],
    [
      "the address of every interface",
      "0.0.0.0",
      "give an address that clients can connect to: this one only means every interface of this machine",
    ],
    [
      "the IPv6 address of every interface",
      "::",
      "give an address that clients can connect to: this one only means every interface of this machine",
    ],
    ["the broadcast address", "255.255.255.255", noMany],
    ["an IPv4 multicast address", "224.0.0.1", noMany],
    ["an IPv6 multicast address", "ff02::1", noMany],
    ["an IPv4-mapped IPv6 address", "::ffff:192.0.2.1", "give it as IPv4: 192.0.2.1"],
    ["an IPv4-mapped IPv6 address in hex", "::FFFF:c000:0201", "give it as IPv4: 192.0.2.1"],
  ])("%s: %j", (_what, value, remedy) => {
    expect(hostFault("hosts[0]", value)).toEqual({
      what: "hosts[0]",
      value,
      allowed: "a DNS name such as broker.example, or an IPv4 or IPv6 address",
      remedy,
    });
  });

  test.each([["*"], ["*.example"], ["br*ker.example"]])("a wildcard: %s", (value) => {
    expect(remedyFor(value)).toBe(
      "name each host: a wildcard would let the certificate stand for hosts that are not this broker",
    );
  });

  test.each([[undefined], [null], [42], [["a.example"]], [{ kind: "dns", value: "a.example" }]])(
    "what is not a string: %j",
    (value) => {
      expect(remedyFor(value)).toBe("give the host as a string");
    },
  );
});

describe("a name outside of ASCII", () => {
  test.each([
    ["bücher.example", "xn--bcher-kva.example"],
    ["broker.例え.jp", "broker.xn--r8jz45g.jp"],
    ["ＢＲＯＫＥＲ.example", "broker.example"],
  ])("%s is refused with its punycode, which is then taken", (name, punycode) => {
    expect(remedyFor(name)).toBe(`give the punycode form, ${punycode}: certificates hold ASCII only`);
    expect(parseHost(punycode)).toEqual({ kind: "dns", value: punycode });
  });

  test("that has no punycode is refused without inventing one", () => {
    expect(domainToASCII("\ufffd.example")).toBe("");
    expect(remedyFor("\ufffd.example")).toBe("give the punycode form (xn--…): certificates hold ASCII only");
  });
});

describe("parseHost", () => {
  test("says what is wrong, the value, what is allowed and what to do, on one line", () => {
    expect(() => parseHost("a\nb")).toThrow(
      'the host, got "a\\nb"; allowed: a DNS name such as broker.example, or an IPv4 or IPv6 address; ' +
        "remedy: give only the host, without blanks, line ends and control characters",
    );
  });
});

describe("whatever string is given", () => {
  const hostlike = fc.stringMatching(/^[a-zA-Z0-9.:_%*\-[\]/@ ]{0,40}$/);
  const anyHost = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    hostlike,
    fc.domain(),
    fc.ipV4(),
    fc.ipV4Extended(),
    fc.ipV6(),
    fc.webUrl(),
  );

  test("it is refused, or comes out as one clean host, which is then taken as it is", () => {
    fc.assert(
      fc.property(anyHost, (value) => {
        if (hostFault("host", value) !== undefined) {
          expect(() => parseHost(value)).toThrow("; remedy: ");
          return;
        }
        const host = parseHost(value);
        if (host.kind === "ip") {
          expect(isIPv4(host.value) || isIPv6(host.value)).toBe(true);
          expect(host.value).toMatch(/^[0-9a-f.:]+$/);
        } else {
          expect(host.value).toMatch(
            /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/,
          );
          expect(host.value).toBe(value.toLowerCase());
        }
        expect(parseHost(host.value)).toEqual(host);
      }),
      { numRuns: 2000 },
    );
  });

  test("a name that is taken as DNS is not taken for an address by what dials it (WHATWG URL)", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9a-fxX.]{1,16}$/), (value) => {
        fc.pre(hostFault("host", value) === undefined);
        const host = parseHost(value);
        expect(isIPv4(new URL(`http://${value}/`).hostname)).toBe(host.kind === "ip");
      }),
      { numRuns: 2000 },
    );
  });

  test("every usable IPv4 address is taken unchanged", () => {
    fc.assert(
      fc.property(fc.ipV4(), (value) => {
        const first = Number(value.split(".")[0]);
        fc.pre(first > 0 && first < 224);
        expect(parseHost(value)).toEqual({ kind: "ip", value });
      }),
    );
  });
});
