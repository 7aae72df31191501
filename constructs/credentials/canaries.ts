import { DAY } from "../pki";
import { Authority } from "./authority";
import { certificateFields, Issuing } from "./issuing";
import { ClientRecord } from "./record";
import { WantedCanaries } from "./wanted";

/** Certificates that a broker must refuse. None of them is declared, so the revocation list has the one that has not ended. */
export interface Canaries {
  readonly revoked: ClientRecord;
  readonly expired: ClientRecord;
}

/** Long enough for the broker's clock to be behind and see it as ended all the same. */
const ENDED_SINCE = DAY / 2;

/** Finds the canaries of the authority that signs now, or makes them. */
export function canaries(
  issuing: Issuing,
  { revoked, expired, algorithm }: WantedCanaries,
  authority: Authority,
): Canaries | undefined {
  const { now } = issuing;
  const { fingerprint256 } = authority.record;
  const canary = (name: string, end: number, isGood: (record: ClientRecord) => boolean): ClientRecord | undefined => {
    const all = issuing.folder.all("client").filter((record) => record.name === name);
    const own = all.find((record) => record.issuer256 === fingerprint256 && isGood(record));
    if (own !== undefined) return own;
    return issuing.issue<ClientRecord>(`certificate ${name}`, { text: "first issue" }, algorithm, (stamp) => {
      const { notBefore } = issuing.validity(0);
      const notAfter = new Date(end);
      const keyPair = issuing.key(algorithm);
      const certificate = authority.signer.client({ commonName: name, algorithm, keyPair, notBefore, notAfter });
      return {
        kind: "client",
        name,
        version: 1,
        sequence: Math.max(0, ...all.map(({ sequence }) => sequence)) + 1,
        issuer256: fingerprint256,
        ...certificateFields(certificate, algorithm.id),
        privateKeyPem: certificate.privateKeyPem,
        ...stamp,
      };
    });
  };
  // Of one that has ended the broker would say that, and not that it is revoked.
  const refused = canary(revoked, authority.end, ({ notAfter }) => Date.parse(notAfter) > now.getTime());
  const ended = canary(expired, now.getTime() - ENDED_SINCE, () => true);
  return refused && ended && { revoked: refused, expired: ended };
}
