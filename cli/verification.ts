import { X509Certificate } from "node:crypto";
import * as net from "node:net";
import * as tls from "node:tls";
import mqtt from "mqtt";
import { endpointUrl } from "../constructs/client/connection-bundle";
import { DeployedBroker, DeployedEndpoint } from "./outputs";

/** What was expected of an endpoint, and what came. */
export interface Finding {
  readonly broker: string;
  readonly endpoint: string;
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** Milliseconds that an answer may take. */
const PATIENCE = 10_000;

/**
 * Looks at every endpoint of a broker from here, without any credential: nobody's session is touched.
 *
 * @param host another host to reach it by. @default - that of the endpoints
 */
export async function verifyBroker(deployed: DeployedBroker, host?: string): Promise<Finding[]> {
  const findings = await Promise.all(
    deployed.endpoints.map(async (declared) => {
      const endpoint = host === undefined ? declared : { ...declared, host, url: endpointUrl({ ...declared, host }) };
      const checks = await verifyEndpoint(
        endpoint,
        declared.hosts.includes(endpoint.host) ? endpoint.host : declared.host,
        deployed,
      );
      return checks.map((check) => ({ broker: deployed.broker, endpoint: endpoint.url, ...check }));
    }),
  );
  return findings.flat();
}

type Check = Omit<Finding, "broker" | "endpoint">;

/** @param serverName what the server has to prove to be */
async function verifyEndpoint(
  endpoint: DeployedEndpoint,
  serverName: string,
  deployed: DeployedBroker,
): Promise<Check[]> {
  const unreachable = await connectFault(endpoint);
  const reachable = { check: "can be reached", ok: unreachable === undefined, detail: unreachable ?? "" };
  // What follows would only say the same again.
  if (!reachable.ok) return [reachable];
  const stranger = "a client that says nothing of itself";
  if (endpoint.protocol === "mqtt" || endpoint.protocol === "ws")
    return [reachable, await refuses(stranger, endpoint.url, {})];
  const proofs = await serverChecks(endpoint, serverName, deployed);
  // Of another server it says nothing whom it refuses.
  if (proofs.some(({ ok }) => !ok)) return [reachable, ...proofs];
  return [
    reachable,
    ...proofs,
    await refuses(stranger, endpoint.url, { ca: deployed.caPem, ...nameOf(serverName) }),
    await refuses("clear text", endpoint.url.replace(/^(mqtt|ws)s:/, "$1:"), {}),
  ];
}

/** A name goes into the handshake, an address does not (RFC 6066 section 3). */
function nameOf(serverName: string): { servername?: string } {
  return net.isIP(serverName) === 0 ? { servername: serverName } : {};
}

function connectFault({ host, port }: DeployedEndpoint): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: PATIENCE });
    const end = (fault: string | undefined): void => {
      socket.destroy();
      resolve(fault);
    };
    socket.once("connect", () => end(undefined));
    socket.once("timeout", () => end("no answer"));
    socket.once("error", ({ message }) => end(message));
  });
}

async function serverChecks(
  endpoint: DeployedEndpoint,
  serverName: string,
  deployed: DeployedBroker,
): Promise<Check[]> {
  const shown = await serverCertificate(endpoint, serverName, deployed.caPem);
  const check = `proves to be ${serverName}`;
  if (!(shown instanceof X509Certificate)) return [{ check, ok: false, detail: shown }];
  const expected = deployed.certificates.find(({ name }) => name === "server")?.fingerprint_sha256 ?? "";
  return [
    { check, ok: true, detail: `until ${new Date(shown.validTo).toISOString()}` },
    {
      check: "shows the certificate that was deployed",
      ok: hexOf(shown.fingerprint256) === hexOf(expected),
      detail: `serial ${shown.serialNumber}`,
    },
  ];
}

/** @returns the certificate, checked as a client checks it, or why there is none that is good */
function serverCertificate(
  { host, port }: DeployedEndpoint,
  serverName: string,
  ca: string,
): Promise<X509Certificate | string> {
  return new Promise((resolve) => {
    const socket = tls.connect({ host, port, timeout: PATIENCE, ca, ...nameOf(serverName) });
    const end = (result: X509Certificate | string): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once("secureConnect", () => end(socket.getPeerX509Certificate() ?? "it shows no certificate"));
    socket.once("timeout", () => end("no answer"));
    socket.once("error", (error: Error) => end(firstLine(error.message)));
  });
}

/** Whether the broker turns away who connects like this. Nothing is sent that anybody would miss. */
function refuses(whom: string, url: string, trust: { ca?: string; servername?: string }): Promise<Check> {
  return new Promise((resolve) => {
    // Over WebSockets MQTT.js takes what is for TLS from there.
    const client = mqtt.connect(url, { reconnectPeriod: 0, connectTimeout: PATIENCE, ...trust, wsOptions: trust });
    const end = (ok: boolean, detail: string): void => {
      client.end(true, () => resolve({ check: `refuses ${whom}`, ok, detail: firstLine(detail) }));
    };
    client.once("connect", () => end(false, "it was let in"));
    client.once("error", (error: Error) => end(error.message !== "connack timeout", error.message));
    client.once("close", () => end(true, "the connection was closed"));
  });
}

/** Of OpenSSL's errors the words alone. */
function firstLine(text: string): string {
  const [line = ""] = text.split("\n");
  return /:SSL routines:[^:]*:([^:]+)/.exec(line)?.[1] ?? line;
}

function hexOf(fingerprint: string): string {
  return fingerprint.replace(/:/g, "").toLowerCase();
}
