import { CONFIG_FOLDER } from "../constructs/broker/container-paths";
import { Docker } from "./docker";

/** A set of a broker's files, on its config volume. */
export interface BrokerSetFiles {
  /** Its hash. */
  readonly name: string;
  /** When it was staged. */
  readonly stagedAt: string;
  readonly files: ReadonlyMap<string, string>;
}

/** The set that a broker runs on, and the one that it ran on before. */
export interface BrokerSets {
  readonly live: BrokerSetFiles;
  readonly previous?: BrokerSetFiles;
}

/** What tells whom a set lets in. */
const FILES = ["conf", "ended", "passwd", "client-ca.crt"];

const LOOK = `
cd ${CONFIG_FOLDER} || exit 1
show() {
  [ -d "sets/$2" ] || return 0
  echo "$1 name $(printf '%s' "$2" | base64)"
  echo "$1 staged $(stat -c %Y "sets/$2" | base64)"
  for file in ${FILES.join(" ")}; do
    if [ -e "sets/$2/$file" ]; then echo "$1 $file $(base64 <"sets/$2/$file" | tr -d '\\n')"; fi
  done
}
show live "$(basename "$(readlink live)")"
if [ -s previous ]; then show previous "$(cat previous)"; fi`;

/** @throws {DockerError} when the broker's container does not run */
export function brokerSets(docker: Docker, container: string): BrokerSets {
  const { stdout } = docker.run("exec", container, "/bin/sh", "-c", LOOK);
  const found = new Map<string, Map<string, string>>();
  for (const line of stdout.trim().split("\n")) {
    const [set = "", what = "", content = ""] = line.split(" ");
    const parts = found.get(set) ?? new Map<string, string>();
    found.set(set, parts.set(what, Buffer.from(content, "base64").toString()));
  }
  const live = setOf(found.get("live"));
  if (live === undefined) throw new Error(`${container} has no set on its config volume; remedy: deploy it`);
  const previous = setOf(found.get("previous"));
  return { live, ...(previous && previous.name !== live.name && { previous }) };
}

function setOf(parts: ReadonlyMap<string, string> | undefined): BrokerSetFiles | undefined {
  if (parts === undefined) return undefined;
  const stagedAt = new Date(Number(parts.get("staged")) * 1000).toISOString();
  return { name: parts.get("name") ?? "", stagedAt, files: parts };
}

/** Whom a set lets in that another one shuts out, in words. */
export function readmitted(by: BrokerSetFiles, shutOutBy: BrokerSetFiles): string[] {
  const lines = (set: BrokerSetFiles, file: string): string[] =>
    (set.files.get(file) ?? "").split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const without = (all: readonly string[], others: readonly string[]): string[] =>
    all.filter((line) => !others.includes(line));
  const authorities = (set: BrokerSetFiles): string[] =>
    (set.files.get("client-ca.crt") ?? "").match(/-----BEGIN CERTIFICATE-----[^-]+/g) ?? [];
  const gone = without(authorities(by), authorities(shutOutBy)).length;
  return [
    ...without(lines(shutOutBy, "ended"), lines(by, "ended")).map((line) => {
      const [name, serial] = line.split(" ");
      return `certificate ${serial} of ${name}`;
    }),
    ...without(lines(by, "passwd"), lines(shutOutBy, "passwd")).map(
      (line) => `${line.split(":")[0]} with a password that has ended`,
    ),
    ...(gone > 0 ? [`all certificates of ${gone} authorit${gone === 1 ? "y" : "ies"} no longer trusted`] : []),
  ];
}
