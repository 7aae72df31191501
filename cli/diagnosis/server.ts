import { usesTls } from "../../constructs/client/connection-bundle";
import type { DeployedEndpoint } from "../outputs";
import { Handshake, ServerView, wordsOf } from "../verification/handshake";
import { because, ok, Verdict } from "./causes";
import type { KnownClient } from "./known-client";

/**
 * Whether the listener speaks TLS, with something that both sides know.
 *
 * @param endpoint the listener, as deployed
 */
export function speaksTls(handshake: Handshake, endpoint: DeployedEndpoint | undefined): Verdict {
  if (handshake.server !== undefined || handshake.kind === "accepted") return ok();
  if (handshake.kind === "silent") return because("no-way", "no answer to a handshake of TLS");
  const isOther = handshake.kind === "failed" && /wrong version|packet length|record/i.test(handshake.reason);
  if (!isOther && (handshake.kind !== "closed" || (endpoint !== undefined && usesTls(endpoint)))) {
    return because("tls-refused", wordsOf(handshake));
  }
  const what = endpoint === undefined ? "something else" : `${endpoint.kind} (${endpoint.protocol})`;
  return because("no-tls", `the listener does not speak TLS, but ${what}`);
}

/** Whether the server's certificate leads to an authority of the bundle, now. */
export function isTrusted({ certificate, chainFault }: ServerView, { deployed }: KnownClient, now: Date): Verdict {
  const [from, until] = [certificate.validFrom, certificate.validTo].map((time) => new Date(time)) as [Date, Date];
  const fingerprint = deployed?.certificates.find(({ name }) => name === "server")?.fingerprint_sha256;
  const isDeployed = fingerprint?.toUpperCase() === certificate.fingerprint256.toUpperCase();
  const title = `the server's certificate (serial ${certificate.serialNumber})`;
  if (chainFault === undefined) {
    const other = fingerprint !== undefined && !isDeployed ? "; it is not the one that was deployed last" : "";
    return ok(`until ${until.toISOString()}${other}`);
  }
  if (until <= now) return because("server-expired", `${title} ended ${until.toISOString()}`);
  if (from > now)
    return because("server-not-yet-valid", `${title} is valid only from ${from.toISOString()}, by this clock`);
  const detail = `${title} leads to no authority of the bundle that is valid now (${chainFault})`;
  if (isDeployed || fingerprint === undefined) {
    return because("authority-not-trusted", `${detail}${isDeployed ? ": the bundle is of before a rotation" : ""}`);
  }
  return because("another-server", `${detail}, and is not the one that was deployed: another server answers`);
}

export function isNamed({ nameFault }: ServerView, serverName: string): Verdict {
  return nameFault === undefined
    ? ok(serverName)
    : because("server-name", `the server does not prove to be ${serverName}: ${nameFault}`);
}
