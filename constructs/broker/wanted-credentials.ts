import { CONTROL_CLIENT_NAME, DEFAULT_ITERATIONS } from "../access";
import { MosquittoClient } from "../client/mosquitto-client";
import { CertificateAuthority, WantedAuthority, WantedCredentials } from "../credentials";
import { Host, KeyAlgorithm, lifetime } from "../pki";
import { GENERATION_HOSTS } from "./container-paths";
import type { MosquittoBrokerProps } from "./mosquitto-broker-props";

/** Days; below the 398 and 825 that Apple's platforms allow. */
export const SERVER_VALIDITY = 397;
/** Days. */
export const CLIENT_VALIDITY = 825;

/** A broker, as far as it decides what its store must hold. */
export interface DeclaredBroker {
  readonly name: string;
  readonly props: MosquittoBrokerProps;
  readonly hosts: readonly Host[];
  readonly serverAuthority: CertificateAuthority;
  /** Absent where no listener asks for a client certificate. */
  readonly clientAuthority: CertificateAuthority | undefined;
  readonly clients: readonly MosquittoClient[];
}

/** What a declaration needs from its credential store, with every default filled in. */
export function wantedCredentials(broker: DeclaredBroker): WantedCredentials {
  const { props, clients, clientAuthority } = broker;
  const { serverCertificate = {}, clientCertificates = {}, keyAlgorithm = KeyAlgorithm.ecdsaP256() } = props;
  // Also without a listener that asks for certificates now: the server's authority must not change by that.
  const isShared = props.clientAuthority !== undefined && props.clientAuthority === props.serverAuthority;
  const serverAuthority = wantedAuthority(broker, isShared ? "shared" : "server", broker.serverAuthority);
  return {
    serverAuthority,
    ...(clientAuthority && {
      clientAuthority: isShared ? serverAuthority : wantedAuthority(broker, "clients", clientAuthority),
    }),
    controlAuthority: wantedAuthority(broker, "control", CertificateAuthority.managed()),
    server: {
      hosts: broker.hosts,
      generationHosts: GENERATION_HOSTS,
      credentialVersion: serverCertificate.credentialVersion ?? 1,
      algorithm: serverCertificate.keyAlgorithm ?? keyAlgorithm,
      lifetime: lifetime(serverCertificate, SERVER_VALIDITY),
    },
    controlName: CONTROL_CLIENT_NAME,
    certificates: clients
      .filter(({ method }) => method === "certificate" && clientAuthority?.issues === true)
      .map(({ name, credentialVersion, authentication: { certificateOptions, requestPem } }) => {
        const options = { ...clientCertificates, ...certificateOptions };
        return {
          name,
          credentialVersion,
          algorithm: options.keyAlgorithm ?? keyAlgorithm,
          lifetime: lifetime(options, CLIENT_VALIDITY),
          ...(requestPem !== undefined && { requestPem }),
        };
      }),
    passwords: clients
      .filter(({ method }) => method === "password")
      .map(({ name, credentialVersion, authentication: { passwordOptions } }) => ({
        name,
        credentialVersion,
        ...(passwordOptions.value !== undefined && { value: passwordOptions.value }),
        iterations: passwordOptions.iterations ?? DEFAULT_ITERATIONS,
      })),
  };
}

function wantedAuthority(
  { name, props }: DeclaredBroker,
  role: WantedAuthority["role"],
  authority: CertificateAuthority,
): WantedAuthority {
  // Different subjects: with equal ones a leaf looks self-signed (field report 18).
  const whose = { server: " server", clients: " client", shared: "", control: " control" }[role];
  return {
    role,
    rootRole: role === "control" ? "server-root" : `${role}-root`,
    authority,
    // The kind of authority and its generation follow, in 64 characters at most.
    commonName: `${name.slice(0, 40)}${whose}`,
    algorithm: props.keyAlgorithm ?? KeyAlgorithm.ecdsaP256(),
  };
}
