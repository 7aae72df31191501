import {
  KeyAlgorithm,
  Listener,
  MosquittoBrokerProps,
  TlsListenerOptions,
  TlsOptions,
  TlsVersion,
} from "../../../constructs";
import { parseMosquittoConf } from "../../../constructs/broker/conf/conf-reader";
import { renderMosquittoConf } from "../../../constructs/broker/conf/mosquitto-conf";
import { declareBroker } from "../../support/declare";

const TLS_KINDS = ["mutualTls", "passwordOverTls", "mutualTlsWithPassword"] as const;
const ECDSA = [KeyAlgorithm.ecdsaP256(), KeyAlgorithm.ecdsaP384()];
const RSA = [KeyAlgorithm.rsa(2048), KeyAlgorithm.rsa(3072), KeyAlgorithm.rsa(4096)];

/** What is said against a listener with these options. */
function said(options: TlsOptions, props: Partial<MosquittoBrokerProps> = {}): string {
  try {
    declareBroker({ ...props, listeners: [Listener.mutualTls(options)] });
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

function rendered(options: TlsListenerOptions): Readonly<Record<string, string>> {
  const listeners = [Listener.mutualTls(options)];
  const conf = renderMosquittoConf({ listeners, options: {}, checksRevocations: true });
  return Object.fromEntries(parseMosquittoConf(conf).listeners[0]?.options ?? []);
}

function warningsOf(options: TlsListenerOptions, props: Partial<MosquittoBrokerProps> = {}): string[] {
  const broker = declareBroker({ ...props, listeners: [Listener.mutualTls(options)] });
  return broker.node.metadata.map(({ data }) => data as string);
}

describe("the lowest TLS", () => {
  test("is 1.2 by default", () => expect(rendered({}).tls_version).toBe("tlsv1.2"));

  test.each<TlsVersion>(["tlsv1.2", "tlsv1.3"])("may be %s", (tlsVersion) => {
    expect(said({ tlsVersion })).toBe("");
    expect(rendered({ tlsVersion }).tls_version).toBe(tlsVersion);
  });

  test.each([
    ["tlsv1.1"],
    ["tlsv1"],
    ["TLSv1.2"],
    ["1.2"],
    [""],
    [1.2],
    [["tlsv1.2"]],
    ["tlsv1.2\nallow_anonymous true"],
  ])("is refused as %j", (tlsVersion) => {
    expect(said({ tlsVersion: tlsVersion as TlsVersion })).toMatch(
      /listeners\[0\]\.tlsVersion, got .*; allowed: tlsv1\.2 or tlsv1\.3; remedy: leave it out for tlsv1\.2/,
    );
  });
});

describe("cipher suites that do not fit the server's key are refused, because nobody could connect over TLS 1.2:", () => {
  const forEcdsa = [
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-CCM",
    "ECDHE-ECDSA-AES256-CCM",
    "ECDHE-ECDSA-AES128-SHA256",
    "ECDHE-ECDSA-AES256-SHA384",
  ];
  const forRsa = [
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-RSA-AES128-SHA256",
    "ECDHE-RSA-AES256-SHA384",
    // RSA key exchange.
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
  ];
  const cases = [
    ...ECDSA.map((key) => [key.id, key, forEcdsa, forRsa] as const),
    ...RSA.map((key) => [key.id, key, forRsa, forEcdsa] as const),
  ];

  test.each(cases)("%s", (id, key, fitting, other) => {
    for (const props of [{ keyAlgorithm: key }, { serverCertificate: { keyAlgorithm: key } }]) {
      for (const cipher of fitting) {
        expect({ cipher, said: said({ ciphers: [cipher] }, props) }).toEqual({ cipher, said: "" });
        // One that fits is enough.
        expect(said({ ciphers: [other[0] as string, cipher] }, props)).toBe("");
      }
      for (const cipher of other) {
        expect(said({ ciphers: [cipher] }, props)).toMatch(
          new RegExp(
            `listeners\\[0\\]\\.ciphers, got .*${cipher}.*; allowed: a suite that fits the server's key, which is ${id}; ` +
              "remedy: add one",
          ),
        );
      }
      expect(said({ ciphers: [...other] }, props)).toMatch(/a suite that fits the server's key/);
    }
  });

  test("the server's own key counts before the broker's keyAlgorithm, and it is ECDSA by default", () => {
    const rsa = { ciphers: ["ECDHE-RSA-AES128-GCM-SHA256"] };
    const serverCertificate = { keyAlgorithm: KeyAlgorithm.rsa(2048) };
    expect(said(rsa, { keyAlgorithm: KeyAlgorithm.ecdsaP256(), serverCertificate })).toBe("");
    expect(said(rsa)).toMatch(/which is ECDSA-P256/);
  });

  test("those by default fit each key", () => {
    for (const keyAlgorithm of [...ECDSA, ...RSA]) expect(said({}, { keyAlgorithm })).toBe("");
    const ciphers = rendered({}).ciphers?.split(":") ?? [];
    expect(ciphers.some((cipher) => forEcdsa.includes(cipher))).toBe(true);
    expect(ciphers.some((cipher) => forRsa.includes(cipher))).toBe(true);
  });
});

describe("a list of cipher suites", () => {
  test("is rendered in its order, for TLS 1.2 and 1.3 apart", () => {
    const ciphers = ["ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-CCM"];
    const ciphersTls13 = ["TLS_AES_128_CCM_SHA256", "TLS_AES_256_GCM_SHA384"];
    expect(rendered({ ciphers, ciphersTls13 })).toMatchObject({
      ciphers: "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-CCM",
      "ciphers_tls1.3": "TLS_AES_128_CCM_SHA256:TLS_AES_256_GCM_SHA384",
    });
    expect(rendered({})).not.toHaveProperty(["ciphers_tls1.3"]);
  });

  test.each<[keyof TlsOptions, unknown, string]>([
    ["ciphers", [], "ciphers, got \\[\\]"],
    ["ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256", "ciphers, got"],
    ["ciphers", null, "ciphers, got null"],
    ["ciphers", {}, "ciphers, got"],
    ["ciphers", ["DES-CBC3-SHA"], "ciphers\\[0\\], got"],
    ["ciphers", ["ecdhe-ecdsa-aes128-gcm-sha256"], "ciphers\\[0\\], got"],
    ["ciphers", ["ECDHE-ECDSA-AES128-GCM-SHA256", "HIGH"], "ciphers\\[1\\], got"],
    ["ciphers", ["ECDHE-ECDSA-AES128-GCM-SHA256:ALL"], "ciphers\\[0\\], got"],
    ["ciphers", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"], "ciphers\\[1\\], got"],
    ["ciphers", ["TLS_AES_128_GCM_SHA256"], "ciphers\\[0\\], got"],
    ["ciphers", ["ECDHE-ECDSA-AES128-GCM-SHA256\nallow_anonymous true"], "ciphers\\[0\\], got"],
    ["ciphersTls13", [], "ciphersTls13, got \\[\\]"],
    ["ciphersTls13", "TLS_AES_128_GCM_SHA256", "ciphersTls13, got"],
    ["ciphersTls13", null, "ciphersTls13, got null"],
    ["ciphersTls13", ["ECDHE-ECDSA-AES128-GCM-SHA256"], "ciphersTls13\\[0\\], got"],
    ["ciphersTls13", ["TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"], "ciphersTls13\\[1\\], got"],
  ])("%s is refused as %j, with those that are allowed", (option, value, what) => {
    expect(said({ [option]: value })).toMatch(
      new RegExp(
        `^.*:\n  - listeners\\[0\\]\\.${what}.*; allowed: .*each once of: .*; remedy: take one of these[^\n]*$`,
      ),
    );
  });

  test("of TLS 1.2 is refused where tlsVersion is tlsv1.3, with the remedy", () => {
    const message = said({ tlsVersion: "tlsv1.3", ciphers: ["ECDHE-ECDSA-AES128-GCM-SHA256"] });
    expect(message).toMatch(
      /listeners\[0\]\.ciphers, got .*; allowed: no such list where tlsVersion is tlsv1\.3.*; remedy: name them in ciphersTls13/,
    );
    expect(said({ tlsVersion: "tlsv1.3", ciphersTls13: ["TLS_AES_128_GCM_SHA256"] })).toBe("");
    // TLS 1.3 is on beside 1.2.
    expect(said({ tlsVersion: "tlsv1.2", ciphersTls13: ["TLS_AES_128_GCM_SHA256"] })).toBe("");
  });

  test("of TLS 1.3 fits every key", () => {
    for (const keyAlgorithm of [...ECDSA, ...RSA]) {
      expect(said({ ciphersTls13: ["TLS_CHACHA20_POLY1305_SHA256"] }, { keyAlgorithm })).toBe("");
    }
  });

  test("and a wrong tlsVersion are said in one error", () => {
    const message = said({ tlsVersion: "x" as TlsVersion, ciphers: ["y"], ciphersTls13: ["z"] });
    expect(message).toMatch(/\.tlsVersion, got "x".*\n.*\.ciphers\[0\], got "y".*\n.*\.ciphersTls13\[0\], got "z"/);
  });
});

describe("a warning", () => {
  const rsa = { keyAlgorithm: KeyAlgorithm.rsa(2048) };

  test.each([
    ["AES128-GCM-SHA256", "no forward secrecy"],
    ["AES256-GCM-SHA384", "no forward secrecy"],
    ["ECDHE-RSA-AES128-SHA256", "no authenticated encryption"],
    ["ECDHE-RSA-AES256-SHA384", "no authenticated encryption"],
  ])("says what is weak about %s", (cipher, weakness) => {
    expect(warningsOf({ ciphers: ["ECDHE-RSA-AES128-GCM-SHA256", cipher] }, rsa)).toEqual([
      `listeners[0].ciphers: ${cipher} has ${weakness}; leave it out once no device needs it`,
    ]);
  });

  test("is given for each old suite, and for none that is not old", () => {
    const ciphers = ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES128-CCM", "ECDHE-ECDSA-AES256-SHA384"];
    expect(warningsOf({ ciphers })).toEqual([
      expect.stringMatching(/AES128-SHA256 has/),
      expect.stringMatching(/AES256-SHA384 has/),
    ]);
    expect(warningsOf({})).toEqual([]);
    expect(warningsOf({ ciphers: ["ECDHE-ECDSA-AES128-CCM"], ciphersTls13: ["TLS_AES_128_CCM_SHA256"] })).toEqual([]);
  });

  test("names the listener that has it", () => {
    const old = { ciphers: ["ECDHE-ECDSA-AES128-SHA256"] };
    const broker = declareBroker({ listeners: [Listener.mutualTls(), Listener.passwordOverTls(old)] });
    expect(broker.node.metadata.map(({ data }) => data as string)).toEqual([
      expect.stringMatching(/^listeners\[1\]\.ciphers: /),
    ]);
  });
});

test.each(TLS_KINDS)("the rules hold for %s too", (kind) => {
  const bad = Listener[kind]({ tlsVersion: "tlsv1.3", ciphers: ["AES128-GCM-SHA256"] });
  expect(() => declareBroker({ listeners: [Listener.plaintext(), bad] })).toThrow(/listeners\[1\]\.ciphers/);
});

test("a listener in clear text has no lines of TLS", () => {
  const conf = renderMosquittoConf({ listeners: [Listener.plaintext()], options: {}, checksRevocations: true });
  const names = [...(parseMosquittoConf(conf).listeners[0]?.options.keys() ?? [])];
  expect(names.filter((name) => /tls|cipher|certfile|keyfile|cafile|crlfile/.test(name))).toEqual([]);
});
