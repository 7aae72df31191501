import { X509Certificate } from "node:crypto";
import * as net from "node:net";
import * as tls from "node:tls";
import mqtt from "mqtt";
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

/** Looks at every endpoint of a broker from here, without any credential: nobody's session is touched. */
export async function verifyBroker(deployed: DeployedBroker): Promise<Finding[]> {
  const findings = await Promise.all(deployed.endpoints.map((endpoint) => verifyEndpoint(endpoint, deployed)));
  return findings.flatMap((checks, index) =>
    checks.map((finding) => ({
      broker: deployed.broker,
      endpoint: (deployed.endpoints[index] as DeployedEndpoint).url,
      ...finding,
    })),
  );
}

type Check = Omit<Finding, "broker" | "endpoint">;

async function verifyEndpoint(endpoint: DeployedEndpoint, deployed: DeployedBroker): Promise<Check[]> {
  const unreachable = await connectFault(endpoint);
  const reachable = { check: "can be reached", ok: unreachable === undefined, detail: unreachable ?? "" };
  // What follows would only say the same again.
  if (!reachable.ok) return [reachable];
  const isTls = endpoint.protocol === "mqtts" || endpoint.protocol === "wss";
  return [
    reachable,
    ...(isTls ? await serverChecks(endpoint, deployed) : []),
    await refuses("a client that says nothing of itself", endpoint.url, deployed.caPem),
    ...(isTls ? [await refuses("clear text", endpoint.url.replace(/^(mqtt|ws)s:/, "$1:"), "")] : []),
  ];
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

async function serverChecks(endpoint: DeployedEndpoint, deployed: DeployedBroker): Promise<Check[]> {
  const shown = await serverCertificate(endpoint, deployed.caPem);
  const check = `proves to be ${endpoint.host}`;
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
function serverCertificate({ host, port }: DeployedEndpoint, ca: string): Promise<X509Certificate | string> {
  return new Promise((resolve) => {
    const servername = net.isIP(host) === 0 ? { servername: host } : {};
    const socket = tls.connect({ host, port, timeout: PATIENCE, ca, ...servername });
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
function refuses(whom: string, url: string, ca: string): Promise<Check> {
  return new Promise((resolve) => {
    const client = mqtt.connect(url, { reconnectPeriod: 0, connectTimeout: PATIENCE, ca });
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
