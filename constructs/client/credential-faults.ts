import { Fault } from "../faults";
import { KeyAlgorithm, LifetimeOptions, lifetimeFaults } from "../pki";
import { integerFault, kindFault, optionsFault } from "../value-faults";
import { CertificateOptions } from "./authentication";

// Of clients and of the server.

/** What is wrong with how certificates are made. */
export function certificateOptionFaults(
  what: string,
  options: CertificateOptions | undefined,
  defaults: LifetimeOptions,
): (Fault | undefined)[] {
  const fault = optionsFault(what, options);
  if (fault !== undefined) return [fault];
  const { keyAlgorithm, ...lifetimes } = options ?? {};
  return [
    ...lifetimeFaults(what, { ...defaults, ...lifetimes }),
    keyAlgorithmFault(`${what}.keyAlgorithm`, keyAlgorithm),
  ];
}

export function keyAlgorithmFault(what: string, value: unknown): Fault | undefined {
  return kindFault(what, value, value instanceof KeyAlgorithm, "KeyAlgorithm.ecdsaP256(), ecdsaP384() or rsa()");
}

export function credentialVersionFault(what: string, value: number | undefined): Fault | undefined {
  return integerFault(what, value, 1, Number.MAX_SAFE_INTEGER, "start at 1 and raise it by one");
}
