import * as tls from "node:tls";
import { ConnectionBundle } from "../../constructs";

/** SHA-256 fingerprint of the certificate that an endpoint shows, to whoever comes. */
export function shownCertificate(
  { ca_pem: ca }: ConnectionBundle,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host, port, ...(ca !== undefined && { ca }), servername: "localhost" }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}
