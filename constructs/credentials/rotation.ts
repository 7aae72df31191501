import { issueCrossCertificate, ParsedCertificate } from "../pki";
import { authorityRecord } from "./authorities";
import { Authority, TrustedAuthorities } from "./authority";
import { LocalSigner } from "./authority-signer";
import { CertificateAuthority } from "./certificate-authority";
import { certificateFields, Issuing } from "./issuing";
import { AuthorityRole, CrossRecord, newId, TrustRecord } from "./record";
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
  // Over an authority that has ended nobody gets anywhere.
  if (by === undefined || by.end <= issuing.now.getTime()) return undefined;
  const { generation } = by.record;
  if (subject.chainPem !== "" && wasDropped(stepsOf(issuing, role), generation, subject.generation)) return undefined;
  const last = issuing.folder
    .all("cross")
    .find(
      (record) =>
        record.role === role && record.of256 === subject.fingerprint256 && record.by256 === by.record.fingerprint256,
    );
  if (last !== undefined) return { record: last, by };
  const what = `cross certificate for ${role} authority ${subject.generation} by ${by.record.generation}`;
  const obstacle = obstacleToCross(by, issuing.mayIssue);
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
      of256: subject.fingerprint256,
      by256: by.record.fingerprint256,
      ...certificateFields(certificate, subject.algorithm),
      ...stamp,
    };
  });
  return record && { record, by };
}

/** @param takesKey whether its key is needed now, so that it shows whether it can be had */
function obstacleToCross(by: Authority, takesKey: boolean): string | undefined {
  if (by.source.kind === "external") return "its key is elsewhere";
  if (ParsedCertificate.fromPem(by.record.certificatePem).pathLength < 1) return "its path length is 0";
  try {
    if (takesKey) void by.signer;
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** What the store tells of the authorities of one role. */
interface Known {
  /** Generations that have not ended. */
  readonly alive: ReadonlySet<number>;
  /** Generations that signed what is in use now. */
  readonly signNow: readonly number[];
  /** The steps that were declared, the last one last. */
  readonly steps: readonly TrustRecord[];
  /** Whether what would sign stands below a root. */
  readonly isIntermediate: boolean;
}

/**
 * Each step of a rotation must have been taken before the next one. What was deployed is checked once more by Terraform,
 * which knows it; this is what the store can tell before that.
 *
 * @param signNow generations that signed what is in use now, as far as the store tells
 * @throws {Error} naming the step that comes first
 */
export function refuseSkippedStep(issuing: Issuing, wanted: WantedAuthority, signNow: readonly number[]): void {
  const { role, authority } = wanted;
  const alive = issuing.folder
    .all("authority")
    .filter((record) => record.role === role && Date.parse(record.notAfter) > issuing.now.getTime())
    .map(({ generation }) => generation);
  const why = skippedStep(wanted, {
    alive: new Set(alive),
    signNow,
    steps: stepsOf(issuing, role),
    isIntermediate: authorityRecord(issuing, role, authority.issuing as number)?.chainPem !== "",
  });
  if (why === undefined) return;
  throw new Error(
    `the ${role} authority cannot go to generation ${authority.issuing} yet: ${why.reason}; allowed: the steps of a ` +
      `rotation, one deploy each; remedy: declare { trusted: [${why.first.trusted.join(", ")}], issuing: ` +
      `${why.first.issuing} } first, deploy, and hand every client its new bundle`,
  );
}

/** Notes the step that is declared, for the next one to be judged by. */
export function recordStep(issuing: Issuing, { role, authority }: WantedAuthority): void {
  const last = stepsOf(issuing, role).at(-1);
  const [trusted, signs] = [numbersOf(authority), authority.issuing as number];
  if (last !== undefined && last.issuing === signs && last.trusted.join() === trusted.join()) return;
  const text = last === undefined ? "first issue" : `rotation: ${trusted.join(" and ")} trusted, ${signs} issues`;
  issuing.note<TrustRecord>(text, (stamp) => ({
    kind: "trust",
    id: newId(),
    role,
    sequence: (last?.sequence ?? 0) + 1,
    trusted,
    issuing: signs,
    ...stamp,
  }));
}

function skippedStep(
  { role, authority }: WantedAuthority,
  { alive, signNow, steps, isIntermediate }: Known,
): { reason: string; first: { trusted: readonly number[]; issuing: number } } | undefined {
  const next = authority.issuing as number;
  const trusted = numbersOf(authority);
  if (alive.size > 0 && !alive.has(next)) {
    const old = Math.max(...alive);
    return {
      reason: "nobody has been told to trust it",
      first: { trusted: [old, next], issuing: old },
    };
  }
  const dropped = signNow.find((generation) => alive.has(generation) && !trusted.includes(generation));
  if (dropped !== undefined) {
    const both = [dropped, next].sort((one, other) => one - other);
    return {
      reason: `what is in use was signed by generation ${dropped}, which would not be trusted any longer`,
      first: { trusted: both, issuing: next },
    };
  }
  // Of clients' authorities the broker trusts all at once; of the server's every single client has to know one.
  const last = steps.at(-1);
  if (role === "clients" || last === undefined || !last.trusted.some((generation) => alive.has(generation))) {
    return undefined;
  }
  const across = trusted.find((generation) => generation < next);
  const isKnown = (generation: number): boolean => last.trusted.includes(generation);
  const isSentAcross = across !== undefined && !(isIntermediate && wasDropped(steps, across, next));
  // An intermediate is sent with one of its certificates only, since clients look no further than the first that fits.
  if (isSentAcross ? isKnown(across) || (isKnown(next) && !isIntermediate) : isKnown(next)) return undefined;
  return {
    reason: `clients were last told to trust ${last.trusted.join(" and ")}, and could not follow what it sends`,
    first: { trusted: [...last.trusted.slice(-1), next].sort((one, other) => one - other), issuing: last.issuing },
  };
}

/** Whether a generation was dropped while another one was trusted: what is out there since then knows only that one. */
function wasDropped(steps: readonly TrustRecord[], generation: number, meanwhile: number): boolean {
  const before = steps.findLast(({ trusted }) => !trusted.includes(generation));
  return before?.trusted.includes(meanwhile) === true;
}

function stepsOf(issuing: Issuing, role: AuthorityRole): TrustRecord[] {
  return issuing.folder
    .all("trust")
    .filter((record) => record.role === role)
    .sort((one, other) => one.sequence - other.sequence || (one.issuedAt < other.issuedAt ? -1 : 1));
}

function numbersOf(authority: CertificateAuthority): number[] {
  return authority.generations.map(({ generation }) => generation);
}
