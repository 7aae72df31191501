import { isIPv6 } from "node:net";
import fc from "fast-check";
import * as ipaddr from "ipaddr.js";
import { hostFault, parseHost } from "../../constructs/pki";

const LABEL_63 = "a".repeat(63);

describe("a host that is fit", () => {
  test.each([
    ["broker.plant.example", "dns", "broker.plant.example"],
    ["Broker.Plant.EXAMPLE", "dns", "broker.plant.example"],
    ["localhost", "dns", "localhost"],
    ["broker", "dns", "broker"],
    ["xn--bcher-kva.example", "dns", "xn--bcher-kva.example"],
    ["4broker.3com.example", "dns", "4broker.3com.example"],
    ["10.0.0.example", "dns", "10.0.0.example"],
    ["feed.0xcafe.example", "dns", "feed.0xcafe.example"],
    [LABEL_63, "dns", LABEL_63],
    [[LABEL_63, LABEL_63, LABEL_63, "a".repeat(61)].join("."), "dns", expect.any(String)],
    ["192.168.1.13", "ip", "192.168.1.13"],
    ["127.0.0.1", "ip", "127.0.0.1"],
    ["::1", "ip", "::1"],
    ["2001:DB8:0:0:0:0:0:1", "ip", "2001:db8::1"],
    ["2001:0db8::0001", "ip", "2001:db8::1"],
    ["64:ff9b::1.2.3.4", "ip", "64:ff9b::102:304"],
    ["fe80::1", "ip", "fe80::1"],
  ])("%s is taken as %s %s", (value, kind, parsed: unknown) => {
    expect(hostFault("hosts[0]", value)).toBeUndefined();
    expect(parseHost(value)).toEqual({ kind, value: parsed });
  });

  test("is the same after it was parsed once", () => {
    const label = fc.stringMatching(/^[a-zA-Z0-9]([a-zA-Z0-9-]{0,20}[a-zA-Z0-9])?$/);
    const name = fc.array(label, { minLength: 0, maxLength: 5 }).map((labels) => [...labels, "Example"].join("."));
    fc.assert(
      fc.property(fc.oneof(name, fc.domain()), (value) => {
        const host = parseHost(value);
        expect(host).toEqual({ kind: "dns", value: value.toLowerCase() });
        expect(parseHost(host.value)).toEqual(host);
      }),
    );
  });

  test("of IPv6 is the same in whatever form it is written", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 6, maxLength: 6 }), (groups) => {
        const address = new ipaddr.IPv6([0x2001, 0xdb8, ...groups]);
        const long = address.parts.map((part) => part.toString(16).padStart(4, "0")).join(":");
        const expected = { kind: "ip", value: address.toRFC5952String() };
        for (const text of [long, long.toUpperCase(), address.toString(), address.toNormalizedString()]) {
          expect(parseHost(text)).toEqual(expected);
        }
        expect(isIPv6(expected.value)).toBe(true);
      }),
    );
  });

  test("of IPv4 stays as it is", () => {
    fc.assert(
      fc.property(fc.ipV4(), (value) => {
        fc.pre(!/^(?:0|22[4-9]|23\d)\.|^255\.255\.255\.255$/.test(value));
        expect(parseHost(value)).toEqual({ kind: "ip", value });
      }),
    );
  });
});

describe("a host that is not fit", () => {
  test.each([
    [undefined, "as a string"],
    [42, "as a string"],
    [null, "as a string"],
    ["", "give a host"],
    ["  ", "give a host"],
    [" broker", "give only the host, without blanks"],
    ["broker example", "give only the host, without blanks"],
    ["broker\n", "give only the host, without blanks, line ends and control characters"],
    ["broker\0.example", "control characters"],
    ["broker\u0085", "control characters"],
    ["mqtts://broker.example", "give only the host, without protocol"],
    ["mqtts://broker.example:8883/", "give only the host, without protocol"],
    ["user@broker.example", "give only the host"],
    ["broker.example/mqtt", "give only the host"],
    ["10.0.0.0/8", "give only the host"],
    ["broker.example:8883", "give only the host, without the port"],
    ["192.168.1.13:8883", "give only the host, without the port"],
    ["broker:", "give only the host, without the port"],
    ["[::1]", "without brackets"],
    ["[::1]:8883", "without brackets and port"],
    ["fe80::1%eth0", "without its zone"],
    ["2001:db8::1::2", "valid IPv6 address"],
    ["1:2:3:4:5:6:7:8:9", "valid IPv6 address"],
    ["12345::1", "valid IPv6 address"],
    ["::ffff:192.168.1.13", "give it as IPv4: 192.168.1.13"],
    ["::FFFF:c0a8:010d", "give it as IPv4: 192.168.1.13"],
    ["0.0.0.0", "clients can connect to"],
    ["::", "clients can connect to"],
    ["0:0:0:0:0:0:0:0", "clients can connect to"],
    ["255.255.255.255", "one machine"],
    ["224.0.0.1", "one machine"],
    ["ff02::1", "one machine"],
    ["*", "wildcard"],
    ["*.plant.example", "wildcard"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["brøker", "xn--"],
    ["my_broker", "underscore"],
    ["_mqtt._tcp.example", "underscore"],
    ["broker.example.", "dot at the end"],
    [".", "dot at the end"],
    [".broker", "label between the dots"],
    ["broker..example", "label between the dots"],
    ["-broker.example", "start and end with a letter or digit"],
    ["broker-.example", "start and end with a letter or digit"],
    ["bro!ker", "letters, digits, dashes and dots only"],
    ["${TfToken[TOKEN.0]}", "give only the host"],
    [`${LABEL_63}a.example`, "to 63 characters"],
    [[LABEL_63, LABEL_63, LABEL_63, "a".repeat(62)].join("."), "to 253 characters: it has 254"],
    ["300.1.1.1", "four numbers from 0 to 255"],
    ["1.2.3", "four numbers from 0 to 255"],
    ["01.2.3.4", "without leading zeros"],
    ["1.2.3.4.5", "four numbers from 0 to 255"],
    ["2130706433", "four numbers from 0 to 255"],
    ["0x7f000001", "four numbers from 0 to 255"],
    ["broker.1", "end the name with a letter"],
  ])("is refused with what to do about it: %j", (value, remedy) => {
    const fault = hostFault("hosts[1]", value);
    expect(fault).toMatchObject({ what: "hosts[1]", value, allowed: expect.stringContaining("DNS name") as string });
    expect(fault?.remedy).toContain(remedy);
  });

  test("makes parseHost throw what hostFault says", () => {
    expect(() => parseHost("broker.example:8883")).toThrow(
      'the host, got "broker.example:8883"; allowed: a DNS name such as broker.example, or an IPv4 or IPv6 address; ' +
        "remedy: give only the host, without the port",
    );
  });

  test("never makes hostFault throw, whatever it is", () => {
    fc.assert(fc.property(fc.anything(), (value) => void hostFault("hosts[0]", value)));
    fc.assert(fc.property(fc.string({ unit: "binary" }), (value) => void hostFault("hosts[0]", value)));
  });

  test("is everything that holds a character that no host has", () => {
    const foreign = fc.string({ unit: "binary", minLength: 1 }).filter((text) => /[^a-z0-9.:-]/i.test(text));
    fc.assert(
      fc.property(foreign, fc.constantFrom("", "broker", "10.0.0.1", "::1"), (text, host) => {
        expect(hostFault("hosts[0]", host + text)).toBeDefined();
        expect(hostFault("hosts[0]", text + host)).toBeDefined();
      }),
    );
  });
});
