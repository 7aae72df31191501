import {
  CONTROL_CLIENT_NAME,
  DEFAULT_ITERATIONS,
  EXPIRED_CANARY_NAME,
  passwordFault,
  REVOKED_CANARY_NAME,
  VERIFY_CLIENT_NAME,
} from "../access";
import { PasswordOptions } from "../client/authentication";
import { MosquittoClient } from "../client/mosquitto-client";
import { CertificateAuthority, WantedAuthority, WantedCredentials, WantedPassword } from "../credentials";
import { describeFault } from "../faults";
import { Host, KeyAlgorithm, lifetime } from "../pki";
import { TextSource } from "../text-source";
import { GENERATION_HOSTS } from "./container-paths";
import { Listener } from "./listener";
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
  readonly listeners: readonly Listener[];
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
    certificates: [
      ...clients.flatMap(({ name, commonName, credentialVersion, authentication: { certificate } }) => {
        if (certificate === undefined || clientAuthority?.issues !== true) return [];
        const options = { ...clientCertificates, ...certificate.options };
        return [
          {
            name,
            commonName,
            credentialVersion,
            algorithm: options.keyAlgorithm ?? keyAlgorithm,
            lifetime: lifetime(options, CLIENT_VALIDITY),
            ...(certificate.requestPem !== undefined && { requestPem: certificate.requestPem }),
          },
        ];
      }),
      ...(signsCanaries(clientAuthority)
        ? [
            {
              ...VERIFY_CLIENT,
              commonName: VERIFY_CLIENT_NAME,
              algorithm: clientCertificates.keyAlgorithm ?? keyAlgorithm,
              lifetime: lifetime(clientCertificates, CLIENT_VALIDITY),
            },
          ]
        : []),
    ],
    passwords: [
      ...clients.flatMap(({ name, credentialVersion, authentication: { password } }) =>
        password === undefined ? [] : [wantedPassword(name, credentialVersion, password)],
      ),
      ...(broker.listeners.some(({ asksForPassword }) => asksForPassword)
        ? [{ ...VERIFY_CLIENT, iterations: DEFAULT_ITERATIONS }]
        : []),
    ],
    ...(signsCanaries(clientAuthority) && {
      canaries: {
        revoked: REVOKED_CANARY_NAME,
        expired: EXPIRED_CANARY_NAME,
        algorithm: clientCertificates.keyAlgorithm ?? keyAlgorithm,
      },
    }),
  };
}

const VERIFY_CLIENT = { name: VERIFY_CLIENT_NAME, credentialVersion: 1 };

/** Somebody else's signer is only asked for what was declared. */
export function signsCanaries(clientAuthority: CertificateAuthority | undefined): boolean {
  return clientAuthority?.signsHere === true;
}

function wantedPassword(
  name: string,
  credentialVersion: number,
  { value, hash, iterations = DEFAULT_ITERATIONS }: PasswordOptions,
): WantedPassword {
  return {
    name,
    credentialVersion,
    ...(value !== undefined && { value: value instanceof TextSource ? sourceOf(name, value) : value }),
    ...(hash !== undefined && { hash }),
    iterations,
  };
}

/** Read once, and only when it is needed: a command may ask at the terminal. */
function sourceOf(name: string, source: TextSource): () => string {
  let value: string | undefined;
  return () => {
    if (value !== undefined) return value;
    const what = `the password of client ${name}`;
    value = source.read(what).replace(/\r?\n$/, "");
    const fault = passwordFault(`${what} from ${source.description}`, value, name);
    if (fault !== undefined) throw new Error(describeFault(fault));
    return value;
  };
}

function wantedAuthority(
  { name, props }: DeclaredBroker,
  role: WantedAuthority["role"],
  authority: CertificateAuthority,
): WantedAuthority {
  // Different subjects: with equal ones a leaf looks self-signed (aws/aws-iot-device-sdk-embedded-C#1281).
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
