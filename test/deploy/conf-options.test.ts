import { cataloguedOption, optionCatalogue } from "../../constructs/broker/conf/option-catalogue";
import { MosquittoLine } from "../../constructs";
import { mustRun } from "../support/command";
import { images, Version, versions } from "../support/deployment";

/** What comes back from the container for one configuration. */
interface Answer {
  readonly line: string;
  /** 124 where the broker ran until it was ended. */
  readonly code: number;
  readonly log: string;
}

jest.setTimeout(60_000);

const lineOf = (version: Version): MosquittoLine => version.slice(0, 3) as MosquittoLine;

/** Runs a script in one container that goes away again, with Mosquitto and without network. */
function inside(version: Version, script: string): Promise<string> {
  const image = images[version]().name;
  return mustRun("docker", ["run", "--rm", "-i", "--network", "none", "--entrypoint", "/bin/sh", image, "-s"], {
    input: script,
    limit: 60,
  });
}

/** Starts a broker for each line, all at once, and ends those that run. */
async function start(
  version: Version,
  lines: readonly (readonly [line: string, inListener: boolean])[],
): Promise<Answer[]> {
  const brokers = lines.map(([line, inListener], index) => {
    const listener = `listener ${20_000 + index} 127.0.0.1`;
    const conf = ["allow_anonymous false", "log_type all", ...(inListener ? [listener, line] : [line, listener])];
    return `printf '%s\\n' ${conf.map((each) => `'${each}'`).join(" ")} >${index}.conf
(timeout 2 mosquitto -c ${index}.conf >${index}.log 2>&1; echo $? >${index}.code) &`;
  });
  const output = await inside(
    version,
    `cd "$(mktemp -d)"
${brokers.join("\n")}
wait
for index in $(seq 0 ${lines.length - 1}); do echo "@@@ $(cat $index.code)"; cat $index.log; done`,
  );
  return output
    .split(/^@@@ /m)
    .slice(1)
    .map((part, index) => ({ line: lines[index]?.[0] ?? "", code: parseInt(part), log: part }));
}

/** The names among these that the broker knows: it says so before it asks for a value. */
async function known(version: Version, names: readonly string[]): Promise<string[]> {
  const output = await inside(
    version,
    `cd "$(mktemp -d)"
# What stands in the program as a word, and what stands behind its underscores: the linker keeps only the longer one.
tr -c 'a-zA-Z0-9_.%' '\\n' <"$(command -v mosquitto)" | grep -xE '[a-z][a-z0-9_.]{2,39}' |
  grep -vE '__|ssl_|crypto_|mosquitto_' | sort -u >words
for step in 1 2 3 4; do cat words; sed -n 's/^[^_]*_//p' words >next; mv next words; done >all
printf '%s\\n' ${names.join(" ")} >>all
sort -u all | grep -xE '[a-z][a-z0-9_.]+' | while read -r name; do
  # The second line stops it in any case.
  printf '%s\\nno_such_option 1\\n' "$name" >one.conf
  case $(mosquitto -c one.conf 2>&1) in
    *"nknown configuration variable"?*[\\"\\']"$name"[\\"\\']*) ;;
    *) echo "$name" ;;
  esac
done`,
  );
  return output.split("\n").filter((name) => name !== "");
}

describe.each(versions)("Mosquitto %s", (version) => {
  const line = lineOf(version);

  test("starts with every free option that it is said to know, without a word about it", async () => {
    const free = optionCatalogue.flatMap((option) =>
      option.ruling === "free" && option.lines.includes(line)
        ? [[`${option.name} ${option.value.sample}`, option.scope === "listener"] as const]
        : [],
    );
    expect(free.length).toBeGreaterThan(2);
    for (const answer of await start(version, free)) {
      expect([answer.line, answer.code]).toEqual([answer.line, 124]);
      expect([answer.line, /warning|error|note:|deprecated|no longer|default listener/i.exec(answer.log)]).toEqual([
        answer.line,
        null,
      ]);
      expect(answer.log).toMatch(/^\d+: mosquitto version \S+ running$/m);
    }
  });

  test("does not start with a free option that it is said not to know", async () => {
    const unknown = optionCatalogue.flatMap((option) =>
      option.ruling === "free" && !option.lines.includes(line)
        ? [[`${option.name} ${option.value.sample}`, option.scope === "listener"] as const]
        : [],
    );
    const answers = await start(version, [...unknown, ["no_such_option 1", false]]);
    for (const answer of answers) {
      expect([answer.line, answer.code]).toEqual([answer.line, 3]);
      expect(answer.log).toMatch(/Unknown configuration variable/);
    }
  });

  test("knows the options of the catalogue that are said to be known, and no other", async () => {
    const catalogued = optionCatalogue.filter(({ lines }) => lines.includes(line)).map(({ name }) => name);
    const names = optionCatalogue.map(({ name }) => name.replace("*", ""));
    const found = await known(version, names);
    // By their catalogued names, so that all options of plugins are one.
    expect([...new Set(found.map((name) => cataloguedOption(name)?.name ?? name))].sort()).toEqual(catalogued.sort());
  });
});
