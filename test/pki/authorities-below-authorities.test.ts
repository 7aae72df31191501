import {
  issueAuthority,
  issueCrossCertificate,
  issueServer,
  issueSubordinateAuthority,
  Issuer,
  parseHost,
  ParsedCertificate,
  type IssuedCertificate,
} from "../../constructs/pki";
import { openssl, P256, Scratch, SPAN } from "./support";

const scratch = new Scratch();
afterAll(() => scratch.remove());

const rootOf = (commonName: string, pathLength: number): IssuedCertificate =>
  issueAuthority({ commonName, algorithm: P256, pathLength, ...SPAN });
const issuerOf = ({ certificatePem, privateKeyPem }: IssuedCertificate): Issuer =>
  Issuer.fromPem(certificatePem, privateKeyPem);
const serverBelow = (issuer: Issuer): IssuedCertificate =>
  issueServer(issuer, { commonName: "broker.example", hosts: [parseHost("broker.example")], algorithm: P256, ...SPAN });

/** What OpenSSL says of a leaf, given what is trusted and what is sent along. */
function verdict(leaf: string, trusted: string[], sent: string[]): string {
  const files = { leaf, trusted: trusted.join(""), sent: sent.join("") };
  const [leafFile, trustedFile, sentFile] = Object.entries(files).map(([name, pem]) => scratch.write(name, pem));
  const untrusted = sent.length > 0 ? ["-untrusted", sentFile as string] : [];
  // Without this, OpenSSL would ask the system's own store as well.
  const { ok, text } = openssl(
    "verify",
    "-x509_strict",
    "-no-CAfile",
    "-no-CApath",
    "-CAfile",
    trustedFile as string,
    ...untrusted,
    leafFile as string,
  );
  return ok ? "OK" : text;
}

test("an intermediate signs what OpenSSL follows up to the root, when it is sent along", () => {
  const root = rootOf("root", 1);
  const intermediate = issueSubordinateAuthority(issuerOf(root), { commonName: "issuing", algorithm: P256, ...SPAN });
  const leaf = serverBelow(issuerOf(intermediate));
  expect(verdict(leaf.certificatePem, [root.certificatePem], [intermediate.certificatePem])).toBe("OK");
  expect(verdict(leaf.certificatePem, [root.certificatePem], [])).toMatch("unable to get local issuer certificate");
  expect(ParsedCertificate.fromPem(intermediate.certificatePem)).toMatchObject({ pathLength: 0, isSelfSigned: false });
});

test("an intermediate outlives its root no more than a leaf does", () => {
  const root = rootOf("root", 1);
  const notAfter = new Date("2200-01-01T00:00:00Z");
  const below = issueSubordinateAuthority(issuerOf(root), {
    commonName: "issuing",
    algorithm: P256,
    notBefore: SPAN.notBefore,
    notAfter,
  });
  expect(below.notAfter).toEqual(SPAN.notAfter);
});

test.each([
  [0, 0],
  [1, 1],
  [1, 2],
])("below a path length of %d there is no authority with %d", (upper, lower) => {
  const request = { commonName: "issuing", algorithm: P256, pathLength: lower, ...SPAN };
  expect(() => issueSubordinateAuthority(issuerOf(rootOf("root", upper)), request)).toThrow(
    `an authority with path length ${lower} cannot stand below one with ${upper}`,
  );
});

describe("a cross certificate", () => {
  const [first, second] = [rootOf("authority 1", 1), rootOf("authority 2", 1)];
  const cross = issueCrossCertificate(issuerOf(first), second.certificatePem, SPAN);
  const leaf = serverBelow(issuerOf(second));

  test("lets who trusts only the first authority follow a leaf of the second", () => {
    const sent = [cross.certificatePem];
    expect(verdict(leaf.certificatePem, [first.certificatePem], sent)).toBe("OK");
    expect(verdict(leaf.certificatePem, [first.certificatePem], [])).not.toBe("OK");
    expect(verdict(leaf.certificatePem, [second.certificatePem], sent)).toBe("OK");
    expect(verdict(leaf.certificatePem, [first.certificatePem, second.certificatePem], sent)).toBe("OK");
    expect(verdict(leaf.certificatePem, [rootOf("authority 1", 1).certificatePem], sent)).not.toBe("OK");
  });

  test("has the second one's name, key and key identifier, octet for octet, and the first one's signature", () => {
    const [made, original] = [cross, second].map(({ certificatePem }) => ParsedCertificate.fromPem(certificatePem));
    expect(made!.subject).toEqual(original!.subject);
    expect(made!.publicKeyDer).toEqual(original!.publicKeyDer);
    expect(made!.keyIdentifier).toEqual(original!.keyIdentifier);
    expect(made!.wasSignedBy(ParsedCertificate.fromPem(first.certificatePem))).toBe(true);
    expect(made!.pathLength).toBe(0);
    expect(cross.serial).not.toBe(second.serial);
  });

  test("is refused where the path length leaves no room, and for what is no authority", () => {
    expect(() => issueCrossCertificate(issuerOf(rootOf("narrow", 0)), second.certificatePem, SPAN)).toThrow(
      "path length 0 cannot sign another authority across",
    );
    expect(() => issueCrossCertificate(issuerOf(first), leaf.certificatePem, SPAN)).toThrow(
      "there is no authority to sign across: it has no basicConstraints with CA:TRUE",
    );
  });

  test("lasts no longer than either authority", () => {
    const short = { ...SPAN, notAfter: new Date("2050-01-01T00:00:00Z") };
    const brief = issueAuthority({ commonName: "brief", algorithm: P256, pathLength: 1, ...short });
    expect(issueCrossCertificate(issuerOf(brief), second.certificatePem, SPAN).notAfter).toEqual(short.notAfter);
    expect(issueCrossCertificate(issuerOf(first), brief.certificatePem, SPAN).notAfter).toEqual(short.notAfter);
  });
});
