import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { TlsVersion } from "../constructs/broker/conf/tls";
import type { ListenerKind } from "../constructs/broker/listener";
import type { Verification } from "../constructs/broker/verification";
import { ConnectionBundle } from "../constructs/client/connection-bundle";
import { stackFolder } from "./project";

/** An endpoint of a broker, as its output `endpoints` tells. */
export interface DeployedEndpoint {
  readonly kind: ListenerKind;
  readonly host: string;
  readonly port: number;
  readonly protocol: ConnectionBundle["protocol"];
  readonly url: string;
  /** Every name and address in the server's certificate. */
  readonly hosts: readonly string[];
  /** The lowest TLS that it accepts; of clear text, none. */
  readonly tls_version?: TlsVersion;
}

/** A certificate in use, as the output `certificates` tells. */
export interface DeployedCertificate {
  readonly name: string;
  readonly serial: string;
  readonly fingerprint_sha256: string;
  readonly not_after: string;
}

export interface DeployedBundle {
  readonly bundle: ConnectionBundle;
  /** Whether its keys and passwords are in the outputs. */
  readonly hasSecrets: boolean;
}

/** What Terraform's outputs say of one broker that is deployed. */
export interface DeployedBroker {
  /** The broker's construct path. */
  readonly broker: string;
  readonly endpoints: readonly DeployedEndpoint[];
  readonly certificates: readonly DeployedCertificate[];
  /** The authorities that the server's certificate is checked against. */
  readonly caPem: string;
  readonly nextActionAt: string;
  readonly bundles: readonly DeployedBundle[];
  /** The library's own client. Absent where the outputs carry no secrets. */
  readonly verification?: Verification;
}

type Outputs = Readonly<Record<string, { readonly value: unknown; readonly sensitive: boolean } | undefined>>;

/**
 * Asks Terraform for the outputs of a stack that was deployed from here, or whose state can be read from here.
 *
 * @returns its brokers; none before the first deploy
 * @throws {Error} saying why the outputs cannot be read
 */
export function readOutputs(stack: string): DeployedBroker[] {
  const folder = stackFolder(stack);
  const outputs = JSON.parse(terraform(folder, ["output", "-no-color", "-json"])) as Outputs;
  return namesOfBrokers(folder).flatMap(({ broker, names }) => deployed(broker, names, outputs));
}

function deployed(broker: string, names: readonly string[], outputs: Outputs): DeployedBroker[] {
  const prefix = prefixOf(names);
  const value = (name: string): unknown => outputs[`${prefix}${name}`]?.value ?? undefined;
  const endpoints = value("endpoints");
  const verification = value("verification");
  if (endpoints === undefined) return [];
  return [
    {
      broker,
      endpoints: endpoints as DeployedEndpoint[],
      certificates: (value("certificates") ?? []) as DeployedCertificate[],
      caPem: (value("ca_pem") ?? "") as string,
      nextActionAt: (value("next_action_at") ?? "") as string,
      bundles: names.flatMap((name) => {
        const output = name.startsWith(`${prefix}connection_`) ? outputs[name] : undefined;
        if (output?.value === undefined || output.value === null) return [];
        return [{ bundle: output.value as ConnectionBundle, hasSecrets: output.sensitive }];
      }),
      ...(verification !== undefined && { verification: verification as Verification }),
    },
  ];
}

/** The outputs of each broker's construct, which cdktf writes down as a tree of ids. */
function namesOfBrokers(folder: string): { broker: string; names: string[] }[] {
  const config = JSON.parse(fs.readFileSync(path.join(folder, "cdk.tf.json"), "utf8")) as {
    "//"?: { outputs?: unknown };
  };
  const found: { broker: string; names: string[] }[] = [];
  const visit = (node: unknown, at: readonly string[]): void => {
    if (typeof node !== "object" || node === null) return;
    for (const [id, child] of Object.entries(node as Record<string, unknown>)) {
      const names = typeof child === "object" && child !== null ? Object.values(child) : [];
      const isBroker =
        id === "outputs" && names.every((name) => typeof name === "string") && prefixOf(names) !== undefined;
      if (isBroker) found.push({ broker: at.join("/"), names });
      else visit(child, [...at, id]);
    }
  };
  visit(config["//"]?.outputs, []);
  return found;
}

const ALWAYS = ["endpoints", "certificates", "next_action_at"];

/** What `outputPrefix` was, which all of a broker's outputs begin with; nothing where they are no broker's. */
function prefixOf(names: readonly string[]): string | undefined {
  return names
    .filter((name) => name.endsWith("endpoints"))
    .map((name) => name.slice(0, -"endpoints".length))
    .find((prefix) => ALWAYS.every((name) => names.includes(`${prefix}${name}`)));
}

/**
 * What Terraform, or OpenTofu where `TERRAFORM_BINARY_NAME` says so, prints in the folder of a stack.
 *
 * @throws {Error} with its reason, when it fails
 */
export function terraform(folder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const program = process.env.TERRAFORM_BINARY_NAME ?? "terraform";
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, ...env },
    maxBuffer: 256 * 1024 * 1024,
  });
  if (status === 0) return stdout;
  throw new Error(
    `${program} ${args[0]} failed in ${folder}: ${error?.message ?? firstSentence(stderr)}; ` +
      `remedy: run npx cdktf diff ${path.basename(folder)}, which makes Terraform ready here`,
  );
}

/** Terraform's errors are drawn as boxes over many lines. */
function firstSentence(text: string): string {
  const lines = text.split("\n").map((line) => line.replace(/^[│╷╵\s]+/, "").trim());
  return lines.find((line) => line !== "")?.replace(/^Error: /, "") ?? "no reason was given";
}
