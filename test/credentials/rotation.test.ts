import fc from "fast-check";
import { brokerFiles, renderMaterial } from "../../constructs/broker/material";
import {
  CertificateAuthority,
  CertificateSigner,
  Credentials,
  Fulfilment,
  WantedCredentials,
} from "../../constructs/credentials";
import { TextSource } from "../../constructs/text-source";
import { issueAuthority, ParsedCertificate, parseRevocationList } from "../../constructs/pki";
import { openssl, P256, SPAN } from "../pki/support";
import { authority, contents, DAY, issue, NOW, wanted } from "./support";
import { temporaryStores } from "./temporary-stores";

const { scratch, newFolder } = temporaryStores("rotation");
let folder: string;
beforeEach(() => {
  folder = newFolder();
});

interface Step {
  readonly trusted: readonly number[];
  readonly issuing: number;
}

const only = (generation: number): Step => ({ trusted: [generation], issuing: generation });
const both = (issuing: number, trusted = [1, 2]): Step => ({ trusted, issuing });

type Declare = (step: Step) => CertificateAuthority;

const managed: Declare = ({ trusted, issuing }) => CertificateAuthority.managed({ trusted, issuing });

/** Authorities that are declared one by one. */
const rotated =
  (one: (generation: number) => CertificateAuthority): Declare =>
  ({ trusted, issuing }) =>
    trusted.length === 1
      ? one(issuing)
      : CertificateAuthority.rotation({ trusted: trusted.map(one), issuing: one(issuing) });

const intermediate = rotated((generation) =>
  CertificateAuthority.intermediate({ root: CertificateAuthority.managed(), generation }),
);

const company = new Map(
  [1, 2, 3].map((generation) => [
    generation,
    issueAuthority({ commonName: `Company ${generation}`, algorithm: P256, pathLength: 1, ...SPAN }),
  ]),
);
const imported = rotated((generation) =>
  CertificateAuthority.imported({
    certificate: TextSource.text(company.get(generation)!.certificatePem),
    privateKey: TextSource.text(company.get(generation)!.privateKeyPem),
    generation,
  }),
);

const KINDS: [string, Declare][] = [
  ["generated", managed],
  ["imported", imported],
  ["intermediate", intermediate],
];

const declared = (of: CertificateAuthority, changed: Partial<WantedCredentials> = {}): WantedCredentials =>
  wanted({ serverAuthority: authority("server", of), clientAuthority: authority("clients", of), ...changed });

const shared = (of: CertificateAuthority, changed: Partial<WantedCredentials> = {}): WantedCredentials => {
  const one = authority("shared", of);
  return wanted({ serverAuthority: one, clientAuthority: one, ...changed });
};

let day = 0;
/** One deploy's synth, a day after the one before. */
const take = (step: Step, kind: Declare = managed, store = folder): Fulfilment =>
  issue(store, declared(kind(step)), { now: at((day += 1)) });
const at = (days: number): Date => new Date(NOW.getTime() + days * DAY);
beforeEach(() => {
  day = 0;
});

interface Bundle {
  readonly ca_pem: string;
  readonly cert_pem: string;
}

function bundleOf(result: Fulfilment): Bundle {
  const endpoint = { host: "broker.example", port: 8883, protocol: "mqtts", authentication: "certificate" } as const;
  const client = {
    name: "sensor-1",
    serverName: "broker.example",
    publish: ["a"],
    subscribe: [],
    deny: [],
    endpoints: [endpoint],
  };
  const files = renderMaterial(result.credentials!, [client]);
  return JSON.parse(files.get("connections/sensor-1.json") as string) as Bundle;
}

const fileOf = (credentials: Credentials, name: string): string => brokerFiles(credentials).get(name) as string;

/** OpenSSL's word on the first certificate of a PEM text, sent together with those after it. */
function verdict(sent: string, trusted: string, purpose: "sslserver" | "sslclient", lists = ""): string {
  const [leaf, ...others] = ParsedCertificate.allFromPem(sent).map(({ pem }) => pem);
  const { ok, text } = openssl(
    "verify",
    "-x509_strict",
    ...["-no-CAfile", "-no-CApath", "-CAfile", scratch.write("trusted.pem", trusted)],
    ...["-purpose", purpose, "-attime", String(Math.floor(at(day).getTime() / 1000))],
    ...(others.length > 0 ? ["-untrusted", scratch.write("others.pem", others.join(""))] : []),
    ...(lists === "" ? [] : ["-crl_check", "-CRLfile", scratch.write("lists.pem", lists)]),
    scratch.write("leaf.pem", leaf as string),
  );
  return ok ? "OK" : text;
}

/** What who has this bundle says of the broker, and the broker of who has it. */
function connect(bundle: Bundle, { credentials }: Fulfilment): string {
  const server = verdict(fileOf(credentials!, "server.crt"), bundle.ca_pem, "sslserver");
  const lists = fileOf(credentials!, "crl.pem");
  const client = verdict(bundle.cert_pem, fileOf(credentials!, "client-ca.crt"), "sslclient", lists);
  return server === "OK" && client === "OK" ? "connected" : `server: ${server}\nclient: ${client}`;
}

const notes = ({ issued }: Fulfilment): string[] => issued.map(({ what, reason }) => `${what}: ${reason}`);
const namesIn = (pem: string): string[] =>
  ParsedCertificate.allFromPem(pem).map(({ x509 }) => /CN=(.*)/.exec(x509.subject)?.[1] ?? "");
const listsIn = (result: Fulfilment): string[] =>
  fileOf(result.credentials!, "crl.pem")
    .split(/(?<=-----END X509 CRL-----\n)/)
    .filter((list) => list !== "");

describe.each(KINDS)("replacing an authority (%s)", (_, kind) => {
  test("takes three steps, and the bundle of the step before works after each of them", () => {
    const bundles = [only(1), both(1), both(2), only(2)].map((step, index, steps) => {
      const result = take(step, kind);
      const bundle = bundleOf(result);
      expect(connect(bundle, result)).toBe("connected");
      // Nothing is left to do until the next step is declared.
      expect(issue(folder, declared(kind(steps[index] as Step)), { now: at(day) }).issued).toEqual([]);
      return { result, bundle };
    });
    const [before, first, second, third] = bundles as [(typeof bundles)[0], ...typeof bundles];
    for (const [earlier, later] of [
      [before, first],
      [first, second],
      [second, third],
    ]) {
      expect(connect(earlier!.bundle, later!.result)).toBe("connected");
    }
    // Also a device that missed the first step, as long as the second lasts.
    expect(connect(before.bundle, second!.result)).toBe("connected");
    expect(connect(before.bundle, third!.result)).toMatch(/unable to get|self.signed/);
  });

  test("puts no client's certificate on a revocation list, and there is one list for each trusted authority", () => {
    const counts = [only(1), both(1), both(2), only(2)].map((step) => {
      const lists = listsIn(take(step, kind));
      expect(lists.flatMap((list) => parseRevocationList(list).serials)).toEqual([]);
      return lists.length;
    });
    // The last one is that of the broker's own health check.
    expect(counts).toEqual([2, 3, 3, 2]);
  });

  test("sends the cross certificate exactly while the new authority signs and the old one is trusted", () => {
    const steps = [only(1), both(1), both(2), both(1), both(2), only(2)];
    const isCrossSent = steps.map((step) => {
      const sent = ParsedCertificate.allFromPem(fileOf(take(step, kind).credentials!, "server.crt"));
      return sent.some(({ x509 }) => x509.subject.endsWith(" 2") && x509.issuer.endsWith(" 1"));
    });
    expect(isCrossSent).toEqual([false, false, true, false, true, false]);
  });

  test("can be taken back from the second step to the first, and everybody stays connected", () => {
    take(only(1), kind);
    const first = bundleOf(take(both(1), kind));
    const second = bundleOf(take(both(2), kind));
    const back = take(both(1), kind);
    expect(notes(back)).toEqual([
      "server certificate: rotation: server authority 1 issues now",
      "client certificate sensor-1: rotation: clients authority 1 issues now",
    ]);
    for (const bundle of [first, second, bundleOf(back)]) expect(connect(bundle, back)).toBe("connected");
    expect(connect(bundleOf(back), take(both(2), kind))).toBe("connected");
  });

  test("can be taken back from the third step to the second, for those who know only the new one", () => {
    for (const step of [only(1), both(1), both(2)]) take(step, kind);
    const third = bundleOf(take(only(2), kind));
    expect(connect(third, take(both(2), kind))).toBe("connected");
  });

  test("can be begun and given up", () => {
    take(only(1), kind);
    const first = bundleOf(take(both(1), kind));
    const back = take(only(1), kind);
    expect(back.issued).toEqual([]);
    expect(connect(first, back)).toBe("connected");
  });

  test("with one authority for both takes the same three steps", () => {
    let last: Bundle | undefined;
    for (const step of [only(1), both(1), both(2), only(2)]) {
      const result = issue(folder, shared(kind(step)), { now: at((day += 1)) });
      expect(listsIn(result)).toHaveLength(step.trusted.length + 1);
      expect(connect(last ?? bundleOf(result), result)).toBe("connected");
      last = bundleOf(result);
    }
  });
});

describe("a step that is skipped or reversed is refused, names the one that comes first, and changes nothing", () => {
  test.each<[string, Step[], Step, RegExp]>([
    [
      "the new one alone at once",
      [only(1)],
      only(2),
      /cannot go to generation 2 yet: nobody has been told to trust it; .*trusted: \[1, 2\], issuing: 1 \} first/,
    ],
    ["the new one signing at once", [only(1)], both(2), /nobody has been told to trust it.*issuing: 1 \} first/],
    [
      "the old one dropped before the new one signs",
      [only(1), both(1)],
      only(2),
      /signed by generation 1.*issuing: 2 \} first/,
    ],
    [
      "the new one dropped while it signs",
      [only(1), both(1), both(2)],
      only(1),
      /signed by generation 2.*issuing: 1 \} first/,
    ],
    ["the old one alone again", [only(1), both(1), both(2), only(2)], only(1), /signed by generation 2/],
    [
      "the next one at once, after a rotation",
      [only(1), both(1), both(2)],
      both(3, [2, 3]),
      /generation 3 yet: nobody/,
    ],
    ["a third one in place of the second", [only(1), both(1)], both(3, [1, 3]), /generation 3 yet: nobody/],
    [
      "the old one signing again for those who know only the new one",
      [only(1), both(1), both(2), only(2)],
      both(1),
      /cannot go to generation 1/,
    ],
  ])("%s", (_, before, step, reason) => {
    for (const accepted of before) take(accepted);
    const content = contents(folder);
    expect(() => take(step)).toThrow(reason);
    expect(() => take(step)).toThrow(/; allowed: .*; remedy: /);
    expect(contents(folder)).toEqual(content);
  });

  test("for clients alone, whose authority has steps of its own", () => {
    issue(folder);
    const clientAuthority = authority("clients", managed(only(2)));
    expect(() => issue(folder, wanted({ clientAuthority }))).toThrow(/the clients authority cannot go to generation 2/);
  });

  test.each([
    ["two authorities", declared],
    ["one for both", shared],
  ])(
    "while one client has only the old authority's certificate, because it was not declared meanwhile (%s)",
    (_, declare) => {
      issue(folder, declare(managed(only(1))));
      issue(folder, declare(managed(both(1))));
      issue(folder, declare(managed(both(2)), { certificates: [] }));
      expect(() => issue(folder, declare(managed(only(2))))).toThrow(/cannot go to generation 2 yet/);
    },
  );
});

test("after any accepted steps, who has the bundle of the step before is let in and trusts the broker", () => {
  const steps = [1, 2, 3]
    .flatMap((one) => [[one], ...[1, 2, 3].filter((other) => other > one).map((other) => [one, other])])
    .flatMap((trusted) => trusted.map((issuing): Step => ({ trusted, issuing })));
  // Those of one rotation are taken more often, so that most sequences get somewhere.
  const anyStep = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(only(1), both(1), both(2), only(2)) },
    { weight: 1, arbitrary: fc.constantFrom(...steps) },
  );
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 2, maxLength: 8 }), (sequence) => {
      const store = newFolder();
      let last: Bundle | undefined;
      for (const step of [only(1), ...sequence]) {
        let result: Fulfilment;
        const content = contents(store);
        try {
          result = take(step, managed, store);
        } catch {
          expect(contents(store)).toEqual(content);
          continue;
        }
        const bundle = bundleOf(result);
        expect(connect(bundle, result)).toBe("connected");
        if (last !== undefined) expect(connect(last, result)).toBe("connected");
        last = bundle;
      }
    }),
    {
      numRuns: 30,
      // Those who know only the new authority, and the return of one that was given up.
      examples: [
        [[both(1), both(2), only(2), both(1)]],
        [[both(1), only(1), both(1, [1, 3]), both(3, [1, 3]), both(2, [2, 3])]],
      ],
    },
  );
}, 120_000);

describe("a cross certificate", () => {
  test("is an authority's certificate of the new name and key, signed by the old one, and made once", () => {
    take(only(1));
    take(both(1));
    const [, cross, ...others] = ParsedCertificate.allFromPem(fileOf(take(both(2)).credentials!, "server.crt"));
    expect(others).toEqual([]);
    expect([cross!.x509.subject, cross!.x509.issuer]).toEqual([
      "CN=plant server authority 2",
      "CN=plant server authority 1",
    ]);
    const records = Object.keys(contents(folder)).filter((name) => name.startsWith("cross."));
    expect(records).toHaveLength(1);
    take(both(1));
    take(both(2));
    expect(Object.keys(contents(folder)).filter((name) => name.startsWith("cross."))).toEqual(records);
  });

  test("verifies for who knows only the first authority, only the second, or both", () => {
    const one = bundleOf(take(only(1))).ca_pem;
    take(both(1));
    const { credentials } = take(both(2));
    const two = bundleOf(take(only(2))).ca_pem;
    const server = fileOf(credentials!, "server.crt");
    for (const trusted of [one, two, one + two]) expect(verdict(server, trusted, "sslserver")).toBe("OK");
    const [leaf] = ParsedCertificate.allFromPem(server);
    expect(verdict(leaf!.pem, one, "sslserver")).toMatch("unable to get local issuer certificate");
  });

  test("is left out with a warning where the old authority has path length 0", () => {
    const tight = issueAuthority({ commonName: "Tight", algorithm: P256, pathLength: 0, ...SPAN });
    const first = CertificateAuthority.imported({
      certificate: TextSource.text(tight.certificatePem),
      privateKey: TextSource.text(tight.privateKeyPem),
    });
    const second = CertificateAuthority.managed({ trusted: [2] });
    const rotation = (issuing: CertificateAuthority): CertificateAuthority =>
      CertificateAuthority.rotation({ trusted: [first, second], issuing });
    issue(folder, declared(first));
    const known = bundleOf(issue(folder, declared(rotation(first))));
    const result = issue(folder, declared(rotation(second)));
    expect(result.warnings).toEqual([
      expect.stringMatching(/server authority 1 cannot sign generation 2 across: its path length is 0/),
    ]);
    expect(namesIn(fileOf(result.credentials!, "server.crt"))).toEqual(["broker.example"]);
    // Who was there for the first step needs none.
    expect(connect(known, result)).toBe("connected");
  });

  test("is left out with a warning where the old authority's key is elsewhere", () => {
    const never: CertificateSigner = {
      signCertificate: () => fail(),
      signRevocationList: () => fail(),
    };
    const foreign = issueAuthority({ commonName: "Foreign", algorithm: P256, pathLength: 1, ...SPAN });
    const first = CertificateAuthority.external({
      certificate: TextSource.text(foreign.certificatePem),
      signer: never,
    });
    const second = CertificateAuthority.managed({ trusted: [2] });
    const server = CertificateAuthority.rotation({ trusted: [first, second], issuing: second });
    const result = issue(folder, wanted({ serverAuthority: authority("server", server) }));
    expect(result.warnings).toEqual([expect.stringMatching(/cannot sign generation 2 across: its key is elsewhere/)]);
  });
});

function fail(): never {
  throw new Error("the signer was asked");
}

describe("the end of an authority", () => {
  const short = (step: Step, renewBeforeDays?: number): WantedCredentials => {
    const of = CertificateAuthority.managed({
      ...step,
      validityDays: 100,
      ...(renewBeforeDays !== undefined && { renewBeforeDays }),
    });
    return declared(of);
  };

  test("is what comes next once nothing else does, a tenth of its validity before", () => {
    const { nextAction } = issue(folder, short(only(1)), { now: at(0) }).credentials!;
    // From a day before it was made, for clocks that run behind: 101 days.
    expect(nextAction).toEqual({
      at: new Date(at(100).getTime() - 10.1 * DAY),
      what: "server authority 1: replace it",
    });
  });

  test("is what comes next as many days before as declared", () => {
    const { nextAction } = issue(folder, short(only(1), 30), { now: at(0) }).credentials!;
    expect(nextAction).toEqual({ at: at(70), what: "server authority 1: replace it" });
  });

  test("is not what comes next while a certificate ends sooner, also at the synth that issued it", () => {
    const first = issue(folder, wanted(), { now: at(0) }).credentials!;
    const second = issue(folder, wanted(), { now: at(0) }).credentials!;
    expect(second.nextAction.what).toBe("server certificate: renewal");
    expect(first.nextAction).toEqual(second.nextAction);
  });

  test("has a warning from then on, with the step that comes first, and none once a rotation began", () => {
    issue(folder, short(only(1)), { now: at(0) });
    expect(issue(folder, short(only(1)), { now: at(89) }).warnings).toEqual([]);
    const begin = `1 ends ${at(100).toISOString()}: begin to replace it with { trusted: [1, 2], issuing: 1 }`;
    expect(issue(folder, short(only(1)), { now: at(90) }).warnings).toEqual([
      `server authority ${begin}`,
      `clients authority ${begin}`,
    ]);
    expect(issue(folder, short(both(1)), { now: at(91) }).warnings).toEqual([]);
  });

  test("is refused when it has come, with the next generation as the remedy", () => {
    issue(folder, short(only(1)), { now: at(0) });
    expect(() => issue(folder, short(only(1)), { now: at(100) })).toThrow(
      /server authority 1 in .* ended .*remedy: .*trusted: \[2\], issuing: 2/,
    );
  });

  test("lets the next one take its place at once, since nobody is connected any longer", () => {
    issue(folder, short(only(1)), { now: at(0) });
    day = 100;
    const result = issue(folder, short(only(2)), { now: at(day) });
    expect(connect(bundleOf(result), result)).toBe("connected");
    expect(namesIn(bundleOf(result).ca_pem)).toEqual(["plant server authority 2"]);
  });

  test("of the old one during a rotation is a warning to drop it, and who knows the new one is connected", () => {
    issue(folder, short(only(1)), { now: at(0) });
    issue(folder, short(both(1)), { now: at(50) });
    const second = bundleOf(issue(folder, short(both(2)), { now: at(60) }));
    day = 101;
    const result = issue(folder, short(both(2)), { now: at(day) });
    expect(result.warnings).toEqual([
      expect.stringMatching(/^server authority 1 ended .*; drop it from `trusted`/),
      expect.stringMatching(/^clients authority 1 ended .*; drop it from `trusted`/),
    ]);
    expect(connect(second, result)).toBe("connected");
    expect(issue(folder, short(only(2)), { now: at(101) }).warnings).toEqual([]);
  });

  test("of an old intermediate during a rotation locks out nobody who knows the new one's root", () => {
    const step = (of: Step): WantedCredentials =>
      declared(
        rotated((generation) =>
          CertificateAuthority.intermediate({ root: CertificateAuthority.managed(), validityDays: 100, generation }),
        )(of),
      );
    issue(folder, step(only(1)), { now: at(0) });
    issue(folder, step(both(1)), { now: at(50) });
    const second = bundleOf(issue(folder, step(both(2)), { now: at(60) }));
    day = 101;
    expect(connect(second, issue(folder, step(both(2)), { now: at(day) }))).toBe("connected");
  });

  test("cuts what it signs, and that is not issued again for it", () => {
    issue(folder, short(only(1)), { now: at(0) });
    expect(issue(folder, short(only(1)), { now: at(99) }).issued).toEqual([]);
  });
});
