import type { Verification } from "../../constructs/broker/verification";
import { CONTROL_PORT } from "../../constructs/broker/container-paths";
import { endpointUrl } from "../../constructs/client/connection-bundle";
import type { DeployedBroker } from "../outputs";
import { connectFault, verifyEndpoint } from "./endpoint";
import { Finding, judged } from "./finding";
import { shakeHands } from "./handshake";

/** Milliseconds after which a port that says nothing is taken to be closed. */
const CLOSED_AFTER = 3000;

/**
 * Looks at every endpoint of a broker from here, with the library's own client alone: no session of another one is touched.
 *
 * @param own the library's own client; where there is none, why not
 * @param host another host to reach it by. @default - that of the endpoints
 */
export async function verifyBroker(
  deployed: DeployedBroker,
  own: Verification | string,
  host?: string,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const { broker } = deployed;
  for (const declared of deployed.endpoints) {
    const endpoint = host === undefined ? declared : { ...declared, host, url: endpointUrl({ ...declared, host }) };
    const serverName = declared.hosts.includes(endpoint.host) ? endpoint.host : declared.host;
    const checks = await verifyEndpoint({ endpoint, serverName, deployed, own });
    findings.push(...checks.map((check) => ({ broker, endpoint: endpoint.url, ...check })));
  }
  const [first] = deployed.endpoints;
  if (first === undefined) return findings;
  return [...findings, await controlFinding(deployed, host ?? first.host, first.host)];
}

/** The control listener is for the containers of the broker alone. Something else may have its port outside. */
async function controlFinding(deployed: DeployedBroker, host: string, serverName: string): Promise<Finding> {
  const port = CONTROL_PORT;
  const head = { broker: deployed.broker, endpoint: endpointUrl({ host, port, protocol: "mqtts" }) };
  const check = "keeps its control port to itself";
  const fault = await connectFault({ host, port }, CLOSED_AFTER);
  if (fault !== undefined) return { ...head, ...judged(check, true, fault) };
  const { server } = await shakeHands({ host, port, serverName, caPem: deployed.caPem });
  const isOwn = server !== undefined && server.chainFault === undefined;
  return { ...head, ...judged(check, !isOwn, isOwn ? "the broker answers there" : "another server is there") };
}
