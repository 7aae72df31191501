import { verifyPassword } from "../../access";
import { ConnectionBundle } from "../../client/connection-bundle";
import { WantedPassword } from "../../credentials";
import { MaterialClient } from "../material";

/**
 * Why the broker would not take a client's user name and password.
 *
 * @param wanted what was to be there; nothing where the client is declared without a password
 * @param isRevoked whether it was left out, because the one that was given is revoked
 * @param hash of its user name in `passwd`
 */
export function passwordFaults(
  { endpoints }: MaterialClient,
  { username, password }: ConnectionBundle,
  wanted: WantedPassword | undefined,
  isRevoked: boolean,
  hash: string | undefined,
): string[] {
  const counts = endpoints.some(({ authentication }) => authentication !== "certificate");
  if (!counts || wanted === undefined || isRevoked) {
    const why = counts ? "and has none that counts" : "which does not count where only a certificate is asked for";
    return [
      ...(counts && !isRevoked ? ["it has nothing to show where a password is asked for"] : []),
      ...(username === undefined ? [] : [`it has a username, ${why}`]),
      ...(password === undefined ? [] : [`it has a password, ${why}`]),
    ];
  }
  return [
    ...(username === undefined ? ["it has no username, which the broker asks for"] : []),
    ...(hash === undefined ? ["passwd has no hash of its username"] : []),
    ...(wanted.hash === undefined
      ? givenFaults(password, hash)
      : [
          ...(password === undefined ? [] : ["it has a password, of which only the hash was given"]),
          ...(hash === undefined || hash === wanted.hash
            ? []
            : ["passwd has another hash than the one that was given"]),
        ]),
  ];
}

function givenFaults(password: string | undefined, hash: string | undefined): string[] {
  if (password === undefined) return ["it has no password, which the broker asks for"];
  if (hash === undefined || verifyPassword(password, hash)) return [];
  return ["its password does not match its hash in passwd"];
}
