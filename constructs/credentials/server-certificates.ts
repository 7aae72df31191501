import { randomInt } from "node:crypto";
import { DAY, Lifetime, LOOPBACK_HOSTS, parseHost } from "../pki";
import { Authority } from "./authority";
import { CertificateAuthority } from "./certificate-authority";
import { certificateFields, Issuing } from "./issuing";
import { newest, refuseLowerVersion } from "./latest";
import { reasonToIssue, signing } from "./leaf-certificates";
import { ControlRecord, ServerRecord } from "./record";
import { WantedAuthority, WantedCredentials, WantedServer } from "./wanted";

/** The broker's own authority and its certificate, in days. All that trusts it is deployed together with it. */
const CONTROL_LIFETIME: Lifetime = { validityDays: 3650, renewBeforeDays: 365 };

/** What the server shows to clients: the one that there is, or another one where that will not do. */
export function serverCertificate(
  issuing: Issuing,
  authority: Authority | undefined,
  wanted: WantedServer,
): ServerRecord | undefined {
  const last = newest(issuing.folder.all("server"));
  const hosts = wanted.hosts.map((host) => host.value);
  const added = last?.version === wanted.credentialVersion ? hosts.filter((host) => !last.hosts.includes(host)) : [];
  refuseLowerVersion("serverCertificate", wanted.credentialVersion, last?.version);
  // A renewal can wait where nothing may be issued; a host that no certificate has cannot, so it is asked first.
  const reason =
    added.length > 0
      ? { text: `host added: ${added.join(", ")}` }
      : reasonToIssue(issuing, "server certificate", last, authority, wanted, last?.version);
  if (reason === undefined) return last;
  return issuing.issue<ServerRecord>(
    "server certificate",
    reason,
    wanted.algorithm,
    (stamp) => {
      const sequence = (last?.sequence ?? 0) + 1;
      const generationHost = anyBut(wanted.generationHosts, last?.generationHost);
      const names = [...wanted.hosts, ...LOOPBACK_HOSTS, parseHost(generationHost)];
      const issuer = signing(authority);
      issuer.refuseForbidden(names);
      const certificate = issuer.signer.server({
        // Clients go by the alternative names; a common name has room for 64 characters (RFC 5280, ub-common-name).
        commonName: hosts.find((host) => host.length <= 64 && !issuer.isNamed(host)) ?? "mosquitto",
        hosts: names,
        algorithm: wanted.algorithm,
        keyPair: issuing.key(wanted.algorithm),
        ...issuing.validity(wanted.lifetime.validityDays, issuer.end),
      });
      return {
        kind: "server",
        version: wanted.credentialVersion,
        sequence,
        hosts,
        generationHost,
        issuer256: issuer.record.fingerprint256,
        ...certificateFields(certificate, wanted.algorithm.id),
        privateKeyPem: certificate.privateKeyPem,
        ...stamp,
      };
    },
    last,
  );
}

/** It is replaced by itself in time: whatever trusts it is deployed together with it. */
export function controlAuthority(issuing: Issuing, wanted: WantedAuthority): WantedAuthority {
  const { validityDays, renewBeforeDays } = CONTROL_LIFETIME;
  const own = issuing.folder.all("authority").filter(({ role }) => role === "control");
  const last = own.reduce<(typeof own)[number] | undefined>(
    (best, one) => (best && best.generation > one.generation ? best : one),
    undefined,
  );
  const isLate = last && Date.parse(last.notAfter) - renewBeforeDays * DAY <= issuing.now.getTime();
  const generation = last === undefined ? 1 : last.generation + (isLate ? 1 : 0);
  return {
    ...wanted,
    authority: CertificateAuthority.managed({ validityDays, renewBeforeDays, trusted: [generation] }),
  };
}

/** What the library's own containers show at the control listener. */
export function controlCertificate(
  issuing: Issuing,
  authority: Authority | undefined,
  { controlAuthority: { algorithm }, controlName }: WantedCredentials,
): ControlRecord | undefined {
  const last = newest(issuing.folder.all("control"));
  const wanted = { algorithm, lifetime: CONTROL_LIFETIME, credentialVersion: 1 };
  const reason = reasonToIssue(issuing, "control certificate", last, authority, wanted, 1);
  if (reason === undefined) return last;
  return issuing.issue<ControlRecord>(
    "control certificate",
    reason,
    algorithm,
    (stamp) => {
      const certificate = signing(authority).signer.client({
        commonName: controlName,
        algorithm,
        keyPair: issuing.key(algorithm),
        ...issuing.validity(CONTROL_LIFETIME.validityDays),
      });
      return {
        kind: "control",
        sequence: (last?.sequence ?? 0) + 1,
        issuer256: signing(authority).record.fingerprint256,
        ...certificateFields(certificate, algorithm.id),
        privateKeyPem: certificate.privateKeyPem,
        ...stamp,
      };
    },
    last,
  );
}

/** By chance, so that of two branches that both renew each most likely takes another one. */
function anyBut(names: readonly string[], taken: string | undefined): string {
  const free = names.filter((name) => name !== taken);
  return free[randomInt(free.length)] as string;
}
