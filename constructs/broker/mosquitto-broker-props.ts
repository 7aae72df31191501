import { TerraformProvider } from "cdktf";
import { CertificateOptions } from "../client/authentication";
import { ConnectionOutputs } from "../client/connection-outputs";
import { CertificateAuthority, CredentialStore } from "../credentials";
import { KeyAlgorithm } from "../pki";
import { BrokerNetwork } from "./broker-network";
import { BrokerOptions } from "./conf/broker-options";
import { Listener } from "./listener";
import { MosquittoImage } from "./mosquitto-image";

export interface MosquittoBrokerProps extends BrokerOptions {
  /**
   * DNS names and IP addresses that clients use to reach the broker. The first is what bundles say; all are in the
   * server's certificate, beside localhost and the loopback addresses. DNS names are the broker's on its Docker
   * network, too: with others, the container is replaced.
   */
  readonly hosts: readonly string[];

  /**
   * The ports of the broker and how clients prove on each who they are.
   *
   * @default [Listener.mutualTls()]
   */
  readonly listeners?: readonly Listener[];

  /**
   * Where certificates, keys and passwords are kept between deploys.
   *
   * @default - CredentialStore.folder("credentials/NAME"), with the broker's name
   */
  readonly credentials?: CredentialStore;

  /**
   * Who signs the server's certificate. Clients trust this one.
   *
   * @default CertificateAuthority.managed()
   */
  readonly serverAuthority?: CertificateAuthority;

  /**
   * Who signs clients' certificates. The broker trusts this one. The very same value as `serverAuthority` makes one
   * authority for both.
   *
   * @default CertificateAuthority.managed()
   */
  readonly clientAuthority?: CertificateAuthority;

  /**
   * Algorithm of keys that are generated.
   *
   * @default KeyAlgorithm.ecdsaP256()
   */
  readonly keyAlgorithm?: KeyAlgorithm;

  /**
   * How the server's certificate is made.
   *
   * @default - valid for 397 days, renewed in the last third of them
   */
  readonly serverCertificate?: ServerCertificateOptions;

  /**
   * How clients' certificates are made, where a client says nothing else.
   *
   * @default - valid for 825 days, renewed in the last third of them
   */
  readonly clientCertificates?: CertificateOptions;

  /**
   * The image that runs the broker.
   *
   * @default MosquittoImage.official()
   */
  readonly image?: MosquittoImage;

  /**
   * The Docker network that the broker is on.
   *
   * @default BrokerNetwork.bridge()
   */
  readonly network?: BrokerNetwork;

  /**
   * Name of the broker's container; network, volumes and helpers begin with it.
   *
   * @default - the construct's path, such as STACK-BROKER
   */
  readonly name?: string;

  /**
   * Whether the running broker reads what changes of clients, passwords, rules, revocations, certificates and of what is
   * logged, so that nobody's connection is closed. Otherwise its container is replaced at each such change, also when a
   * renewal has come due, and everybody connects again; `rollback` is refused then.
   *
   * Mosquitto 2.0, once it has read a change while it runs, takes the sessions of clients that are away for ones without
   * rules until they connect again: what is published for them meanwhile is lost (eclipse-mosquitto/mosquitto#2934). It
   * can also crash then, and starts again by itself, while a client of MQTT 5 is away whose session is to end at a
   * certain time (eclipse-mosquitto/mosquitto#1521). With `false` neither happens; 2.1 has neither fault.
   *
   * Of either version a will whose delay runs while the broker reads a change is dropped, where its client has a
   * certificate alone.
   *
   * @default true, with a warning where the image has Mosquitto 2.0
   */
  readonly liveChanges?: boolean;

  /**
   * Whether Terraform refuses to destroy the volume with sessions, queued and retained messages (`prevent_destroy`).
   * With it, `destroy` fails until it is switched off. It protects no longer once the construct is renamed, moved or
   * removed: then it is no part of the config. Move it with `terraform state mv` and keep `name` and `credentials`.
   *
   * @default true
   */
  readonly protectData?: boolean;

  /**
   * What the outputs hand to clients.
   *
   * @default ConnectionOutputs.withSecrets()
   */
  readonly connectionOutputs?: ConnectionOutputs;

  /**
   * Put before the names of the outputs, so that two brokers of one stack differ.
   *
   * @default ""
   */
  readonly outputPrefix?: string;

  /**
   * The Docker provider.
   *
   * @default - the stack's
   */
  readonly provider?: TerraformProvider;
}

export interface ServerCertificateOptions extends CertificateOptions {
  /**
   * Raise it by one to give the server a new key, such as after the old one was stolen. Clients check no revocation list
   * of servers: until the stolen certificate ends, only another authority keeps its thief out.
   *
   * @default 1
   */
  readonly credentialVersion?: number;
}
