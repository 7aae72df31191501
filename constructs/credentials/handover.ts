import { Issuing } from "./issuing";
import { HandoverRecord, newId } from "./record";
import { RecordFolder } from "./record-folder";
import type { Credentials } from "./issuance";

/**
 * Notes that clients were handed their present bundles. The broker cannot know it, and the last step of a rotation locks
 * out who was not.
 *
 * @throws {Error} when a client has no credential here
 */
export function handOver(issuing: Issuing, credentials: Credentials, names: readonly string[]): void {
  const last = lastHandovers(issuing.folder);
  for (const name of names) {
    const { credential, trusts } = present(credentials, name);
    let sequence = last.get(name)?.sequence ?? 0;
    do {
      sequence += 1;
      issuing.overtaken = false;
      issuing.issue<HandoverRecord>(
        `handover of the bundle of ${name}`,
        { text: "handed over" },
        undefined,
        (stamp) => ({
          kind: "handover",
          id: newId(),
          name,
          sequence,
          credential,
          trusts,
          ...stamp,
        }),
      );
      // Another process may have noted one of its own at this moment.
    } while (issuing.overtaken);
  }
  issuing.folder.flush();
}

/** The latest handover of each client. */
export function lastHandovers(folder: RecordFolder): ReadonlyMap<string, HandoverRecord> {
  const result = new Map<string, HandoverRecord>();
  for (const record of folder.all("handover")) {
    const best = result.get(record.name);
    if (best === undefined || best.issuedAt <= record.issuedAt) result.set(record.name, record);
  }
  return result;
}

/** Identifies all that a client proves itself with now. */
export function presentCredential({ clients }: Credentials, name: string): string {
  const { certificate, password } = clients.get(name) ?? {};
  return [certificate?.serial, password?.hash].filter((part) => part !== undefined).join(" ") || "none";
}

function present(credentials: Credentials, name: string): { credential: string; trusts: readonly string[] } {
  return {
    credential: presentCredential(credentials, name),
    trusts: credentials.serverAuthorities.map(({ record }) => record.fingerprint256),
  };
}
