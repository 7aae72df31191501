/** What a remedy names. */
interface Names {
  readonly stack: string;
  readonly client: string;
}

const handOver = ({ stack, client }: Names): string =>
  `hand over the present bundle: npx cdktf-mosquitto bundle ${stack} ${client}`;
const deploy = ({ stack }: Names): string => `npx cdktf deploy ${stack}`;
const verifyAll = ({ stack }: Names): string => `npx cdktf-mosquitto verify ${stack}`;

/** Why a client cannot connect, or cannot do what it wants to, and what helps. */
export const REMEDIES = {
  "bundle-unreadable": handOver,
  "bundle-of-another-client": handOver,
  "bundle-differs": handOver,
  "client-not-declared": (names) => `declare it by addClient, then ${deploy(names)}`,
  "host-unknown": () =>
    "enter the name in the DNS or the hosts file of the device's network, or hand over a bundle with an address (--host)",
  "port-closed": (names) =>
    `see whether the broker runs (docker ps) and publishes this port on this address (bindAddresses); ${verifyAll(names)}`,
  "no-way": () => "look at the network between: routes, firewall, tunnel",
  "listener-full": () =>
    "see who holds the connections, raise the listener's maxConnections and deploy; right after a restart, try again",
  "no-tls": (names) => `take the port of a listener with TLS, or ${handOver(names)}`,
  "tls-asked-for": handOver,
  "tls-refused": () => "compare the listener's tlsVersion and ciphers with what this side offers",
  "other-protocol": (names) => `take a port of the bundle's protocol, or ${handOver(names)}`,
  "authority-not-trusted": handOver,
  "another-server": (names) =>
    `find out who answers there (DNS, port forwarding, a proxy in between); ${verifyAll(names)}`,
  "server-expired": (names) => `${deploy(names)}, which renews it; if it is good by another clock, set this one`,
  "server-not-yet-valid": () => "set this machine's clock, or the one of the machine that issued it",
  "server-name": (names) =>
    `add the name to the broker's hosts and ${deploy(names)}, or hand over a bundle with a name that it has (--server-name)`,
  "key-mismatch": (names) => `put the key beside the certificate that was issued for it, or ${handOver(names)}`,
  "certificate-missing": (names) =>
    `take another listener (--port), or declare the client with a certificate and ${handOver(names)}`,
  "certificate-expired": (names) => `${deploy(names)}, which renews it, then ${handOver(names)}`,
  "certificate-not-yet-valid": () => "set the clock of the broker's host, or of the machine that issued it",
  "certificate-revoked": handOver,
  "certificate-replaced": handOver,
  "certificate-on-hold": (names) => `declare the client again and ${deploy(names)}: the same certificate works again`,
  "certificate-foreign": handOver,
  "certificate-bad": (names) => `${handOver(names)}; if that is refused, too: ${verifyAll(names)}`,
  "broker-clock": (names) => `set the clock of the broker's host; ${verifyAll(names)}`,
  "password-missing": (names) =>
    `take another listener (--port), or declare the client with a password and ${handOver(names)}`,
  "password-other": handOver,
  "topic-denied": (names) => `add it to the client's publish or subscribe and ${deploy(names)}`,
} as const satisfies Record<string, (names: Names) => string>;

export type CauseId = keyof typeof REMEDIES;

/** What one step of a diagnosis found. */
export type Verdict =
  | { readonly result: "ok" | "not checked"; readonly detail: string }
  | { readonly result: "cause"; readonly cause: CauseId; readonly detail: string };

export const ok = (detail = ""): Verdict => ({ result: "ok", detail });
export const notChecked = (detail: string): Verdict => ({ result: "not checked", detail });
export const because = (cause: CauseId, detail: string): Verdict => ({ result: "cause", cause, detail });
