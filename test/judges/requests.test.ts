import { certifyClient, parseCertificationRequest } from "../../constructs/pki";
import { mustRun } from "../support/command";
import { Scratch } from "../pki/support";
import { CLIENT, DNS_HOST, Issued, issuerOf, SPAN } from "./issued";
import { judges, lint, shakeHands } from "./judges";
import { curve, explicit, longExponent, newKey, rsa } from "./openssl";

// A request that is taken gets a certificate that every judge accepts: otherwise its device would be locked out.

jest.setTimeout(30_000);

const scratch = new Scratch();
afterAll(() => scratch.remove());

const { root, server } = new Issued("ECDSA-P256").belowRoot;

/** A key that openssl made, and a request signed with it. */
async function newRequest(options: readonly string[], form?: string): Promise<{ key: string; pem: string }> {
  const key = await newKey(options, form);
  const request = ["-new", "-key", scratch.write("request.key", key), "-subj", "/CN=anything", "-sha256"];
  return { key, pem: await mustRun("openssl", ["req", ...request, "-config", "/dev/null"]) };
}

/** What each judge says of the certificate for a request: nothing where all is well. */
async function complaints({ key, pem }: { key: string; pem: string }): Promise<string[]> {
  const { publicKeyDer } = parseCertificationRequest(pem);
  const { certificatePem } = certifyClient(issuerOf(root), { commonName: CLIENT, publicKeyDer, ...SPAN });
  const said: string[] = [];
  for (const judge of judges) {
    const seen = {
      leaf: certificatePem,
      roots: [root.certificatePem],
      usage: "clientAuth",
      allowMissingNames: true,
    } as const;
    const [verdict] = await judge.chains([seen]);
    if (verdict !== undefined && "refused" in verdict) said.push(`${judge.name}: ${verdict.refused}`);
  }
  await lint([{ certificate: certificatePem }]).then(
    (found) => found.forEach(({ errors, warnings }) => said.push(...errors, ...warnings)),
    (error: Error) => said.push(`zlint: ${error.message}`),
  );
  const trusted = { trustedByServer: [root.certificatePem], trustedByClient: [root.certificatePem] };
  const handshakes = (["TLSv1_2", "TLSv1_3"] as const).map((version) => ({
    version,
    server: { chain: [server.certificatePem], key: server.privateKeyPem },
    client: { chain: [certificatePem], key },
    ...trusted,
    host: DNS_HOST,
  }));
  said.push(...(await shakeHands(handshakes)).filter((outcome) => outcome !== `accepted: ${CLIENT}`));
  return said;
}

test.each([
  ["elliptic curve P-256", curve("P-256")],
  ["elliptic curve P-384", curve("P-384")],
  ["elliptic curve P-521", curve("P-521")],
  ["RSA of 2048 bits", rsa(2048)],
  ["RSA of 2049 bits", rsa(2049)],
  ["RSA of 3072 bits", rsa(3072)],
  ["RSA with exponent 3", [...rsa(2048), "-pkeyopt", "rsa_keygen_pubexp:3"]],
])("every judge accepts the certificate for a request with %s", async (_, key) => {
  expect(await complaints(await newRequest(key))).toEqual([]);
});

test.each<[string, string[], string | undefined]>([
  ["elliptic curve P-256 with a compressed point", curve("P-256"), "compressed"],
  ["elliptic curve P-256 with a hybrid point", curve("P-256"), "hybrid"],
  ["elliptic curve P-256 with its parameters written out", explicit("P-256"), undefined],
  ["RSA with an exponent of 65 bits", longExponent(2048), undefined],
  ["RSA of 1024 bits", rsa(1024), undefined],
  ["RSA for PSS only", ["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"], undefined],
  ["elliptic curve secp256k1", curve("secp256k1"), undefined],
  ["Ed25519", ["-algorithm", "ED25519"], undefined],
])("a request with %s is refused, or its certificate accepted by every judge", async (_, options, form) => {
  const request = await newRequest(options, form);
  const refusal = refusalOf(request.pem);
  if (refusal === undefined) expect(await complaints(request)).toEqual([]);
  else expect(refusal).toMatch(/key|signature/);
});

function refusalOf(request: string): string | undefined {
  try {
    parseCertificationRequest(request);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

test("a request is taken under the label that some tools give it, too", async () => {
  const { pem } = await newRequest(curve("P-256"));
  const old = pem.replace(/(BEGIN|END) CERT/g, "$1 NEW CERT");
  expect(old).toContain("BEGIN NEW CERTIFICATE REQUEST");
  expect(parseCertificationRequest(old)).toEqual(parseCertificationRequest(pem));
});
