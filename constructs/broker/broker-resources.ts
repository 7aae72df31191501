import { Container, ContainerConfig, ContainerMounts } from "@cdktf/provider-docker/lib/container";
import { Image } from "@cdktf/provider-docker/lib/image";
import { Network } from "@cdktf/provider-docker/lib/network";
import { Volume } from "@cdktf/provider-docker/lib/volume";
import { DataResource, TerraformProvider } from "cdktf";
import { Construct } from "constructs";
import { CONTROL_CLIENT_NAME, VERIFY_CLIENT_NAME } from "../access";
import { BrokerNetwork } from "./broker-network";
import {
  BROKER_USER,
  CONFIG_FOLDER,
  DATA_FOLDER,
  GENERATION_HOSTS,
  LIVE_FOLDER,
  RUN_FOLDER,
  SET_LABEL,
} from "./container-paths";
import { Listener } from "./listener";
import { confPath } from "./conf/mosquitto-conf";
import { MosquittoLine } from "./mosquitto-image";
import { probedListeners } from "./probed-listeners";
import { RELOADER_SCRIPT, WRITER_SCRIPT } from "./scripts";
import { BrokerSet } from "./broker-set";
import { brokerSize } from "./sizing";
import { expression, literal } from "../terraform-text";

/** What the Docker resources of one broker are made from. */
export interface BrokerResourcesProps {
  readonly name: string;
  readonly image: string;
  readonly mosquittoLine: MosquittoLine;
  readonly listeners: readonly Listener[];
  /** Bytes of the broker's own limit, where it is declared. */
  readonly memoryLimit?: number;
  readonly network: BrokerNetwork;
  /** DNS names that the broker's own network resolves to it. */
  readonly aliases: readonly string[];
  readonly set: BrokerSet;
  /** Refuses to plan where the credentials are absent. */
  readonly guard: DataResource;
  /** Whether a running broker reads what changes; otherwise it is replaced at any change of the set. */
  readonly liveChanges: boolean;
  /** Files of the set at whose change the broker is replaced, because a reload would not read them again. */
  readonly replacedWith: readonly string[];
  readonly protectData: boolean;
  readonly provider?: TerraformProvider;
}

/** Seconds to save sessions and messages; the provider would kill the container at once (its default is 0). */
const STOP_SECONDS = 30;

/**
 * The Docker resources of one broker. A *writer* stages the files as a set on the config volume, the *broker* reads
 * them from there, a *reloader* makes a staged set live and proves it. So a new client, rule, password or certificate
 * neither replaces the broker's container nor drops a connection, unless `liveChanges` is false.
 */
export class BrokerResources {
  readonly image: Image;
  readonly configVolume: Volume;
  readonly dataVolume: Volume;
  /** Absent where an existing network is used. */
  readonly network?: Network;
  readonly networkName: string;
  readonly writer: Container;
  readonly broker: Container;
  readonly reloader: Container;

  constructor(scope: Construct, props: BrokerResourcesProps) {
    const { name, set } = props;
    // 2.0 forgets limits of its listeners when it reads their lines again.
    const forgetsLimits = props.mosquittoLine === "2.0";
    const provider = props.provider ? { provider: props.provider } : {};
    this.image = new Image(scope, "image", { name: props.image, keepLocally: true, ...provider });
    this.configVolume = new Volume(scope, "config", { name: `${name}-config`, ...provider });
    this.dataVolume = new Volume(scope, "data", {
      name: `${name}-data`,
      ...(props.protectData && { lifecycle: { preventDestroy: true } }),
      ...provider,
    });
    if (props.network.existingName === undefined) {
      this.network = new Network(scope, "network", { name, internal: props.network.isInternal, ...provider });
    }
    this.networkName = this.network?.name ?? (props.network.existingName as string);

    const helper = {
      image: this.image.imageId,
      mustRun: false,
      attach: true,
      logs: true,
      restart: "no",
      securityOpts: ["no-new-privileges"],
      entrypoint: ["/bin/sh", "-c"],
      labels: [{ label: SET_LABEL, value: set.hash }],
      provisioners: [FAIL_WITH_CONTAINER],
      ...provider,
    };
    const setVariables = [
      `SET=${set.hash}`,
      `CONF=${set.confHash}`,
      `VERIFY=${VERIFY_CLIENT_NAME}`,
      `LISTENERS=${probedListeners(props.listeners, props.mosquittoLine)}`,
    ];

    this.writer = new Container(scope, "writer", {
      ...helper,
      name: `${name}-writer`,
      command: [literal(WRITER_SCRIPT)],
      env: [
        ...setVariables,
        `CONTROL=${CONTROL_CLIENT_NAME}`,
        `FILES=${set.fileNames.join(" ")}`,
        `REPLACED_WITH=${(props.liveChanges ? props.replacedWith : set.fileNames).join(" ")}`,
        `LINE=${props.mosquittoLine}`,
      ],
      user: "0:0",
      // Not read-only: Docker refuses every upload into a container whose root is.
      networkMode: "none",
      capabilities: { drop: ["ALL"], add: ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"] },
      mounts: [this.mountConfig(false), this.mountData()],
      upload: set.uploads(`${CONFIG_FOLDER}/incoming-${set.confHash}`),
      dependsOn: [props.guard],
    });

    const { memory, files } = brokerSize(props.listeners, props.memoryLimit);
    this.broker = new Container(scope, "Resource", {
      name,
      image: this.image.imageId,
      ...startOf(confPath(set.confHash), forgetsLimits),
      user: BROKER_USER,
      // After a crash of its own, Docker takes what it has then stopped for stopped by hand: "unless-stopped" stays down.
      restart: "always",
      readOnly: true,
      capabilities: { drop: ["ALL"] },
      securityOpts: ["no-new-privileges"],
      memory,
      // Left out, it would be read back as twice the memory, and no plan would ever be empty.
      memorySwap: memory,
      ulimit: [{ name: "nofile", soft: files, hard: files }],
      logDriver: "json-file",
      logOpts: { "max-size": "10m", "max-file": "3" },
      destroyGraceSeconds: STOP_SECONDS,
      stopTimeout: STOP_SECONDS,
      // Never changed in place: providers report success and change nothing (kreuzwerker/docker#988).
      healthcheck: {
        test: ["CMD", "/bin/sh", `${LIVE_FOLDER}/healthcheck.sh`],
        interval: "30s",
        timeout: "10s",
        startPeriod: "30s",
        retries: 3,
      },
      mounts: [this.mountConfig(true), this.mountData()],
      networksAdvanced: [{ name: this.networkName, aliases: [...props.aliases] }],
      ports: props.network.isInternal ? [] : props.listeners.flatMap(publishedPorts),
      host: GENERATION_HOSTS.map((host) => ({ host, ip: "127.0.0.1" })),
      dependsOn: [this.writer],
      ...replacingLabels(props),
      ...provider,
    });

    this.reloader = new Container(scope, "reloader", {
      ...helper,
      name: `${name}-reloader`,
      command: [literal(RELOADER_SCRIPT)],
      env: [...setVariables, `RELOADED=${forgetsLimits ? `/proc/1/root${RUNNING_CONF}` : ""}`],
      user: BROKER_USER,
      readOnly: true,
      pidMode: `container:${this.broker.id}`,
      networkMode: `container:${this.broker.id}`,
      capabilities: { drop: ["ALL"] },
      mounts: [this.mountConfig(false)],
      dependsOn: [this.writer],
    });
  }

  private mountConfig(readOnly: boolean): ContainerMounts {
    return { type: "volume", source: this.configVolume.name, target: CONFIG_FOLDER, readOnly };
  }

  private mountData(): ContainerMounts {
    return { type: "volume", source: this.dataVolume.name, target: DATA_FOLDER };
  }
}

/** The mosquitto.conf of a broker that is started from a copy, which the reloader can change. */
const RUNNING_CONF = `${RUN_FOLDER}/mosquitto.conf`;

/**
 * How the broker starts. One that forgets limits starts from a copy in memory: the reloader takes the listeners out of it
 * before each reload, and after a crash it is whole again.
 */
function startOf(conf: string, fromCopy: boolean): Pick<ContainerConfig, "entrypoint" | "command" | "tmpfs"> {
  if (!fromCopy) return { entrypoint: ["/usr/sbin/mosquitto"], command: ["-c", conf] };
  const [uid, gid] = BROKER_USER.split(":");
  return {
    entrypoint: ["/bin/sh", "-c"],
    command: [`cat ${conf} >${RUNNING_CONF} && exec /usr/sbin/mosquitto -c ${RUNNING_CONF}`],
    tmpfs: { [RUN_FOLDER]: `uid=${uid},gid=${gid},mode=0700,size=1m` },
  };
}

/** Docker changes no label of a container that is there, so Terraform replaces it when one of these is another. */
function replacingLabels({ liveChanges, replacedWith, set }: BrokerResourcesProps): Pick<ContainerConfig, "labels"> {
  if (!liveChanges) return { labels: [{ label: SET_LABEL, value: set.hash }] };
  return {
    labels: [
      // Also where there is no other: the provider leaves the labels of a container alone that is declared without any.
      { label: "cdktf-mosquitto.live-changes", value: "true" },
      ...replacedWith.map((file) => ({ label: `cdktf-mosquitto.${file}`, value: expression(set.fileHash(file)) })),
    ],
  };
}

function publishedPorts(listener: Listener): { internal: number; external: number; ip: string; protocol: string }[] {
  const { port, bindAddresses } = listener;
  return bindAddresses.map((ip) => ({ internal: port, external: port, ip, protocol: "tcp" }));
}

/** Taints a helper that failed, so that the next deploy runs it again, and shows what it said. */
const FAIL_WITH_CONTAINER = {
  type: "local-exec",
  command: `if [ "$EXIT_CODE" != 0 ]; then printf '%s\\n' "$LOGS" >&2; exit 1; fi`,
  environment: { EXIT_CODE: expression("self.exit_code"), LOGS: expression("self.container_logs") },
} as const;
