import { hashPassword } from "../../constructs/access";
import {
  Fulfilment,
  handOver,
  Issuing,
  lastHandovers,
  presentCredential,
  WantedCertificate,
} from "../../constructs/credentials";
import { KeySource, ParsedCertificate, parseRevocationList } from "../../constructs/pki";
import { certificate, issue, NOW, open, password, wanted } from "./support";
import { temporaryStores } from "./temporary-stores";

const { newFolder } = temporaryStores("two-proofs");
let folder: string;
beforeEach(() => {
  folder = newFolder();
});

const WITH_PASSWORD = { commonName: "sensor-1:with-password" };
const declare = (changed: Partial<WantedCertificate> = {}, hash?: string): Fulfilment =>
  issue(
    folder,
    wanted({
      certificates: [certificate("sensor-1", changed)],
      passwords: [password("sensor-1", hash === undefined ? {} : { hash })],
    }),
  );
const leafOf = ({ credentials }: Fulfilment): ParsedCertificate =>
  ParsedCertificate.fromPem(credentials!.clients.get("sensor-1")!.certificate!.certificatePem);
const refused = ({ credentials }: Fulfilment): string[] =>
  parseRevocationList(credentials!.revocationListsPem.split(/(?<=END X509 CRL-----\n)/)[0] as string).serials;

describe("a client whose certificate is no longer enough", () => {
  test("gets another one, and the old one is refused: alone it would still open everything", () => {
    const alone = declare();
    const result = declare(WITH_PASSWORD);
    expect(leafOf(result).x509.subject).toBe("CN=sensor-1:with-password");
    expect(result.issued.map(({ what, reason }) => `${what}: ${reason}`)).toEqual(
      expect.arrayContaining([
        "client certificate sensor-1: the client's authentication changed: the common name is sensor-1:with-password now",
      ]),
    );
    expect(refused(result)).toEqual([leafOf(alone).x509.serialNumber]);
    expect(result.credentials!.ended.map(({ serial }) => serial)).toEqual(refused(result));
    expect(declare(WITH_PASSWORD).issued).toEqual([]);
  });

  test("and is enough again has its first one again, and the one that needed a password is refused", () => {
    const first = declare();
    const needed = declare(WITH_PASSWORD);
    const result = declare();
    expect(leafOf(result).x509.serialNumber).toBe(leafOf(first).x509.serialNumber);
    expect(refused(result)).toEqual([leafOf(needed).x509.serialNumber]);
    expect(leafOf(declare(WITH_PASSWORD)).x509.serialNumber).toBe(leafOf(needed).x509.serialNumber);
  });
});

describe("a raised credentialVersion ends what was before, also where the client proves itself otherwise then", () => {
  const certificateOnly = (version: number): Fulfilment =>
    issue(folder, wanted({ certificates: [certificate("sensor-1", { credentialVersion: version })], passwords: [] }));
  const passwordOnly = (version: number): Fulfilment =>
    issue(folder, wanted({ certificates: [], passwords: [password("sensor-1", { credentialVersion: version })] }));
  const lower = /client sensor-1 is declared with credentialVersion 1, but version 2 was issued and ended it/;

  test("a certificate by a password", () => {
    const stolen = leafOf(certificateOnly(1)).x509.serialNumber;
    const result = passwordOnly(2);
    expect(result.issued.map(({ what }) => what)).toContain(`revocation of client certificate sensor-1 ${stolen}`);
    expect(() => certificateOnly(1)).toThrow(lower);
    expect(refused(certificateOnly(2))).toEqual([stolen]);
  });

  test("a password by a certificate", () => {
    const stolen = passwordOnly(1).credentials!.clients.get("sensor-1")!.password!.value;
    certificateOnly(2);
    expect(() => passwordOnly(1)).toThrow(lower);
    expect(passwordOnly(2).credentials!.clients.get("sensor-1")!.password!.value).not.toBe(stolen);
  });
});

test("a bundle that was handed over is no longer the present one when certificate or password is another", () => {
  const [first, second] = ["one password", "another password"].map((text) => hashPassword(text, { iterations: 1 }));
  const { credentials } = declare({}, first);
  const issuing = new Issuing(open(folder), NOW, new KeySource(new Map()));
  handOver(issuing, credentials!, ["sensor-1"]);
  const handed = lastHandovers(open(folder)).get("sensor-1")?.credential;
  expect(presentCredential(declare({}, first).credentials!, "sensor-1")).toBe(handed);
  expect(presentCredential(declare({}, second).credentials!, "sensor-1")).not.toBe(handed);
});
