import fc from "fast-check";
import { parseDer } from "../../constructs/pki/asn1";
import { encodeTime, parseTime, toWholeSecond } from "../../constructs/pki/time";

const textOf = (date: string): string => encodeTime(new Date(date)).subarray(2).toString();

describe("a time", () => {
  test("before 2050 is UTCTime, from 2050 on GeneralizedTime", () => {
    expect(textOf("2049-12-31T23:59:59Z")).toBe("491231235959Z");
    expect(textOf("2050-01-01T00:00:00Z")).toBe("20500101000000Z");
    expect(encodeTime(new Date("2049-12-31T23:59:59.999Z"))[0]).toBe(0x17);
    expect(encodeTime(new Date("2050-01-01T00:00:00Z"))[0]).toBe(0x18);
  });

  test("has no fraction of a second", () => {
    expect(textOf("2024-05-06T07:08:09.987Z")).toBe("240506070809Z");
    expect(toWholeSecond(new Date("2024-05-06T07:08:09.987Z"))).toEqual(new Date("2024-05-06T07:08:09Z"));
    expect(toWholeSecond(new Date("1969-12-31T23:59:59.500Z"))).toEqual(new Date("1969-12-31T23:59:59Z"));
  });

  test("is in UTC whatever zone it was given in", () => {
    expect(textOf("2024-05-06T07:08:09+02:00")).toBe("240506050809Z");
  });

  test("is read back from 1950 to 9999", () => {
    const dates = fc.date({
      min: new Date("1950-01-01T00:00:00Z"),
      max: new Date("9999-12-31T23:59:59.999Z"),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(dates, (date) => {
        expect(parseTime(parseDer(encodeTime(date)))).toEqual(toWholeSecond(date));
      }),
    );
  });

  test.each([new Date(NaN), new Date("1949-12-31T23:59:59Z"), new Date("+010000-01-01T00:00:00Z")])(
    "outside of that is refused: %p",
    (date) => {
      expect(() => encodeTime(date)).toThrow("must be in the years 1950 to 9999, got ");
    },
  );
});
