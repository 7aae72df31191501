import fc from "fast-check";
import { verifyPassword } from "../../constructs/access";
import { brokerFiles } from "../../constructs/broker/material";
import {
  Credentials,
  Fulfilment,
  IssuanceNote,
  Issuing,
  revokeClient,
  WantedCredentials,
} from "../../constructs/credentials";
import { KeySource, parseRevocationList, RevocationReason } from "../../constructs/pki";
import { openssl } from "../pki/support";
import { certificate, contents, DAY, issue, NOW, open, password, wanted } from "./support";
import { temporaryStores } from "./temporary-stores";

const { scratch, newFolder } = temporaryStores("revocations");
let folder: string;
beforeEach(() => {
  folder = newFolder();
});

const at = (days: number): Date => new Date(NOW.getTime() + days * DAY);
const sensor = (credentialVersion = 1, changed = {}): WantedCredentials =>
  wanted({ certificates: [certificate("sensor-1", { credentialVersion, ...changed })], passwords: [] });
const nobody = wanted({ certificates: [], passwords: [] });
const operator = (changed = {}): WantedCredentials =>
  wanted({ certificates: [], passwords: [password("operator", changed)] });

/** As the command `revoke` does it, without the synth that follows. */
function revoke(
  name: string,
  cause: RevocationReason = "keyCompromise",
  now = NOW,
  store = folder,
): readonly IssuanceNote[] {
  return revokeClient(new Issuing(open(store), now, new KeySource(new Map())), name, cause);
}

const notes = (issued: readonly IssuanceNote[]): string[] => issued.map(({ what, reason }) => `${what}: ${reason}`);
const serialOf = ({ credentials }: Fulfilment, name = "sensor-1"): string =>
  credentials!.clients.get(name)!.certificate!.serial;
/** The list of the clients' authority; the second is that of the broker's health check. */
const listOf = (credentials: Credentials): string =>
  credentials.revocationListsPem.split(/(?<=-----END X509 CRL-----\n)/)[0] as string;
const refused = ({ credentials }: Fulfilment): string[] => parseRevocationList(listOf(credentials!)).serials;
const numberOf = ({ credentials }: Fulfilment): number => parseRevocationList(listOf(credentials!)).number;

/** What the list says, in OpenSSL's words: `SERIAL: Reason`. */
function entries({ credentials }: Fulfilment): string[] {
  const { text } = openssl("crl", "-noout", "-text", "-in", scratch.write("list.pem", listOf(credentials!)));
  return [...text.matchAll(/Serial Number: ([0-9A-F]+)[^]*?Reason Code:\s+(.+)/g)].map(
    ([, serial, reason]) => `${serial}: ${(reason as string).trim()}`,
  );
}

/** OpenSSL's word on a client's certificate, with the list that the broker has. */
function verdict(pem: string, { credentials }: Fulfilment, now = NOW): string {
  const files = brokerFiles(credentials!);
  const { ok, text } = openssl(
    "verify",
    ...["-x509_strict", "-crl_check", "-no-CAfile", "-no-CApath", "-purpose", "sslclient"],
    ...["-attime", String(Math.floor(now.getTime() / 1000))],
    ...["-CAfile", scratch.write("ca.pem", files.get("client-ca.crt") as string)],
    ...["-CRLfile", scratch.write("crl.pem", files.get("crl.pem") as string)],
    scratch.write("leaf.pem", pem),
  );
  return ok ? "OK" : (/certificate revoked/.exec(text)?.[0] ?? text);
}

const pemOf = ({ credentials }: Fulfilment): string =>
  credentials!.clients.get("sensor-1")!.certificate!.certificatePem;

describe("a client that is removed from the declaration", () => {
  test("is on hold, and the certificate that it had works again when it is declared again", () => {
    const first = issue(folder, sensor());
    const without = issue(folder, nobody);
    expect(entries(without)).toEqual([`${serialOf(first)}: Certificate Hold`]);
    expect(verdict(pemOf(first), without)).toBe("certificate revoked");
    const again = issue(folder, sensor());
    expect(serialOf(again)).toBe(serialOf(first));
    expect(verdict(pemOf(first), again)).toBe("OK");
  });

  test("is named where open sessions are to be closed, until it is declared again", () => {
    const first = issue(folder, sensor());
    const line = `sensor-1 ${serialOf(first)}\n`;
    const ended = (result: Fulfilment): string => brokerFiles(result.credentials!).get("ended") as string;
    expect(ended(first)).not.toContain(line);
    expect(ended(issue(folder, nobody))).toContain(line);
    expect(ended(issue(folder, sensor()))).not.toContain(line);
  });
});

describe("a certificate that was revoked", () => {
  test.each<[RevocationReason, string]>([
    ["keyCompromise", "Key Compromise"],
    ["affiliationChanged", "Affiliation Changed"],
    ["superseded", "Superseded"],
    ["cessationOfOperation", "Cessation Of Operation"],
    ["privilegeWithdrawn", "Privilege Withdrawn"],
  ])("is listed with its reason (%s), as OpenSSL reads it", (cause, words) => {
    const first = issue(folder, sensor());
    expect(notes(revoke("sensor-1", cause))).toEqual([
      `revocation of client certificate sensor-1 ${serialOf(first)}: ${cause}`,
    ]);
    expect(entries(issue(folder, sensor()))).toEqual([`${serialOf(first)}: ${words}`]);
  });

  test("is refused at once, and a declared client gets another one, with the reason", () => {
    const first = issue(folder, sensor());
    revoke("sensor-1");
    const second = issue(folder, sensor());
    expect(notes(second.issued)).toEqual([
      "client certificate sensor-1: the one before was revoked: keyCompromise",
      "revocation list of clients authority 1: certificates to refuse: 1",
    ]);
    expect(verdict(pemOf(first), second)).toBe("certificate revoked");
    expect(verdict(pemOf(second), second)).toBe("OK");
    expect(issue(folder, sensor()).issued).toEqual([]);
  });

  test("makes a synth that may not issue say that all of it is missing, and leave no material", () => {
    issue(folder, sensor());
    revoke("sensor-1");
    const plan = issue(folder, sensor(), { mayIssue: false });
    expect(plan.credentials).toBeUndefined();
    expect(plan.missing.map(({ what }) => what)).toContain("client certificate sensor-1");
  });

  test("stays refused when its client is removed, added and reverted to, and for as long as it is valid", () => {
    const first = issue(folder, sensor());
    revoke("sensor-1");
    for (const declared of [sensor(), nobody, sensor(), nobody, sensor(2), sensor(3)]) {
      const result = issue(folder, declared, { now: at(1) });
      expect(refused(result)).toContain(serialOf(first));
      expect(entries(result)).toContain(`${serialOf(first)}: Key Compromise`);
      expect(verdict(pemOf(first), result, at(1))).toBe("certificate revoked");
    }
    const end = Date.parse(first.credentials!.clients.get("sensor-1")!.certificate!.notAfter);
    const last = issue(folder, sensor(3), { now: new Date(end - 1000) });
    expect(refused(last)).toContain(serialOf(first));
  });

  test("is so together with every other one of its client that has not ended", () => {
    const short = { validityDays: 30 };
    const certificates = [at(0), at(29), at(50)].map((now) => issue(folder, sensor(1, short), { now }));
    const [first, second, third] = certificates.map((result) => serialOf(result));
    expect(new Set([first, second, third]).size).toBe(3);
    expect(revoke("sensor-1", "keyCompromise", at(50))).toHaveLength(2);
    expect(refused(issue(folder, nobody, { now: at(50) })).sort()).toEqual([second, third].sort());
  });

  test("leaves the certificates of other clients alone", () => {
    const two = wanted({ certificates: ["sensor-1", "sensor-2"].map((name) => certificate(name)), passwords: [] });
    const first = issue(folder, two);
    revoke("sensor-1");
    const second = issue(folder, two);
    expect(serialOf(second, "sensor-2")).toBe(serialOf(first, "sensor-2"));
    expect(refused(second)).toEqual([serialOf(first)]);
  });

  test("cannot be revoked twice, and a client that never was cannot be at all", () => {
    issue(folder, sensor());
    revoke("sensor-1");
    const before = contents(folder);
    expect(() => revoke("sensor-1")).toThrow(
      /every credential of client sensor-1 in .* has ended already; nothing was changed/,
    );
    expect(() => revoke("sensor-9")).toThrow(/client "sensor-9" has no credential in .*; allowed: sensor-1/);
    expect(contents(folder)).toEqual(before);
  });

  test("is listed for good, no longer on hold, when its client had been removed before", () => {
    const first = issue(folder, sensor());
    expect(entries(issue(folder, nobody))).toEqual([`${serialOf(first)}: Certificate Hold`]);
    revoke("sensor-1");
    expect(entries(issue(folder, nobody))).toEqual([`${serialOf(first)}: Key Compromise`]);
  });

  test("after its end is on no new list", () => {
    const two = (...names: string[]): WantedCredentials =>
      wanted({
        certificates: names.map((name) => certificate(name, name === "sensor-1" ? { validityDays: 10 } : {})),
        passwords: [],
      });
    const first = issue(folder, two("sensor-1", "sensor-2"));
    revoke("sensor-1");
    expect(refused(issue(folder, two("sensor-2")))).toEqual([serialOf(first)]);
    const later = issue(folder, nobody, { now: at(11) });
    expect(refused(later)).toEqual([serialOf(first, "sensor-2")]);
    expect(later.credentials!.ended.map(({ name }) => name)).toEqual(["sensor-2"]);
  });
});

describe("a raised credentialVersion", () => {
  test("ends the version before for good, as superseded", () => {
    const first = issue(folder, sensor());
    const second = issue(folder, sensor(2));
    expect(notes(second.issued)).toEqual([
      `revocation of client certificate sensor-1 ${serialOf(first)}: credentialVersion raised to 2`,
      "client certificate sensor-1: credentialVersion raised to 2",
      "revocation list of clients authority 1: certificates to refuse: 1",
    ]);
    expect(entries(second)).toEqual([`${serialOf(first)}: Superseded`]);
    expect(verdict(pemOf(second), second)).toBe("OK");
  });

  test("cannot be taken back", () => {
    issue(folder, sensor());
    issue(folder, sensor(2));
    const before = contents(folder);
    expect(() => issue(folder, sensor())).toThrow(
      /credentialVersion 1, but version 2 was issued and ended it; allowed: 2 or more/,
    );
    expect(contents(folder)).toEqual(before);
  });

  test("ends the first version too when the client was not declared meanwhile", () => {
    const first = issue(folder, sensor());
    issue(folder, nobody);
    expect(entries(issue(folder, sensor(2)))).toEqual([`${serialOf(first)}: Superseded`]);
  });
});

describe("a password that was revoked", () => {
  const of = ({ credentials }: Fulfilment): { value: string; hash: string } => {
    const { value = "", hash } = credentials!.clients.get("operator")!.password!;
    return { value, hash };
  };

  test("and had been generated is replaced by another one", () => {
    const first = of(issue(folder, operator()));
    expect(notes(revoke("operator"))).toEqual(["revocation of password operator: keyCompromise"]);
    const result = issue(folder, operator());
    expect(notes(result.issued)).toEqual(["password operator: the one before was revoked: keyCompromise"]);
    expect(of(result).value).not.toBe(first.value);
    expect(verifyPassword(first.value, of(result).hash)).toBe(false);
    expect(brokerFiles(result.credentials!).get("passwd")).not.toContain(first.hash);
    expect(issue(folder, operator()).issued).toEqual([]);
  });

  test("and had been generated does not come back when its client is removed and added again", () => {
    const first = of(issue(folder, operator()));
    revoke("operator");
    issue(folder, nobody);
    for (const declared of [operator(), nobody, operator({ iterations: 20 }), operator({ credentialVersion: 2 })]) {
      const { credentials } = issue(folder, declared);
      const now = credentials!.clients.get("operator")?.password;
      if (now !== undefined) expect(verifyPassword(first.value, now.hash)).toBe(false);
    }
  });

  test("and had been given works never again, in any version and with any iterations, and everybody else goes on", () => {
    const given = operator({ value: "a given password" });
    issue(folder, given);
    revoke("operator", "privilegeWithdrawn");
    const before = contents(folder);
    for (const changed of [{}, { iterations: 20 }, { credentialVersion: 2 }]) {
      const { credentials, warnings } = issue(folder, operator({ value: "a given password", ...changed }));
      expect(warnings).toEqual([
        expect.stringMatching(
          /password that client operator is declared with was revoked \(privilegeWithdrawn\); allowed: another password.*has no password/,
        ),
      ]);
      expect(warnings.join()).not.toContain("a given password");
      expect(credentials!.clients.has("operator")).toBe(false);
      expect(brokerFiles(credentials!).get("passwd")).not.toContain("operator");
    }
    expect(contents(folder)).toEqual(before);
    const other = of(issue(folder, operator({ value: "another password" })));
    expect(verifyPassword("another password", other.hash)).toBe(true);
  });

  test("and whose client has a certificate, too, does not keep that from being refused", () => {
    const both = wanted({ passwords: [password("sensor-1", { value: "a given password" })] });
    const first = issue(folder, both).credentials!.clients.get("sensor-1")!.certificate!;
    revoke("sensor-1");
    const { credentials } = issue(folder, both);
    expect(
      credentials!.revocationListsPem
        .split(/(?<=END X509 CRL-----\n)/)
        .flatMap((list) => (list === "" ? [] : parseRevocationList(list).serials)),
    ).toContain(first.serial);
    expect(credentials!.clients.get("sensor-1")?.certificate?.serial).not.toBe(first.serial);
    expect(credentials!.clients.get("sensor-1")).not.toHaveProperty("password");
  });

  test("gives way to a generated one when none is given any longer", () => {
    issue(folder, operator({ value: "a given password" }));
    revoke("operator");
    expect(of(issue(folder, operator())).value).toMatch(/^[A-Za-z0-9_-]{32}$/);
  });

  test("goes together with the certificate of the same client", () => {
    const both = wanted({ passwords: [password("sensor-1")] });
    issue(folder, both);
    expect(revoke("sensor-1").map(({ what }) => what.replace(/[0-9A-F]{10,}/, "SERIAL"))).toEqual([
      "revocation of client certificate sensor-1 SERIAL",
      "revocation of password sensor-1",
    ]);
  });
});

type Move =
  | { readonly kind: "declare"; readonly versions: Readonly<Record<string, number>>; readonly days: number }
  | { readonly kind: "revoke"; readonly name: string };

test("whatever is declared and revoked, what ended for good is on every later list until it expires, and numbers rise", () => {
  const names = ["one", "two"];
  const moves = fc.oneof(
    fc.record({
      kind: fc.constant("declare" as const),
      versions: fc.dictionary(fc.constantFrom(...names), fc.integer({ min: 1, max: 3 }), { maxKeys: 2 }),
      // Certificates of 60 days are renewed on the way, and end on it.
      days: fc.constantFrom(0, 1, 25, 45),
    }),
    fc.record({ kind: fc.constant("revoke" as const), name: fc.constantFrom(...names) }),
  );
  fc.assert(
    fc.property(fc.array<Move>(moves, { minLength: 3, maxLength: 14 }), (sequence) => {
      const store = newFolder();
      let day = 0;
      let number = 0;
      /** What the model knows of every certificate that was ever in a bundle. */
      const known = new Map<string, { name: string; version: number; end: number; isFinal: boolean }>();
      for (const move of sequence) {
        if (move.kind === "revoke") {
          try {
            revoke(move.name, "keyCompromise", at(day), store);
          } catch {
            continue;
          }
          for (const one of known.values()) if (one.name === move.name) one.isFinal = true;
          continue;
        }
        day += move.days;
        const declared = Object.entries(move.versions);
        const certificates = declared.map(([name, credentialVersion]) =>
          certificate(name, { credentialVersion, validityDays: 60 }),
        );
        let result: Fulfilment;
        try {
          result = issue(store, wanted({ certificates, passwords: [] }), { now: at(day) });
        } catch (error) {
          expect(String(error)).toMatch(/credentialVersion/);
          continue;
        }
        for (const [name, version] of declared) {
          for (const one of known.values()) if (one.name === name && one.version < version) one.isFinal = true;
          const { serial, notAfter } = result.credentials!.clients.get(name)!.certificate!;
          known.set(serial, known.get(serial) ?? { name, version, end: Date.parse(notAfter), isFinal: false });
        }
        const listed = refused(result);
        for (const [serial, { name, end, isFinal }] of known) {
          if (end <= at(day).getTime()) continue;
          expect({ serial, isListed: listed.includes(serial) }).toEqual({
            serial,
            isListed: isFinal || !(name in move.versions),
          });
        }
        expect(numberOf(result)).toBeGreaterThanOrEqual(number);
        // Where the same number comes again, nothing was issued; two lists never share one.
        if (result.issued.some(({ what }) => what === "revocation list of clients authority 1")) {
          expect(numberOf(result)).toBeGreaterThan(number);
        }
        number = numberOf(result);
      }
    }),
    { numRuns: 60 },
  );
}, 120_000);
