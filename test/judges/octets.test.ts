import {
  generateKeyPair,
  issueAuthority,
  issueClient,
  KeyAlgorithm,
  type IssuedCertificate,
} from "../../constructs/pki";
import { CLIENT, Issued, issuerOf, listOf, SPAN } from "./issued";
import { octetsOf, readers } from "./judges";

// Serial numbers, names and times as RFC 5280 section 4.1.2 wants them, read by Go's encoding/asn1.

jest.setTimeout(30_000);

const algorithm = KeyAlgorithm.ecdsaP256();
const keyPair = generateKeyPair(algorithm);
const root = issueAuthority({ commonName: "Root CA", algorithm, keyPair, ...SPAN });
const clientOf = (authority: IssuedCertificate, span = SPAN): IssuedCertificate =>
  issueClient(issuerOf(authority), { commonName: CLIENT, algorithm, keyPair, ...span });

describe("of 2,000 certificates, the serial numbers", () => {
  const COUNT = 2000;
  const issuer = issuerOf(root);
  const request = { commonName: CLIENT, algorithm, keyPair, ...SPAN };
  const certificates = Array.from({ length: COUNT }, () => issueClient(issuer, request));
  let serials: Buffer[];

  beforeAll(async () => {
    const read = await octetsOf(certificates.map(({ certificatePem }) => ({ certificate: certificatePem })));
    serials = read.flatMap((each) => each.serials.map((serial) => Buffer.from(serial, "hex")));
  });

  test("are positive and have at most 20 octets", () => {
    expect(serials).toHaveLength(COUNT);
    for (const serial of serials) {
      // The sign's bit is 0, and not all the others.
      expect(serial.readUInt8(0)).toBeLessThan(0x80);
      expect(serial.some((octet) => octet !== 0)).toBe(true);
      expect(serial.length).toBeLessThanOrEqual(20);
    }
  });

  test("are all different, and the ones that issuing tells", () => {
    const read = serials.map((serial) => serial.toString("hex").toUpperCase());
    expect(read).toEqual(certificates.map(({ serial }) => serial));
    expect(new Set(read).size).toBe(COUNT);
  });

  test("have at least 64 bits that are random: as often 1 as 0, whatever the number before and the bit beside", () => {
    const bits = serials.map((serial) =>
      [...serial].flatMap((octet) => [7, 6, 5, 4, 3, 2, 1, 0].map((at) => (octet >> at) & 1)),
    );
    const width = bits[0]?.length ?? 0;
    expect(bits.map(({ length }) => length)).toEqual(bits.map(() => width));
    // Seven standard deviations: chance fails this less than once in a million million runs.
    const slack = 7 * Math.sqrt(COUNT / 4);
    const isEven = (count: number): boolean => Math.abs(count - COUNT / 2) < slack;
    const countOf = (isCounted: (row: number) => boolean): number => bits.filter((_, row) => isCounted(row)).length;
    const random = Array.from({ length: width }, (_, column) => column).filter((column) => {
      const bit = (row: number, at = column): number | undefined => bits[(row + COUNT) % COUNT]?.[at];
      return (
        isEven(countOf((row) => bit(row) === 1)) &&
        isEven(countOf((row) => bit(row) !== bit(row - 1))) &&
        isEven(countOf((row) => bit(row) !== bit(row, (column + 1) % width)))
      );
    });
    expect(random.length).toBeGreaterThanOrEqual(64);
  });
});

test("names are UTF8String everywhere: in certificates of all kinds and in lists", async () => {
  const { belowIntermediate, certified, crossCertificate, emptyList, longList } = new Issued("ECDSA-P256");
  const { authority, server, client } = belowIntermediate;
  const certificates = [belowIntermediate.root, authority, server, client, certified, crossCertificate];
  const read = await octetsOf([
    ...certificates.map(({ certificatePem }) => ({ certificate: certificatePem })),
    ...[emptyList, longList].map((list) => ({ list })),
  ]);
  expect(read.map(({ names }) => names)).toEqual([
    ...certificates.map(() => ["UTF8String", "UTF8String"]),
    ["UTF8String"],
    ["UTF8String"],
  ]);
});

describe("times are UTCTime up to the end of 2049, and GeneralizedTime from then on", () => {
  const TIMES: readonly (readonly [string, string])[] = [
    ["1950-01-01T00:00:00Z", "UTCTime 500101000000Z"],
    ["1999-12-31T23:59:59Z", "UTCTime 991231235959Z"],
    ["2000-01-01T00:00:00Z", "UTCTime 000101000000Z"],
    ["2049-12-31T23:59:58Z", "UTCTime 491231235958Z"],
    ["2049-12-31T23:59:59Z", "UTCTime 491231235959Z"],
    ["2050-01-01T00:00:00Z", "GeneralizedTime 20500101000000Z"],
    ["2050-01-01T00:00:01Z", "GeneralizedTime 20500101000001Z"],
    ["2100-02-28T12:34:56Z", "GeneralizedTime 21000228123456Z"],
    ["9999-12-31T23:59:59Z", "GeneralizedTime 99991231235959Z"],
  ];
  // Every time as a start, and every later one as its end.
  const spans = TIMES.flatMap((start, index) => TIMES.slice(index + 1).map((end) => [start, end] as const));
  const dates = (start: string, end: string): typeof SPAN => ({ notBefore: new Date(start), notAfter: new Date(end) });
  const LONG = dates("1950-01-01T00:00:00Z", "9999-12-31T23:59:59Z");
  const longRoot = issueAuthority({ commonName: "Root CA", algorithm, keyPair, ...LONG });

  test("in certificates", async () => {
    const certificates = spans.map(([[start], [end]]) => clientOf(longRoot, dates(start, end)));
    const read = await octetsOf(certificates.map(({ certificatePem }) => ({ certificate: certificatePem })));
    expect(read.map(({ times }) => times)).toEqual(spans.map(([[, start], [, end]]) => [start, end]));
  });

  test("in lists, those of the revocations too", async () => {
    const lists = spans.map(([[start], [end]]) =>
      listOf(longRoot, [{ serial: "7F", revokedAt: new Date(start) }], dates(start, end)),
    );
    const read = await octetsOf(lists.map((list) => ({ list })));
    expect(read.map(({ times }) => times)).toEqual(spans.map(([[, start], [, end]]) => [start, end, start]));
  });

  test("and are read back to the second by Go and by Python's cryptography", async () => {
    const issuer = longRoot.certificatePem;
    const cases = spans.map(([[start], [end]]) => ({
      list: listOf(longRoot, [{ serial: "7F", revokedAt: new Date(start) }], dates(start, end)),
      issuer,
    }));
    const wanted = spans.map(([[start], [end]]) => ({
      accepted: { thisUpdate: start, nextUpdate: end, revoked: [{ at: start }] },
    }));
    for (const reader of readers) expect(await reader.lists(cases)).toMatchObject(wanted);
  });

  test("without fractions of a second, which are cut off", async () => {
    const span = dates("2049-12-31T23:59:59.999Z", "2050-01-01T00:00:00.999Z");
    const [read] = await octetsOf([{ certificate: clientOf(longRoot, span).certificatePem }]);
    expect(read?.times).toEqual(["UTCTime 491231235959Z", "GeneralizedTime 20500101000000Z"]);
  });
});
