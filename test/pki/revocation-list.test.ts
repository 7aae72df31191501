import fc from "fast-check";
import { issueClient, issueRevocationList, parseRevocationList } from "../../constructs/pki";
import { certificatePart, extensionOf, hexOf, newAuthority, openssl, P256, Scratch, SPAN } from "./support";

const { ca, issuer } = newAuthority();
const UPDATES = { thisUpdate: SPAN.notBefore, nextUpdate: SPAN.notAfter };
const REVOKED_AT = new Date("2025-03-04T05:06:07Z");

const scratch = new Scratch();
afterAll(() => scratch.remove());

const listOf = (...serials: string[]): string =>
  issueRevocationList(issuer, {
    number: 7,
    ...UPDATES,
    revoked: serials.map((serial) => ({ serial, revokedAt: REVOKED_AT })),
  });

describe("a revocation list", () => {
  test("is read back as it was issued", () => {
    expect(parseRevocationList(listOf("0A", "FF01"))).toEqual({ number: 7, ...UPDATES, serials: ["0A", "FF01"] });
  });

  test("is of version 2, numbered, and names issuer and key as the authority's certificate does", () => {
    const list = listOf("0A");
    expect(certificatePart(list, 0).value).toBe("\x01");
    expect(hexOf(certificatePart(list, 2))).toBe(hexOf(certificatePart(ca.certificatePem, 5)));
    expect(extensionOf(list, "2.5.29.20")).toEqual({ critical: false, value: Buffer.from("020107", "hex") });
    const keyIdentifier = extensionOf(ca.certificatePem, "2.5.29.14")?.value.subarray(2).toString("hex");
    expect(extensionOf(list, "2.5.29.35")?.value.toString("hex")).toBe(`30168014${keyIdentifier}`);
  });

  test("has no list of certificates at all when none is revoked", () => {
    const list = listOf();
    expect(certificatePart(list).value).toHaveLength(6);
    expect(parseRevocationList(list).serials).toEqual([]);
    expect(openssl("crl", "-in", scratch.write("empty.pem", list), "-noout", "-text").text).toContain(
      "No Revoked Certificates",
    );
  });

  test("has its serials sorted by value, each once", () => {
    expect(parseRevocationList(listOf("0100", "ff", "02", "0A", "00ff", "a")).serials).toEqual([
      "02",
      "0A",
      "FF",
      "0100",
    ]);
  });

  test("keeps the earliest time of a serial that is given twice", () => {
    const later = new Date("2026-01-01T00:00:00Z");
    const revoked = [later, REVOKED_AT, later].map((revokedAt) => ({ serial: "0A", revokedAt }));
    const list = issueRevocationList(issuer, { number: 1, ...UPDATES, revoked });
    expect(certificatePart(list, 5, 0, 1).value).toBe("250304050607Z");
  });

  test.each([
    ["keyCompromise", "Key Compromise"],
    ["affiliationChanged", "Affiliation Changed"],
    ["superseded", "Superseded"],
    ["cessationOfOperation", "Cessation Of Operation"],
    ["certificateHold", "Certificate Hold"],
    ["privilegeWithdrawn", "Privilege Withdrawn"],
  ] as const)("says that a certificate was revoked for %s, in OpenSSL's words %s", (reason, words) => {
    const revoked = [{ serial: "0A", revokedAt: REVOKED_AT, reason }];
    const list = issueRevocationList(issuer, { number: 1, ...UPDATES, revoked });
    const text = openssl("crl", "-in", scratch.write("reason.pem", list), "-noout", "-text").text;
    expect(text).toMatch(new RegExp(`X509v3 CRL Reason Code: \\n *${words}\\n`));
    expect(parseRevocationList(list).serials).toEqual(["0A"]);
  });

  test("holds any set of serials in the same order, however they are given", () => {
    const serial = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((octets) => Buffer.from(octets).toString("hex"));
    fc.assert(
      fc.property(fc.array(serial, { maxLength: 20 }), (serials) => {
        const parsed = parseRevocationList(listOf(...serials)).serials;
        const values = [...new Set(serials.map((text) => BigInt(`0x${text}`)))].sort((one, other) =>
          one < other ? -1 : 1,
        );
        expect(parsed.map((text) => BigInt(`0x${text}`))).toEqual(values);
        expect(parseRevocationList(listOf(...serials.reverse())).serials).toEqual(parsed);
      }),
      { numRuns: 50 },
    );
  });

  test("writes times before 2050 as UTCTime, later ones as GeneralizedTime, all cut to the second", () => {
    const list = issueRevocationList(issuer, {
      number: 1,
      thisUpdate: new Date("2049-12-31T23:59:59.999Z"),
      nextUpdate: new Date("2050-01-01T00:00:00.999Z"),
      revoked: [{ serial: "01", revokedAt: new Date("2050-01-01T00:00:00Z") }],
    });
    expect(certificatePart(list, 3)).toMatchObject({ type: 23, value: "491231235959Z" });
    expect(certificatePart(list, 4)).toMatchObject({ type: 24, value: "20500101000000Z" });
    expect(certificatePart(list, 5, 0, 1)).toMatchObject({ type: 24, value: "20500101000000Z" });
  });

  test("can hold very many certificates", () => {
    const serials = Array.from({ length: 100_000 }, (_, index) => (0x40000000 + index).toString(16));
    expect(parseRevocationList(listOf(...serials)).serials).toHaveLength(serials.length);
  });

  test("is read by OpenSSL with the serials that Node prints", () => {
    const client = issueClient(issuer, { commonName: "sensor-1", algorithm: P256, ...SPAN });
    const file = scratch.write("list.pem", listOf(client.serial));
    const { text } = openssl(
      "crl",
      "-in",
      file,
      "-noout",
      "-text",
      "-CAfile",
      scratch.write("ca.pem", ca.certificatePem),
    );
    expect(text).toContain("verify OK");
    expect(text).toContain(`Serial Number: ${client.serial}`);
    expect(text).toContain("Revocation Date: Mar  4 05:06:07 2025 GMT");
    expect(text).toMatch(/X509v3 CRL Number: \n\s+7\n/);
  });

  test.each([-1, 1.5, NaN, 2 ** 53])("refuses the number %p", (number) => {
    expect(() => issueRevocationList(issuer, { number, ...UPDATES, revoked: [] })).toThrow(
      "whole number from 0 on, got ",
    );
  });

  test("refuses to end before it starts, invalid dates and invalid serials", () => {
    const issue = (request: object): string =>
      issueRevocationList(issuer, { number: 1, ...UPDATES, revoked: [], ...request });
    expect(() => issue({ nextUpdate: UPDATES.thisUpdate })).toThrow("must end after it starts");
    expect(() => issue({ nextUpdate: new Date(NaN) })).toThrow("got an invalid date");
    expect(() => issue({ revoked: [{ serial: "1F:2A", revokedAt: REVOKED_AT }] })).toThrow("hex digits only");
    expect(() => issue({ revoked: [{ serial: "1F", revokedAt: new Date(NaN) }] })).toThrow("got an invalid date");
  });

  test("made by OpenSSL is read as well", () => {
    const config = scratch.write(
      "ca.cnf",
      [
        ...["[ca]", "default_ca = own", "[own]", `database = ${scratch.write("index.txt", "")}`, "default_md = sha256"],
        ...[`crlnumber = ${scratch.write("crlnumber", "0100\n")}`, "crl_extensions = extensions"],
        ...["[extensions]", "authorityKeyIdentifier = keyid"],
      ].join("\n"),
    );
    const pair = [
      "-cert",
      scratch.write("ca.pem", ca.certificatePem),
      "-keyfile",
      scratch.write("ca.key", ca.privateKeyPem),
    ];
    const out = scratch.path("foreign.pem");
    const span = ["-crl_lastupdate", "20250101000000Z", "-crl_nextupdate", "20600101000000Z"];
    expect(openssl("ca", "-gencrl", "-config", config, ...pair, ...span, "-out", out)).toMatchObject({ ok: true });
    expect(parseRevocationList(openssl("crl", "-in", out).text)).toEqual({
      number: 256,
      thisUpdate: new Date("2025-01-01T00:00:00Z"),
      nextUpdate: new Date("2060-01-01T00:00:00Z"),
      serials: [],
    });
  });

  test.each([
    ["no PEM", "nonsense"],
    ["a certificate", ca.certificatePem],
    ["cut", listOf("0A").replace(/\n.{64}\n/, "\n")],
    ["other content", listOf().replace(/\n[^-]+\n/, "\nMAA=\n")],
  ])("that is %s is not read", (_, text) => {
    expect(() => parseRevocationList(text)).toThrow("the revocation list cannot be read: ");
  });
});
