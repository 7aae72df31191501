import { mustRun, run } from "../support/command";
import { until } from "../../tools/until";
import { uniqueName } from "../support/workspace";
import { plainDoor } from "./doors";
import { Peer } from "./peer";

/** As this library's defaults, where a client could notice. */
const CONF = [
  "listener 1883",
  "allow_anonymous true",
  "max_packet_size 2000000",
  "max_inflight_messages 20",
  "max_queued_messages 1000",
  "max_keepalive 3600",
  "set_tcp_nodelay true",
];

/** Mosquitto as it is, from the same image: no TLS, no passwords, no rules. */
export class PlainBroker {
  private readonly name = uniqueName("cdktf-test-plain");

  constructor(
    private readonly image: string,
    readonly port: number,
  ) {}

  async start(): Promise<void> {
    const script = 'printf "%s\\n" "$@" >/tmp/conf && exec /usr/sbin/mosquitto -c /tmp/conf';
    const options = ["--name", this.name, "--user", "1883:1883", "-p", `127.0.0.1:${this.port}:1883`];
    await mustRun("docker", [
      ...["run", "--detach", "--rm", ...options, "--entrypoint", "/bin/sh", this.image, "-c", script, "sh", ...CONF],
    ]);
    await until("Mosquitto answers", async () => {
      const peer = await Peer.connect(plainDoor(this.port), "probe", 4, {}).catch(() => undefined);
      peer?.drop();
      return peer !== undefined && !peer.isClosed && peer.packets.length > 0;
    });
  }

  async remove(): Promise<void> {
    await run("docker", ["rm", "--force", "--volumes", this.name]);
  }
}
