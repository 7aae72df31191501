import { issueClient, issueRevocationList, issueServer, Issuer, KeyAlgorithm, parseHost } from "../../constructs/pki";
import { CLIENT, DNS_HOST, SPAN } from "./issued";
import { judges, lint, type Chain } from "./judges";
import { curve, explicit, longExponent, newKey, rsa, signedByOpenssl } from "./openssl";

// An authority that others made is refused, or all that is issued with it is accepted by every judge.

jest.setTimeout(30_000);

const CONSTRAINTS = "basicConstraints=critical,CA:TRUE";
const USAGE = "keyUsage=critical,keyCertSign,cRLSign";
const KEY = "subjectKeyIdentifier=hash";

interface Authority {
  readonly key?: readonly string[];
  readonly form?: string;
  readonly organization?: string;
  readonly serial?: string;
  readonly extensions?: readonly string[];
}

/** Why the authority is not taken, or what each judge says of all that it issues: nothing where all is well. */
async function outcomeOf(authority: Authority): Promise<{ refusal: string } | { complaints: string[] }> {
  const { key = curve("P-256"), form, extensions = [CONSTRAINTS, USAGE, KEY], ...subject } = authority;
  const keyPem = await newKey(key, form);
  const root = await signedByOpenssl({ commonName: "Plant Root CA", ...subject, keyPem, extensions });
  let chains: Chain[];
  try {
    chains = issuedBy(root, keyPem);
  } catch (error) {
    return { refusal: (error as Error).message };
  }
  const complaints: string[] = [];
  for (const judge of judges) {
    for (const verdict of await judge.chains(chains)) {
      if ("refused" in verdict) complaints.push(`${judge.name}: ${verdict.refused}`);
    }
  }
  for (const { errors } of await lint(chains.map(({ leaf }) => ({ certificate: leaf })))) complaints.push(...errors);
  return { complaints };
}

function issuedBy(root: string, keyPem: string): Chain[] {
  const issuer = Issuer.fromPem(root, keyPem);
  const algorithm = KeyAlgorithm.ecdsaP256();
  // Not before the authority, which openssl made just now.
  const span = { notBefore: new Date(), notAfter: SPAN.notAfter };
  const hosts = [parseHost(DNS_HOST)];
  const server = issueServer(issuer, { commonName: "broker", hosts, algorithm, ...span });
  const client = issueClient(issuer, { commonName: CLIENT, algorithm, ...span });
  const { notBefore: thisUpdate, notAfter: nextUpdate } = span;
  const list = issueRevocationList(issuer, { number: 1, thisUpdate, nextUpdate, revoked: [] });
  const common = { roots: [root], lists: [list] };
  return [
    { ...common, leaf: server.certificatePem, usage: "serverAuth", host: DNS_HOST },
    { ...common, leaf: client.certificatePem, usage: "clientAuth", allowMissingNames: true },
  ];
}

test.each<[string, Authority]>([
  ["an elliptic curve key on P-256", {}],
  ["an elliptic curve key on P-384", { key: curve("P-384") }],
  ["an RSA key of 2048 bits", { key: rsa(2048) }],
  ["an RSA key with exponent 3", { key: [...rsa(2048), "-pkeyopt", "rsa_keygen_pubexp:3"] }],
  ["a name of several parts", { organization: "/C=DE/O=Wérk/OU=Halle 7" }],
  ["a key identifier of 32 octets", { extensions: [CONSTRAINTS, USAGE, `subjectKeyIdentifier=${"AB".repeat(32)}`] }],
  ["more key usages", { extensions: [CONSTRAINTS, "keyUsage=critical,digitalSignature,keyCertSign,cRLSign", KEY] }],
  [
    "name constraints that allow the hosts",
    { extensions: [CONSTRAINTS, USAGE, KEY, "nameConstraints=critical,permitted;DNS:plant.example"] },
  ],
])("every judge accepts what is issued with an authority that has %s", async (_, authority) => {
  expect(await outcomeOf(authority)).toEqual({ complaints: [] });
});

test.each<[string, Authority]>([
  ["a curve whose parameters are written out", { key: explicit("P-256") }],
  ["a compressed point", { form: "compressed" }],
  ["an RSA exponent of 65 bits", { key: longExponent(2048) }],
  ["a negative serial number", { serial: "-127" }],
  ["a critical extension that nobody knows", { extensions: [CONSTRAINTS, USAGE, KEY, "1.2.3.4=critical,ASN1:NULL"] }],
  ["an extended key usage for servers only", { extensions: [CONSTRAINTS, USAGE, KEY, "extendedKeyUsage=serverAuth"] }],
  [
    "name constraints that exclude the hosts",
    { extensions: [CONSTRAINTS, USAGE, KEY, "nameConstraints=critical,permitted;DNS:office.example"] },
  ],
  ["no subject key identifier", { extensions: [CONSTRAINTS, USAGE, "subjectKeyIdentifier=none"] }],
  ["no key usage", { extensions: [CONSTRAINTS, KEY] }],
  ["no critical constraints", { extensions: ["basicConstraints=CA:TRUE", USAGE, KEY] }],
  ["a key for signing certificates only", { extensions: [CONSTRAINTS, "keyUsage=critical,keyCertSign", KEY] }],
  ["no right to sign certificates", { extensions: [CONSTRAINTS, "keyUsage=critical,cRLSign", KEY] }],
])("an authority with %s is refused, or every judge accepts what is issued with it", async (_, authority) => {
  const outcome = await outcomeOf(authority);
  if ("refusal" in outcome) expect(outcome.refusal).toMatch(/authority/);
  else expect(outcome).toEqual({ complaints: [] });
});
