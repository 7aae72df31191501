/** The end of `npm start`: proves with real clients that the right ones get in and nobody else does. */
import { join } from "node:path";
import { readOutputs } from "../cli/outputs";
import { writePrivateFiles } from "../cli/private-files";
import { ConnectionBundle, KeyAlgorithm } from "../constructs";
import { renderBundle } from "../constructs/client/formats";
import { issueAuthority, issueClient, Issuer } from "../constructs/pki";
import { until } from "./until";
import { refusal, Session, without } from "./mqtt-session";

const DAY = 24 * 60 * 60 * 1000;
const filesFolder = join(__dirname, "..", "state", "dev-clients");

async function main(): Promise<void> {
  const [deployed] = readOutputs("dev");
  if (deployed === undefined) throw new Error("dev is not deployed");
  const bundles = new Map(deployed.bundles.map(({ bundle }) => [bundle.client_id, bundle]));
  const bundle = (client: string): ConnectionBundle => bundles.get(client) as ConnectionBundle;
  const sensor = bundle("sensor-1");

  console.log("\nProof");
  await say("sensor-1 publishes and dashboard receives, over mutual TLS", () => passes(sensor, bundle("dashboard")));
  await say("operator publishes with its password, over TLS", () =>
    passes(bundle("operator"), bundle("dashboard"), "plant/sensor-1/commands"),
  );
  await say("refused: a client without a certificate", () => refused(without(sensor, "cert_pem", "key_pem")));
  await say("refused: a client with a foreign certificate", () => refused({ ...sensor, ...foreignCertificate() }));
  await say("refused: an anonymous client", () => refused(without(bundle("operator"), "username", "password")));
  await say("refused: sensor-1 outside its topics", () => denied(sensor, "plant/sensor-2/temperature"));

  console.log("\nEndpoints");
  for (const { url, kind } of deployed.endpoints) {
    console.log(`  ${url}  ${kind}`);
  }
  console.log("\nClients");
  for (const [name, { publish, subscribe, expires_at }] of bundles) {
    console.log(`  ${name}  ${expires_at === undefined ? "password" : `certificate until ${expires_at.slice(0, 10)}`}`);
    if (publish.length > 0) console.log(`    publishes to   ${publish.join(", ")}`);
    if (subscribe.length > 0) console.log(`    receives from  ${subscribe.join(", ")}`);
  }
  console.log(
    "\nTry it yourself, in two terminals (mosquitto_sub and mosquitto_pub are in the package mosquitto-clients)",
  );
  console.log(`  ${configHome("dashboard", bundle("dashboard"))} mosquitto_sub -t 'plant/#' -v`);
  console.log(`  ${configHome("sensor-1", sensor)} mosquitto_pub -t plant/sensor-1/temperature -m 21`);
}

async function say(claim: string, prove: () => Promise<string>): Promise<void> {
  const how = await prove();
  console.log(`  ok  ${claim}${how === "" ? "" : `  (${how})`}`);
}

async function passes(
  from: ConnectionBundle,
  to: ConnectionBundle,
  topic = "plant/sensor-1/temperature",
): Promise<string> {
  const receiver = await Session.open(to);
  const sender = await Session.open(from);
  try {
    const payload = `proof ${Date.now()}`;
    await receiver.subscribe("plant/#");
    await sender.publish(topic, payload);
    await until(`${payload} comes on ${topic}`, () => receiver.payloads.includes(payload));
    return "";
  } finally {
    await Promise.all([receiver.close(), sender.close()]);
  }
}

async function refused(bundle: ConnectionBundle): Promise<string> {
  const reason = await refusal(bundle);
  if (reason === undefined) throw new Error("it was let in, which must never be");
  return reason.split("\n")[0] as string;
}

async function denied(bundle: ConnectionBundle, topic: string): Promise<string> {
  const session = await Session.open(bundle);
  try {
    await session.publish(topic, "must not arrive");
  } catch (error) {
    return (error as Error).message;
  } finally {
    await session.close();
  }
  throw new Error(`publishing to ${topic} was accepted, which must never be`);
}

function foreignCertificate(): Pick<ConnectionBundle, "cert_pem" | "key_pem"> {
  const algorithm = KeyAlgorithm.ecdsaP256();
  const validity = { notBefore: new Date(Date.now() - DAY), notAfter: new Date(Date.now() + DAY) };
  const authority = issueAuthority({ commonName: "Foreign authority", algorithm, ...validity });
  const issuer = Issuer.fromPem(authority.certificatePem, authority.privateKeyPem);
  const { certificatePem, privateKeyPem } = issueClient(issuer, { commonName: "sensor-1", algorithm, ...validity });
  return { cert_pem: certificatePem, key_pem: privateKeyPem };
}

/** Where mosquitto_pub and mosquitto_sub find their options, with the client's files where only this user can read them. */
function configHome(name: string, bundle: ConnectionBundle): string {
  const folder = join(filesFolder, name);
  writePrivateFiles(new Map([[folder, renderBundle(bundle, "pem", { installedIn: folder })]]), true);
  return `XDG_CONFIG_HOME=${folder}`;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
