import { cataloguedOption, OptionScope } from "./option-catalogue";

/** One `listener` of a mosquitto.conf and the options that follow it. */
export interface ConfListener {
  readonly port: number;
  readonly host?: string;
  readonly options: ReadonlyMap<string, string>;
}

/** What a mosquitto.conf says. */
export interface MosquittoConf {
  /** Options of the broker; only `log_type` has more than one value. */
  readonly options: ReadonlyMap<string, readonly string[]>;
  readonly listeners: readonly ConfListener[];
}

const REPEATED: ReadonlySet<string> = new Set(["log_type"]);

/**
 * Reads a mosquitto.conf(5) as this library renders it, and nothing else.
 *
 * @param extraNames options that no supported Mosquitto is known to have, and that may stand there all the same
 * @throws {Error} naming the line
 */
export function parseMosquittoConf(text: string, extraNames: ReadonlySet<string> = new Set()): MosquittoConf {
  const lines = text.split("\n");
  if (lines.pop() !== "") throw new Error(`line ${lines.length + 1} of mosquitto.conf has no end`);
  const options = new Map<string, string[]>();
  const listeners: { port: number; host?: string; options: Map<string, string> }[] = [];

  lines.forEach((line, index) => {
    const fail = (why: string): never => {
      throw new Error(`line ${index + 1} of mosquitto.conf ${why}`);
    };
    if (/[\p{Cc}\u2028\u2029]/u.test(line) || !line.isWellFormed()) fail("has a character that is not printable");
    if (line === "" || line.startsWith("#")) return;
    const [, name, value] = /^([a-z][a-z0-9_.]*) (\S|\S.*\S)$/u.exec(line) ?? [];
    if (name === undefined || value === undefined) return fail("is not NAME VALUE");
    const listener = listeners.at(-1);

    if (name === "listener") {
      const next = listenerOf(value) ?? fail("is not listener PORT or listener PORT ADDRESS");
      if (listeners.some(({ port, host }) => port === next.port && host === next.host)) {
        fail(`has listener ${value} for the second time`);
      }
      listeners.push({ ...next, options: new Map() });
      return;
    }

    const wrong = nameFault(name, value, listener === undefined ? "broker" : "listener", extraNames);
    if (wrong !== undefined) fail(wrong);
    if (listener !== undefined) {
      if (listener.options.has(name)) fail(`has ${name} twice in one listener`);
      listener.options.set(name, value);
      return;
    }
    const values = options.get(name) ?? [];
    if (values.length > 0 && (!REPEATED.has(name) || values.includes(value))) fail(`has ${name} twice`);
    options.set(name, [...values, value]);
  });
  return { options, listeners };
}

function nameFault(
  name: string,
  value: string,
  scope: OptionScope,
  extraNames: ReadonlySet<string>,
): string | undefined {
  const option = cataloguedOption(name);
  if (option === undefined) return extraNames.has(name) ? undefined : `has the unknown option ${name}`;
  if (option.ruling === "refused") return `has ${name}, which is never rendered`;
  if (option.scope !== scope) return `has ${name}, an option of a ${option.scope}, among those of a ${scope}`;
  if (option.ruling === "free" && !option.value.accepts(value)) return `has ${name} with a value that it cannot have`;
  return undefined;
}

function listenerOf(value: string): { port: number; host?: string } | undefined {
  const [, digits, host] = /^([1-9]\d{0,4})(?: ([^\s#]+))?$/.exec(value) ?? [];
  if (digits === undefined || Number(digits) > 65_535) return undefined;
  return { port: Number(digits), ...(host !== undefined && { host }) };
}
