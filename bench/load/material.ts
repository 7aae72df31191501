/** Certificates, lists and bundles for the load benchmark, as a deploy makes them; only the client's key is one for all. */
import * as fs from "node:fs";
import * as path from "node:path";
import { KeyAlgorithm, Listener } from "../../constructs";
import { hashPassword, renderAccessControlList, renderPasswordFile } from "../../constructs/access";
import { CONFIG_FOLDER } from "../../constructs/broker/container-paths";
import { LOGGING_FILE, renderLoggingConf } from "../../constructs/broker/conf/logging";
import { renderMosquittoConf } from "../../constructs/broker/conf/mosquitto-conf";
import {
  DAY,
  generateKeyPair,
  issueAuthority,
  issueClient,
  issueRevocationList,
  issueServer,
  Issuer,
  LOOPBACK_HOSTS,
} from "../../constructs/pki";

/** Ways to the same broker. */
export const ROUTES = {
  mqtt: Listener.plaintext({ port: 1883, maxConnections: 10_000 }),
  mqtts: Listener.mutualTls({ port: 8883, maxConnections: 10_000 }),
  wss: Listener.mutualTls({ port: 8443, maxConnections: 10_000, webSockets: true }),
} as const;
export type Route = keyof typeof ROUTES;

/** One iteration only: without TLS nothing but TLS is to be spared. */
const PASSWORD_ITERATIONS = 1;
const PASSWORD = "benchmark password";

/** Writes what the broker reads to `config`, and the clients' bundles to a folder named by each route. */
export function makeMaterial(folder: string, algorithm: KeyAlgorithm, clients: number): void {
  const validity = { notBefore: new Date(Date.now() - DAY), notAfter: new Date(Date.now() + DAY) };
  const authority = issueAuthority({ commonName: "benchmark authority", algorithm, ...validity });
  const issuer = Issuer.fromPem(authority.certificatePem, authority.privateKeyPem);
  const server = issueServer(issuer, { commonName: "localhost", algorithm, hosts: LOOPBACK_HOSTS, ...validity });
  const keyPair = generateKeyPair(algorithm);
  const hash = hashPassword(PASSWORD, { iterations: PASSWORD_ITERATIONS });
  const names = Array.from({ length: clients }, (_, index) => `${index < clients / 2 ? "first" : "second"}-${index}`);
  const topics = names.map((_, index) => [`load/${index}`]);
  const revocations = { number: 0, thisUpdate: validity.notBefore, nextUpdate: validity.notAfter, revoked: [] };
  write(path.join(folder, "config", "live"), {
    [LOGGING_FILE]: renderLoggingConf({}),
    "server.crt": server.certificatePem,
    "server.key": server.privateKeyPem,
    "client-ca.crt": authority.certificatePem,
    "control-ca.crt": authority.certificatePem,
    "crl.pem": issueRevocationList(issuer, revocations),
    passwd: renderPasswordFile(names.map((userName) => ({ userName, hash }))),
    acl: renderAccessControlList(
      names.map((userName, index) => {
        const filters = topics[index] as string[];
        return { userName, publish: filters, subscribe: filters, deny: [] };
      }),
    ),
  });
  write(path.join(folder, "config"), {
    "mosquitto.conf": renderMosquittoConf({
      listeners: Object.values(ROUTES),
      options: {},
      checksRevocations: true,
    }),
  });
  for (const name of names) {
    const { certificatePem, privateKeyPem } = issueClient(issuer, {
      commonName: name,
      algorithm,
      keyPair,
      ...validity,
    });
    const own = { host: "localhost", server_name: "localhost", client_id: name };
    const certificate = { ca_pem: authority.certificatePem, cert_pem: certificatePem, key_pem: privateKeyPem };
    for (const [route, { port, usesTls }] of Object.entries(ROUTES)) {
      const credentials = usesTls ? certificate : { username: name, password: PASSWORD };
      const bundle = { ...own, port, protocol: route, ...credentials };
      write(path.join(folder, route), { [`${name}.json`]: JSON.stringify(bundle) });
    }
  }
}

export const CONF = `${CONFIG_FOLDER}/mosquitto.conf`;

/** For the broker's user, whoever owns the folder. */
function write(folder: string, files: Readonly<Record<string, string>>): void {
  fs.mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), content);
}
