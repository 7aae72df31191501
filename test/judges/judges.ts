import { isIP } from "node:net";
import * as path from "node:path";
import { mustRun, run } from "../support/command";
import { evaluate } from "../support/tool-module";
import { checkout } from "../support/workspace";
import { Scratch } from "../pki/support";

/** A peer's certificate, and what whoever meets it trusts, has and expects. All are PEM. */
export interface Chain {
  readonly leaf: string;
  readonly roots: readonly string[];
  readonly intermediates?: readonly string[];
  /** Where there are any, every certificate below the root must be on none of them, and each issuer must have one. */
  readonly lists?: readonly string[];
  readonly usage: "serverAuth" | "clientAuth";
  /** The host that was dialled; of servers only. */
  readonly host?: string;
  /** Now where it is left out. */
  readonly at?: Date;
  /** Whether a client may do without subject alternative names: only Python's cryptography demands them. */
  readonly allowMissingNames?: boolean;
}

/** Common names of the chain that was found, from the leaf to the root, or why there is none. */
export type Verdict = { readonly accepted: readonly string[] } | { readonly refused: string };

export interface RevocationListRead {
  readonly number: string;
  readonly thisUpdate: string;
  readonly nextUpdate: string;
  readonly revoked: readonly { readonly serial: string; readonly at: string; readonly reason: number }[];
}

export interface Lints {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly notices: readonly string[];
  readonly passed: readonly string[];
}

/** How the octets of a certificate or list say it. */
export interface Octets {
  readonly serials: readonly string[];
  readonly names: readonly string[];
  readonly times: readonly string[];
}

/** What a judge says of each question. */
type Answers<Accepted> = Promise<({ readonly accepted: Accepted } | { readonly refused: string })[]>;

export type Subject = { readonly certificate: string } | { readonly list: string };

/** Whoever judges without this project's code. */
export interface Judge {
  readonly name: string;
  chains(chains: readonly Chain[]): Promise<Verdict[]>;
}

/** A judge that also reads single objects. */
export interface Reader extends Judge {
  lists(cases: readonly { readonly list: string; readonly issuer: string }[]): Answers<RevocationListRead>;
  /** Tells RSA from ECDSA where the key is the certificate's. */
  keys(cases: readonly { readonly key: string; readonly certificate: string }[]): Answers<"RSA" | "ECDSA">;
  /** The common name in a request that is signed with its own key. */
  requests(cases: readonly { readonly request: string }[]): Answers<string>;
}

class Program implements Reader {
  constructor(
    readonly name: string,
    private readonly start: (input: string) => Promise<string>,
  ) {}

  chains(chains: readonly Chain[]): Promise<Verdict[]> {
    return this.ask("chain", chains);
  }

  lists(cases: readonly { readonly list: string; readonly issuer: string }[]): Answers<RevocationListRead> {
    return this.ask("list", cases);
  }

  keys(cases: readonly { readonly key: string; readonly certificate: string }[]): Answers<"RSA" | "ECDSA"> {
    return this.ask("key", cases);
  }

  requests(cases: readonly { readonly request: string }[]): Answers<string> {
    return this.ask("request", cases);
  }

  async ask<Accepted>(judge: string, cases: readonly object[]): Answers<Accepted> {
    const input = JSON.stringify(cases.map((each) => ({ judge, ...each })));
    return JSON.parse(await this.start(input)) as Awaited<Answers<Accepted>>;
  }
}

interface Paths {
  readonly program: string;
  readonly modules: string;
}

let paths: Promise<Paths> | undefined;
const judgePaths = (): Promise<Paths> => (paths ??= evaluate<Paths>("setup/judges.mjs", "module.presentJudges()"));

const script = (name: string): string => path.join(checkout, "tools", "judges", name);

const go = new Program("Go's crypto/x509", async (input) => mustRun((await judgePaths()).program, [], { input }));

export const cryptography = new Program("Python's cryptography", async (input) =>
  mustRun("python3", [script("cryptography_judge.py")], { input, env: { PYTHONPATH: (await judgePaths()).modules } }),
);

export const readers: readonly Reader[] = [go, cryptography];

/** zlint, with all lints that hold for any certificate. */
export async function lint(subjects: readonly Subject[]): Promise<Lints[]> {
  return (await go.ask<Lints>("lint", subjects)).map(unwrap);
}

/** Go's encoding/asn1, which takes nothing but DER. */
export async function octetsOf(subjects: readonly Subject[]): Promise<Octets[]> {
  return (await go.ask<Octets>("octets", subjects)).map(unwrap);
}

/** The reference implementation of age. @returns the content of each file, or why it is not opened */
export async function unsealed(
  cases: readonly { readonly sealed: Buffer; readonly passphrase?: string; readonly identities?: string }[],
): Promise<({ readonly content: Buffer } | { readonly refused: string })[]> {
  const answers = await go.ask<string>(
    "unseal",
    cases.map((one) => ({ ...one, sealed: one.sealed.toString("base64") })),
  );
  return answers.map((answer) => ("refused" in answer ? answer : { content: Buffer.from(answer.accepted, "base64") }));
}

function unwrap<T>(answer: { readonly accepted: T } | { readonly refused: string }): T {
  if ("refused" in answer) throw new Error(answer.refused);
  return answer.accepted;
}

/** The command, as strict as it can be. */
const openssl: Judge = {
  name: "OpenSSL",
  async chains(chains) {
    const scratch = new Scratch();
    try {
      const verdicts: Verdict[] = [];
      for (const chain of chains) verdicts.push(await verify(scratch, chain));
      return verdicts;
    } finally {
      scratch.remove();
    }
  },
};

async function verify(scratch: Scratch, chain: Chain): Promise<Verdict> {
  const { leaf, roots, intermediates = [], lists = [], usage, host, at } = chain;
  // Its purposes, and without the system's own authorities.
  const options = ["-purpose", usage === "serverAuth" ? "sslserver" : "sslclient", "-no-CAfile", "-no-CApath"];
  options.push("-x509_strict", "-auth_level", "2", "-show_chain", "-nameopt", "utf8");
  if (host !== undefined) options.push(isIP(host) === 0 ? "-verify_hostname" : "-verify_ip", host);
  if (at !== undefined) options.push("-attime", `${Math.floor(at.getTime() / 1000)}`);
  options.push("-CAfile", scratch.write("roots.pem", roots.join("")));
  if (intermediates.length > 0) options.push("-untrusted", scratch.write("sent.pem", intermediates.join("")));
  if (lists.length > 0) options.push("-crl_check_all", "-CRLfile", scratch.write("lists.pem", lists.join("")));
  const { code, stdout, stderr } = await run("openssl", ["verify", ...options, scratch.write("leaf.pem", leaf)]);
  if (code !== 0) return { refused: stdout + stderr };
  return {
    accepted: [...stdout.matchAll(/^depth=\d+: CN=(.*?)(?: \(untrusted\))?$/gm)].map(([, name]) => name ?? ""),
  };
}

export const judges: readonly Judge[] = [...readers, openssl];

/** One side of a handshake. */
export interface Side {
  /** Its certificate and what it sends along. */
  readonly chain: readonly string[];
  readonly key: string;
}

export interface Handshake {
  readonly version: "TLSv1_2" | "TLSv1_3";
  readonly server: Side;
  readonly client: Side;
  readonly trustedByServer: readonly string[];
  readonly trustedByClient: readonly string[];
  /** With which the server checks the client. */
  readonly lists?: readonly string[];
  readonly host: string;
}

/** Handshakes by Python's ssl in its strictest mode: the client's name as the server sees it, or who refused whom. */
export async function shakeHands(handshakes: readonly Handshake[]): Promise<string[]> {
  const said = await mustRun("python3", [script("handshakes.py")], { input: JSON.stringify(handshakes) });
  return JSON.parse(said) as string[];
}
