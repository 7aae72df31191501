import { RecordFolder } from "./record-folder";

/** Where two branches each made one, the later of them. */
export function newest<R extends Aged>(records: readonly R[]): R | undefined {
  return records.reduce<R | undefined>((best, record) => (best && isNewer(best, record) ? best : record), undefined);
}

export function newestByName<R extends Aged & { readonly name: string; readonly version: number }>(
  records: readonly R[],
): Map<string, R> {
  const result = new Map<string, R>();
  for (const record of records) {
    const best = result.get(record.name);
    if (best === undefined || best.version < record.version) result.set(record.name, record);
    else if (best.version === record.version && isNewer(record, best)) result.set(record.name, record);
  }
  return result;
}

interface Aged {
  readonly sequence: number;
  readonly issuedAt: string;
  readonly serial?: string;
  readonly hash?: string;
}

function isNewer(one: Aged, other: Aged): boolean {
  if (one.sequence !== other.sequence) return one.sequence > other.sequence;
  const order = ({ issuedAt, serial, hash }: Aged): string => `${issuedAt} ${serial ?? hash}`;
  return order(one) > order(other);
}

/** @throws {Error} when a version is declared that a later one has ended */
export function refuseLowerVersion(who: string, wanted: number, issued: number | undefined): void {
  if (issued === undefined || issued <= wanted) return;
  throw new Error(
    `${who} is declared with credentialVersion ${wanted}, but version ${issued} was issued and ended it; allowed: ` +
      `${issued} or more; remedy: declare the version that was issued last`,
  );
}

/** @throws {Error} as `refuseLowerVersion` does: a client has one version, whatever it proves itself with */
export function refuseLowerVersions(
  folder: RecordFolder,
  clients: readonly { readonly name: string; readonly credentialVersion: number }[],
): void {
  const issued = new Map<string, number>();
  for (const { name, version } of [...folder.all("client"), ...folder.all("password")]) {
    issued.set(name, Math.max(version, issued.get(name) ?? 0));
  }
  for (const { name, credentialVersion } of clients) {
    refuseLowerVersion(`client ${name}`, credentialVersion, issued.get(name));
  }
}
