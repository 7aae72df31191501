import { Token } from "cdktf";
import { Fault } from "../../faults";
import { CataloguedOption, cataloguedOption } from "./option-catalogue";
import { MosquittoLine } from "../mosquitto-image";

/** Whose lines they are: of the broker, before the first `listener`, or of one listener. */
export type ExtraConfigScope = "broker" | "listener";

const MAXIMUM_BYTES = 65_535;
// Besides what ends a line, what a reader of the file would not see, or see in another order.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]/u;
const LINE = /^([a-z][a-z0-9_.]*) (\S.*)$/u;
/** Of an option that no known Mosquitto has, a name says what it may be about. */
const WEAKENING =
  /anon|auth|acl|pass|psk|plugin|listen|bridge|proxy|secur|tls|ssl|cert|key|ca_|_ca|crl|verif|include|user/;
/** Names after which a secret may stand, which no error may show. */
const SECRET = /pass|psk|secret|opt_|key/i;

/**
 * What is wrong with lines of mosquitto.conf(5) that are passed on as they stand.
 *
 * @param what the name of the property, such as `extraConfig`
 * @param mosquittoLine of the broker's image; `undefined` where the image has a fault itself
 */
export function extraConfigFaults(
  what: string,
  lines: readonly string[],
  scope: ExtraConfigScope,
  mosquittoLine: MosquittoLine | undefined,
): Fault[] {
  if (Token.isUnresolved(lines) || !Array.isArray(lines)) {
    return [
      {
        what,
        value: lines,
        allowed: "a list of lines of mosquitto.conf(5), known at synth",
        remedy: 'give them as plain text, such as ["retain_expiry_interval 10080"]',
      },
    ];
  }
  const names = new Set<string>();
  // Array.from, because an array with holes would skip them.
  return Array.from<unknown>(lines).flatMap((line, index) => {
    const fault = shapeFault(`${what}[${index}]`, line);
    if (fault !== undefined) return [fault];
    const [name, value] = split(line as string);
    if (names.has(name)) return [twiceFault(`${what}[${index}]`, name)];
    names.add(name);
    return optionFault(`${what}[${index}]`, name, value, scope, mosquittoLine) ?? [];
  });
}

/** What to tell a user about lines that have no fault, and that this library knows nothing of. */
export function extraConfigWarnings(what: string, lines: readonly string[], scope: ExtraConfigScope): string[] {
  if (Token.isUnresolved(lines) || !Array.isArray(lines)) return [];
  return Array.from<unknown>(lines).flatMap((line, index) => {
    if (shapeFault(what, line) !== undefined) return [];
    const [name] = split(line as string);
    if (cataloguedOption(name) !== undefined) return [];
    return [
      `${what}[${index}]: ${name} is an option of the ${scope} that this library does not know and cannot judge; ` +
        "if the broker does not know it either, it will not start",
    ];
  });
}

function shapeFault(what: string, line: unknown): Fault | undefined {
  if (typeof line !== "string") {
    // Not shown: it may have a secret in it.
    return { what, allowed: "text", remedy: 'write a line, such as "retain_expiry_interval 10080"' };
  }
  const fault = (allowed: string, remedy: string): Fault => ({ what, value: withoutSecret(line), allowed, remedy });
  if (Token.isUnresolved(line)) {
    return fault("text that is known at synth, because it is checked before the deploy", "give it as plain text");
  }
  if (Buffer.byteLength(line) > MAXIMUM_BYTES) return fault(`${MAXIMUM_BYTES} bytes of UTF-8 at most`, "shorten it");
  if (!line.isWellFormed() || UNPRINTABLE.test(line)) {
    return fault("printable Unicode text on one line", "remove the control characters, and give each line by itself");
  }
  // Mosquitto skips blanks before a name, so a line that starts with one is an option all the same.
  if (line !== line.trim()) return fault("no white space at either end", "remove the blanks");
  if (!LINE.test(line)) {
    return fault(
      "NAME VALUE: an option of mosquitto.conf(5) in small letters, one blank and its value",
      'write a line, such as "retain_expiry_interval 10080"',
    );
  }
  if (/ #/.test(line)) {
    return fault("no comment, which Mosquitto would take as part of the value", "leave out what starts with #");
  }
  return undefined;
}

function optionFault(
  what: string,
  name: string,
  value: string,
  scope: ExtraConfigScope,
  mosquittoLine: MosquittoLine | undefined,
): Fault | undefined {
  const option = cataloguedOption(name);
  // Only the name: the value may be a secret, and is not what is wrong.
  const fault = (allowed: string, remedy: string): Fault => ({ what, value: name, allowed, remedy });
  if (option === undefined) {
    return WEAKENING.test(name)
      ? fault(
          "unknown options whose name is not about who gets in and how",
          "leave it out, or use a later version of this library",
        )
      : undefined;
  }
  if (option.ruling === "refused") return fault(`any option but ${name}, because ${option.reason}`, option.remedy);
  if (option.ruling === "rendered") return renderedFault(fault, option, scope);
  if (option.scope !== scope) {
    const here = `options of ${scope === "broker" ? "the broker" : "a listener"}; this is one of `;
    return option.scope === "broker"
      ? fault(`${here}the broker`, "put it into extraConfig of the broker")
      : fault(
          `${here}a listener, and before the first one Mosquitto refuses it or opens another on 1883`,
          "put it into extraConfig of the Listener",
        );
  }
  if (mosquittoLine !== undefined && !option.lines.includes(mosquittoLine)) {
    return fault(
      `options that Mosquitto ${mosquittoLine} knows, because it does not start with any other`,
      `leave it out, or use an image with Mosquitto ${option.lines.join(" or ")}`,
    );
  }
  if (!option.value.accepts(value)) {
    return {
      what,
      value: `${name} ${value}`,
      allowed: `${name} with ${option.value.allowed}`,
      remedy: `write it like "${name} ${option.value.sample}"`,
    };
  }
  return undefined;
}

function renderedFault(
  fault: (allowed: string, remedy: string) => Fault,
  option: CataloguedOption & { ruling: "rendered" },
  scope: ExtraConfigScope,
): Fault {
  if ("fixed" in option) {
    return fault(
      `any option but ${option.name}, which this library always writes itself, because ${option.fixed}`,
      "leave it out",
    );
  }
  const owner = option.scope === "listener" ? " of the Listener" : scope === "listener" ? " of the broker" : "";
  return fault(
    `any option but ${option.name}, which this library writes itself`,
    `set ${option.property}${owner} instead`,
  );
}

function twiceFault(what: string, name: string): Fault {
  return { what, value: name, allowed: "each option once", remedy: "keep one of the lines" };
}

function split(line: string): [name: string, value: string] {
  const [, name, value] = LINE.exec(line) as unknown as [string, string, string];
  return [name, value];
}

/** What an error may show of a line. */
function withoutSecret(line: string): string {
  const secret = SECRET.exec(line);
  return secret === null ? line : `${line.slice(0, secret.index + secret[0].length)}…`;
}
