import type { Fault } from "../faults";
import { isInteger } from "../integers";

/** How long a certificate is valid, and when it is issued again. */
export interface LifetimeOptions {
  /** In days, from when it is issued. */
  readonly validityDays?: number;

  /**
   * How many days before its end a certificate is issued again, spread over the first tenth of that time so that a fleet
   * does not do so in one night. The old one stays valid until its end.
   *
   * @default - a third of its validity
   */
  readonly renewBeforeDays?: number;
}

/** A lifetime with nothing left open. */
export interface Lifetime {
  readonly validityDays: number;
  readonly renewBeforeDays: number;
}

export const DAY = 24 * 60 * 60 * 1000;
const MAXIMUM_DAYS = 36_500;
const JITTER_FRACTION = 1 / 10;

/** @param fraction of the validity before whose end it is renewed, where nothing else is declared */
export function lifetime(options: LifetimeOptions, validityDays: number, fraction = 1 / 3): Lifetime {
  const days = options.validityDays ?? validityDays;
  return { validityDays: days, renewBeforeDays: options.renewBeforeDays ?? days * fraction };
}

/** What is wrong with a lifetime. `what` names the property that has it. */
export function lifetimeFaults(what: string, { validityDays, renewBeforeDays }: LifetimeOptions): Fault[] {
  const faults: Fault[] = [];
  if (validityDays !== undefined && !isInteger(validityDays, 1, MAXIMUM_DAYS)) {
    faults.push({
      what: `${what}.validityDays`,
      value: validityDays,
      allowed: `a whole number of days from 1 to ${MAXIMUM_DAYS}`,
      remedy: "3650 days are ten years",
    });
  }
  const limit = isInteger(validityDays, 1, MAXIMUM_DAYS) ? validityDays : MAXIMUM_DAYS;
  if (renewBeforeDays !== undefined && !isBetween(renewBeforeDays, limit)) {
    faults.push({
      what: `${what}.renewBeforeDays`,
      value: renewBeforeDays,
      allowed: "a number of days from 0 to less than validityDays",
      remedy: "leave it out for a third of the validity",
    });
  }
  return faults;
}

/** When a certificate is to be issued again: the same moment at every synth, and another one for each certificate. */
export function renewalTime(
  certificate: { readonly notBefore: string; readonly notAfter: string; readonly serial: string },
  { renewBeforeDays, validityDays }: Lifetime,
): Date {
  // A signer may have given less than was asked for: of that the same part.
  const given = Date.parse(certificate.notAfter) - Date.parse(certificate.notBefore);
  const window = Math.min(renewBeforeDays * DAY, (given * renewBeforeDays) / validityDays);
  const jitter = (parseInt(certificate.serial.slice(-4), 16) / 0xffff) * window * JITTER_FRACTION;
  return new Date(Date.parse(certificate.notAfter) - window + jitter);
}

function isBetween(value: unknown, limit: number): boolean {
  return typeof value === "number" && value >= 0 && value < limit;
}
