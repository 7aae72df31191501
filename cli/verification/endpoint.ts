import { VERIFY_CLIENT_NAME } from "../../constructs/access";
import type { Verification } from "../../constructs/broker/verification";
import * as net from "node:net";
import type { DeployedBroker, DeployedEndpoint } from "../outputs";
import { Listener } from "../../constructs/broker/listener";
import { EndpointAuthentication, usesTls } from "../../constructs/client/connection-bundle";
import { Identity, Trust } from "./connection";
import { Check, judged, notChecked } from "./finding";
import { PATIENCE, shakeHands, TlsTarget, wordsOf } from "./handshake";
import { letsIn } from "./own-identity";
import { patiently } from "./patience";
import { foreignCertificate, refusesCertificate, refusesClearText, refusesUser, refusesVersions } from "./strangers";

/** What the checks of one endpoint are made with. */
export interface EndpointVerification {
  readonly endpoint: DeployedEndpoint;
  /** What the server has to prove to be. */
  readonly serverName: string;
  readonly deployed: Pick<DeployedBroker, "caPem" | "certificates">;
  /** The library's own client; where there is none, why not. */
  readonly own: Verification | string;
}

/** One check after another: a listener may allow a single connection, and the client has one session. */
export async function verifyEndpoint(given: EndpointVerification): Promise<Check[]> {
  const { endpoint, serverName, deployed, own } = given;
  const unreachable = await connectFault(endpoint);
  const reachable = judged("can be reached", unreachable === undefined, unreachable);
  // What follows would only say the same again.
  if (unreachable !== undefined) return [reachable];
  const asks = asksFor(endpoint);
  if (!usesTls(endpoint)) return [reachable, ...(await userChecks(given, asks)), ...(await ownChecks(given, asks))];
  const target = { ...endpoint, serverName, caPem: deployed.caPem };
  const proofs = await serverChecks(target, deployed);
  // Of another server it says nothing whom it refuses, and it is told no password.
  if (proofs.some(({ result }) => result !== "ok")) return [reachable, ...proofs];
  const trust = { serverName, caPem: deployed.caPem };
  const clientId = typeof own === "string" ? VERIFY_CLIENT_NAME : own.client_id;
  return [
    reachable,
    ...proofs,
    await refusesVersions(target, ["TLS 1.0", "TLS 1.1"]),
    ...(endpoint.tls_version === "tlsv1.3" ? [await refusesVersions(target, ["TLS 1.2"])] : []),
    await refusesClearText(endpoint.url, clientId),
    ...(asks === "password" ? [] : await certificateChecks(given, target)),
    ...(asks === "certificate" ? [] : await userChecks(given, asks, trust)),
    ...(await ownChecks(given, asks, trust)),
  ];
}

function asksFor({ kind }: DeployedEndpoint): EndpointAuthentication {
  return Listener[kind]().asksFor;
}

/** Why nobody answers there, if so. */
export function connectFault(
  { host, port }: Pick<DeployedEndpoint, "host" | "port">,
  patience = PATIENCE,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: patience });
    const end = (fault: string | undefined): void => {
      socket.removeAllListeners().on("error", () => undefined);
      socket.once("close", () => resolve(fault));
      socket.destroy();
    };
    socket.once("connect", () => end(undefined));
    socket.once("timeout", () => end("no answer"));
    // Of a host with several addresses there is a code alone.
    socket.once("error", ({ message, code }: NodeJS.ErrnoException) =>
      end(message === "" ? (code ?? "failed") : message),
    );
  });
}

async function serverChecks(
  target: TlsTarget,
  { certificates }: Pick<DeployedBroker, "certificates">,
): Promise<Check[]> {
  const check = `proves to be ${target.serverName}`;
  const handshake = await patiently(() => shakeHands(target));
  const { server } = handshake;
  if (server === undefined) {
    return [judged(check, false, handshake.kind === "accepted" ? "it shows no certificate" : wordsOf(handshake))];
  }
  const { certificate, chainFault, nameFault } = server;
  const fault =
    chainFault === undefined ? nameFault : `it leads to no authority of the broker that is valid now (${chainFault})`;
  if (fault !== undefined) return [judged(check, false, fault)];
  const expected = certificates.find(({ name }) => name === "server")?.fingerprint_sha256 ?? "";
  return [
    judged(check, true, `until ${new Date(certificate.validTo).toISOString()}`),
    judged(
      "shows the certificate that was deployed",
      hexOf(certificate.fingerprint256) === hexOf(expected),
      `serial ${certificate.serialNumber}`,
    ),
  ];
}

async function certificateChecks({ own }: EndpointVerification, target: TlsTarget): Promise<Check[]> {
  const clientId = typeof own === "string" ? VERIFY_CLIENT_NAME : own.client_id;
  const { expired, revoked } = typeof own === "string" ? {} : own;
  const lacking = typeof own === "string" ? own : NO_AUTHORITY;
  const whose = ["a certificate that has expired", "a certificate that is revoked"] as const;
  return [
    await refusesCertificate(target, "no certificate"),
    await refusesCertificate(target, "a certificate of another authority", foreignCertificate(clientId)),
    expired ? await refusesCertificate(target, whose[0], expired) : notChecked(`refuses ${whose[0]}`, lacking),
    revoked ? await refusesCertificate(target, whose[1], revoked) : notChecked(`refuses ${whose[1]}`, lacking),
  ];
}

const NO_AUTHORITY = "no authority that signs is held here, so there is none to show";

/** Who gives no name, and who gives a wrong password; where a certificate is asked for as well, with one that is good. */
async function userChecks(
  { endpoint: { url }, own }: EndpointVerification,
  asks: EndpointAuthentication,
  trust?: Trust,
): Promise<Check[]> {
  const { client_id: clientId, certificate } =
    typeof own === "string" ? { client_id: VERIFY_CLIENT_NAME, certificate: undefined } : own;
  const withCertificate = asks === "certificateAndPassword" ? " with a good certificate" : "";
  const [anonymous, wrong] = [`a client without a user name${withCertificate}`, `a wrong password${withCertificate}`];
  if (withCertificate !== "" && certificate === undefined) {
    const lacking = typeof own === "string" ? own : NO_AUTHORITY;
    return [notChecked(`refuses ${anonymous}`, lacking), notChecked(`refuses ${wrong}`, lacking)];
  }
  const stranger: Identity = { clientId, ...(withCertificate !== "" && certificate && { certificate }) };
  return [
    await refusesUser(anonymous, url, stranger, trust),
    await refusesUser(wrong, url, { ...stranger, username: clientId, password: "not the password" }, trust),
  ];
}

async function ownChecks(
  { endpoint: { url }, own }: EndpointVerification,
  asks: EndpointAuthentication,
  trust?: Trust,
): Promise<Check[]> {
  const proof = {
    certificate: "a good certificate",
    password: "a good password",
    certificateAndPassword: "a good certificate and password",
  }[asks];
  if (typeof own === "string") return [notChecked(`lets in ${proof}`, own)];
  const { client_id: clientId, certificate, password, topic } = own;
  if (asks !== "password" && certificate === undefined) return [notChecked(`lets in ${proof}`, NO_AUTHORITY)];
  if (asks !== "certificate" && password === undefined) {
    return [notChecked(`lets in ${proof}`, "the library's own client has no password here")];
  }
  const identity: Identity = {
    clientId,
    ...(asks !== "certificate" && password !== undefined && { username: clientId, password }),
    ...(asks !== "password" && certificate && { certificate }),
  };
  return letsIn(url, proof, identity, topic, trust);
}

function hexOf(fingerprint: string): string {
  return fingerprint.replace(/:/g, "").toLowerCase();
}
