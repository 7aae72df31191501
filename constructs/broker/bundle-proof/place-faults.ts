import { isIPv6 } from "node:net";
import { BundleEndpoint, ConnectionBundle, ConnectionEndpoint, usesWebSockets } from "../../client/connection-bundle";
import { parseHost } from "../../pki";

type Place = Pick<ConnectionBundle | BundleEndpoint, "host" | "port" | "protocol" | "url">;

/** Why what a bundle says of one endpoint does not lead there. The faults hold no URL, which may have a password. */
export function placeFaults(whose: string, place: Place, declared: ConnectionEndpoint): string[] {
  const { host, port, protocol } = declared;
  const faults: string[] = [];
  if (place.host !== host) faults.push(`${whose} host is not ${host}`);
  if (place.port !== port) faults.push(`${whose} port is not ${port}`);
  if (place.protocol !== protocol) faults.push(`${whose} protocol is not ${protocol}`);
  if (!leadsTo(place.url, declared)) {
    const path = usesWebSockets(declared) ? ", with the path /mqtt" : ", without a path";
    faults.push(`${whose} url is not of ${protocol}, ${host} and ${port}${path}`);
  }
  return faults;
}

const URL_TEXT = /^([a-z]+):\/\/(\[[0-9a-f:]+\]|[a-z0-9.-]+):([1-9]\d*)(\/.*)?$/;
/** URLs are read as the WHATWG says, which leaves out a scheme's own port. */
const OWN_PORT: Readonly<Record<string, string>> = { wss: "443", ws: "80" };

/** By two readers: its parts as they stand there, and as programs find them. */
function leadsTo(url: string, { host, port, protocol }: ConnectionEndpoint): boolean {
  const [, scheme, authority, portText, path = ""] = URL_TEXT.exec(url) ?? [];
  const inUrl = isIPv6(host) ? `[${host}]` : host;
  const wantedPath = usesWebSockets({ protocol }) ? "/mqtt" : "";
  if (scheme !== protocol || authority !== inUrl || portText !== String(port) || path !== wantedPath) return false;
  const read = URL.canParse(url) ? new URL(url) : undefined;
  return (
    read !== undefined &&
    read.protocol === `${protocol}:` &&
    isHost(host, read.hostname.replace(/^\[|\]$/g, "")) &&
    (read.port === "" ? OWN_PORT[protocol] : read.port) === String(port) &&
    read.pathname === wantedPath &&
    read.username + read.password + read.search + read.hash === ""
  );
}

/** Whether a host, written in whichever way, is this one as a declaration has it. */
function isHost(host: string, written = host): boolean {
  try {
    return parseHost(written).value === host;
  } catch {
    return false;
  }
}
