import { createPrivateKey, sign, verify } from "node:crypto";
import {
  AccessRules,
  CONTROL_CLIENT_NAME,
  parseAccessControlList,
  parsePasswordFile,
  renderAccessControlList,
} from "../access";
import { Credentials } from "../credentials";
import {
  certificateFault,
  Host,
  LOOPBACK_HOSTS,
  ParsedCertificate,
  parseHost,
  parseRevocationList,
  readPemFile,
  revocationListFault,
  toPem,
} from "../pki";
import { confFaults, ExpectedConf } from "./conf/conf-faults";
import { LoggingOptions } from "./conf/broker-options";
import { LOGGING_FILE, loggingFaults } from "./conf/logging";
import { endedLines } from "./material";

/** What a broker was declared to be, as far as the files of its set must agree with it. */
export interface ExpectedSet extends ExpectedConf {
  readonly logging: LoggingOptions;
  readonly hosts: readonly Host[];
  readonly rules: readonly AccessRules[];
  /** Names of the clients with a password. */
  readonly passwords: readonly string[];
}

/** Files by name, as a deploy would bring them to the broker. */
export type SetFiles = ReadonlyMap<string, string>;

/**
 * Reads the files that need no credentials, with readers of their own, and compares them with what was declared.
 *
 * @returns what is wrong with them, each with the name of its file
 */
export function declaredFilesFaults(files: SetFiles, expected: ExpectedSet): string[] {
  return [
    ...check("mosquitto.conf", () => confFaults(text(files, "mosquitto.conf"), expected)),
    ...check(LOGGING_FILE, () => loggingFaults(text(files, LOGGING_FILE), expected.logging)),
    ...check("acl", () => accessFaults(text(files, "acl"), expected.rules)),
  ];
}

/**
 * Reads the files that come from the credential store: each must be whole, good now, fit the others and what was declared.
 * The broker's own word on them comes too late: 2.0 goes on without what it cannot read, and 2.1 ends.
 *
 * @returns what is wrong with them, each with the name of its file
 */
export function materialFaults(files: SetFiles, expected: ExpectedSet, credentials: Credentials, now: Date): string[] {
  return [
    ...check("passwd", () => passwordFaults(text(files, "passwd"), expected.passwords, credentials)),
    ...check("server-ca.crt", () =>
      authorityFaults(
        files,
        "server-ca.crt",
        credentials.serverAuthorities.map(({ rootPem }) => rootPem),
      ),
    ),
    ...check("server.crt", () => serverFaults(files, expected.hosts, credentials, now)),
    ...check("control-ca.crt", () => authorityFaults(files, "control-ca.crt", [credentials.controlAuthority.rootPem])),
    ...check("control.crt", () => controlFaults(files, credentials, now)),
    ...(expected.listeners.some(({ asksForCertificate }) => asksForCertificate)
      ? check("client-ca.crt", () =>
          authorityFaults(
            files,
            "client-ca.crt",
            credentials.clientAuthorities.map(({ wholePem }) => wholePem),
          ),
        )
      : []),
    ...check("crl.pem", () => revocationFaults(text(files, "crl.pem"), credentials, now)),
    ...check("ended", () => endedFaults(text(files, "ended"), credentials)),
    ...check("revoked.crt", () => canaryFaults(files, credentials)),
  ];
}

function check(file: string, faultsOf: () => readonly (string | undefined)[]): string[] {
  try {
    return faultsOf()
      .filter((fault) => fault !== undefined)
      .map((fault) => `${file}: ${fault}`);
  } catch (error) {
    return [`${file}: ${(error as Error).message}`];
  }
}

function text(files: SetFiles, name: string): string {
  const content = files.get(name);
  if (content === undefined) throw new Error(`${name} is missing`);
  return content;
}

function accessFaults(acl: string, rules: readonly AccessRules[]): string[] {
  const read = parseAccessControlList(acl);
  const names = new Set(read.map(({ userName }) => userName));
  return [
    ...rules.filter(({ userName }) => !names.has(userName)).map(({ userName }) => `it has no rules of ${userName}`),
    ...(names.size > rules.length ? ["it has rules of a client that is not declared"] : []),
    ...(renderAccessControlList(read) === renderAccessControlList(rules)
      ? []
      : ["its rules are not the declared ones"]),
  ];
}

function passwordFaults(passwd: string, declared: readonly string[], { clients }: Credentials): string[] {
  const entries = parsePasswordFile(passwd);
  const names = new Set(entries.map(({ userName }) => userName));
  const wanted = new Set(declared);
  return [
    ...entries
      .filter(({ userName, hash }) => clients.get(userName)?.password?.hash !== hash)
      .map(({ userName }) => `its hash of ${userName} is not the one in the store`),
    // A revoked one that is still declared is left out.
    ...declared
      .filter((name) => !names.has(name) && clients.get(name)?.password !== undefined)
      .map((name) => `it has no password of ${name}`),
    ...[...names]
      .filter((name) => !wanted.has(name))
      .map((name) => `it has a password of ${name}, which is declared without one`),
  ];
}

/** The certificates of a file. */
function certificates(files: SetFiles, name: string): ParsedCertificate[] {
  return readPemFile("CERTIFICATE", text(files, name)).map((der) =>
    ParsedCertificate.fromPem(toPem("CERTIFICATE", der)),
  );
}

/** Whether a key is the certificate's: proved by a signature, because its own public part may be another one. */
function keyFaults(files: SetFiles, name: string, { x509 }: ParsedCertificate, kept: string): string[] {
  const pem = text(files, name);
  readPemFile("PRIVATE KEY", pem);
  if (pem !== kept) return [`${name} is not the one in the store`];
  const probe = Buffer.from("probe");
  return verify("sha256", probe, x509.publicKey, sign("sha256", probe, createPrivateKey(pem)))
    ? []
    : [`${name} is not its key`];
}

function serverFaults(
  files: SetFiles,
  hosts: readonly Host[],
  credentials: Credentials,
  now: Date,
): (string | undefined)[] {
  const [leaf, ...sent] = certificates(files, "server.crt") as [ParsedCertificate, ...ParsedCertificate[]];
  const roots = certificates(files, "server-ca.crt");
  const known = [...roots, ...sent];
  const generationHost = parseHost(text(files, "generation-host"));
  const expected = {
    purpose: "server",
    commonName: "",
    hosts: [...hosts, ...LOOPBACK_HOSTS, generationHost],
  } as const;
  // Not the one that is sent: while one authority replaces the other, that is a cross certificate, which ends earlier.
  const issuer = credentials.serverAuthorities.find(
    ({ record }) => record.fingerprint256 === credentials.server.issuer256,
  );
  const authority = issuer && ParsedCertificate.fromPem(issuer.record.certificatePem);
  return [
    known.some((one) => leaf.wasSignedBy(one)) && authority !== undefined
      ? certificateFault(leaf, { ...expected, authority }, now)
      : "no authority in server.crt or server-ca.crt has signed it",
    ...keyFaults(files, "server.key", leaf, credentials.server.privateKeyPem),
    ...sent.map((one) =>
      known.some((above) => one.wasSignedBy(above))
        ? one.authorityFault()
        : "it sends an authority that none has signed",
    ),
  ];
}

/** It must be good but for the list: whatever else were wrong with it, the broker would refuse it for that. */
function canaryFaults(files: SetFiles, { canaries, clientAuthorities }: Credentials): (string | undefined)[] {
  if (canaries === undefined) return [];
  const { revoked } = canaries;
  const [leaf] = certificates(files, "revoked.crt") as [ParsedCertificate];
  const listed = readPemFile("X509 CRL", text(files, "crl.pem")).flatMap(
    (der) => parseRevocationList(toPem("X509 CRL", der)).serials,
  );
  return [
    ...(leaf.pem === revoked.certificatePem ? [] : ["it is not the one in the store"]),
    ...(clientAuthorities.some(({ record }) => record.fingerprint256 === revoked.issuer256)
      ? []
      : ["no authority that is trusted has signed it"]),
    ...(listed.includes(revoked.serial) ? [] : ["no revocation list has it"]),
    ...keyFaults(files, "revoked.key", leaf, revoked.privateKeyPem ?? ""),
  ];
}

function controlFaults(files: SetFiles, credentials: Credentials, now: Date): (string | undefined)[] {
  const [leaf] = certificates(files, "control.crt") as [ParsedCertificate];
  const [authority] = certificates(files, "control-ca.crt") as [ParsedCertificate];
  return [
    certificateFault(
      leaf,
      {
        authority,
        purpose: "client",
        commonName: CONTROL_CLIENT_NAME,
        hosts: [],
      },
      now,
    ),
    ...keyFaults(files, "control.key", leaf, credentials.control.privateKeyPem),
  ];
}

/**
 * They are the authorities that are trusted now, and each has its root beside it: no part of a chain is trusted by itself
 * (eclipse-mosquitto/mosquitto#1518).
 */
function authorityFaults(files: SetFiles, name: string, trusted: readonly string[]): (string | undefined)[] {
  const all = certificates(files, name);
  const wanted = new Set(ParsedCertificate.allFromPem(trusted.join("")).map(({ pem }) => pem));
  const found = new Set(all.map(({ pem }) => pem));
  return [
    ...all.map((one) =>
      all.some((above) => one.wasSignedBy(above)) ? one.authorityFault() : "it has an authority whose root is missing",
    ),
    ...([...found].every((pem) => wanted.has(pem)) ? [] : ["it has an authority that is not trusted"]),
    ...([...wanted].every((pem) => found.has(pem)) ? [] : ["an authority is missing in it"]),
  ];
}

function revocationFaults(pem: string, credentials: Credentials, now: Date): (string | undefined)[] {
  const lists = readPemFile("X509 CRL", pem).map((der) => toPem("X509 CRL", der));
  const authorities = [...credentials.clientAuthorities, credentials.controlAuthority]
    .filter(({ record }) => Date.parse(record.notAfter) > now.getTime())
    .filter(({ source }) => source.kind !== "trusted" || source.revocationList !== undefined);
  return authorities.flatMap(({ record }) => {
    const authority = ParsedCertificate.fromPem(record.certificatePem);
    const good = lists.filter((list) => revocationListFault(list, authority, now) === undefined);
    if (good.length === 0) {
      const faults = new Set(lists.map((list) => revocationListFault(list, authority, now)));
      // Without it every client of that authority is refused.
      return [`it has no good list of ${record.role} authority ${record.generation} (${[...faults].join("; ")})`];
    }
    const listed = new Set(good.flatMap((list) => parseRevocationList(list).serials));
    return credentials.ended
      .filter(({ issuer256, serial }) => issuer256 === record.fingerprint256 && !listed.has(serial))
      .map(({ name, serial }) => `it forgets the certificate ${serial} of ${name}, which has ended`);
  });
}

function endedFaults(file: string, { ended }: Credentials): string[] {
  const [comment = "", ...lines] = file.split("\n");
  if (!comment.startsWith("#") || lines.pop() !== "")
    return ["it does not begin with a comment, or its last line has no end"];
  const wanted = new Set(endedLines(ended));
  const found = new Set(lines);
  return [
    ...lines
      .filter((line) => !wanted.has(line))
      .map((line) => `it has a line that no ended certificate is behind: ${JSON.stringify(line)}`),
    ...(found.size === lines.length ? [] : ["it has a line twice"]),
    ...[...wanted].filter((line) => !found.has(line)).map((line) => `it forgets ${line}`),
  ];
}
