import { Listener } from "../../constructs/broker/listener";
import { ConnectionBundle, EndpointAuthentication, usesTls } from "../../constructs/client/connection-bundle";
import type { DeployedEndpoint } from "../outputs";
import { Handshake, shakeHands } from "../verification/handshake";
import { patiently } from "../verification/patience";
import { CauseId, notChecked, ok, REMEDIES, Verdict } from "./causes";
import { differingFields, KnownClient } from "./known-client";
import { certificateVerdict, shownCertificate } from "./own-certificate";
import { passwordVerdict } from "./own-password";
import { closesAtOnce, connects, resolves, speaksClearText, speaksProtocol } from "./reach";
import { rulesVerdict } from "./rules";
import { isNamed, isTrusted, speaksTls } from "./server";

export interface Step {
  readonly step: string;
  readonly result: "ok" | "CAUSE" | "not checked" | "not reached";
  readonly detail: string;
}

export interface Diagnosis {
  readonly steps: readonly Step[];
  /** Absent where nothing is wrong that can be seen from here. */
  readonly cause?: { readonly id: CauseId; readonly detail: string; readonly remedy: string };
}

export interface DiagnosisRequest {
  readonly stack: string;
  /** The client's, leading to the one endpoint that is looked at. */
  readonly bundle: ConnectionBundle;
  readonly known: KnownClient;
  /** What the client wants to publish to or receive from. */
  readonly topic?: string;
  readonly now?: Date;
}

/**
 * Goes the client's way to the broker, step by step, up to the first that fails. It never sends CONNECT: no session is taken
 * over.
 */
export async function diagnose(request: DiagnosisRequest): Promise<Diagnosis> {
  const steps: Step[] = [];
  let cause: Diagnosis["cause"];
  for (const [step, judge] of wayOf(request)) {
    if (cause !== undefined) {
      steps.push({ step, result: "not reached", detail: "" });
      continue;
    }
    const verdict = await judge();
    if (verdict.result === "cause") {
      const { cause: id, detail } = verdict;
      cause = causeOf(id, detail, request.stack, request.known.name);
    }
    steps.push({ step, result: verdict.result === "cause" ? "CAUSE" : verdict.result, detail: verdict.detail });
  }
  return { steps, ...(cause && { cause }) };
}

export function causeOf(id: CauseId, detail: string, stack: string, client: string): NonNullable<Diagnosis["cause"]> {
  return { id, detail, remedy: REMEDIES[id]({ stack, client }) };
}

type Judge = () => Verdict | Promise<Verdict>;

function wayOf({ bundle, known, topic, now = new Date() }: DiagnosisRequest): (readonly [string, Judge])[] {
  const endpoint = known.deployed?.endpoints.find(({ port }) => port === bundle.port);
  const asks = asksFor(endpoint, bundle);
  const shown = shownCertificate(bundle);
  const serverName = bundle.server_name ?? bundle.host;
  let handshake: Handshake = { kind: "closed" };
  const tls: (readonly [string, Judge])[] = [
    [
      "TLS",
      async () => {
        const target = { ...bundle, serverName, caPem: bundle.ca_pem ?? "" };
        handshake = await patiently(() => shakeHands(target, asks === "password" ? undefined : shown));
        const full = handshake.kind === "closed" && handshake.server === undefined && (await closesAtOnce(bundle));
        if (full) return full;
        return speaksTls(handshake, endpoint);
      },
    ],
    ["server certificate", () => (handshake.server ? isTrusted(handshake.server, known, now) : ok())],
    ["server name", () => (handshake.server ? isNamed(handshake.server, serverName) : ok())],
    ["own certificate", () => certificateVerdict(bundle, handshake, asks, known, now)],
  ];
  return [
    ["bundle", () => bundleVerdict(bundle, known)],
    ["host name", () => resolves(bundle)],
    ["port", async () => withEndpoints(await connects(bundle), endpoint, known)],
    ...(usesTls(bundle) ? tls : ([["clear text", () => speaksClearText(bundle)]] as const)),
    [
      "protocol",
      () =>
        asks === "password" || shown !== undefined || bundle.cert_pem === undefined
          ? speaksProtocol(bundle, asks === "password" ? undefined : shown)
          : notChecked("only who shows the certificate is told"),
    ],
    ["password", () => passwordVerdict(bundle, asks, known)],
    ["rules", () => rulesVerdict(bundle, known, topic)],
  ];
}

/** Where the bundle leads to no endpoint that there is, it is told which there are. */
function withEndpoints(verdict: Verdict, endpoint: DeployedEndpoint | undefined, { deployed }: KnownClient): Verdict {
  if (verdict.result !== "cause" || endpoint !== undefined || deployed === undefined) return verdict;
  const all = deployed.endpoints.map(({ url }) => url).join(", ");
  return { ...verdict, detail: `${verdict.detail}; the broker has no endpoint there, but ${all}` };
}

/** What the listener asks for: as deployed, or as the bundle says. */
function asksFor(endpoint: DeployedEndpoint | undefined, bundle: ConnectionBundle): EndpointAuthentication | undefined {
  if (endpoint !== undefined) return Listener[endpoint.kind]().asksFor;
  return bundle.endpoints?.find(({ port }) => port === bundle.port)?.authentication;
}

/** A bundle may be older than what is deployed, and do all the same: whether it does, the steps after this one tell. */
function bundleVerdict(bundle: ConnectionBundle, known: KnownClient): Verdict {
  const differing = differingFields(bundle, known);
  const { name, output, stored } = known;
  if (output === undefined && stored === undefined) return ok(`of ${name}; what is deployed is not known here`);
  return ok(differing.length === 0 ? "as it is now" : `differs from the present one in ${differing.join(", ")}`);
}
