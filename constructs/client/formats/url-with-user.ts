import { ConnectionBundle } from "../connection-bundle";

/** The URL with user name and password, as far as the bundle has them, percent-encoded (RFC 3986 section 3.2.1). */
export function urlWithUser({ url, username, password }: ConnectionBundle): string {
  if (username === undefined) return url;
  const user = [username, password].filter((part) => part !== undefined).map(percentEncoded);
  return url.replace("://", () => `://${user.join(":")}@`);
}

/** Everything but the unreserved characters, which readers of every age agree on (RFC 3986 section 2.3). */
function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
