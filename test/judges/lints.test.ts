import forge from "node-forge";
import {
  generateKeyPair,
  issueAuthority,
  issueClient,
  issueServer,
  KeyAlgorithm,
  parseHost,
  type IssuedCertificate,
} from "../../constructs/pki";
import { childrenOf, encodeDer, parseDer, type Asn1 } from "../../constructs/pki/asn1";
import { toPem } from "../../constructs/pki/pem";
import { derOf } from "../pki/support";
import { issuerOf, listOf, SPAN } from "./issued";
import { lint, type Subject } from "./judges";
import { SPOTLESS } from "./lints";
import { signedByOpenssl, type Wish } from "./openssl";

// zlint takes names and hosts of all kinds as they are, and is known to find faults where there are some.

jest.setTimeout(30_000);

const P256 = KeyAlgorithm.ecdsaP256();

const keyPair = generateKeyPair(P256);
const root = issueAuthority({ commonName: "Root CA", algorithm: P256, keyPair, ...SPAN });
const issuer = issuerOf(root);
const clientNamed = (commonName: string): IssuedCertificate =>
  issueClient(issuer, { commonName, algorithm: P256, keyPair, ...SPAN });
const serverOf = (...hosts: string[]): IssuedCertificate =>
  issueServer(issuer, { commonName: "broker", hosts: hosts.map(parseHost), algorithm: P256, keyPair, ...SPAN });

test.each([
  "🌡".repeat(64),
  "é".repeat(64),
  "датчик",
  "名前",
  "عربي",
  'a,b+c=d#e"<>;\\',
  "/CN=evil",
  "*",
  "-",
  "x@y.example",
])("zlint finds nothing in a client named %s", async (commonName) => {
  expect(await lint([{ certificate: clientNamed(commonName).certificatePem }])).toMatchObject([SPOTLESS]);
});

test.each([
  `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(61)}`,
  "xn--bcher-kva.example",
  "a--b.example",
  "7.example",
  "broker.local",
  "127.0.0.1",
  "::1",
  "fe80::1",
])("zlint finds nothing in a server for %s", async (host) => {
  expect(await lint([{ certificate: serverOf(host).certificatePem }])).toMatchObject([SPOTLESS]);
});

test("zlint only remarks upon a server for localhost, which no registry of domains knows", async () => {
  const remark = expect.stringMatching(/^n_san_iana_pub_suffix_empty/) as string;
  expect(await lint([{ certificate: serverOf("localhost").certificatePem }])).toMatchObject([
    { ...SPOTLESS, notices: [remark] },
  ]);
});

describe("zlint finds the fault in what others make", () => {
  const findings = async (subject: Subject): Promise<string[]> =>
    (await lint([subject])).flatMap(({ errors, warnings }) => [...errors, ...warnings]);
  const named = (name: string): unknown => expect.stringMatching(new RegExp(`^${name}(?::|$)`));

  const extensions = (constraints: string, usage: string, subjectKey = "hash"): string[] => [
    `basicConstraints=${constraints}`,
    `keyUsage=critical,${usage}`,
    `subjectKeyIdentifier=${subjectKey}`,
    "authorityKeyIdentifier=keyid",
  ];
  const OF_A_LEAF = extensions("critical,CA:FALSE", "digitalSignature");

  test.each<[string, Partial<Wish>, string]>([
    ["serial number 0", { serial: "0" }, "e_serial_number_not_positive"],
    ["a negative serial number", { serial: "-127" }, "e_serial_number_not_positive"],
    ["a serial number of 21 octets", { serial: `0x${"7F".repeat(21)}` }, "e_serial_number_longer_than_20_octets"],
    [
      "an authority without subject key identifier",
      { extensions: extensions("critical,CA:TRUE", "keyCertSign", "none") },
      "e_ext_subject_key_identifier_missing_ca",
    ],
    [
      "an authority whose constraints are not critical",
      { extensions: extensions("CA:TRUE", "keyCertSign") },
      "e_basic_constraints_not_critical",
    ],
    [
      "a path length of what is no authority",
      { extensions: extensions("critical,CA:FALSE,pathlen:0", "digitalSignature") },
      "e_path_len_constraint_improperly_included",
    ],
    [
      "a leaf that may sign certificates",
      { extensions: extensions("critical,CA:FALSE", "keyCertSign") },
      "e_ext_key_usage_cert_sign_without_ca",
    ],
    [
      "an elliptic curve key that is to decrypt",
      { extensions: extensions("critical,CA:FALSE", "dataEncipherment") },
      "e_ecdsa_allowed_ku",
    ],
  ])("%s, from openssl", async (_, wish, error) => {
    const common = { commonName: "sensor-1", keyPem: keyPair.privateKeyPem, signer: root, extensions: OF_A_LEAF };
    const certificate = await signedByOpenssl({ ...common, ...wish });
    expect(await findings({ certificate })).toEqual([named(error)]);
  });

  /** Something issued, encoded again after an edit of its body. zlint does not check signatures. */
  function altered(label: string, pem: string, edit: (body: Asn1[]) => void): string {
    const tree = parseDer(derOf(pem));
    edit(childrenOf(childrenOf(tree)[0]));
    return toPem(label, encodeDer(tree));
  }
  const part = (parent: Asn1[] | Asn1 | undefined, ...[index = 0, ...below]: number[]): Asn1 => {
    const found = (Array.isArray(parent) ? parent : childrenOf(parent))[index] as Asn1;
    return below.length === 0 ? found : part(found, ...below);
  };

  test.each<[string, (body: Asn1[]) => void, string]>([
    [
      "GeneralizedTime before 2050",
      (body) => {
        const end = part(body, 4, 1);
        end.type = forge.asn1.Type.GENERALIZEDTIME;
        end.value = `20${end.value as string}`;
      },
      "e_wrong_time_format_pre2050",
    ],
    [
      "a time without seconds",
      (body) => {
        const end = part(body, 4, 1);
        end.value = (end.value as string).replace(/..Z$/, "Z");
      },
      "e_utc_time_does_not_include_seconds",
    ],
    [
      "a control character in the name",
      (body) => {
        part(body, 5, 0, 0, 1).value = "sensor\x07";
      },
      "e_subject_dn_not_printable_characters",
    ],
    [
      "an extension that is there twice",
      (body) => childrenOf(part(body, 7, 0)).push(part(body, 7, 0, 0)),
      "e_ext_duplicate_extension",
    ],
  ])("%s in a certificate", async (_, edit, error) => {
    const certificate = altered("CERTIFICATE", clientNamed("été").certificatePem, edit);
    expect(await findings({ certificate })).toContainEqual(named(error));
  });

  // Of a list: version, algorithm, issuer, thisUpdate, nextUpdate, revoked, extensions (key identifier, number).
  test.each<[string, (body: Asn1[]) => void, string]>([
    ["no nextUpdate", (body) => body.splice(4, 1), "e_crl_has_next_update"],
    ["no number", (body) => childrenOf(part(body, 6, 0)).splice(1, 1), "e_crl_missing_crl_number"],
    ["no key identifier", (body) => childrenOf(part(body, 6, 0)).splice(0, 1), "e_crl_has_authority_key_identifier"],
    ["a serial twice", (body) => childrenOf(body[5]).push(part(body, 5, 0)), "e_crl_unique_revoked_certificate"],
    ["an empty list of entries", (body) => childrenOf(body[5]).splice(0), "e_crl_empty_revoked_certificates"],
    [
      "a revocation later than the list",
      (body) => {
        part(body, 3).value = "240101000000Z";
      },
      "e_crl_revocation_time_after_this_update",
    ],
    [
      "reason 7, which there is not",
      (body) => {
        const value = part(body, 5, 0, 2, 0, 1);
        value.value = (value.value as string).replace(/.$/, "\x07");
      },
      "e_crl_has_valid_reason_code",
    ],
  ])("%s in a revocation list", async (_, edit, error) => {
    const list = listOf(root, [{ serial: "7F", revokedAt: SPAN.notBefore, reason: "superseded" }]);
    expect(await findings({ list: altered("X509 CRL", list, edit) })).toContainEqual(named(error));
  });
});
