import { issueCrossCertificate, ParsedCertificate } from "../pki";
import { Authority, TrustedAuthorities } from "./authority";
import { LocalSigner } from "./authority-signer";
import { certificateFields, Issuing } from "./issuing";
import { AuthorityRole, CrossRecord } from "./record";
import { WantedAuthority } from "./wanted";

/**
 * The issuing authority's certificate as another trusted one has signed it, so that who trusts only that one gets to
 * what the issuing one signs. Needed while the issuing one is the newer of two.
 */
export function crossCertificate(
  issuing: Issuing,
  role: AuthorityRole,
  trusted: TrustedAuthorities,
): { readonly record: CrossRecord; readonly by: Authority } | undefined {
  const { record: subject } = trusted.issuing;
  const by = trusted.all.find(({ record }) => record.generation < subject.generation);
  if (by === undefined) return undefined;
  const last = issuing.folder
    .all("cross")
    .find(
      (record) =>
        record.role === role && record.generation === subject.generation && record.by === by.record.generation,
    );
  if (last !== undefined) return { record: last, by };
  const what = `cross certificate for ${role} authority ${subject.generation} by ${by.record.generation}`;
  const obstacle = obstacleToCross(by);
  if (obstacle !== undefined) {
    issuing.warnings.push(
      `${role} authority ${by.record.generation} cannot sign generation ${subject.generation} across: ${obstacle}; ` +
        "devices that have no bundle with both authorities yet cannot connect until they get their new one",
    );
    return undefined;
  }
  const record = issuing.issue<CrossRecord>(what, { text: "rotation" }, undefined, (stamp) => {
    const { issuer } = by.signer as LocalSigner;
    const certificate = issueCrossCertificate(issuer, subject.certificatePem, {
      notBefore: new Date(subject.notBefore),
      notAfter: new Date(subject.notAfter),
    });
    return {
      kind: "cross",
      role,
      generation: subject.generation,
      by: by.record.generation,
      ...certificateFields(certificate, subject.algorithm),
      ...stamp,
    };
  });
  return record && { record, by };
}

function obstacleToCross({ record, source }: Authority): string | undefined {
  if (source.kind === "external") return "its key is elsewhere";
  if (ParsedCertificate.fromPem(record.certificatePem).pathLength < 1) return "its path length is 0";
  return undefined;
}

/**
 * Each step of a rotation must have been taken before the next one. What was deployed is checked once more by Terraform,
 * which knows it; this is what the store can tell before that.
 *
 * @param signsNow generation that signed what is in use now, as far as the store tells
 * @throws {Error} naming the step that comes first
 */
export function refuseSkippedStep(
  issuing: Issuing,
  { role, authority }: WantedAuthority,
  signsNow: number | undefined,
): void {
  const alive = new Set(
    issuing.folder
      .all("authority")
      .filter((record) => record.role === role && Date.parse(record.notAfter) > issuing.now.getTime())
      .map(({ generation }) => generation),
  );
  const next = authority.issuing as number;
  const refuse = (why: string, remedy: string): never => {
    throw new Error(
      `the ${role} authority cannot go to generation ${next} yet: ${why}; allowed: the steps of a rotation, one deploy ` +
        `each; remedy: ${remedy}`,
    );
  };
  if (alive.size > 0 && !alive.has(next)) {
    const old = Math.max(...alive);
    refuse(
      `nobody has been told to trust it`,
      `declare { trusted: [${old}, ${next}], issuing: ${old} } first, deploy, and hand every client its new bundle`,
    );
  }
  const isTrusted = authority.generations.some(({ generation }) => generation === signsNow);
  if (signsNow !== undefined && alive.has(signsNow) && !isTrusted) {
    refuse(
      `what is in use was signed by generation ${signsNow}, which would not be trusted any longer`,
      `declare { trusted: [${[signsNow, next].sort((one, other) => one - other).join(", ")}], issuing: ${next} } first, and deploy`,
    );
  }
}
