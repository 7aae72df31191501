import crypto from "node:crypto";

/**
 * Derives keys from passphrases at once in the tests around it: what becomes of files does not depend on how long that
 * takes. It is scrypt all the same, with the least memory.
 */
export function deriveAtOnce(): void {
  const { scryptSync } = crypto;
  beforeAll(() => {
    crypto.scryptSync = (secret, salt, octets) => scryptSync(secret, salt, octets, { N: 2 });
  });
  // Jest shares the module with the test files that come after.
  afterAll(() => {
    crypto.scryptSync = scryptSync;
  });
}
