import { X509Certificate } from "node:crypto";
import * as net from "node:net";
import * as tls from "node:tls";
import { GENERATION_HOSTS } from "../../constructs/broker/container-paths";
import type { ConnectionBundle } from "../../constructs/client/connection-bundle";

/** Milliseconds that an answer may take. */
export const PATIENCE = 10_000;

/** Milliseconds after which a server that sends no session ticket is taken to have let the client in. */
const QUIET = 2000;

/** All that a listener may be declared with: not every one is among Node's own. */
const CIPHERS = `${tls.DEFAULT_CIPHERS}:TLS_AES_128_CCM_SHA256`;

/** Where a server is, and who it has to prove to be. */
export interface TlsTarget {
  readonly host: string;
  readonly port: number;
  readonly serverName: string;
  /** The authorities that its certificate is checked against. */
  readonly caPem: string;
}

/** What a client shows of itself. */
export type ShownCertificate = Required<Pick<ConnectionBundle, "cert_pem" | "key_pem">>;

/** What a server showed of itself. */
export interface ServerView {
  readonly certificate: X509Certificate;
  /** Why it is not good for a client that checks its chain, in OpenSSL's name for it. */
  readonly chainFault?: string;
  /** Why it is not the server's whose name is asked for. */
  readonly nameFault?: string;
}

/**
 * How a connection failed: by an `alert` of the server's TLS; `closed` without one; `silent` where it took too long; `failed`
 * where something else than TLS answered, or this side could not go on.
 */
export type Failure =
  | { readonly kind: "alert"; readonly alert: string }
  | { readonly kind: "closed" }
  | { readonly kind: "silent" }
  | { readonly kind: "failed"; readonly reason: string };

/** How a TLS handshake ended, and what the server showed, as far as it went. */
export type Handshake =
  { readonly kind: "accepted"; readonly server: ServerView } | (Failure & { readonly server?: ServerView });

/**
 * Shakes hands, sends nothing, and waits for what the server says of the client. No MQTT session is touched by that. Over
 * TLS 1.3 the server judges after the client is done: it sends an alert, or a session ticket when it is content.
 *
 * The server is judged here and not by OpenSSL, so that a bad one can be described; nothing secret is sent to it.
 */
export function shakeHands(target: TlsTarget, shown?: ShownCertificate): Promise<Handshake> {
  const { host, port, serverName, caPem } = target;
  return new Promise((resolve) => {
    const socket = tls.connect({
      host,
      port,
      timeout: PATIENCE,
      ca: caPem,
      ciphers: CIPHERS,
      ...(shown && { cert: shown.cert_pem, key: shown.key_pem }),
      ...serverNameIndication(serverName),
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    let server: ServerView | undefined;
    let quiet: NodeJS.Timeout | undefined;
    const end = (handshake: Handshake): void => {
      clearTimeout(quiet);
      clearTimeout(limit);
      socket.once("close", () => resolve(server === undefined ? handshake : { ...handshake, server }));
      socket.removeAllListeners("error").on("error", () => undefined);
      socket.destroy();
    };
    const limit = setTimeout(() => end({ kind: "silent" }), PATIENCE);
    const accepted = (): void => {
      if (server !== undefined) end({ kind: "accepted", server });
    };
    socket.once("secureConnect", () => {
      server = viewOf(socket, serverName);
      if (server === undefined) end({ kind: "failed", reason: "it shows no certificate" });
      else if (socket.getProtocol() === "TLSv1.3") quiet = setTimeout(accepted, QUIET);
      else accepted();
    });
    socket.on("session", accepted);
    socket.once("end", () => end({ kind: "closed" }));
    socket.once("error", (error: Error) => end(failureOf(error)));
  });
}

export function failureOf({ code, message }: Error & { readonly code?: unknown }): Failure {
  const alert = /_ALERT_(\w+)$/.exec(String(code))?.[1];
  if (alert !== undefined) return { kind: "alert", alert: alert.toLowerCase().replace(/_/g, " ") };
  if (code === "ECONNRESET" || code === "EPIPE" || message.includes("socket hang up")) return { kind: "closed" };
  return { kind: "failed", reason: firstLine(message) };
}

/** A failure in words. */
export function wordsOf(failure: Failure): string {
  switch (failure.kind) {
    case "alert":
      return `refused by TLS: ${failure.alert}`;
    case "closed":
      return "closed without an answer: the listener is full, speaks something else, or nothing is behind the port";
    case "silent":
      return "no answer";
    case "failed":
      return failure.reason;
  }
}

export function serverNameIndication(serverName: string): { servername?: string } {
  // A name goes into the handshake, an address does not (RFC 6066 section 3).
  return net.isIP(serverName) === 0 ? { servername: serverName } : {};
}

/** What a client connects with that refuses every server but the one that it is told of. */
export function proving(
  { serverName, caPem }: Pick<TlsTarget, "serverName" | "caPem">,
  shown?: ShownCertificate,
): tls.ConnectionOptions {
  return {
    ca: caPem,
    ciphers: CIPHERS,
    ...(shown && { cert: shown.cert_pem, key: shown.key_pem }),
    ...serverNameIndication(serverName),
    checkServerIdentity: (_host, { raw }) => {
      const fault = serverNameFault(new X509Certificate(raw), serverName);
      return fault === undefined ? undefined : new Error(fault);
    },
  };
}

/** Checks a server's names, whatever host it was reached by. */
export function serverNameFault(certificate: X509Certificate, serverName: string): string | undefined {
  const isNamed =
    net.isIP(serverName) === 0
      ? certificate.checkHost(serverName, { subject: "never" }) !== undefined
      : certificate.checkIP(serverName) !== undefined;
  if (isNamed) return undefined;
  const names = (certificate.subjectAltName ?? "").split(", ").map((name) => name.replace(/^(DNS|IP Address):/, ""));
  const known = names.filter((name) => name !== "" && !GENERATION_HOSTS.includes(name));
  return `its certificate is for ${known.join(", ") || "no host"}`;
}

function viewOf(socket: tls.TLSSocket, serverName: string): ServerView | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const nameFault = serverNameFault(certificate, serverName);
  // Typed as an Error, and a text (nodejs/node#35126).
  const chainFault = socket.authorizationError as unknown as string | null;
  return {
    certificate,
    ...(chainFault && { chainFault: String(chainFault) }),
    ...(nameFault !== undefined && { nameFault }),
  };
}

/** Of OpenSSL's errors the words alone. */
export function firstLine(text: string): string {
  const [line = ""] = text.split("\n");
  return /:SSL routines:[^:]*:([^:]+)/.exec(line)?.[1] ?? line;
}
