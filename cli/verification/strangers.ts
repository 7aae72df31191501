import { issueAuthority, issueClient, Issuer, KeyAlgorithm } from "../../constructs/pki";
import { greet, OLD_VERSIONS } from "./client-hello";
import { enter, Entry, Identity, Trust } from "./connection";
import { Check, judged } from "./finding";
import { shakeHands, ShownCertificate, TlsTarget, wordsOf } from "./handshake";
import { patiently } from "./patience";

/** Who must not get in because of TLS. */
export async function refusesVersions(
  target: TlsTarget,
  versions: readonly (keyof typeof OLD_VERSIONS)[],
): Promise<Check> {
  const answers: string[] = [];
  let isRefused = true;
  for (const version of versions) {
    const answer = await greet(target, OLD_VERSIONS[version]);
    answers.push(`${version}: ${answer}`);
    isRefused &&= answer === "alert" || answer === "closed";
  }
  return judged(`refuses ${versions.join(" and ")}`, isRefused, answers.join(", "));
}

/** Whose certificate must not get in, and the alerts that say that it is for this. */
const ALERTS = {
  "no certificate": ["certificate required", "handshake failure"],
  "a certificate of another authority": ["unknown ca"],
  "a certificate that has expired": ["certificate expired"],
  "a certificate that is revoked": ["certificate revoked"],
} as const;

/** @param shown the certificate; of `no certificate`, none */
export async function refusesCertificate(
  target: TlsTarget,
  whose: keyof typeof ALERTS,
  shown?: ShownCertificate,
): Promise<Check> {
  const check = `refuses ${whose}`;
  const handshake = await patiently(() => shakeHands(target, shown));
  if (handshake.kind === "accepted") return judged(check, false, "it was let in");
  if (handshake.kind !== "alert") return judged(check, false, wordsOf(handshake));
  const isForThis = (ALERTS[whose] as readonly string[]).includes(handshake.alert);
  return judged(check, isForThis, isForThis ? handshake.alert : `it was refused, but not for this: ${handshake.alert}`);
}

/** Bad user name or password, and not authorized: CONNACK before MQTT 5, and of it (sections 3.2.2.3 and 3.2.2.2). */
const BAD_CREDENTIALS: readonly number[] = [0x04, 0x05, 0x86, 0x87];

/** Who must not get in because of what MQTT is told. Nothing is sent that anybody would miss. */
export async function refusesUser(whom: string, url: string, identity: Identity, trust?: Trust): Promise<Check> {
  const check = `refuses ${whom}`;
  const entry = await patiently(() => enter(url, identity, trust));
  if (entry.kind !== "refused") return judged(check, false, await unexpected(entry));
  const isForThis = BAD_CREDENTIALS.includes(entry.code);
  return judged(check, isForThis, isForThis ? entry.reason : `it was refused, but not for this: ${entry.reason}`);
}

/** Clear text where TLS is asked for: any answer in MQTT is one too many. */
export async function refusesClearText(url: string, clientId: string): Promise<Check> {
  const check = "refuses clear text";
  const entry = await enter(url.replace(/^(mqtt|ws)s:/, "$1:"), { clientId });
  if (entry.kind === "closed") return judged(check, true, "closed");
  if (entry.kind === "failed") return judged(check, true, entry.reason);
  return judged(check, false, `it answers in clear text: ${await unexpected(entry)}`);
}

/** What an entry says that was not expected. Whoever is in, is shown out. */
export async function unexpected(entry: Entry): Promise<string> {
  if (entry.kind === "refused") return entry.reason;
  if (entry.kind !== "in") return wordsOf(entry);
  await new Promise<void>((resolve) => entry.client.end(true, () => resolve()));
  return "it was let in";
}

/** A certificate of an authority that the broker has never heard of, made for this run. */
export function foreignCertificate(commonName: string, now = Date.now()): ShownCertificate {
  const hour = 60 * 60 * 1000;
  const validity = { notBefore: new Date(now - hour), notAfter: new Date(now + hour) };
  const algorithm = KeyAlgorithm.ecdsaP256();
  const authority = issueAuthority({ commonName: "An authority of nobody", algorithm, ...validity });
  const issuer = Issuer.fromPem(authority.certificatePem, authority.privateKeyPem);
  const { certificatePem, privateKeyPem } = issueClient(issuer, { commonName, algorithm, ...validity });
  return { cert_pem: certificatePem, key_pem: privateKeyPem };
}
