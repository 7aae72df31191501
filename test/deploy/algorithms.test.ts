import { X509Certificate } from "node:crypto";
import { shakeHands } from "../../cli/verification/handshake";
import { refusal, Session } from "../../tools/mqtt-session";
import { Authentication, KeyAlgorithm, Listener, MosquittoBroker } from "../../constructs";
import { Deployment, images } from "../support/deployment";
import { freePorts } from "../support/workspace";

jest.setTimeout(240_000);

const ALGORITHMS = ["ECDSA-P256", "ECDSA-P384", "RSA-2048", "RSA-3072", "RSA-4096"];

const clients = (broker: MosquittoBroker): void => {
  broker.addClient("watcher", { subscribe: ["plant/#"] });
  for (const id of ALGORITHMS) {
    const authentication = Authentication.certificate({ keyAlgorithm: KeyAlgorithm.parse(id) });
    broker.addClient(`client-${id}`, { authentication, publish: ["plant/#"], subscribe: ["plant/#"] });
  }
};

test("clients of every algorithm connect to a server of every algorithm, which changes under them", async () => {
  const deployment = new Deployment();
  let connected: Session | undefined;
  try {
    const [port] = (await freePorts(1)) as [number];
    for (const id of ALGORITHMS) {
      const props = {
        hosts: ["localhost"],
        listeners: [Listener.mutualTls({ port })],
        image: images["2.1.2"](),
        serverCertificate: { keyAlgorithm: KeyAlgorithm.parse(id) },
      };
      await deployment.deploy(props, clients);
      for (const client of ALGORITHMS) {
        const bundle = await deployment.bundle(`client-${client}`);
        for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
          const result = await refusal(bundle, { minVersion: maxVersion, maxVersion } as object);
          expect({ server: id, client, maxVersion, result }).toEqual({
            server: id,
            client,
            maxVersion,
            result: undefined,
          });
        }
        const type = new X509Certificate(bundle.cert_pem ?? "").publicKey.asymmetricKeyType;
        expect(type).toBe(client.startsWith("RSA") ? "rsa" : "ec");
      }
      connected ??= await Session.open(await deployment.bundle("watcher"));
    }
    expect(connected?.disconnects).toBe(0);
  } finally {
    await connected?.close(true);
    await deployment.remove();
  }
});

test("a listener with a suite that few clients have by themselves is deployed, and lets those in that have it", async () => {
  const deployment = new Deployment();
  try {
    const [port] = (await freePorts(1)) as [number];
    const listeners = [Listener.mutualTls({ port, tlsVersion: "tlsv1.3", ciphersTls13: ["TLS_AES_128_CCM_SHA256"] })];
    await deployment.deploy({ hosts: ["localhost"], listeners, image: images["2.1.2"]() }, (broker) => {
      broker.addClient("sensor-1", { publish: ["plant/#"] });
    });
    const bundle = await deployment.bundle("sensor-1");
    expect(await refusal(bundle)).toMatch(/handshake failure/);
    expect(await refusal(bundle, { ciphers: "TLS_AES_128_CCM_SHA256" } as object)).toBeUndefined();
    const target = { host: "localhost", port, serverName: "localhost", caPem: bundle.ca_pem ?? "" };
    const { cert_pem = "", key_pem = "" } = bundle;
    expect(await shakeHands(target, { cert_pem, key_pem })).toMatchObject({ kind: "accepted" });
  } finally {
    await deployment.remove();
  }
});
