import { parseCertificationRequest, REVOCATION_REASONS } from "../../constructs/pki";
import { Scratch } from "../pki/support";
import { mustRun, run } from "../support/command";
import { REVOCATIONS, SPAN, withOtherSignature, withOtherText, type Issued } from "./issued";
import { readers } from "./judges";

// Revocation lists, private keys and requests, as others read them.

const JUDGES = readers.map((reader) => [reader.name, reader] as const);
const SPELLED = { thisUpdate: secondsOf(SPAN.notBefore), nextUpdate: secondsOf(SPAN.notAfter) };
const refused = (words: RegExp): object => ({ refused: expect.stringMatching(words) as string });

function secondsOf(date: Date): string {
  return date.toISOString().replace(".000Z", "Z");
}

/** Lets each judge read what was issued beside certificates. */
export function judgeByReading(issued: Issued): void {
  const scratch = new Scratch();
  afterAll(() => scratch.remove());

  const { belowRoot, belowIntermediate, otherRoot, emptyList, longList, request, certified } = issued;
  const root = belowRoot.root.certificatePem;

  test.each(JUDGES)(
    "%s reads in a revocation list the serials, times and reasons that were given",
    async (_, judge) => {
      const entries = REVOCATIONS.map(({ serial, revokedAt, reason }) => ({
        serial,
        at: secondsOf(revokedAt),
        // No extension stands for 0, unspecified (RFC 5280 section 5.3.1).
        reason: reason === undefined ? 0 : REVOCATION_REASONS[reason],
      }));
      const verdicts = await judge.lists([emptyList, longList].map((list) => ({ list, issuer: root })));
      expect(verdicts).toEqual([
        { accepted: { number: "5", ...SPELLED, revoked: [] } },
        { accepted: { number: "5", ...SPELLED, revoked: entries } },
      ]);
    },
  );

  test.each(JUDGES)("%s refuses a list of another authority, and one that was changed", async (_, judge) => {
    const { foreign, list } = belowIntermediate;
    const issuer = belowIntermediate.authority.certificatePem;
    const lists = [emptyList, foreign.list, withOtherSignature(list), withOtherText(list, "Issuing", "Assuing")];
    const verdicts = await judge.lists([{ list, issuer }, ...lists.map((each) => ({ list: each, issuer }))]);
    expect(verdicts).toEqual([
      { accepted: expect.anything() as object },
      ...lists.map(() => refused(/verification|not signed by this issuer/)),
    ]);
  });

  test.each(JUDGES)(
    "%s reads each private key, and finds it to be its certificate's and no other's",
    async (_, judge) => {
      const { authority, server, client } = belowIntermediate;
      const pairs = [belowRoot.root, authority, server, client].map(({ certificatePem, privateKeyPem }) => ({
        certificate: certificatePem,
        key: privateKeyPem,
      }));
      const verdicts = await judge.keys([...pairs, { certificate: server.certificatePem, key: client.privateKeyPem }]);
      const kind = issued.algorithm.id.startsWith("RSA") ? "RSA" : "ECDSA";
      expect(verdicts).toEqual([...pairs.map(() => ({ accepted: kind })), refused(/not the certificate's/)]);
    },
  );

  test.each(JUDGES)("%s takes a request as signed with its own key, and a changed one not", async (_, judge) => {
    const requests = [request, withOtherSignature(request), withOtherText(request, "who asks", "who acts")];
    expect(await judge.requests(requests.map((each) => ({ request: each })))).toEqual([
      { accepted: "who asks" },
      refused(/verification|not signed with its own key/),
      refused(/verification|not signed with its own key/),
    ]);
  });

  test("OpenSSL checks lists, keys and requests, and refuses changed ones", async () => {
    const { list, authority } = belowIntermediate;
    const file = {
      list: scratch.write("list.pem", list),
      changedList: scratch.write("changed-list.pem", withOtherSignature(list)),
      authority: scratch.write("authority.pem", authority.certificatePem),
      otherRoot: scratch.write("other-root.pem", otherRoot.certificatePem),
      key: scratch.write("key.pem", belowRoot.client.privateKeyPem),
      request: scratch.write("request.pem", request),
      changedRequest: scratch.write("changed-request.pem", withOtherSignature(request)),
    };
    const openssl = async (...args: string[]): Promise<string> => {
      const { stdout, stderr } = await run("openssl", args);
      return stdout + stderr;
    };
    const crl = (input: string, ca: string): Promise<string> =>
      openssl("crl", "-in", input, "-noout", "-no-CApath", "-no-CAfile", "-CAfile", ca);
    expect(await crl(file.list, file.authority)).toMatch(/verify OK/);
    expect(await crl(file.changedList, file.authority)).toMatch(/verify failure/);
    expect(await crl(file.list, file.otherRoot)).toMatch(/Error getting CRL issuer certificate/);
    expect(await openssl("pkey", "-in", file.key, "-noout", "-check")).toMatch(/is valid/);
    const verified = (input: string): Promise<string> => openssl("req", "-in", input, "-noout", "-verify");
    expect(await verified(file.request)).toMatch(/verify OK/);
    expect(await verified(file.changedRequest)).toMatch(/verify failure/);
  });

  test("a request that openssl made for a client's key is taken for what it is", async () => {
    const key = scratch.write("device.key", belowRoot.client.privateKeyPem);
    const made = await mustRun("openssl", ["req", "-new", "-key", key, "-subj", "/O=Plant/CN=other", "-sha256"]);
    expect(parseCertificationRequest(made)).toEqual({
      ...parseCertificationRequest(request),
      algorithm: issued.algorithm.id,
    });
    const pair = { certificate: certified.certificatePem, key: belowRoot.client.privateKeyPem };
    for (const [, judge] of JUDGES) expect((await judge.keys([pair]))[0]).not.toHaveProperty("refused");
  });
}
