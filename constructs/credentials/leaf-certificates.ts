import { KeyAlgorithm, Lifetime, renewalTime } from "../pki";
import { Authority } from "./authority";
import { Issuing, Reason } from "./issuing";
import { ClientRecord, ControlRecord, ServerRecord } from "./record";

/**
 * Why a certificate is issued, of whatever kind it is; nothing where the last one will do.
 *
 * @param latestVersion of any certificate that the subject had; `last` is only one of the wanted version
 */
export function reasonToIssue(
  issuing: Issuing,
  what: string,
  last: ServerRecord | ControlRecord | ClientRecord | undefined,
  authority: Authority | undefined,
  wanted: { readonly algorithm: KeyAlgorithm; readonly lifetime: Lifetime; readonly credentialVersion: number },
  latestVersion: number | undefined,
): Reason | undefined {
  if (latestVersion !== undefined && latestVersion < wanted.credentialVersion) {
    return { text: `credentialVersion raised to ${wanted.credentialVersion}` };
  }
  if (last === undefined) return { text: "first issue" };
  if (authority !== undefined && last.issuer256 !== authority.record.fingerprint256) {
    const { role, generation } = authority.record;
    return { text: `rotation: ${role} authority ${generation} issues now` };
  }
  const isRequest = last.kind === "client" && last.publicKey256 !== undefined;
  if (!isRequest && last.algorithm !== wanted.algorithm.id) {
    return { text: `algorithm changed from ${last.algorithm} to ${wanted.algorithm.id}` };
  }
  const end = Date.parse(last.notAfter);
  // A leaf that ends with its authority gains nothing from being issued again.
  if (authority !== undefined && end >= authority.end) return undefined;
  const renewal = renewalTime(last, wanted.lifetime);
  const { now } = issuing;
  if (now < renewal) {
    issuing.schedule(renewal, `${what}: renewal`);
    return undefined;
  }
  if (!issuing.mayIssue) issuing.schedule(renewal, `${what}: renewal`);
  return { text: `renewal: it ends ${last.notAfter}`, soon: now.getTime() < end };
}

export function signing(authority: Authority | undefined): Authority {
  if (authority === undefined) throw new Error("a certificate was asked for without an authority to sign it");
  return authority;
}
